//! Short texts that lie where their owner lies.

use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use arrayvec::ArrayString;

/// A text that never changes: in place up to `N` bytes, shared beyond.
///
/// What a node remembers of a million things is read from main memory, where each pointer that is followed
/// costs more than all that is computed. A clone copies bytes or counts one more owner; it never allocates.
#[derive(Clone)]
pub struct ShortText<const N: usize>(Held<N>);

#[derive(Clone)]
enum Held<const N: usize> {
    InPlace(ArrayString<N>),
    Shared(Arc<str>),
}

impl<const N: usize> ShortText<N> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Held::InPlace(text) => text,
            Held::Shared(text) => text,
        }
    }
}

impl<const N: usize> From<&str> for ShortText<N> {
    fn from(text: &str) -> Self {
        Self(match ArrayString::from(text) {
            Ok(text) => Held::InPlace(text),
            Err(_) => Held::Shared(text.into()),
        })
    }
}

impl<const N: usize> Default for ShortText<N> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<const N: usize> Deref for ShortText<N> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> PartialEq for ShortText<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<const N: usize> Eq for ShortText<N> {}

impl<const N: usize> PartialOrd for ShortText<N> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<const N: usize> Ord for ShortText<N> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl<const N: usize> Hash for ShortText<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl<const N: usize> fmt::Debug for ShortText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const N: usize> fmt::Display for ShortText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_text_is_the_same_in_place_and_shared() {
        for text in ["", "1234", "12345", "é12", "é123", "ééé"] {
            let short: ShortText<4> = text.into();
            assert_eq!(short.as_str(), text);
            assert_eq!(short, short.clone());
            assert_eq!(format!("{short} {short:?}"), format!("{text} {text:?}"));
            assert_eq!(
                matches!(short.0, Held::InPlace(_)),
                text.len() <= 4,
                "{text}"
            );
        }
    }

    #[test]
    fn texts_are_ordered_as_texts_are() {
        let texts = ["b", "abcdef", "a", "", "abcdeg", "c"];
        let short: BTreeSet<ShortText<4>> = texts.map(ShortText::from).into();
        let plain: BTreeSet<&str> = texts.into();
        assert!(short.iter().map(ShortText::as_str).eq(plain));
    }
}
