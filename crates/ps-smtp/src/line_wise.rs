//! A connection that is read one line at a time.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A TCP connection whose every read ends with the line.
///
/// lettre keeps what it has read ahead when it changes to TLS. So whoever stands in the network could
/// send answers in clear text behind the one to STARTTLS, and they would be taken for the server's
/// own (RFC 3207 §6). Read like this there is nothing ahead, and such answers break the handshake.
#[derive(Debug)]
pub(crate) struct LineWise {
    stream: TcpStream,
    ahead: Vec<u8>,
    taken: usize,
}

const AHEAD: usize = 4096;

impl LineWise {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
            taken: 0,
        }
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ahead.resize(AHEAD, 0);
        let mut buffer = ReadBuf::new(&mut self.ahead);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        let filled = buffer.filled().len();
        self.ahead.truncate(filled);
        self.taken = 0;
        read
    }
}

impl AsyncRead for LineWise {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.taken == this.ahead.len() {
            ready!(this.poll_fill(context))?;
        }
        let rest = &this.ahead[this.taken..];
        let newline = rest.iter().position(|byte| *byte == b'\n');
        let line = newline.map_or(rest.len(), |at| at + 1);
        let fits = line.min(into.remaining());
        into.put_slice(&rest[..fits]);
        this.taken += fits;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineWise {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for LineWise {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
