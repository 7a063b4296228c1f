//! What a key may do.

use ps_core::ShortText;

/// Why a list cannot be a key's scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidScopes {
    /// A scope is not of the form `[a-z0-9_.:-]{1,64}`.
    #[error("each scope must be 1 to 64 characters of a-z, 0-9, '_', '.', ':' and '-'")]
    Form,
    /// More than 32.
    #[error("must be at most 32 scopes")]
    TooMany,
}

/// What a key may do: at most 32 scopes, each `[a-z0-9_.:-]{1,64}`, in the order given, none twice.
///
/// The default is none, and none means none. What a scope allows is the application's to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(ShortText<32>);

impl Scopes {
    /// Takes a list of scopes; one that is named twice counts once.
    ///
    /// # Errors
    /// [`InvalidScopes`] for whatever the type's documentation refuses.
    pub fn new<S: AsRef<str>>(list: impl IntoIterator<Item = S>) -> Result<Self, InvalidScopes> {
        let mut scopes: Vec<S> = Vec::new();
        for (place, scope) in list.into_iter().enumerate() {
            if place == 32 {
                return Err(InvalidScopes::TooMany);
            }
            if !is_scope(scope.as_ref()) {
                return Err(InvalidScopes::Form);
            }
            if !scopes.iter().any(|known| known.as_ref() == scope.as_ref()) {
                scopes.push(scope);
            }
        }
        let texts: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        Ok(Self(texts.join(" ").as_str().into()))
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    ///
    /// # Errors
    /// [`InvalidScopes`] for whatever the type's documentation refuses.
    pub fn parse(text: &str) -> Result<Self, InvalidScopes> {
        Self::new(text.split(' ').filter(|scope| !scope.is_empty()))
    }

    /// The scopes with a space between each two, as RFC 6749 §3.3 writes them and a store keeps them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scopes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether `scope` is among them, letter by letter: no scope includes another.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        // By bytes, which is quicker than by characters: all of them are ASCII, and none is empty.
        let mut known = self.0.as_bytes().split(|byte| *byte == b' ');
        !scope.is_empty() && known.any(|known| known == scope.as_bytes())
    }
}

fn is_scope(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b':' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_kept_in_order_and_once() {
        let scopes = Scopes::new(["b:write", "a", "b:write"]).unwrap();
        assert_eq!(scopes.as_str(), "b:write a");
        assert_eq!(Scopes::parse(scopes.as_str()), Ok(scopes.clone()));
        assert!(scopes.contains("a") && scopes.contains("b:write"));
        assert!(!scopes.contains("b") && !scopes.contains("b:write a") && !scopes.contains(""));
    }

    #[test]
    fn none_means_none() {
        let none = Scopes::default();
        assert_eq!(none, Scopes::new([] as [&str; 0]).unwrap());
        assert_eq!(none.iter().count(), 0);
        assert!(!none.contains(""));
    }

    #[test]
    fn what_is_not_a_scope_is_refused() {
        for text in ["", "A", "a b", "a/b", "é", "*", &"x".repeat(65)] {
            assert_eq!(Scopes::new([text]), Err(InvalidScopes::Form), "{text:?}");
        }
        let many = |n: u32| Scopes::new((0..n).map(|i| format!("s{i}")));
        assert!(many(32).is_ok());
        assert_eq!(many(33), Err(InvalidScopes::TooMany));
    }
}
