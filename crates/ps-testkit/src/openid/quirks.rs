//! What real providers do otherwise.

/// How a client may show that it is itself (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: the secret in the `Authorization` header.
    Basic,
    /// `client_secret_post`: the secret in the form.
    Post,
}

impl ClientAuthentication {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// What becomes of a code challenge (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pkce {
    /// Checked where a client sends one.
    Optional,
    /// A request with a challenge is refused, and so is an exchange with a verifier.
    Refused,
    /// A request without a challenge is refused.
    Required,
}

/// Where a provider departs from [`Quirks::NONE`]. Take a constant, and change what a test is about:
///
/// ```
/// use ps_testkit::openid::Quirks;
///
/// let without_scheme = Quirks { schemeless_issuer: true, ..Quirks::GOOGLE };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// `at_hash` stands in ID tokens (OpenID Connect Core §3.1.3.6).
    pub at_hash: bool,
    /// `azp` stands in ID tokens, and is the client.
    pub azp: bool,
    /// The issuer stands in callbacks, and the metadata says that it does (RFC 9207).
    pub callback_issuer: bool,
    /// How clients may authenticate.
    pub client_authentication: &'static [ClientAuthentication],
    /// What callbacks say of somebody who declined.
    pub denial: &'static str,
    /// `email_verified` is a text in ID tokens, and a truth value in the answer of userinfo.
    pub email_verified_as_text: bool,
    /// A person's Workspace stands in ID tokens as `hd`.
    pub hosted_domain: bool,
    /// The nonce of the request stands in the ID token.
    pub nonce: bool,
    /// What becomes of a code challenge.
    pub pkce: Pkce,
    /// The issuer is written without `https://` in ID tokens, and nowhere else.
    pub schemeless_issuer: bool,
}

impl Quirks {
    /// As the standards want it.
    pub const NONE: Self = Self {
        at_hash: true,
        azp: false,
        callback_issuer: true,
        client_authentication: &[ClientAuthentication::Basic, ClientAuthentication::Post],
        denial: "access_denied",
        email_verified_as_text: false,
        hosted_domain: false,
        nonce: true,
        pkce: Pkce::Required,
        schemeless_issuer: false,
    };

    /// Google's: `azp` and `hd`, no issuer in callbacks, PKCE as the client likes.
    ///
    /// Google's documentation allows for `iss` with and without scheme; its tokens have had one for
    /// years. Set [`schemeless_issuer`](Self::schemeless_issuer) for the other form.
    pub const GOOGLE: Self = Self {
        azp: true,
        callback_issuer: false,
        hosted_domain: true,
        pkce: Pkce::Optional,
        ..Self::NONE
    };

    /// LinkedIn's: no nonce (authlib#763, social-core#833), no PKCE for web clients (next-auth#8831,
    /// directus#23645), `email_verified` as a text, the client's secret in the form, no issuer in
    /// callbacks, no `at_hash`, a word of its own for a refusal.
    ///
    /// LinkedIn refuses the verifier only; here the challenge is refused already, so that a test
    /// sees it where it happens.
    pub const LINKEDIN: Self = Self {
        at_hash: false,
        callback_issuer: false,
        client_authentication: &[ClientAuthentication::Post],
        denial: "user_cancelled_authorize",
        email_verified_as_text: true,
        nonce: false,
        pkce: Pkce::Refused,
        ..Self::NONE
    };
}

impl Default for Quirks {
    /// [`Quirks::NONE`].
    fn default() -> Self {
        Self::NONE
    }
}
