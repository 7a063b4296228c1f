//! What a key's owner calls it.

use std::fmt;

use ps_core::ShortText;

/// Why a text cannot be a key's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 characters, none of them a control character")]
pub struct InvalidName;

/// What a key's owner calls it: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(ShortText<24>);

impl KeyName {
    /// Takes a name as it is.
    ///
    /// # Errors
    /// [`InvalidName`] for whatever the type's documentation refuses.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
        let text = text.as_ref();
        let valid = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        valid.then(|| Self(text.into())).ok_or(InvalidName)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // AK16
    #[test]
    fn a_name_has_1_to_64_characters_and_none_of_control() {
        for name in ["x", "CI, staging ✓", &"ü".repeat(64)] {
            assert!(KeyName::new(name).is_ok(), "{name:?}");
        }
        for name in ["", "a\nb", "a\0", "\u{85}", "\u{7f}", &"x".repeat(65)] {
            assert_eq!(KeyName::new(name), Err(InvalidName), "{name:?}");
        }
    }
}
