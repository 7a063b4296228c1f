//! Every kind of credential, in every place, at every route: what opens it, and what is answered
//! otherwise. The tables here are the specification; nothing of them is asked of the service.

#![allow(clippy::unwrap_used)]

use parity::{Answer, Asked, Expected, Group, MISSING, Place};
use ps_http::Takes;

/// Whom a route lets in, and what it answers to whoever may pass and sends nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opens {
    Anybody,
    Keys,
    KeysWith(&'static str),
    Sessions,
}

use Opens::{Anybody, Keys, KeysWith, Sessions};

/// Every route there is. One that is not here fails the test: whom it is open to must be decided by
/// a person.
const ROUTES: [(&str, &str, Opens, u16, &str); 32] = [
    ("GET", "/.well-known/jwks.json", Anybody, 200, ""),
    ("GET", "/healthz", Anybody, 200, ""),
    ("GET", "/readyz", Anybody, 200, ""),
    ("GET", "/api/panic", Anybody, 500, "internal_error"),
    ("POST", "/api/echo", Anybody, 200, ""),
    (
        "POST",
        "/api/auth/login",
        Anybody,
        415,
        "unsupported_media_type",
    ),
    ("POST", "/api/auth/logout", Anybody, 204, ""),
    (
        "POST",
        "/api/auth/magic-code",
        Anybody,
        415,
        "unsupported_media_type",
    ),
    (
        "POST",
        "/api/auth/magic-code/verify",
        Anybody,
        415,
        "unsupported_media_type",
    ),
    ("POST", "/api/auth/refresh", Anybody, 401, "refresh_invalid"),
    (
        "POST",
        "/api/auth/register-magic",
        Anybody,
        415,
        "unsupported_media_type",
    ),
    (
        "POST",
        "/api/auth/register-magic/verify",
        Anybody,
        415,
        "unsupported_media_type",
    ),
    ("GET", "/api/auth/social/{provider}", Anybody, 303, ""),
    (
        "GET",
        "/api/auth/social/{provider}/callback",
        Anybody,
        303,
        "/sign-in?error=attempt_invalid",
    ),
    ("GET", "/api/v1/whoami", Keys, 200, ""),
    ("GET", "/api/v1/scoped", KeysWith("a:b"), 204, ""),
    (
        "POST",
        "/api/v1/scoped",
        KeysWith("a:b"),
        415,
        "unsupported_media_type",
    ),
    ("GET", "/api/auth/identities", Sessions, 200, ""),
    (
        "PUT",
        "/api/auth/password",
        Sessions,
        415,
        "unsupported_media_type",
    ),
    ("GET", "/api/auth/session", Sessions, 200, ""),
    ("GET", "/api/auth/sessions", Sessions, 200, ""),
    ("DELETE", "/api/auth/sessions", Sessions, 204, ""),
    (
        "DELETE",
        "/api/auth/sessions/{id}",
        Sessions,
        404,
        "not_found",
    ),
    (
        "DELETE",
        "/api/auth/social/{provider}",
        Sessions,
        404,
        "provider_not_linked",
    ),
    (
        "POST",
        "/api/auth/social/{provider}/link",
        Sessions,
        200,
        "",
    ),
    ("GET", "/api/keys", Sessions, 200, ""),
    ("POST", "/api/keys", Sessions, 415, "unsupported_media_type"),
    ("GET", "/api/keys/{id}", Sessions, 404, "not_found"),
    (
        "PATCH",
        "/api/keys/{id}",
        Sessions,
        415,
        "unsupported_media_type",
    ),
    ("DELETE", "/api/keys/{id}", Sessions, 404, "not_found"),
    ("POST", "/api/keys/{id}/rotate", Sessions, 404, "not_found"),
    ("GET", "/api/openapi.json", Anybody, 200, ""),
];

/// What is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AccessToken,
    AttemptCookie,
    BareKey,
    Challenge,
    DisabledKey,
    DisabledToken,
    Empty,
    EndedToken,
    ExpiredKey,
    ExpiredToken,
    ForgedToken,
    Key,
    RefreshCookie,
    RevokedKey,
}

const KINDS: [Kind; 14] = [
    Kind::AccessToken,
    Kind::AttemptCookie,
    Kind::BareKey,
    Kind::Challenge,
    Kind::DisabledKey,
    Kind::DisabledToken,
    Kind::Empty,
    Kind::EndedToken,
    Kind::ExpiredKey,
    Kind::ExpiredToken,
    Kind::ForgedToken,
    Kind::Key,
    Kind::RefreshCookie,
    Kind::RevokedKey,
];

