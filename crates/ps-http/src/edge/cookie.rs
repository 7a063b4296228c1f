//! Cookies, read byte by byte and written in one form.
//!
//! The usual readers percent-decode names, so that a sibling subdomain can plant
//! `__%48ost-ps_refresh` and have it read as ours: the browser's promise behind `__Host-` (RFC
//! 6265bis §4.1.3) holds only for whoever compares bytes.

#[cfg(feature = "session")]
use std::time::Duration;

#[cfg(feature = "session")]
use http::{HeaderMap, HeaderValue, header};

use super::Head;
use crate::{Code, Problem};

/// The cookies that are ours.
#[cfg(feature = "session")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie<'a> {
    /// The attempt to sign in by this provider: one each, so that two tabs do not disturb each other.
    #[cfg_attr(not(feature = "oauth"), expect(dead_code))]
    Attempt(&'a str),
    #[cfg_attr(not(feature = "magiccode"), expect(dead_code))]
    Challenge,
    /// Which addresses the browser signed in to before. It opens nothing.
    #[cfg_attr(
        not(any(feature = "magiccode", feature = "oauth", feature = "password")),
        expect(dead_code)
    )]
    Device,
    Refresh,
}

#[cfg(feature = "session")]
impl Cookie<'_> {
    /// Its name: with `__Host-`, except over permitted loopback HTTP, where browsers would not keep
    /// it. The one name is never read where the other is in force.
    pub(crate) fn name(self, secure: bool) -> String {
        let prefix = prefix(secure);
        match self {
            Self::Attempt(provider) => format!("{prefix}{ATTEMPT}{provider}"),
            Self::Challenge => format!("{prefix}{CHALLENGE}"),
            Self::Device => format!("{prefix}{DEVICE}"),
            Self::Refresh => format!("{prefix}{REFRESH}"),
        }
    }

    /// `Lax` where it must come along from the provider's site, and nowhere else.
    fn same_site(self) -> &'static str {
        match self {
            Self::Attempt(_) => "Lax",
            Self::Challenge | Self::Device | Self::Refresh => "Strict",
        }
    }

    /// The `Set-Cookie` that keeps `value` for `max_age`. The value is base64url, perhaps with
    /// dots, or base62.
    pub(crate) fn set(self, secure: bool, value: &str, max_age: Duration) -> HeaderValue {
        let (name, same_site) = (self.name(secure), self.same_site());
        let place = if secure {
            "; Path=/; Secure"
        } else {
            "; Path=/"
        };
        let age = max_age.as_secs();
        let text = format!("{name}={value}{place}; HttpOnly; SameSite={same_site}; Max-Age={age}");
        let mut header = HeaderValue::try_from(text).expect("names, values and numbers are ASCII");
        header.set_sensitive(true);
        header
    }

    /// The `Set-Cookie` that removes it, its attributes the same.
    pub(crate) fn clear(self, secure: bool) -> HeaderValue {
        self.set(secure, "", Duration::ZERO)
    }
}

const ATTEMPT: &str = "attempt_";
const CHALLENGE: &str = "challenge";
const DEVICE: &str = "device";
const REFRESH: &str = "refresh";

const fn prefix(secure: bool) -> &'static str {
    if secure { "__Host-ps_" } else { "ps_" }
}

/// Whether a cookie of this name is one of ours.
fn is_ours(name: &[u8], secure: bool) -> bool {
    let rest = name.strip_prefix(prefix(secure).as_bytes());
    rest.is_some_and(|rest| {
        rest == CHALLENGE.as_bytes()
            || rest == REFRESH.as_bytes()
            || rest == DEVICE.as_bytes()
            || rest.starts_with(ATTEMPT.as_bytes())
    })
}

/// The value of a cookie of ours, if it was sent. A pair that is not ASCII is skipped.
#[cfg(feature = "session")]
pub(crate) fn read_cookie<'a>(
    headers: &'a HeaderMap,
    cookie: Cookie<'_>,
    secure: bool,
) -> Option<&'a str> {
    let name = cookie.name(secure);
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = pairs(lines.map(HeaderValue::as_bytes));
    let value = pairs.find_map(|(key, value)| (key == name.as_bytes()).then_some(value))?;
    std::str::from_utf8(value).ok()
}

/// Refuses a request that sends a cookie of ours twice: one of the two was planted, and nobody can
/// tell which.
pub(crate) fn reject_repeated_cookies(head: &Head<'_>, secure: bool) -> Result<(), Problem> {
    if head.cookies.is_empty() {
        return Ok(());
    }
    let mut names: Vec<&[u8]> = pairs(head.cookies.iter().copied())
        .map(|(name, _)| name)
        .filter(|name| is_ours(name, secure))
        .collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two[0] == two[1]) {
        return Err(Problem::new(Code::HeaderInvalid));
    }
    Ok(())
}

/// Every ASCII pair of every `Cookie` header, split at `;` and the first `=`, only spaces and tabs
/// taken off.
fn pairs<'a>(lines: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    lines
        .flat_map(|line| line.split(|byte| *byte == b';'))
        .filter(|pair| pair.is_ascii())
        .filter_map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            Some((trim(&pair[..equals]), trim(&pair[equals + 1..])))
        })
}

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
#[cfg(feature = "session")]
mod tests {
    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    fn reject(headers: &HeaderMap, secure: bool) -> Result<(), Problem> {
        let lines = headers.iter();
        let lines = lines.map(|(name, value)| (name.as_str(), value.as_bytes()));
        reject_repeated_cookies(&Head::gather("GET", "/", None, lines), secure)
    }

