//! What the provider was asked for.

/// How many requests came in since the provider was made, answered or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Calls {
    /// For the provider's metadata.
    pub discovery: u32,
    /// For its keys.
    pub jwks: u32,
    /// For an exchange of a code.
    pub token: u32,
    /// Those among them with a code that had been exchanged before.
    pub codes_reused: u32,
    /// For the claims of a person.
    pub userinfo: u32,
    /// For anything else but the front channel: a redirect that was followed, a key of a stranger.
    /// A sound client leaves this at 0.
    pub elsewhere: u32,
}
