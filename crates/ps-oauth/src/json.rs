//! Reading what providers write: strict where we rely on it, mild where it does not matter.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;

/// Reads one JSON object. A name that is read may stand there once; others are passed over.
pub(crate) fn object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    // serde reads a struct from an array too.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// An optional value that, where it is there, has its type: `null` is of none.
pub(crate) fn given<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(from).map(Some)
}

/// Whether something is there at all, be it `null`.
pub(crate) fn is_there<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

/// A text, and of any other type nothing.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// Whether it is `true`, or `"true"` as some providers write it. Everything else is no.
pub(crate) fn is_true<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(yes) => yes,
        Value::String(text) => text == "true",
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Read {
        #[serde(deserialize_with = "given")]
        given: Option<String>,
        #[serde(deserialize_with = "is_there")]
        there: bool,
        #[serde(deserialize_with = "text")]
        text: Option<String>,
        #[serde(deserialize_with = "is_true")]
        yes: bool,
    }

    fn read(json: &str) -> Option<Read> {
        object(json.as_bytes())
    }

    // OA13
    #[test]
    fn only_true_is_true() {
        for (literal, yes) in [
            ("true", true),
            ("\"true\"", true),
            ("\"\\u0074rue\"", true),
            ("false", false),
            ("null", false),
            ("1", false),
            ("0", false),
            ("1.0", false),
            ("\"\"", false),
            ("\"True\"", false),
            ("\"TRUE\"", false),
            ("\" true\"", false),
            ("\"yes\"", false),
            ("\"1\"", false),
            ("\"false\"", false),
            ("[true]", false),
            ("{\"true\":true}", false),
        ] {
            let read = read(&format!("{{\"yes\":{literal}}}"));
            assert_eq!(read.map(|read| read.yes), Some(yes), "{literal}");
        }
        assert_eq!(read("{}"), Some(Read::default()));
    }

    #[test]
    fn a_value_is_there_with_its_type_or_not_at_all() {
        assert!(read(r#"{"given":null}"#).is_none());
        assert!(read(r#"{"given":1}"#).is_none());
        let given = read(r#"{"given":"a"}"#).and_then(|read| read.given);
        assert_eq!(given.as_deref(), Some("a"));
        for literal in ["null", "[]", "false", "\"\""] {
            let read = read(&format!("{{\"there\":{literal}}}"));
            assert!(read.is_some_and(|read| read.there), "{literal}");
        }
        for literal in ["null", "1", "[\"a\"]", "{}"] {
            let read = read(&format!("{{\"text\":{literal}}}"));
            assert_eq!(read.map(|read| read.text), Some(None), "{literal}");
        }
    }

    #[test]
    fn what_is_read_stands_there_once_in_an_object() {
        for json in [
            r#"{"yes":false,"yes":true}"#,
            r#"{"yes":true,"\u0079es":true}"#,
            r#"[null,null,null,true]"#,
            r#"{"yes":true} {}"#,
            r#"{"yes":true,}"#,
            r#""yes""#,
            "",
        ] {
            assert!(read(json).is_none(), "{json}");
        }
        assert!(read(" \n{\"other\":1,\"yes\":true}").is_some());
    }
}
