//! The text of a password: as somebody typed it, and as somebody chose it.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;
use zeroize::Zeroizing;

use crate::common;

/// In characters, after normalisation.
const SHORTEST: usize = 8;
const LONGEST: usize = 128;
/// In bytes, before it. The canonical decomposition of a character is four characters at most, and
/// each of them four bytes at most: what is longer has more than [`LONGEST`] characters.
const MOST_BYTES: usize = LONGEST * 4 * 4;
/// Normalising makes UTF-8 three times as long at most (UAX #15).
const GROWTH: usize = 3;

/// A password as somebody typed it, in Unicode's normal form C, so that one password typed on two
/// keyboards is one password.
///
/// It is any text; one that has more than 128 characters fits nothing. It does not print, clone or
/// serialise, and is wiped when dropped.
///
/// ```compile_fail
/// fn keep(typed: &ps_password::TypedPassword) -> ps_password::TypedPassword { typed.clone() }
/// ```
///
/// ```compile_fail
/// fn log(typed: &ps_password::TypedPassword) -> String { format!("{typed}") }
/// ```
pub struct TypedPassword(Option<Zeroizing<String>>);

impl TypedPassword {
    /// Takes what was typed, and wipes it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(normal(text).filter(|text| text.chars().count() <= LONGEST))
    }

    /// A copy to be hashed; `None` for a text that no password could be.
    pub(crate) fn text(&self) -> Option<Zeroizing<String>> {
        self.0.clone()
    }
}

impl fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedPassword(…)")
    }
}

/// A text that is no good as a password. The sentence is fit to be shown to whoever chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPassword {
    /// It is among the commonest, and so among the first that anybody would try.
    #[error("this password is one of the most common ones; choose another")]
    Common,
    /// More than 128 characters.
    #[error("a password has at most 128 characters")]
    Long,
    /// Fewer than 8 characters.
    #[error("a password has at least 8 characters")]
    Short,
}

/// A password that somebody chose: 8 to 128 characters (Unicode scalar values in normal form C),
/// not among the commonest, and no rule about which characters (NIST SP 800-63B §5.1.1.2).
///
/// It does not print, clone or serialise, and is wiped when dropped.
///
/// ```compile_fail
/// fn keep(new: &ps_password::NewPassword) -> ps_password::NewPassword { new.clone() }
/// ```
pub struct NewPassword(Zeroizing<String>);

impl NewPassword {
    /// Takes what was chosen, and wipes it.
    ///
    /// # Errors
    /// [`InvalidPassword`] for what the type's documentation refuses. Whether it is common is
    /// judged without regard to case.
    pub fn parse(text: String) -> Result<Self, InvalidPassword> {
        let text = normal(text).ok_or(InvalidPassword::Long)?;
        match text.chars().count() {
            ..SHORTEST => Err(InvalidPassword::Short),
            SHORTEST..=LONGEST if common::is_common(&text) => Err(InvalidPassword::Common),
            SHORTEST..=LONGEST => Ok(Self(text)),
            _ => Err(InvalidPassword::Long),
        }
    }

    /// A copy to be hashed.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        self.0.clone()
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// The text in normal form C; `None` for one that is too long in any form, which is not looked at.
fn normal(text: String) -> Option<Zeroizing<String>> {
    let text = Zeroizing::new(text);
    if text.len() > MOST_BYTES {
        return None;
    }
    // A string that grew would leave its first half behind in memory.
    let mut normal = Zeroizing::new(String::with_capacity(text.len() * GROWTH));
    ComposingNormalizerBorrowed::new_nfc()
        .normalize_to(&text, &mut *normal)
        .expect("a string takes whatever is written to it");
    Some(normal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<String, InvalidPassword> {
        NewPassword::parse(text.to_owned()).map(|new| new.text().to_string())
    }

    fn typed(text: &str) -> Option<String> {
        let text = TypedPassword::new(text.to_owned()).text();
        text.map(|text| text.to_string())
    }

    #[test]
    fn length_is_counted_in_characters_of_the_normal_form() {
        use InvalidPassword::{Long, Short};
        let a_umlaut = "a\u{308}"; // two characters, one of them combining
        let table = [
            (String::new(), Err(Short)),
            ("zq7 kX9".to_owned(), Err(Short)),
            ("zq7 kX9v".to_owned(), Ok(8)),
            ("        ".to_owned(), Ok(8)),
            (a_umlaut.repeat(7), Err(Short)),
            (a_umlaut.repeat(8), Ok(8)),
            ("🦀".repeat(7), Err(Short)),
            ("🦀".repeat(8), Ok(8)),
            ("🦀".repeat(128), Ok(128)),
            ("🦀".repeat(129), Err(Long)),
            (a_umlaut.repeat(128), Ok(128)),
            ("a\0b\nc\td\u{7f}".to_owned(), Ok(8)),
            ("\u{1d160}".repeat(42), Ok(126)), // one character, three in normal form
            ("\u{1d160}".repeat(43), Err(Long)),
            ("\u{1f82}".repeat(128), Ok(128)),
            ("\u{3b1}\u{313}\u{300}\u{345}".repeat(128), Ok(128)), // four, one in normal form
            ("x".repeat(MOST_BYTES + 1), Err(Long)),
        ];
        for (text, length) in table {
            let found = parsed(&text).map(|text| text.chars().count());
            assert_eq!(found, length, "{text:?}");
            let typed = typed(&text).is_some();
            assert_eq!(typed, length != Err(Long), "{text:?}");
        }
    }

    #[test]
    fn one_password_on_two_keyboards_is_one() {
        let (composed, decomposed) = ("zür-Straße 9", "zu\u{308}r-Straße 9");
        assert_ne!(composed, decomposed);
        assert_eq!(parsed(composed), parsed(decomposed));
        assert_eq!(typed(composed), typed(decomposed));
        assert_eq!(typed(decomposed), parsed(composed).ok());
        // Compatibility is not equality: these are different passwords.
        assert_ne!(typed("ﬁsh"), typed("fish"));
        assert_ne!(typed("Fish"), typed("fish"));
        assert_ne!(typed(" fish"), typed("fish"));
    }

    #[test]
    fn the_commonest_are_refused_in_any_case() {
        for text in ["password", "PassWord1", "QWERTYUIOP", "1234567890"] {
            assert_eq!(parsed(text), Err(InvalidPassword::Common), "{text}");
        }
        assert_eq!(typed("password").as_deref(), Some("password"));
    }

    #[test]
    fn passwords_do_not_print() {
        let new = NewPassword::parse("correct horse battery".to_owned()).unwrap();
        let typed = TypedPassword::new("correct horse battery".to_owned());
        let shown = format!("{new:?} {typed:?} {:?}", parsed("password"));
        assert_eq!(shown, "NewPassword(…) TypedPassword(…) Err(Common)");
    }

    proptest! {
        #[test]
        fn the_normal_form_never_outgrows_its_room(text in "\\PC{0,64}") {
            let room = text.len() * GROWTH;
            let length = normal(text).unwrap().len();
            prop_assert!(length <= room);
        }

        #[test]
        fn what_is_too_long_to_be_looked_at_is_too_long(character in any::<char>()) {
            let count = MOST_BYTES / character.len_utf8() + 1;
            let text: String = std::iter::repeat_n(character, count).collect();
            prop_assert!(normal(text.clone()).is_none());
            let nfc = ComposingNormalizerBorrowed::new_nfc().normalize(&text).into_owned();
            prop_assert!(nfc.chars().count() > LONGEST);
        }
    }
}