impl Kind {
    fn placeholder(self) -> &'static str {
        match self {
            Self::AccessToken => "{token}",
            Self::AttemptCookie => "{attempt}",
            Self::BareKey => "{bare_key}",
            Self::Challenge => "{challenge}",
            Self::DisabledKey => "{disabled_key}",
            Self::DisabledToken => "{disabled_token}",
            Self::Empty => "",
            Self::EndedToken => "{ended_token}",
            Self::ExpiredKey => "{expired_key}",
            Self::ExpiredToken => "{expired_token}",
            Self::ForgedToken => "{forged_token}",
            Self::Key => "{key}",
            Self::RefreshCookie => "{refresh}",
            Self::RevokedKey => "{revoked_key}",
        }
    }

    fn is_key(self) -> bool {
        matches!(
            self,
            Self::BareKey | Self::DisabledKey | Self::ExpiredKey | Self::Key | Self::RevokedKey
        )
    }

    fn is_jwt(self) -> bool {
        matches!(
            self,
            Self::AccessToken
                | Self::DisabledToken
                | Self::EndedToken
                | Self::ExpiredToken
                | Self::ForgedToken
        )
    }
}

/// Where it is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    Basic,
    Bearer,
    Cookie,
    LowerBearer,
    Query,
    XApiKey,
}

const PLACES: [Where; 6] = [
    Where::Basic,
    Where::Bearer,
    Where::Cookie,
    Where::LowerBearer,
    Where::Query,
    Where::XApiKey,
];

impl Where {
    /// Whether it is one of the credentials that are counted.
    fn is_counted(self) -> bool {
        !matches!(self, Self::Cookie | Self::Query)
    }

    fn is_bearer(self) -> bool {
        matches!(self, Self::Bearer | Self::LowerBearer)
    }
}

type Presented = (Kind, Where);

/// The answer that the contract asks for.
fn answer_to(row: &(&str, &str, Opens, u16, &str), sent: &[Presented]) -> Expected {
    let (_, path, opens, status, word) = *row;
    let passes = Expected::new(status, word);
    let refused = |code| Expected::new(401, code);
    let counted: Vec<Presented> = sent
        .iter()
        .copied()
        .filter(|one| one.1.is_counted())
        .collect();
    if counted.len() > 1 && path.starts_with("/api/") {
        return Expected::new(400, "ambiguous_credentials");
    }
    let one = counted.first().copied().filter(|one| one.1 != Where::Basic);
    match opens {
        Anybody => exception(path, one, sent).unwrap_or(passes),
        Keys | KeysWith(_) => match one {
            None | Some((Kind::Empty, _)) => refused("api_key_missing"),
            Some((Kind::BareKey, _)) if opens != Keys => Expected::new(403, "scope_missing"),
            Some((Kind::Key | Kind::BareKey, _)) => passes,
            Some((kind, _)) if kind.is_jwt() => refused("api_key_required"),
            Some(_) => refused("api_key_invalid"),
        },
        Sessions => match one {
            None | Some((Kind::Empty, _) | (_, Where::XApiKey)) => refused("session_required"),
            Some((kind, _)) if kind.is_key() => refused("session_required"),
            Some((Kind::AccessToken, _)) => passes,
            Some(_) => refused("session_invalid"),
        },
    }
}

/// The public routes that look at a credential: signing out does not take an API key, and refreshing
/// takes its cookie and nothing else.
fn exception(path: &str, one: Option<Presented>, sent: &[Presented]) -> Option<Expected> {
    match path {
        "/api/auth/logout" => {
            let is_key = |(kind, place): Presented| place == Where::XApiKey || kind.is_key();
            let refused = || Expected::new(401, "session_required");
            one.is_some_and(is_key).then(refused)
        }
        "/api/auth/refresh" => {
            let cookie = sent.iter().find(|one| one.1 == Where::Cookie)?;
            Some(match cookie.0 {
                Kind::RefreshCookie => Expected::new(200, ""),
                _ => Expected::new(401, "refresh_unreadable"),
            })
        }
        _ => None,
    }
}

fn asked(method: &str, path: &str, sent: &[Presented]) -> Asked {
    let path = path
        .replace("{id}", MISSING)
        .replace("{provider}", "google");
    let query: Vec<String> = sent
        .iter()
        .filter(|one| one.1 == Where::Query)
        .map(|(kind, _)| {
            let text = kind.placeholder();
            format!("api_key={text}&access_token={text}&x-api-key={text}")
        })
        .collect();
    let target = if query.is_empty() {
        path
    } else {
        format!("{path}?{}", query.join("&"))
    };
    let mut asked = Asked::new(method, target);
    for (kind, place) in sent {
        let text = kind.placeholder();
        asked = match place {
            Where::Basic => asked.with("authorization", format!("Basic {text}")),
            Where::Bearer => asked.with("authorization", format!("Bearer {text}")),
            Where::Cookie => {
                let names = [
                    "x-api-key",
                    "authorization",
                    "access_token",
                    "__Host-ps_refresh",
                ];
                let pairs = names.map(|name| format!("{name}={text}"));
                asked.with("cookie", pairs.join("; "))
            }
            Where::LowerBearer => asked.with("authorization", format!("bearer {text}")),
            Where::Query => asked,
            Where::XApiKey => asked.with("x-api-key", text),
        };
    }
    asked
}

