//! The generator: raw HTTP/1.1 over connections that are kept, one request at a time on each.
//!
//! It does as little as it can, since it shares the machine with what it measures: requests are
//! rendered once, an answer is read as far as its length says, and only its status is looked at.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{JoinSet, LocalSet},
};

use crate::Outcome;

/// Its name over plain HTTP on loopback.
pub(crate) const REFRESH_COOKIE: &str = "ps_refresh";

/// What is asked for, of whom.
pub(crate) struct Ask {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Requests,
    pub(crate) expected: u16,
}

pub(crate) enum Requests {
    /// These, over and over, each round from where the last one stopped.
    Prepared {
        texts: Vec<Vec<u8>>,
        next: Cell<usize>,
    },
    /// A cookie is exchanged for the next one, which stands in the answer.
    Chained {
        head: String,
        cookies: RefCell<Vec<String>>,
    },
}

/// How many answers a round waits for, where the machine is so busy that its time brings fewer, and
/// how many times as long it waits at most.
const LEAST: usize = 2_000;
const LONGEST: u32 = 10;

/// When a round is over.
struct Round {
    end: Instant,
    latest: Instant,
    answers: Cell<usize>,
}

impl Round {
    fn goes_on(&self) -> bool {
        let now = Instant::now();
        now < self.end || self.answers.get() < LEAST && now < self.latest
    }

    fn answered(&self) {
        self.answers.set(self.answers.get() + 1);
    }
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) span: Duration,
    /// Sorted, one for each request.
    pub(crate) waits: Vec<Duration>,
}

impl Done {
    pub(crate) fn a_second(&self) -> f64 {
        self.waits.len() as f64 / self.span.as_secs_f64()
    }

    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let place = (self.waits.len() as f64 * part) as usize;
        let at = place.min(self.waits.len().saturating_sub(1));
        self.waits.get(at).copied().unwrap_or_default()
    }
}

/// Asks over `connections` at once until `span` is over, or a little longer, on this thread.
pub(crate) async fn ask(ask: &Rc<Ask>, connections: usize, span: Duration) -> Outcome<Done> {
    let mut sockets = Vec::with_capacity(connections);
    for _ in 0..connections {
        sockets.push(Socket::open(ask.address).await?);
    }
    let begun = Instant::now();
    let round = Rc::new(Round {
        end: begun + span,
        latest: begun + span * LONGEST,
        answers: Cell::new(0),
    });
    let mut waits = Vec::with_capacity(1 << 16);
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut all = JoinSet::new();
            for socket in sockets {
                all.spawn_local(one(Rc::clone(ask), socket, Rc::clone(&round)));
            }
            while let Some(done) = all.join_next().await {
                waits.extend(done??);
            }
            Outcome::Ok(())
        })
        .await?;
    let span = begun.elapsed();
    waits.sort_unstable();
    Ok(Done { span, waits })
}

/// One connection.
async fn one(ask: Rc<Ask>, mut socket: Socket, round: Rc<Round>) -> Outcome<Vec<Duration>> {
    let mut waits = Vec::new();
    match &ask.requests {
        Requests::Prepared { texts, next } => {
            while round.goes_on() {
                let at = next.get();
                next.set((at + 1) % texts.len());
                waits.push(socket.exchange(&texts[at], ask.expected).await?);
                round.answered();
            }
        }
        Requests::Chained { head, cookies } => {
            let taken = cookies.borrow_mut().pop();
            let mut cookie = taken.ok_or("there are more connections than cookies")?;
            while round.goes_on() {
                let request = format!("{head}cookie: {cookie}\r\n\r\n");
                waits.push(socket.exchange(request.as_bytes(), ask.expected).await?);
                round.answered();
                cookie = socket
                    .cookie(REFRESH_COOKIE)
                    .ok_or("an answer without a cookie")?;
            }
            cookies.borrow_mut().push(cookie);
        }
    }
    Ok(waits)
}

/// A connection, and the last answer on it.
pub(crate) struct Socket {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Socket {
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and reads its answer.
    async fn exchange(&mut self, request: &[u8], expected: u16) -> Outcome<Duration> {
        let begun = Instant::now();
        self.send(request).await?;
        let wait = begun.elapsed();
        match self.status() {
            Some(status) if status == expected => Ok(wait),
            _ => Err(format!("not {expected}: {}", self.text()).into()),
        }
    }

    pub(crate) async fn send(&mut self, request: &[u8]) -> Outcome<()> {
        self.answer.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err(format!("closed early: {}", self.text()).into());
            }
            if let Some(length) = whole(&self.answer)
                && self.answer.len() >= length
            {
                return Ok(());
            }
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        let digits = self.answer.get(9..12)?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer).into_owned()
    }

    /// The first cookie that the answer sets whose name begins so: its name and value.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let line = format!("\r\nset-cookie: {name}");
        let at = find(&self.answer, line.as_bytes())? + line.len() - name.len();
        let rest = &self.answer[at..];
        let end = rest.iter().position(|byte| matches!(byte, b';' | b'\r'))?;
        String::from_utf8(rest[..end].to_vec()).ok()
    }

    pub(crate) fn body(&self) -> &[u8] {
        let from = find(&self.answer, b"\r\n\r\n").map_or(self.answer.len(), |at| at + 4);
        &self.answer[from..]
    }
}

/// How long an answer is, once its head is there.
fn whole(answer: &[u8]) -> Option<usize> {
    let head = find(answer, b"\r\n\r\n")?;
    let at = find(&answer[..head], b"\r\ncontent-length: ");
    let length = at.map_or(0, |at| {
        let digits = answer[at + 18..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
    });
    Some(head + 4 + length)
}

/// Where `what`, which is in lower case, stands first.
fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len())
        .position(|window| window.eq_ignore_ascii_case(what))
}
