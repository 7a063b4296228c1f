//! Credentials in headers.

use super::Head;
use crate::{Code, Problem};

/// Refuses a request with more than one credential, equal or not: which of them counts must never
/// be a matter of order.
pub(crate) fn reject_ambiguous(head: &Head<'_>) -> Result<(), Problem> {
    let (key, other) = (head.api_key, head.authorization);
    if key.is_repeated || other.is_repeated || key.first.is_some() && other.first.is_some() {
        return Err(Problem::new(Code::AmbiguousCredentials));
    }
    Ok(())
}

/// Whether the request presents an API key, good or not: such a one is not a browser's, and needs
/// no origin.
pub(crate) fn presents_key(head: &Head<'_>, prefix: &str) -> bool {
    head.api_key.first.is_some()
        || bearer_text(head).is_some_and(|text| text.starts_with(prefix.as_bytes()))
}

/// What stands where an API key belongs.
///
/// # Errors
/// `api_key_missing` for none, an empty one or another scheme; `api_key_required` for what is shaped
/// like a JWT; `api_key_invalid` for what no key can be.
#[cfg(feature = "apikey")]
pub(crate) fn key_text<'a>(head: &Head<'a>) -> Result<&'a str, Problem> {
    let value = head.api_key.first.map(<[u8]>::trim_ascii);
    let value = value.or_else(|| bearer_text(head));
    let value = value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| Problem::new(Code::ApiKeyMissing))?;
    let text = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= 4096);
    let text = text.ok_or_else(|| Problem::refused(Code::ApiKeyInvalid))?;
    if is_shaped_like_a_jwt(text) {
        return Err(Problem::refused(Code::ApiKeyRequired));
    }
    Ok(text)
}

/// What stands where an access token belongs; `None` for nothing or another scheme, empty where it
/// is not even text.
#[cfg(feature = "session")]
pub(crate) fn access_token<'a>(head: &Head<'a>) -> Option<&'a str> {
    match std::str::from_utf8(bearer_text(head)?) {
        Ok("") => None,
        Ok(text) => Some(text),
        Err(_) => Some(""),
    }
}

/// The bytes behind `Bearer` in `Authorization` (RFC 6750 §2.1), the scheme in any case.
fn bearer_text<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    let value = head.authorization.first?;
    let (scheme, rest) = value.split_at_checked(6).unwrap_or((value, b""));
    let separated = rest.is_empty() || rest.starts_with(b" ");
    (scheme.eq_ignore_ascii_case(b"bearer") && separated).then(|| rest.trim_ascii())
}

/// Three parts of base64url between dots, none empty but perhaps the last.
#[cfg(feature = "apikey")]
fn is_shaped_like_a_jwt(text: &str) -> bool {
    // No key has a dot. Without a way out in the middle many bytes are looked at at once.
    if !text.bytes().fold(false, |any, byte| any | (byte == b'.')) {
        return false;
    }
    let mut parts = text.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let base64url = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'='))
    };
    [header, claims, signature].into_iter().all(base64url)
        && !header.is_empty()
        && !claims.is_empty()
}

#[cfg(test)]
#[cfg(all(feature = "apikey", feature = "session"))]
mod tests {
    use super::{super::head::tests::with, *};

    const KEY: &str = "ps_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZab";
    const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln";

    type Lines<'a> = &'a [(&'a str, &'a str)];

    fn with_bytes<'a>(name: &'a str, value: &'a [u8]) -> Head<'a> {
        Head::gather("GET", "/", None, [(name, value)])
    }

    // AK11
    #[test]
    fn where_a_key_belongs() {
        let jwt = format!("Bearer {JWT}");
        let key = format!("Bearer {KEY}");
        let lower = format!("bEaReR   {KEY} ");
        let long = "x".repeat(5000);
        let table: [(Lines<'_>, Result<&str, Code>); 14] = [
            (&[("x-api-key", KEY)], Ok(KEY)),
            (&[("authorization", &key)], Ok(KEY)),
            (&[("authorization", &lower)], Ok(KEY)),
            (&[], Err(Code::ApiKeyMissing)),
            (&[("x-api-key", "")], Err(Code::ApiKeyMissing)),
            (&[("x-api-key", "  ")], Err(Code::ApiKeyMissing)),
            (&[("authorization", "Bearer")], Err(Code::ApiKeyMissing)),
            (&[("authorization", "Bearer ")], Err(Code::ApiKeyMissing)),
            (&[("authorization", "Basic cHM6")], Err(Code::ApiKeyMissing)),
            (&[("authorization", KEY)], Err(Code::ApiKeyMissing)),
            (&[("authorization", &jwt)], Err(Code::ApiKeyRequired)),
            (&[("x-api-key", JWT)], Err(Code::ApiKeyRequired)),
            (&[("x-api-key", &long)], Err(Code::ApiKeyInvalid)),
            (&[("authorization", "Bearer a.b")], Ok("a.b")),
        ];
        for (lines, read) in table {
            let judged = key_text(&with(lines)).map_err(|problem| problem.code());
            assert_eq!(judged, read, "{lines:?}");
        }
        let bytes = with_bytes("x-api-key", b"ps_\xff");
        assert_eq!(key_text(&bytes).unwrap_err().code(), Code::ApiKeyInvalid);
    }

    // AK12
    #[test]
    fn where_an_access_token_belongs() {
        let jwt = format!("Bearer {JWT}");
        let key = format!("Bearer {KEY}");
        let table: [(Lines<'_>, Option<&str>); 6] = [
            (&[("authorization", &jwt)], Some(JWT)),
            (&[("authorization", "Bearer garbage")], Some("garbage")),
            (&[("authorization", &key)], Some(KEY)),
            (&[("authorization", "Basic cHM6")], None),
            (&[("authorization", "Bearer")], None),
            (&[], None),
        ];
        for (lines, read) in table {
            assert_eq!(access_token(&with(lines)), read, "{lines:?}");
        }
        let bytes = with_bytes("authorization", b"Bearer \xff");
        assert_eq!(access_token(&bytes), Some(""));
    }

    #[test]
    fn two_credentials_are_ambiguous_even_if_equal() {
        let key = format!("Bearer {KEY}");
        let twice: [Lines<'_>; 4] = [
            &[("x-api-key", KEY), ("x-api-key", KEY)],
            &[("authorization", &key), ("authorization", &key)],
            &[("x-api-key", KEY), ("authorization", &key)],
            &[("x-api-key", ""), ("authorization", "Basic cHM6")],
        ];
        for lines in twice {
            let problem = reject_ambiguous(&with(lines)).unwrap_err();
            assert_eq!(problem.code(), Code::AmbiguousCredentials, "{lines:?}");
        }
        assert!(reject_ambiguous(&with(&[("x-api-key", KEY)])).is_ok());
    }

    #[test]
    fn whoever_presents_a_key_needs_no_origin() {
        let key = format!("bearer {KEY}");
        assert!(presents_key(&with(&[("x-api-key", "x")]), "ps_"));
        assert!(presents_key(&with(&[("authorization", &key)]), "ps_"));
        assert!(!presents_key(
            &with(&[("authorization", "Bearer x.y.z")]),
            "ps_"
        ));
        assert!(!presents_key(&with(&[]), "ps_"));
    }
}
