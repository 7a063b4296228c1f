//! Credentials in headers.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Code, Problem};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Refuses a request with more than one credential, equal or not: which of them counts must never
/// be a matter of order.
pub(crate) fn reject_ambiguous(headers: &HeaderMap) -> Result<(), Problem> {
    let count = |name: &HeaderName| headers.get_all(name).iter().count();
    if count(&API_KEY) + count(&header::AUTHORIZATION) > 1 {
        return Err(Problem::new(Code::AmbiguousCredentials));
    }
    Ok(())
}

/// Whether the request presents an API key, good or not: such a one is not a browser's, and needs
/// no origin.
pub(crate) fn presents_key(headers: &HeaderMap, prefix: &str) -> bool {
    headers.contains_key(API_KEY)
        || bearer_text(headers).is_some_and(|text| text.starts_with(prefix.as_bytes()))
}

/// What stands where an API key belongs.
///
/// # Errors
/// `api_key_missing` for none, an empty one or another scheme; `api_key_required` for what is shaped
/// like a JWT; `api_key_invalid` for what no key can be.
#[cfg(feature = "apikey")]
pub(crate) fn key_text(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers
        .get(API_KEY)
        .map(|value| value.as_bytes().trim_ascii());
    let value = value.or_else(|| bearer_text(headers));
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
pub(crate) fn access_token(headers: &HeaderMap) -> Option<&str> {
    match std::str::from_utf8(bearer_text(headers)?) {
        Ok("") => None,
        Ok(text) => Some(text),
        Err(_) => Some(""),
    }
}

/// The bytes behind `Bearer` in `Authorization` (RFC 6750 §2.1), the scheme in any case.
fn bearer_text(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes)?;
    let (scheme, rest) = value.split_at_checked(6).unwrap_or((value, b""));
    let separated = rest.is_empty() || rest.starts_with(b" ");
    (scheme.eq_ignore_ascii_case(b"bearer") && separated).then(|| rest.trim_ascii())
}

/// Three parts of base64url between dots, none empty but perhaps the last.
#[cfg(feature = "apikey")]
fn is_shaped_like_a_jwt(text: &str) -> bool {
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
    use super::*;

    const KEY: &str = "ps_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZab";
    const JWT: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln";

    type Lines<'a> = &'a [(&'a str, &'a str)];

    fn headers(lines: Lines<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
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
            let headers = headers(lines);
            let judged = key_text(&headers).map_err(|problem| problem.code());
            assert_eq!(judged, read, "{lines:?}");
        }
        let mut bytes = HeaderMap::new();
        bytes.insert("x-api-key", HeaderValue::from_bytes(b"ps_\xff").unwrap());
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
            assert_eq!(access_token(&headers(lines)), read, "{lines:?}");
        }
        let mut bytes = HeaderMap::new();
        bytes.insert(
            "authorization",
            HeaderValue::from_bytes(b"Bearer \xff").unwrap(),
        );
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
            let problem = reject_ambiguous(&headers(lines)).unwrap_err();
            assert_eq!(problem.code(), Code::AmbiguousCredentials, "{lines:?}");
        }
        assert!(reject_ambiguous(&headers(&[("x-api-key", KEY)])).is_ok());
    }

    #[test]
    fn whoever_presents_a_key_needs_no_origin() {
        let key = format!("bearer {KEY}");
        assert!(presents_key(&headers(&[("x-api-key", "x")]), "ps_"));
        assert!(presents_key(&headers(&[("authorization", &key)]), "ps_"));
        assert!(!presents_key(
            &headers(&[("authorization", "Bearer x.y.z")]),
            "ps_"
        ));
        assert!(!presents_key(&headers(&[]), "ps_"));
    }
}
