//! The two requests of the code flow (RFC 6749 §4.1), built by `oauth2`.

use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    HttpClient,
    client::Secrets,
    discovery::{Authentication, Endpoints},
    failure::{InvalidIdToken, Outage, ProviderError},
    outbound::{LONGEST, send},
};

/// What is asked for: who it is, and an address.
const SCOPES: [&str; 2] = ["openid", "email"];

/// Who we are at a provider.
#[derive(Clone, Copy)]
pub(crate) struct Registration<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) takes_pkce: bool,
}

/// What a code was exchanged for. It is used for one sign-in and wiped.
pub(crate) struct Grant {
    pub(crate) access_token: Zeroizing<String>,
    pub(crate) id_token: Zeroizing<String>,
}

/// Where the browser is sent (§4.1.1, OpenID Connect Core §3.1.2.1, RFC 7636 §4.3).
pub(crate) fn authorize_url(
    us: Registration<'_>,
    endpoints: &Endpoints,
    secrets: &Secrets<'_>,
    hosted_domain: Option<&str>,
) -> Result<String, Outage> {
    let client = client(us, endpoints)?;
    let mut request = client
        .authorize_url(|| CsrfToken::new(secrets.state.to_owned()))
        .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
        .add_extra_param("nonce", secrets.nonce);
    if us.takes_pkce {
        let verifier = PkceCodeVerifier::new(secrets.verifier.to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        request = request.set_pkce_challenge(challenge);
    }
    if let Some(domain) = hosted_domain {
        request = request.add_extra_param("hd", domain);
    }
    Ok(request.url().0.into())
}

/// Exchanges a code (§4.1.3), once: a code may be spent although no answer came.
pub(crate) async fn exchange(
    us: Registration<'_>,
    endpoints: &Endpoints,
    code: &str,
    secrets: &Secrets<'_>,
    http: &dyn HttpClient,
) -> Result<Grant, ProviderError> {
    let client = client(us, endpoints)?;
    let mut request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
    if us.takes_pkce {
        let verifier = PkceCodeVerifier::new(secrets.verifier.to_owned());
        request = request.set_pkce_verifier(verifier);
    }
    let answer = request.request_async(&Outbound(http)).await;
    answer.map_err(judge)?.grant()
}

/// Its errors may hold what the provider sent, tokens too, and are left behind here.
fn judge(error: RequestTokenError<Outage, BasicErrorResponse>) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(said) => match said.error() {
            BasicErrorResponseType::InvalidGrant => ProviderError::InvalidGrant,
            BasicErrorResponseType::InvalidClient => ProviderError::Refused("invalid_client"),
            BasicErrorResponseType::InvalidRequest => ProviderError::Refused("invalid_request"),
            BasicErrorResponseType::InvalidScope => ProviderError::Refused("invalid_scope"),
            BasicErrorResponseType::UnauthorizedClient => {
                ProviderError::Refused("unauthorized_client")
            }
            BasicErrorResponseType::UnsupportedGrantType => {
                ProviderError::Refused("unsupported_grant_type")
            }
            // Whatever else it sends is its own text, and stays out of logs.
            BasicErrorResponseType::Extension(_) => ProviderError::Refused("another error"),
        },
        RequestTokenError::Request(outage) => outage.into(),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Outage::Rubbish("no answer to a token request").into()
        }
    }
}

type Client = oauth2::Client<
    BasicErrorResponse,
    Granted,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

fn client(us: Registration<'_>, endpoints: &Endpoints) -> Result<Client, Outage> {
    const CHECKED: Outage = Outage::Rubbish("an address that is none");
    let authorization = AuthUrl::new(endpoints.authorization.clone().into_owned());
    let token = TokenUrl::new(endpoints.token.clone().into_owned());
    let redirect = RedirectUrl::new(us.redirect_uri.to_owned());
    let client = oauth2::Client::new(ClientId::new(us.client_id.to_owned()))
        .set_client_secret(ClientSecret::new(us.client_secret.to_owned()))
        .set_auth_type(match endpoints.authentication {
            Authentication::Basic => AuthType::BasicAuth,
            Authentication::Post => AuthType::RequestBody,
        })
        .set_auth_uri(authorization.map_err(|_| CHECKED)?)
        .set_token_uri(token.map_err(|_| CHECKED)?)
        .set_redirect_uri(redirect.map_err(|_| CHECKED)?);
    Ok(client)
}

/// The answer to a token request, as far as it is used (§5.1, OpenID Connect Core §3.1.3.3).
#[derive(Deserialize, Serialize)]
struct Granted {
    #[serde(skip_serializing)]
    access_token: AccessToken,
    /// Absent in some of `LinkedIn`'s answers; only a bearer token is ever meant.
    #[serde(default = "bearer", skip_serializing)]
    token_type: BasicTokenType,
    #[serde(default, skip_serializing)]
    id_token: Option<String>,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

impl Granted {
    fn grant(self) -> Result<Grant, ProviderError> {
        let access_token = Zeroizing::new(self.access_token.into_secret());
        let id_token = self.id_token.map(Zeroizing::new);
        if !self.token_type.as_ref().eq_ignore_ascii_case("bearer") {
            return Err(Outage::Rubbish("a token of another type").into());
        }
        Ok(Grant {
            access_token,
            id_token: id_token.ok_or(InvalidIdToken::Missing)?,
        })
    }
}

impl TokenResponse for Granted {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Granted(…)")
    }
}

/// Our port in the shape that `oauth2` calls.
struct Outbound<'h>(&'h dyn HttpClient);

impl<'c> AsyncHttpClient<'c> for Outbound<'_> {
    type Error = Outage;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Outage>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = send(self.0, request.map(Bytes::from), LONGEST).await?;
            let status = response.status();
            // An error that a client is to blame for has a body that says which (§5.2).
            if !(status == 200 || (400..=403).contains(&status.as_u16())) {
                return Err(Outage::Status(status.as_u16()));
            }
            // The body alone: `oauth2` would refuse one that calls itself something else than JSON.
            let mut bare = HttpResponse::new(response.into_body().into());
            *bare.status_mut() = status;
            Ok(bare)
        })
    }
}