    // SE13
    #[test]
    fn only_the_exact_name_is_read() {
        let table: [(&[&[u8]], Option<&str>); 16] = [
            (&[b"__Host-ps_refresh=good"], Some("good")),
            (&[b"a=b;\t __Host-ps_refresh = good ; c=d"], Some("good")),
            (&[b"a=b", b"__Host-ps_refresh=good"], Some("good")),
            (&[b"__Host-ps_refresh=a=b"], Some("a=b")),
            (&[b"__Host-ps_refresh="], Some("")),
            (&[b"__%48ost-ps_refresh=evil"], None),
            (&[b"%5F%5FHost-ps_refresh=evil"], None),
            (&[b"__host-ps_refresh=evil"], None),
            (&[b"ps_refresh=evil"], None),
            (&[b"__Host-ps_refresh"], None),
            (&[b"\xe2\x80\x80__Host-ps_refresh=evil"], None), // U+2000
            (&[b"\xc2\xa0__Host-ps_refresh=evil"], None),     // U+00A0
            (
                &[b"$Version=1; $Path=/; __Host-ps_refresh=good"],
                Some("good"),
            ),
            (&[b"planted=\xff; __Host-ps_refresh=good"], Some("good")),
            (&[b"__Host-ps_refresh=\xff"], None),
            (&[b"x=\"; __Host-ps_refresh=good; \""], Some("good")),
        ];
        for (lines, value) in table {
            let read = headers(lines);
            assert_eq!(
                read_cookie(&read, Cookie::Refresh, true),
                value,
                "{lines:?}"
            );
            assert!(reject(&read, true).is_ok());
        }
        let plain = headers(&[b"ps_refresh=good; __Host-ps_refresh=evil"]);
        assert_eq!(read_cookie(&plain, Cookie::Refresh, false), Some("good"));
    }

    // SE13
    #[test]
    fn a_cookie_of_ours_comes_once() {
        let twice: [&[&[u8]]; 5] = [
            &[b"__Host-ps_refresh=a; __Host-ps_refresh=a"],
            &[b"__Host-ps_refresh=a", b"__Host-ps_refresh=b"],
            &[b"__Host-ps_challenge=a; x=y; __Host-ps_challenge="],
            &[b"__Host-ps_device=a; __Host-ps_device=a"],
            &[b"__Host-ps_attempt_google=a; __Host-ps_attempt_google=b"],
        ];
        for lines in twice {
            let problem = reject(&headers(lines), true).unwrap_err();
            assert_eq!(problem.code(), Code::HeaderInvalid, "{lines:?}");
        }
        let two_tabs = headers(&[b"ps_attempt_google=a; ps_attempt_linkedin=b"]);
        assert!(reject(&two_tabs, false).is_ok());
        assert_eq!(
            read_cookie(&two_tabs, Cookie::Attempt("linkedin"), false),
            Some("b")
        );
        let others = headers(&[b"x=a; x=b; __%48ost-ps_refresh=a; __Host-ps_refresh=b"]);
        assert!(reject(&others, true).is_ok());
    }

    #[test]
    fn two_hundred_cookies_are_no_trouble() {
        let line = "x=0123456789; ".repeat(200) + "__Host-ps_refresh=good";
        let read = headers(&[line.as_bytes()]);
        assert_eq!(read_cookie(&read, Cookie::Refresh, true), Some("good"));
    }

    // SE12, MC12
    #[test]
    fn cookies_are_written_in_one_form() {
        let week = Duration::from_secs(604_800);
        assert_eq!(
            Cookie::Refresh.set(true, "v", week),
            "__Host-ps_refresh=v; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=604800"
        );
        assert_eq!(
            Cookie::Challenge.set(false, "v", Duration::from_secs(600)),
            "ps_challenge=v; Path=/; HttpOnly; SameSite=Strict; Max-Age=600"
        );
        assert_eq!(
            Cookie::Device.set(true, "v.w", Duration::from_secs(15_552_000)),
            "__Host-ps_device=v.w; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=15552000"
        );
        assert_eq!(
            Cookie::Attempt("google").set(true, "v", Duration::from_secs(600)),
            "__Host-ps_attempt_google=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"
        );
        assert_eq!(
            Cookie::Refresh.clear(true),
            "__Host-ps_refresh=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }

    proptest::proptest! {
        /// Whatever bytes arrive, only our own name in our own bytes is read, and beside it anything may stand.
        #[test]
        fn nothing_but_the_name_itself_is_read(
            before in proptest::collection::vec(0x20u8..=0xff, 0..40),
            after in proptest::collection::vec(0x20u8..=0xff, 0..40),
        ) {
            let visible = |bytes: &[u8]| -> Vec<u8> {
                bytes.iter().copied().filter(|byte| *byte != 0x7f).collect()
            };
            let (before, after) = (visible(&before), visible(&after));
            let noise = [&before[..], b";", &after].concat();
            let ours = b"__Host-ps_refresh=";
            proptest::prop_assume!(!noise.windows(ours.len()).any(|window| window == ours));
            let read = headers(&[&noise]);
            proptest::prop_assert_eq!(read_cookie(&read, Cookie::Refresh, true), None);
            let line = [&before[..], b"; __Host-ps_refresh=good; ", &after].concat();
            let read = headers(&[&line]);
            proptest::prop_assert_eq!(read_cookie(&read, Cookie::Refresh, true), Some("good"));
            proptest::prop_assert!(reject(&read, true).is_ok());
        }
    }
}