/// `error="invalid_token"` stands where a credential was sent and refused, and only there (RFC 6750
/// §3.1).
fn challenge_fault(answer: &Answer, sent: &[Presented]) -> Option<&'static str> {
    if answer.status != 401 || answer.code().starts_with("refresh_") {
        return None;
    }
    let looked_at = |(kind, place): &Presented| {
        *kind != Kind::Empty && (place.is_bearer() || *place == Where::XApiKey)
    };
    let told = answer
        .first("www-authenticate")
        .contains(r#"error="invalid_token""#);
    if sent
        .iter()
        .any(|(kind, place)| *kind == Kind::Empty && *place == Where::XApiKey)
    {
        return None; // an empty key is sent, or not: both can be said
    }
    match (sent.iter().any(looked_at), told) {
        (true, false) => Some("the refused credential is not called invalid"),
        (false, true) => Some("what was not sent is called invalid"),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_is_of_every_route() {
    let mut group = Group::new("routes", Place::Production).await;
    let auth = group.ways().world().auth().clone();
    for route in auth.routes() {
        let (method, path) = (route.method().as_str(), route.path());
        let row = ROUTES.iter().find(|row| (row.0, row.1) == (method, path));
        let (_, _, opens, ..) = row.unwrap_or_else(|| panic!("{route:?}: nobody said for whom"));
        let takes = match route.takes() {
            Takes::Anybody => Anybody,
            Takes::ApiKey { scope: None } => Keys,
            Takes::ApiKey { scope: Some(scope) } => KeysWith(scope),
            Takes::Session => Sessions,
            _ => panic!("{route:?}: another kind of caller"),
        };
        assert_eq!(takes, *opens, "{route:?}");
        group.ask(&asked(method, path, &[])).await;
    }
    group.done(ROUTES.len());
}

// AK11, AK12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_the_right_kind_opens_a_route() {
    let mut singles = Group::new("one credential", Place::Production).await;
    let kinds = KINDS.into_iter();
    let one = kinds.flat_map(|kind| PLACES.map(|place| vec![(kind, place)]));
    let mut all: Vec<Vec<Presented>> = one.collect();
    all.push(Vec::new());
    check(&mut singles, &all).await;
    singles.done(2_600);
}

// AK11, AK12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_credentials_open_nothing_more() {
    let mut pairs = Group::new("two credentials", Place::Production).await;
    let kinds = [
        (Kind::Key, Kind::Key),
        (Kind::Key, Kind::AccessToken),
        (Kind::AccessToken, Kind::Key),
        (Kind::AccessToken, Kind::AccessToken),
        (Kind::RevokedKey, Kind::Key),
        (Kind::ExpiredToken, Kind::AccessToken),
        (Kind::RefreshCookie, Kind::AccessToken),
        (Kind::Empty, Kind::Key),
    ];
    let mut all = Vec::new();
    for (one, other) in kinds {
        for (place, first) in PLACES.into_iter().enumerate() {
            for second in &PLACES[place..] {
                // Two cookies of one name are another matter, and two queries are one.
                if first != *second || first.is_counted() {
                    all.push(vec![(one, first), (other, *second)]);
                }
            }
        }
    }
    check(&mut pairs, &all).await;
    pairs.done(4_700);
}

async fn check(group: &mut Group, all: &[Vec<Presented>]) {
    let auth = group.ways().world().auth().clone();
    for route in auth.routes() {
        let (method, path) = (route.method().as_str(), route.path());
        let row = ROUTES.iter().find(|row| (row.0, row.1) == (method, path));
        let row = row.unwrap_or_else(|| panic!("{route:?}: nobody said for whom"));
        group.ways().renew().await;
        for sent in all {
            if ["/api/auth/logout", "/api/auth/refresh"].contains(&path) {
                group.ways().renew().await; // the last one may have used it up
            }
            let expected = answer_to(row, sent);
            let asked = asked(method, path, sent);
            let answer = group.expect(&asked, Some(&expected)).await;
            if let Some(fault) = answer.and_then(|answer| challenge_fault(&answer, sent)) {
                group.fail(format!("{asked:?}\n    {fault}"));
            }
        }
    }
}
