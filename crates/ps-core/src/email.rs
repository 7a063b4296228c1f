//! Email addresses in one canonical form.

use std::{fmt, sync::Arc};

use email_address::Options;

use crate::Timestamp;

/// Why a text is not an address that ps-auth takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an email address of the form name@example.com")]
pub struct InvalidEmail;

/// An email address in canonical form: what is compared, stored and written to.
///
/// One dot-atom local part in lower-case ASCII, `@`, and a domain in lower-case ASCII (IDNA, UTS 46),
/// 254 bytes at most (RFC 5321 §4.5.3.1). Two spellings of one mailbox are equal; addresses that
/// only some systems hold equal (dots or `+tags` at one provider) are not.
///
/// What could mean anything else in a mail header does not exist as a value: quoted local parts,
/// comments, lists, address literals, control characters and encoded words (`=?`) are refused, and
/// so are local parts outside ASCII, which look alike too easily.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress(Arc<str>);

impl EmailAddress {
    /// Reads an address, spaces around it allowed.
    ///
    /// # Errors
    /// [`InvalidEmail`] for whatever the type's documentation refuses.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim_matches(' ');
        if text.len() > 1024 {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        if !local.bytes().all(is_atom_text) || local.contains("=?") {
            return Err(InvalidEmail);
        }
        let canonical = format!(
            "{}@{}",
            local.to_ascii_lowercase(),
            canonical_domain(domain)?
        );
        let grammar = Options::default()
            .without_domain_literal()
            .without_display_text()
            .with_required_tld();
        email_address::EmailAddress::parse_with_options(&canonical, grammar)
            .map_err(|_| InvalidEmail)?;
        if canonical.len() > 254 {
            return Err(InvalidEmail);
        }
        Ok(Self(canonical.into()))
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The address as events and logs may show it: `a***@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let first = self.0.chars().next().unwrap_or('*');
        format!("{first}***@{}", self.domain())
    }
}

/// `atext` of RFC 5322 §3.2.3 and the dots between atoms, whose places the grammar judges.
fn is_atom_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

/// The domain in lower-case ASCII: two labels at least, the last one not a number (that would be an
/// IP address), each of letters, digits and inner hyphens.
fn canonical_domain(domain: &str) -> Result<String, InvalidEmail> {
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail)?;
    let (_, last) = ascii.rsplit_once('.').ok_or(InvalidEmail)?;
    if last.is_empty() || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidEmail);
    }
    Ok(ascii)
}

impl fmt::Debug for EmailAddress {
    /// Masked, so that no log shows an address by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address whose mailbox somebody has just shown to read.
///
/// Holding one is the permission to register or claim an account, so there is no way to make one
/// but by a proof: neither from an address, nor from its parts, nor from text.
///
/// ```compile_fail,E0451
/// # let address = ps_core::EmailAddress::parse("alice@example.com").unwrap();
/// let proof = ps_core::VerifiedEmail { address, at: ps_core::Timestamp::from_seconds(0) };
/// ```
///
/// ```compile_fail,E0277
/// # let address = ps_core::EmailAddress::parse("alice@example.com").unwrap();
/// let proof = ps_core::VerifiedEmail::from(address);
/// ```
///
/// ```compile_fail,E0277
/// let proof: ps_core::VerifiedEmail = "alice@example.com".parse().unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEmail {
    address: EmailAddress,
    at: Timestamp,
}

impl VerifiedEmail {
    /// States that the mailbox of `address` was proven at `at`.
    ///
    /// **Danger.** Nothing here checks it. Only a flow that has just seen the proof may say so;
    /// `clippy.toml` forbids this call and the flows' own lines lift it, with a reason.
    #[must_use]
    pub fn danger_proven(address: EmailAddress, at: Timestamp) -> Self {
        Self { address, at }
    }

    /// The proven address.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// When it was proven.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_mailbox_has_one_form() {
        let table = [
            ("  Alice@Example.COM ", "alice@example.com"),
            ("a.b+tag@example.com", "a.b+tag@example.com"),
            ("o'hara@sub.example.co.uk", "o'hara@sub.example.co.uk"),
            ("x@bücher.example", "x@xn--bcher-kva.example"),
            ("x@BÜCHER.example", "x@xn--bcher-kva.example"),
            ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ];
        for (text, canonical) in table {
            let parsed = EmailAddress::parse(text).map(|a| a.to_string());
            assert_eq!(parsed.as_deref(), Ok(canonical), "{text:?}");
        }
    }

    // MC19, MC20
    #[test]
    fn what_could_mean_something_else_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_whole = format!("a@{}example.com", "abcdefghi.".repeat(25));
        let table = [
            "",
            "@",
            "a@",
            "@example.com",
            "a",
            "a@b",
            "a@localhost",
            "a@127.0.0.1",
            "a@[127.0.0.1]",
            "a@example.com,b@example.com",
            "a@example.com;b@example.com",
            "a@example.com b@example.com",
            "a@b@example.com",
            "\"a\"@example.com",
            "\"a b\"@example.com",
            "a(comment)@example.com",
            "a@example.com(comment)",
            "<a@example.com>",
            "A <a@example.com>",
            "a@example.com\r\nBcc: b@example.com",
            "a\n@example.com",
            "a\0@example.com",
            "a@exam\0ple.com",
            "=?utf-8?q?a?=@example.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "a@.example.com",
            "a@example..com",
            "a@example.com.",
            "a@-example.com",
            "a@example-.com",
            "a@exa_mple.com",
            "mıke@example.com",
            "í@example.com",
            "１@example.com",
            "a@xn--.com",
            "a@xn--a.com",
            "a@ex ample.com",
            "a\u{200b}@example.com",
            "\ta@example.com",
            &long_local,
            &long_whole,
        ];
        for text in table {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_masked_where_it_might_be_logged() {
        let address = EmailAddress::parse("alice@example.com").unwrap();
        assert_eq!(format!("{address:?}"), "EmailAddress(a***@example.com)");
    }

    proptest! {
        #[test]
        fn canonical_form_is_a_fixed_point(text in r"[a-zA-Z0-9.+_=?-]{1,12}@[a-zA-ZäöüÄÖÜßıé0-9.-]{1,12}\.[a-zA-Z]{2,5}") {
            if let Ok(once) = EmailAddress::parse(&text) {
                prop_assert!(once.as_str().is_ascii());
                prop_assert_eq!(EmailAddress::parse(once.as_str()), Ok(once));
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,64}") {
            let _ = EmailAddress::parse(&text);
        }
    }
}
