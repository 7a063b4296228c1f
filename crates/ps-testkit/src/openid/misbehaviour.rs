//! What an attacker, or a bad day, makes of a provider.

use std::time::Duration;

/// One way to misbehave. All that is not named stays as it should be, so that a client which takes
/// the answer has overlooked exactly this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// The ID token is not signed: `alg` is `none` (RFC 8725 §2.1).
    AlgNone,
    /// The callback lacks `iss`, though the metadata promises it (RFC 9207 §2.4).
    CallbackWithoutIss,
    /// The callback's `iss` is another issuer's: the answer of a mix-up (RFC 9207 §1).
    CallbackWithWrongIss,
    /// The set of keys is empty, as while a provider is being deployed (go-oidc#482).
    EmptyJwks,
    /// The ID token's `sub` is empty.
    EmptySubject,
    /// The ID token's `exp` was six minutes ago; its `iat` is recent.
    Expired,
    /// The ID token's `exp` is a text (CVE-2026-25537: of the wrong type, so not looked at).
    ExpiryAsText,
    /// The ID token's `aud` is a list: the client, and somebody else.
    ExtraAudience,
    /// The ID token is tagged with HS256, keyed by the PEM of the public key (RFC 8725 §2.1).
    Hs256WithPublicKey,
    /// The ID token's `iat` is in an hour, and its `exp` in two.
    IssuedInFuture,
    /// The ID token's `iat` was an hour ago; its `exp` is to come.
    IssuedLongAgo,
    /// The ID token's `iss` ends in a slash more.
    IssuerWithSlash,
    /// The keys answer with status 500, and nothing else does.
    JwksFails,
    /// The ID token's `sub` has 256 characters, one more than it may (OpenID Connect Core §2).
    LongSubject,
    /// The ID token has no `aud`.
    MissingAudience,
    /// The ID token has no `exp`.
    MissingExp,
    /// The token answer has no `id_token`.
    MissingIdToken,
    /// The ID token has no `iat`.
    MissingIat,
    /// The ID token has no `iss`.
    MissingIssuer,
    /// The ID token has no `nonce`, though the request had one.
    MissingNonce,
    /// The ID token has no `sub`.
    MissingSubject,
    /// The ID token names no key. It is signed properly.
    NoKid,
    /// Every answer is a page of HTML, with status 200: a captive portal.
    NotJson,
    /// The ID token's `nbf` is in an hour.
    NotYetValid,
    /// The ID token's `nonce` is that of the attempt that was approved before this one; before the
    /// first, one that nobody sent.
    OtherAttemptsNonce,
    /// The ID token is a stranger's, and says by `jku` where the stranger's keys are; they are there.
    OwnJkuInHeader,
    /// The ID token is a stranger's, and brings the stranger's key in its header as `jwk`
    /// (CVE-2018-0114).
    OwnJwkInHeader,
    /// The metadata names endpoints over `http`.
    PlainEndpoints,
    /// Every answer is a redirect (307) to elsewhere at the provider.
    Redirect,
    /// Every connection breaks off without an answer.
    Reset,
    /// Every answer has status 500 and is a page of HTML.
    ServerError,
    /// Every answer waits so long first, measured by the provider's clock.
    Slow(Duration),
    /// The ID token is a stranger's, and `iss` is the stranger, who has metadata and keys there
    /// (CVE-2026-31813: the issuer in the token chose the verifier).
    StrangersIssuer,
    /// The ID token has `sub` twice: somebody else's, then the person's.
    SubjectTwice,
    /// Every answer is a JSON text of 5 MiB.
    TooLong,
    /// The ID token wants something understood that nobody does: `crit` (CVE-2025-59420).
    UnknownCritical,
    /// The ID token names a key that is in no set, another one in each token (mobula#28,
    /// zitadel-auth#156). It is signed properly.
    UnknownKid,
    /// The answer of userinfo is of somebody else (OpenID Connect Core §5.3.2).
    UserinfoOfAnother,
    /// The ID token's `at_hash` belongs to another access token.
    WrongAtHash,
    /// The ID token's `aud` is somebody else (OpenID Connect Core §3.1.3.7).
    WrongAudience,
    /// The ID token's `azp` is somebody else.
    WrongAzp,
    /// The metadata is of another issuer (OpenID Connect Discovery §4.3).
    WrongDiscoveryIssuer,
    /// The ID token's `iss` is the issuer with a suffix: `https://accounts.google.com.evil.example`.
    WrongIssuer,
    /// The ID token's `nonce` is one that nobody sent.
    WrongNonce,
    /// The ID token is signed by a stranger, under the name of the provider's key.
    WrongSignature,
    /// The access token is of a type that nobody knows (RFC 6749 §7.1).
    WrongTokenType,
}

impl Misbehaviour {
    /// Every way in which an ID token can be wrong: what a verifier must refuse, one by one.
    ///
    /// Where a provider's quirk is to echo no nonce, [`MissingNonce`](Self::MissingNonce) is its good
    /// behaviour.
    pub const IN_ID_TOKEN: &[Self] = &[
        Self::AlgNone,
        Self::EmptySubject,
        Self::Expired,
        Self::ExpiryAsText,
        Self::ExtraAudience,
        Self::Hs256WithPublicKey,
        Self::IssuedInFuture,
        Self::IssuedLongAgo,
        Self::IssuerWithSlash,
        Self::LongSubject,
        Self::MissingAudience,
        Self::MissingExp,
        Self::MissingIat,
        Self::MissingIssuer,
        Self::MissingNonce,
        Self::MissingSubject,
        Self::NotYetValid,
        Self::OtherAttemptsNonce,
        Self::OwnJkuInHeader,
        Self::OwnJwkInHeader,
        Self::StrangersIssuer,
        Self::SubjectTwice,
        Self::UnknownCritical,
        Self::UnknownKid,
        Self::WrongAtHash,
        Self::WrongAudience,
        Self::WrongAzp,
        Self::WrongIssuer,
        Self::WrongNonce,
        Self::WrongSignature,
    ];
}
