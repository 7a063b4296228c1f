//! Where a browser goes when it comes back.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

const LONGEST: usize = 512;

/// A path of our own, with or without a query: where the browser goes after signing in.
///
/// It cannot lead anywhere else (RFC 9700 §4.11). It begins with one `/`, behind which stands
/// neither `/` nor `\`, and holds no control character, space, `#` or anything outside ASCII; and
/// all that is still so after decoding it once. It has 512 bytes at most. The default is `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(Cow<'static, str>);

/// A text that is no path of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path of this site")]
pub struct InvalidReturnTo;

impl ReturnTo {
    /// Takes a path as it stands in a query or body, decoded once already.
    ///
    /// # Errors
    /// [`InvalidReturnTo`] for whatever the type's documentation refuses.
    pub fn parse(text: &str) -> Result<Self, InvalidReturnTo> {
        let decoded: Cow<'_, [u8]> = percent_decode_str(text).into();
        let valid = text.len() <= LONGEST && is_local(text.as_bytes()) && is_local(&decoded);
        valid
            .then(|| Self(text.to_owned().into()))
            .ok_or(InvalidReturnTo)
    }

    /// The path as it was given. Redirect to it behind the public URL's origin.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self("/".into())
    }
}

fn is_local(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
        && !matches!(path.get(1), Some(b'/' | b'\\'))
        && path
            .iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b'#')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const HERE: &str = "https://app.example";

    /// Where a browser would go that stands on our page, by the WHATWG URL standard.
    fn origin_of(path: &str) -> String {
        let here = Url::parse(HERE).unwrap().join("/sign-in").unwrap();
        here.join(path).unwrap().origin().ascii_serialization()
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        let long = format!("/{}", "a".repeat(511));
        let paths = [
            "/",
            "/a",
            "/a/b?c=d&e=f",
            "/a//b",
            "/a\\b",
            "/a@b",
            "/@evil.example",
            "/:80",
            "/https://evil.example",
            "/?next=//evil.example",
            "/a%2Fb",
            "/%252f%252fevil.example",
            "/a?q=100%",
            "/.//evil.example",
            &long,
        ];
        for path in paths {
            let taken = ReturnTo::parse(path);
            assert_eq!(taken.as_ref().map(ReturnTo::as_str), Ok(path));
            assert_eq!(origin_of(path), HERE, "{path}");
        }
        assert_eq!(ReturnTo::default(), ReturnTo::parse("/").unwrap());
    }

    // OA21
    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        let long = format!("/{}", "a".repeat(512));
        let texts = [
            "",
            "a",
            "e.example",
            "//e",
            "///e",
            "/\\e",
            "\\e",
            "\\\\e",
            "\\/e",
            "/%09/e",
            "/%0a/e",
            "/%5ce",
            "/%5Ce",
            "/%2fe",
            "/%2f/e",
            "/%2F%2Fe",
            "%2f",
            "%2f%2fe",
            "https:e",
            "https://e",
            "https:/e",
            "https://app.example@e/",
            "javascript:alert(1)",
            "data:text/html,x",
            "@e",
            "?a",
            "#a",
            "/a#b",
            "/a%23b",
            "/a b",
            "/a%20b",
            " /a",
            "/a ",
            "/\te",
            "/\t/e",
            "\t//e",
            "/\n/e",
            "/a\r\nSet-Cookie: a=b",
            "/a%0d%0aSet-Cookie:%20a=b",
            "/\0",
            "/%00",
            "/\u{7f}",
            "/%7f",
            "/ä",
            "/%c3%a4",
            "/%ff",
            "/\u{2028}e",
            "/\u{ff0f}e",
            "\u{ff0f}e",
            &long,
        ];
        for text in texts {
            assert_eq!(ReturnTo::parse(text), Err(InvalidReturnTo), "{text:?}");
        }
    }

    proptest! {
        // OA21
        #[test]
        fn what_is_taken_stays_here(text in r"/?[/\\a%@:.?#\t 25cCfF09]{0,12}") {
            if let Ok(path) = ReturnTo::parse(&text) {
                prop_assert_eq!(origin_of(path.as_str()), HERE);
                let decoded = percent_decode_str(path.as_str()).decode_utf8().unwrap();
                prop_assert_eq!(origin_of(&decoded), HERE);
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,64}") {
            let _ = ReturnTo::parse(&text);
        }
    }
}
