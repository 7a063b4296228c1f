//! A request before it is bytes.

use std::fmt;

use crate::World;

/// How the body is framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// In chunks of so many bytes.
    Chunked(usize),
    /// With `Content-Length`.
    Sized,
    /// In one chunk, behind which no further one is but what cannot be read as one.
    Torn,
}

/// One request, with placeholders such as `{key}` for what each world has prepared.
#[derive(Clone)]
pub struct Asked {
    method: String,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    sending: Sending,
}

impl Asked {
    /// A request without headers of its own and without a body.
    #[must_use]
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.as_ref().to_vec(),
            headers: Vec::new(),
            body: Vec::new(),
            sending: Sending::Sized,
        }
    }

    /// With one header more. A `host` takes the place of the usual one; `-` for its value means none.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With `Authorization: Bearer`.
    #[must_use]
    pub fn bearing(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// With a body that says it is JSON.
    #[must_use]
    pub fn with_json(self, body: impl AsRef<[u8]>) -> Self {
        self.with("content-type", "application/json")
            .with_body(body)
    }

    /// With its body sent so.
    #[must_use]
    pub fn sent(mut self, sending: Sending) -> Self {
        self.sending = sending;
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The target's path, as far as it is text.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = str::from_utf8(&self.target).unwrap_or_default();
        let target = target.split_once("://").map_or(target, |(_, rest)| {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        });
        target.split(['?', '#']).next().unwrap_or_default()
    }

    /// What goes over the wire, in this world.
    #[must_use]
    pub fn bytes(&self, world: &World) -> Vec<u8> {
        let mut bytes = self.method.clone().into_bytes();
        bytes.push(b' ');
        bytes.extend(world.fill(&self.target));
        bytes.extend(b" HTTP/1.1\r\n");
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        if !self.has("host") {
            line("host", world.place().host().as_bytes());
        }
        for (name, value) in world.place().headers() {
            if !self.has(name) {
                line(name, value.as_bytes());
            }
        }
        for (name, value) in &self.headers {
            if !(name == "host" && value == b"-") {
                line(name, &world.fill(value));
            }
        }
        let body = world.fill(&self.body);
        let framed = self.has("content-length") || self.has("transfer-encoding");
        if framed {
            bytes.extend(b"\r\n");
            bytes.extend(body);
            return bytes;
        }
        match self.sending {
            Sending::Chunked(size) => {
                bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
                for piece in body.chunks(size) {
                    bytes.extend(chunk(piece));
                }
                bytes.extend(b"0\r\n\r\n");
            }
            Sending::Sized if body.is_empty() => bytes.extend(b"\r\n"),
            Sending::Sized => {
                bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
                bytes.extend(body);
            }
            Sending::Torn => {
                bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
                bytes.extend(chunk(&body));
                bytes.extend(b"no length\r\n");
            }
        }
        bytes
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// As it would be read aloud: a long body is cut.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(300)].escape_ascii().to_string();
        write!(f, "{} {}", self.method, shown(&self.target))?;
        for (name, value) in &self.headers {
            write!(f, " | {name}: {}", shown(value))?;
        }
        let length = self.body.len();
        write!(f, " | {:?} {length}: {}", self.sending, shown(&self.body))
    }
}

fn chunk(piece: &[u8]) -> Vec<u8> {
    let head = format!("{:x}\r\n", piece.len());
    [head.as_bytes(), piece, b"\r\n"].concat()
}
