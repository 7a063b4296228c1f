//! A client of a few lines: it sends exactly these bytes, and shows exactly what comes.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::Answer;

/// Far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
#[derive(Debug)]
pub struct Wire {
    from: BufReader<OwnedReadHalf>,
    to: OwnedWriteHalf,
}

/// What a server answers to these bytes on a connection of their own.
///
/// # Errors
/// Where there is no answer: the connection was closed, or nothing came in time.
pub async fn exchange(address: SocketAddr, bytes: &[u8], to_head: bool) -> io::Result<Answer> {
    Wire::open(address).await?.exchange(bytes, to_head).await
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// What the system said.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (from, to) = stream.into_split();
        let from = BufReader::new(from);
        Ok(Self { from, to })
    }

    /// Sends, and reads the answer as soon as it comes: a server may refuse a body before it is all
    /// sent, and take no more of it.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn exchange(&mut self, bytes: &[u8], to_head: bool) -> io::Result<Answer> {
        let sending = async {
            let _ = self.to.write_all(bytes).await;
            std::future::pending().await
        };
        let reading = timeout(PATIENCE, read_answer(&mut self.from, to_head));
        tokio::select! {
            biased;
            read = reading => read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?,
            () = sending => unreachable!("it never ends"),
        }
    }

    /// Sends without waiting for an answer.
    ///
    /// # Errors
    /// What the system said.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes).await
    }

    /// The next answer.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn answer(&mut self, to_head: bool) -> io::Result<Answer> {
        let reading = timeout(PATIENCE, read_answer(&mut self.from, to_head));
        reading
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// What the system said.
    pub async fn shut_down(&mut self) -> io::Result<()> {
        self.to.shutdown().await
    }

    /// What else comes before the other side closes the connection, for so long at most; `None`
    /// where it is still open then.
    pub async fn rest(&mut self, at_most: Duration) -> Option<Vec<u8>> {
        let mut rest = Vec::new();
        let read = timeout(at_most, self.from.read_to_end(&mut rest)).await;
        read.ok().map(|_| rest)
    }
}

async fn read_answer(from: &mut BufReader<OwnedReadHalf>, to_head: bool) -> io::Result<Answer> {
    loop {
        let line = line(from).await?;
        let status = line.split(|byte| *byte == b' ').nth(1);
        let status = status.and_then(|text| str::from_utf8(text).ok()?.parse().ok());
        let status: u16 =
            status.ok_or_else(|| io::Error::other(format!("not a status: {line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self::line(from).await?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|byte| *byte == b':');
            let colon = colon.ok_or_else(|| io::Error::other(format!("not a header: {line:?}")))?;
            let name = String::from_utf8_lossy(&line[..colon]).to_lowercase();
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
        if status < 200 {
            continue; // `100 Continue`
        }
        let bodiless = to_head || matches!(status, 204 | 304);
        let body = if bodiless {
            Vec::new()
        } else {
            read_body(from, &headers).await?
        };
        return Ok(Answer::new(status, headers, body, to_head));
    }
}

async fn read_body(
    from: &mut BufReader<OwnedReadHalf>,
    headers: &[(String, Vec<u8>)],
) -> io::Result<Vec<u8>> {
    let value = |wanted: &str| headers.iter().find(|(name, _)| name == wanted);
    let mut body = Vec::new();
    if let Some((_, length)) = value("content-length") {
        let length = str::from_utf8(length)
            .ok()
            .and_then(|text| text.parse().ok());
        body.resize(length.ok_or_else(|| io::Error::other("not a length"))?, 0);
        from.read_exact(&mut body).await?;
    } else if value("transfer-encoding").is_some() {
        loop {
            let line = line(from).await?;
            let size = str::from_utf8(&line).ok();
            let size = size.and_then(|text| usize::from_str_radix(text, 16).ok());
            let size = size.ok_or_else(|| io::Error::other(format!("not a size: {line:?}")))?;
            let mut piece = vec![0; size];
            from.read_exact(&mut piece).await?;
            self::line(from).await?;
            if size == 0 {
                break;
            }
            body.extend(piece);
        }
    } else {
        from.read_to_end(&mut body).await?;
    }
    Ok(body)
}

async fn line(from: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).await?;
    match line.strip_suffix(b"\r\n") {
        Some(text) => Ok(text.to_vec()),
        None if line.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
        None => Err(io::Error::other(format!(
            "a line that is cut off: {line:?}"
        ))),
    }
}
