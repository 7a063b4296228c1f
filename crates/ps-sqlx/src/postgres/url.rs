//! Where a database is, as a URL says it.

use std::{env, ffi::OsStr, fmt, net::IpAddr, str::FromStr};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::OpenError;

/// What a URL may say. The driver passes over what it does not know, so that who misspells
/// `sslmode` would be connected in clear.
const PARAMETERS: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

const SSLMODE: &str = "PGSSLMODE";

/// A database of a PostgreSQL server, and how it is connected to.
///
/// Printing it shows the server, the database and how far TLS is insisted on, and neither user nor
/// password.
#[derive(Clone)]
pub struct PostgresUrl(Box<PgConnectOptions>);

impl PostgresUrl {
    /// Reads `postgres://user:password@host/database?sslmode=…`. What the URL leaves open, the
    /// variables of libpq say (`PGSSLMODE`, `PGPASSWORD` and so on).
    ///
    /// Where neither says an `sslmode` and the server is not on this machine, it is `verify-full`:
    /// clear text over a network has to be asked for.
    ///
    /// # Errors
    /// None shows anything of the URL. [`OpenError::Location`]: it is not one, or has a parameter that
    /// is not known. [`OpenError::Unescaped`]: a `/`, `?`, `#` or `@` may be the password's, where it
    /// is written `%2F`, `%3F`, `%23` or `%40`. [`OpenError::Variable`]: the URL has no `sslmode`, and
    /// `PGSSLMODE` has one that is not known.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        let variable = env::var_os(SSLMODE);
        let variable = variable.as_deref().map(OsStr::to_string_lossy);
        Self::read(url, variable.as_deref())
    }

    /// As [`parse`](Self::parse), where `variable` is what `PGSSLMODE` says.
    fn read(url: &str, variable: Option<&str>) -> Result<Self, OpenError> {
        let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !is_ours {
            return Err(OpenError::Location);
        }
        if is_unescaped(url) {
            return Err(OpenError::Unescaped);
        }
        if !parameters(url).all(is_known) {
            return Err(OpenError::Location);
        }
        // What the driver says of a bad URL may repeat parts of it.
        let mut at = PgConnectOptions::from_str(url).map_err(|_| OpenError::Location)?;
        if at.get_application_name().is_none() {
            at = at.application_name("ps-auth");
        }
        if !parameters(url).any(|name| name == "sslmode") {
            let mode = mode(variable, is_here(&at))?;
            at = at.ssl_mode(mode);
        }
        Ok(Self(Box::new(at)))
    }

    pub(super) fn into_options(self) -> PgConnectOptions {
        *self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.0;
        let (host, port) = (at.get_host(), at.get_port());
        let database = at.get_database().unwrap_or_default();
        match at.get_socket() {
            Some(folder) => write!(f, "postgres://{}:{port}/{database}", folder.display())?,
            None => write!(f, "postgres://{host}:{port}/{database}")?,
        }
        let how = match at.get_ssl_mode() {
            PgSslMode::Disable => "disable",
            PgSslMode::Allow => "allow",
            PgSslMode::Prefer => "prefer",
            PgSslMode::Require => "require",
            PgSslMode::VerifyCa => "verify-ca",
            PgSslMode::VerifyFull => "verify-full",
        };
        if is_here(at) {
            return Ok(());
        }
        write!(f, "?sslmode={how}")
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

/// How TLS is insisted on where the URL does not say. The driver would take a variable that it does
/// not understand for `prefer`, which is clear text to whoever stands in between.
fn mode(variable: Option<&str>, is_here: bool) -> Result<PgSslMode, OpenError> {
    match variable {
        Some(said) if !said.is_empty() => said.parse().map_err(|_| OpenError::Variable(SSLMODE)),
        _ if is_here => Ok(PgSslMode::Prefer),
        _ => Ok(PgSslMode::VerifyFull),
    }
}

/// Whether what is sent to it does not leave this machine.
fn is_here(at: &PgConnectOptions) -> bool {
    let host = at.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    at.get_socket().is_some() || host.starts_with('/') || host == "localhost" || is_loopback
}

/// Whether a character stands where none belongs that may have been meant as the password's: what is
/// before it would be taken for the host, and what is after it for the database, which is shown.
fn is_unescaped(url: &str) -> bool {
    let (place, _) = url.split_once('?').unwrap_or((url, ""));
    let (_, place) = place.split_once("//").unwrap_or_default();
    let (_, path) = place.split_once('/').unwrap_or_default();
    let is_meant = |name: &str| !name.contains(['/', '@']);
    url.contains('#') || path.contains(['/', '@']) || !parameters(url).all(is_meant)
}

/// The names of a URL's parameters, as they are written.
fn parameters(url: &str) -> impl Iterator<Item = &str> {
    let (_, all) = url.split_once('?').unwrap_or_default();
    let each = all.split('&').filter(|one| !one.is_empty());
    each.map(|one| one.split_once('=').map_or(one, |(name, _)| name))
}

fn is_known(parameter: &str) -> bool {
    PARAMETERS.contains(&parameter) || parameter.starts_with("options[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_url_that_is_wholly_understood() {
        for url in [
            "postgres://host/database",
            "postgresql://user:p%40ss@host:5433/database?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://%2Fvar%2Frun%2Fpostgresql/database?user=a&options[search_path]=b",
        ] {
            assert!(PostgresUrl::parse(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "host=localhost",
            "mysql://host/database",
            "postgres://host/database?sslmod=verify-full",
            "postgres://host/database?sslmode=verify_full",
            "postgres://host/database?%73slmode=require",
            "postgres://host:port/database",
        ] {
            let parsed = PostgresUrl::parse(url);
            assert!(matches!(parsed, Err(OpenError::Location)), "{url}");
        }
    }

    // OP1
    #[test]
    fn a_character_that_could_be_the_passwords_is_refused_where_it_is_not_encoded() {
        for url in [
            "u:/hunter2@db.example.com/d",
            "u:12/hunter2@db/d",
            "u:12/hunter2@db",
            "u:12/hunt/er2",
            "u:12/hunter2?sslmode=disable#@db/d",
            "u:12#hunter2@db/d",
            "u:12?hunter2@db/d",
            "u:12?/hunter2@db/d",
            "db.example.com/d#?sslmode=verify-full",
            "db.example.com/d?sslmode=verify-full#",
        ] {
            let error = PostgresUrl::read(&format!("postgres://{url}"), None).unwrap_err();
            assert!(matches!(error, OpenError::Unescaped), "{url}: {error:?}");
            assert!(error.to_string().contains("%2F"), "{error}");
        }
        for url in [
            "u:%2Fhunter2@db/d",
            "u:12%2Fhunter2%40%23@db/%2Fd%40",
            "u:hunter@2@db/d?sslrootcert=/a@b.pem",
            "db?sslrootcert=/ca.pem",
            "db/",
        ] {
            let read = PostgresUrl::read(&format!("postgres://{url}"), None).unwrap();
            let shown = read.to_string();
            assert!(shown.starts_with("postgres://db:5432/"), "{shown}");
        }
    }

    // OP1
    #[test]
    fn clear_text_over_a_network_has_to_be_asked_for() {
        for (url, shown) in [
            (
                "db.example.com/d",
                "db.example.com:5432/d?sslmode=verify-full",
            ),
            ("10.0.0.7:6000/d", "10.0.0.7:6000/d?sslmode=verify-full"),
            (
                "localhost.example.com/d",
                "localhost.example.com:5432/d?sslmode=verify-full",
            ),
            (
                "localhost/d?host=10.0.0.7",
                "10.0.0.7:5432/d?sslmode=verify-full",
            ),
            ("db/d?sslmode=disable", "db:5432/d?sslmode=disable"),
            ("db/d?sslmode=require", "db:5432/d?sslmode=require"),
            ("localhost/d", "localhost:5432/d"),
            ("127.0.0.1/d", "127.0.0.1:5432/d"),
            ("[::1]/d", "[::1]:5432/d"),
            ("%2Frun%2Fpostgresql/d", "/run/postgresql:5432/d"),
        ] {
            let parsed = PostgresUrl::read(&format!("postgres://u:hunter2@{url}"), None).unwrap();
            assert_eq!(parsed.to_string(), format!("postgres://{shown}"), "{url}");
        }
    }

    // OP1
    #[test]
    fn what_the_variable_says_holds_where_the_url_is_silent_and_a_misspelt_one_is_refused() {
        for (url, variable, mode) in [
            ("db.example.com/d", None, Some("VerifyFull")),
            ("db.example.com/d", Some(""), Some("VerifyFull")),
            ("db.example.com/d", Some("disable"), Some("Disable")),
            ("db.example.com/d", Some("prefer"), Some("Prefer")),
            ("db.example.com/d", Some("verify-ca"), Some("VerifyCa")),
            ("db.example.com/d", Some("verify_full"), None),
            ("db.example.com/d", Some("\u{fffd}"), None),
            ("db.example.com/d", Some(" "), None),
            ("localhost/d", None, Some("Prefer")),
            ("localhost/d", Some(""), Some("Prefer")),
            ("localhost/d", Some("require"), Some("Require")),
            ("localhost/d", Some("required"), None),
            ("db/d?sslmode=require", Some("disable"), Some("Require")),
            ("db/d?sslmode=disable", Some("verify_full"), Some("Disable")),
        ] {
            let read = PostgresUrl::read(&format!("postgres://{url}"), variable);
            match read {
                Ok(read) => {
                    let found = format!("{:?}", read.0.get_ssl_mode());
                    assert_eq!(Some(found.as_str()), mode, "{url} {variable:?}");
                }
                Err(error) => {
                    assert!(mode.is_none(), "{url} {variable:?}: {error}");
                    assert!(matches!(error, OpenError::Variable("PGSSLMODE")), "{error}");
                    assert!(error.to_string().contains("PGSSLMODE"), "{error}");
                }
            }
        }
    }

    #[test]
    fn neither_it_nor_an_error_shows_the_password() {
        for url in [
            "postgres://u:hunter2@[::1/d",
            "postgres://u:hunter2@h/d?hunter2=1",
            "postgres://u:/hunter2@h/d",
            "postgres://u:12/hunter2@h/d",
            "postgres://u:12?hunter2@h/d",
            "postgres://u:12#hunter2@h/d",
            "postgres://u:hunter2@h/d",
            "postgres://h/d?password=hunter2",
        ] {
            let shown = match PostgresUrl::parse(url) {
                Ok(parsed) => format!("{parsed} {parsed:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
