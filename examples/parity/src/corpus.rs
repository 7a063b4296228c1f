//! The cases that a person wrote, and how they are written down.
//!
//! ```text
//! # a name
//! @ advance 61                     what happens before: advance, approve, code, renew
//! POST /api/keys                   the request line
//! authorization: Bearer {token}    headers, with placeholders
//!
//! {"name": "a"}                    the body, as it stands; \xff is a byte
//! = 201                            status, and the code of an error or the end of a Location
//! + key = json key                 what is kept of the answer: json, cookie or header
//! ```

use std::{fs, path::Path};

use crate::{Answer, Asked};

/// One request, what comes before it, what it must get and what is kept of that.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is about.
    pub name: String,
    /// What happens before.
    pub before: Vec<Step>,
    /// The request.
    pub asked: Asked,
    /// What it must get.
    pub expected: Expected,
    pub(crate) keep: Vec<(String, From)>,
}

/// Something that happens before a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many seconds pass.
    Advance(u64),
    /// At this provider this person agrees to what `{location}` asks for: `{callback}`.
    Approve(String, String),
    /// The newest mail to this address is read: `{code}`.
    Code(String),
    /// Ada signs in once more: `{token}`, `{refresh}`, `{session}`.
    Renew,
}

/// What a request must get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The status.
    pub status: u16,
    /// The code of an error, or how the `Location` of a redirect ends; else empty.
    pub word: String,
}

impl Expected {
    /// This status, and this code.
    #[must_use]
    pub fn new(status: u16, word: &str) -> Self {
        Self {
            status,
            word: word.to_owned(),
        }
    }

    /// What is wrong with an answer, if it is not this.
    #[must_use]
    pub fn fault(&self, answer: &Answer) -> Option<String> {
        let fits = match self.status {
            300..=399 => answer.first("location").ends_with(&self.word),
            _ => answer.body.is_empty() || answer.code() == self.word,
        };
        let fault = || format!("expected {} {}", self.status, self.word);
        (answer.status != self.status || !fits).then(fault)
    }
}

/// Where something that is kept stands in an answer.
#[derive(Clone, Debug)]
pub(crate) enum From {
    Cookie(String),
    Header(String),
    Json(String),
}

impl From {
    pub(crate) fn of(&self, answer: &Answer) -> Option<String> {
        match self {
            Self::Cookie(name) => answer.cookie(name).map(str::to_owned),
            Self::Header(name) => answer.all(name).first().map(|value| (*value).to_owned()),
            Self::Json(path) => {
                let json = answer.json();
                Some(json.pointer(path)?.as_str()?.to_owned())
            }
        }
    }
}

/// The cases of a file in `corpus/`.
///
/// # Panics
/// If it is not there, or not written as above.
#[must_use]
pub fn read_corpus(name: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let text = fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut cases = text.split("\n# ");
    let before = cases.next().unwrap_or_default();
    let first = before.strip_prefix("# ");
    first.into_iter().chain(cases).map(read_case).collect()
}

fn read_case(text: &str) -> Case {
    parse(text).unwrap_or_else(|line| panic!("cannot be read: {line:?} in\n{text}"))
}

/// # Errors
/// The line that is not what should stand there.
fn parse(text: &str) -> Result<Case, &str> {
    let mut lines = text.lines().peekable();
    let name = lines.next().unwrap_or_default().to_owned();
    let mut before = Vec::new();
    while let Some(line) = lines.next_if(|line| line.starts_with("@ ")) {
        before.push(read_step(&line[2..]).ok_or(line)?);
    }
    let line = lines.next().unwrap_or_default();
    let (method, target) = line.split_once(' ').ok_or(line)?;
    let mut asked = Asked::new(method, unescape(target));
    while let Some(line) = lines.next_if(|line| !line.is_empty() && !line.starts_with("= ")) {
        let (name, value) = line.split_once(':').ok_or(line)?;
        asked = asked.with(name, unescape(value.strip_prefix(' ').unwrap_or(value)));
    }
    if lines.next_if_eq(&"").is_some() {
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("= ")) {
            body.push(line);
        }
        asked = asked.with_body(unescape(&body.join("\n")));
    }
    let line = lines.next().unwrap_or_default();
    let expected = line.strip_prefix("= ").ok_or(line)?;
    let (status, word) = expected.split_once(' ').unwrap_or((expected, ""));
    let status = status.parse().map_err(|_| line)?;
    let kept = lines.filter(|line| !line.is_empty());
    let keep: Result<_, &str> = kept.map(|line| read_keep(line).ok_or(line)).collect();
    Ok(Case {
        name,
        before,
        asked,
        expected: Expected::new(status, word),
        keep: keep?,
    })
}

fn read_step(text: &str) -> Option<Step> {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["advance", seconds] => Some(Step::Advance(seconds.parse().ok()?)),
        ["approve", provider, who] => Some(Step::Approve(provider.to_owned(), who.to_owned())),
        ["code", address] => Some(Step::Code(address.to_owned())),
        ["renew"] => Some(Step::Renew),
        _ => None,
    }
}

fn read_keep(line: &str) -> Option<(String, From)> {
    let (name, from) = line.strip_prefix("+ ")?.split_once(" = ")?;
    let from = match from.split_once(' ')? {
        ("cookie", name) => From::Cookie(name.to_owned()),
        ("header", name) => From::Header(name.to_owned()),
        ("json", path) => From::Json(format!("/{}", path.replace('.', "/"))),
        _ => return None,
    };
    Some((name.to_owned(), from))
}

/// Bytes that a text cannot hold are written `\xff`.
fn unescape(text: &str) -> Vec<u8> {
    let mut pieces = text.split("\\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or(("", piece));
        let byte = u8::from_str_radix(digits, 16);
        bytes.push(byte.unwrap_or_else(|_| panic!("not a byte: {text}")));
        bytes.extend(rest.bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read_as_it_is_written() {
        let case = read_case(
            "a name\n@ advance 61\n@ approve google ada\nPOST /a?b=\\xff\nx-a: {b}\\x09c\n\n{\"d\": 1}\n\n= 401 session_invalid\n+ key = json account.id\n",
        );
        assert_eq!(case.name, "a name");
        assert_eq!(case.before.len(), 2);
        assert_eq!(case.expected, Expected::new(401, "session_invalid"));
        assert_eq!((case.asked.method(), case.keep.len()), ("POST", 1));
        let shown = format!("{:?}", case.asked);
        assert!(shown.contains("x-a"), "{shown}");
    }

    #[test]
    fn what_is_expected_is_held_to() {
        let answer = |status, location: &str, body: &str| {
            let headers = vec![("location".to_owned(), location.as_bytes().to_vec())];
            Answer::new(status, headers, body.as_bytes().to_vec(), false)
        };
        let refused = answer(401, "", r#"{"code":"session_invalid"}"#);
        assert_eq!(Expected::new(401, "session_invalid").fault(&refused), None);
        assert!(
            Expected::new(401, "session_required")
                .fault(&refused)
                .is_some()
        );
        assert!(
            Expected::new(400, "session_invalid")
                .fault(&refused)
                .is_some()
        );
        let sent = answer(303, "https://a/b", "");
        assert_eq!(Expected::new(303, "/b").fault(&sent), None);
        assert!(Expected::new(303, "/c").fault(&sent).is_some());
    }
}
