//! A request's bytes as `ps_http` wants them, read without any framework.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version, header, request::Parts};
use ps_http::{Auth, BODY_LIMIT, Connection};

use crate::Answer;

/// What [`Auth`] itself answers to these bytes.
///
/// # Errors
/// What is wrong with them, where they are not a request.
pub(crate) async fn ask(auth: &Auth, bytes: &[u8], on: Connection) -> Result<Answer, String> {
    let (head, body) = read(bytes)?;
    let to_head = head.method == http::Method::HEAD;
    let response = auth.handle_parts(head, body, on).await;
    Ok(answer(response, to_head))
}

fn answer(response: Response<Bytes>, to_head: bool) -> Answer {
    let (head, body) = response.into_parts();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Answer::new(
        head.status.as_u16(),
        headers.collect(),
        body.to_vec(),
        to_head,
    )
}

/// The head, and as much of the body as an adapter hands on; `None` where it broke off.
fn read(bytes: &[u8]) -> Result<(Parts, Option<Bytes>), String> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or("no end of the head")?;
    let (head, rest) = (&bytes[..end], &bytes[end + 4..]);
    let mut lines = split(head, b"\r\n").into_iter();
    let first = lines.next().unwrap_or_default();
    let words: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else {
        return Err("no request line".to_owned());
    };
    let uri = Uri::try_from(target).map_err(|error| error.to_string())?;
    let version = match version {
        b"HTTP/1.0" => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let mut request = Request::builder().method(method).uri(uri).version(version);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':');
        let colon = colon.ok_or("a header without a colon")?;
        let name = HeaderName::from_bytes(&line[..colon]).map_err(|error| error.to_string())?;
        let value = trim(&line[colon + 1..]);
        let value = HeaderValue::from_bytes(value).map_err(|error| error.to_string())?;
        request = request.header(name, value);
    }
    let request = request.body(()).map_err(|error| error.to_string())?;
    let head = request.into_parts().0;
    let body = body(&head, rest)?;
    Ok((head, body))
}

fn body(head: &Parts, rest: &[u8]) -> Result<Option<Bytes>, String> {
    let most = BODY_LIMIT + 1;
    if head.headers.contains_key(header::TRANSFER_ENCODING) {
        let (whole, read) = unchunk(rest, most);
        return Ok(whole.then_some(read.into()));
    }
    let length = match head.headers.get(header::CONTENT_LENGTH) {
        None => 0,
        Some(value) => {
            let text = value.to_str().map_err(|error| error.to_string())?;
            text.parse::<usize>().map_err(|error| error.to_string())?
        }
    };
    let wanted = length.min(most);
    let there = rest.get(..wanted);
    Ok(there.map(Bytes::copy_from_slice))
}

/// The first `most` bytes of a chunked body, and whether it is whole or longer than that.
fn unchunk(mut rest: &[u8], most: usize) -> (bool, Vec<u8>) {
    let mut read = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(size) = size else {
            break;
        };
        if size == 0 {
            return (true, read);
        }
        let Some(piece) = rest.get(end + 2..end + 2 + size) else {
            break;
        };
        read.extend_from_slice(piece);
        if read.len() >= most {
            read.truncate(most);
            return (true, read);
        }
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    (false, read)
}

fn split<'a>(bytes: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(by.len()).position(|window| window == by) {
        parts.push(&rest[..at]);
        rest = &rest[at + by.len()..];
    }
    parts.push(rest);
    parts
}

/// Without the spaces and tabs around it (RFC 9110 §5.5).
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(text: &str) -> Option<Bytes> {
        read(text.as_bytes()).unwrap().1
    }

    #[test]
    fn bodies_are_read_as_they_are_framed() {
        let table = [
            ("", "", Some("")),
            ("content-length: 2\r\n", "abc", Some("ab")),
            ("content-length: 4\r\n", "abc", None),
            (
                "transfer-encoding: chunked\r\n",
                "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                Some("abc"),
            ),
            (
                "transfer-encoding: chunked\r\n",
                "2\r\nab\r\nno length\r\n",
                None,
            ),
        ];
        for (headers, sent, expected) in table {
            let read = body_of(&format!("POST / HTTP/1.1\r\n{headers}\r\n{sent}"));
            assert_eq!(
                read.as_deref(),
                expected.map(str::as_bytes),
                "{headers}{sent}"
            );
        }
        let long = format!(
            "POST / HTTP/1.1\r\ncontent-length: 99999\r\n\r\n{}",
            "x".repeat(99_999)
        );
        assert_eq!(body_of(&long).unwrap().len(), BODY_LIMIT + 1);
    }

    #[test]
    fn values_lose_what_stands_around_them() {
        let (head, _) = read(b"GET /a?b HTTP/1.1\r\nX-A: \t b \xff \r\nx-a:\r\n\r\n").unwrap();
        let values: Vec<&[u8]> = head
            .headers
            .get_all("x-a")
            .iter()
            .map(|v| v.as_bytes())
            .collect();
        assert_eq!(values, [&b"b \xff"[..], b""]);
        assert_eq!(head.uri, "/a?b");
        for text in [
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\na b: c\r\n\r\n",
            "GET / HTTP/1.1\r\nab\r\n\r\n",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
