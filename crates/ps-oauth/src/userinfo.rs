//! What a provider tells beside the ID token (OpenID Connect Core §5.3).

use serde::Deserialize;

use crate::{
    HttpClient,
    failure::{InvalidIdToken, Outage, ProviderError},
    json::{is_true, object, text},
    outbound::{LONGEST, get, send},
};

/// The address of a person, as the provider tells it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UserInfo {
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
}

impl UserInfo {
    /// Asks for what the ID token does not say of `subject`.
    pub(crate) async fn fetch(
        http: &dyn HttpClient,
        endpoint: &str,
        access_token: &str,
        subject: &str,
    ) -> Result<Self, ProviderError> {
        let request = get(endpoint, Some(access_token))?;
        let response = send(http, request, LONGEST).await?;
        match response.status().as_u16() {
            200 => Self::read(response.body(), subject),
            401 | 403 => Err(ProviderError::Refused(
                "no user information for its own token",
            )),
            status => Err(Outage::Status(status).into()),
        }
    }

    /// An answer about anybody else is not used at all (§5.3.2).
    fn read(json: &[u8], subject: &str) -> Result<Self, ProviderError> {
        let claims: Claims = object(json).ok_or(Outage::Rubbish("no user information"))?;
        if claims.sub != subject {
            return Err(InvalidIdToken::Userinfo.into());
        }
        Ok(Self {
            email: claims.email,
            email_verified: claims.email_verified,
        })
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default, deserialize_with = "text")]
    email: Option<String>,
    #[serde(default, deserialize_with = "is_true")]
    email_verified: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<UserInfo, ProviderError> {
        UserInfo::read(json.as_bytes(), "person-1")
    }

    #[test]
    fn an_address_and_whether_it_is_verified_come_together() {
        let json = r#"{"sub":"person-1","email":"a@example.com","email_verified":true,"name":"A"}"#;
        let told = read(json).unwrap();
        assert_eq!(told.email.as_deref(), Some("a@example.com"));
        assert!(told.email_verified);
        assert_eq!(read(r#"{"sub":"person-1"}"#).unwrap(), UserInfo::default());
    }

    // OA24
    #[test]
    fn what_is_said_of_somebody_else_is_not_used() {
        for sub in ["\"person-2\"", "\"Person-1\"", "\"person-1 \"", "\"\""] {
            let json = format!(r#"{{"sub":{sub},"email":"a@example.com"}}"#);
            let refused = read(&json).unwrap_err();
            let userinfo = matches!(
                refused,
                ProviderError::InvalidIdToken(InvalidIdToken::Userinfo)
            );
            assert!(userinfo, "{sub} {refused}");
        }
        for json in [
            r#"{"email":"a@example.com"}"#,
            r#"{"sub":1,"email":"a@example.com"}"#,
            r#"{"sub":"person-2","sub":"person-1"}"#,
            r#"["person-1","a@example.com",true]"#,
            "eyJhbGciOiJub25lIn0.e30.",
            "",
        ] {
            let refused = read(json).unwrap_err();
            assert!(matches!(refused, ProviderError::Unavailable(_)), "{json}");
        }
    }
}
