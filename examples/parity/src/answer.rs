//! An answer, as far as all three ways must agree on it.

use std::fmt::Write;

/// Headers that say how an answer is carried, not what it says. `content-length` is compared with
/// the body instead, and kept where there is none to compare it with: in the answer to `HEAD`.
const CARRYING: [&str; 4] = ["connection", "content-length", "date", "transfer-encoding"];

/// Status, headers and body. Names are in lower case and sorted; the values of one name keep their
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it says, without what only carries it.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the connection ends with it.
    closes: bool,
}

impl Answer {
    /// What came, `to_head` if the request was `HEAD`.
    ///
    /// # Panics
    /// If a `content-length` is not that of the body.
    #[must_use]
    pub fn new(
        status: u16,
        mut headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
        to_head: bool,
    ) -> Self {
        let closing = ("connection".to_owned(), b"close".to_vec());
        let closes = headers.contains(&closing);
        let length = headers.iter().find(|(name, _)| name == "content-length");
        if let Some((_, length)) = length
            && !to_head
        {
            assert_eq!(length, body.len().to_string().as_bytes(), "{status}");
        }
        headers.retain(|(name, _)| {
            !CARRYING.contains(&name.as_str()) || (to_head && name == "content-length")
        });
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        Self {
            status,
            headers,
            body,
            closes,
        }
    }

    /// Whether the server said that it closes the connection.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.closes
    }

    /// The values of a header, as text.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named
            .map(|(_, value)| str::from_utf8(value).unwrap_or("not text"))
            .collect()
    }

    /// The first value of a header, or nothing.
    #[must_use]
    pub fn first(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    /// The body as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The `code` of an error.
    #[must_use]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of the cookie of this name that is set.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let set = self.all("set-cookie").into_iter();
        let mut pairs = set.filter_map(|line| line.split(';').next()?.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The same with another value of a header that it has.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let named = self.headers.iter_mut().filter(|(known, _)| known == name);
        named.for_each(|(_, old)| value.as_bytes().clone_into(old));
        self
    }

    /// Where this one is not what `other` is; `None` where they are the same.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let mut found = String::new();
        if self.status != other.status {
            let _ = write!(found, "status {} | {}; ", self.status, other.status);
        }
        let lacks = |one: &Self, other: &Self| -> Vec<String> {
            let missing = one
                .headers
                .iter()
                .filter(|line| !other.headers.contains(line));
            missing
                .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
                .collect()
        };
        let (here, there) = (lacks(self, other), lacks(other, self));
        if !here.is_empty() || !there.is_empty() {
            let _ = write!(found, "headers {here:?} | {there:?}; ");
        } else if self.headers != other.headers {
            found.push_str("headers in another order; ");
        }
        if self.body != other.body {
            let text = |answer: &Self| String::from_utf8_lossy(&answer.body).into_owned();
            let _ = write!(found, "body {:?} | {:?}", text(self), text(other));
        }
        (!found.is_empty()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Answer::new(status, headers.collect(), body.as_bytes().to_vec(), false)
    }

    #[test]
    fn whatever_differs_is_seen() {
        let one = answer(200, &[("a", "1"), ("a", "2"), ("date", "now")], "x");
        assert_eq!(
            one.difference(&answer(200, &[("a", "1"), ("a", "2")], "x")),
            None
        );
        let others = [
            answer(201, &[("a", "1"), ("a", "2")], "x"),
            answer(200, &[("a", "2"), ("a", "1")], "x"),
            answer(200, &[("a", "1")], "x"),
            answer(200, &[("a", "1"), ("a", "2"), ("b", "")], "x"),
            answer(200, &[("a", "1"), ("a", "2")], "y"),
        ];
        for other in others {
            assert!(one.difference(&other).is_some(), "{other:?}");
            assert!(other.difference(&one).is_some(), "{other:?}");
        }
    }
}
