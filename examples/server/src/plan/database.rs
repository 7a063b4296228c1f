//! Where everything is kept.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use ps_sqlx::{OpenError, PostgresUrl};

use super::Refusal;

/// Where everything is kept. Printing it shows no password.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// A SQLite file, for one machine.
    File(PathBuf),
    /// A PostgreSQL server, for many nodes.
    Server(PostgresUrl),
}

impl Database {
    /// No refusal shows more of the URL than its scheme: there may be a password in it.
    pub(crate) fn parse(url: &str) -> Result<Self, Refusal> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "sqlite" => file(url).map(Self::File).ok_or(Refusal::DatabaseFile),
            "postgres" | "postgresql" => match PostgresUrl::parse(url) {
                Ok(url) => Ok(Self::Server(url)),
                Err(OpenError::Location) => Err(Refusal::DatabaseServer),
                Err(why) => Err(Refusal::DatabaseRefused(why.to_string())),
            },
            other if is_scheme(other) && other.len() < url.len() => {
                Err(Refusal::DatabaseUnsupported(format!("{other}:")))
            }
            _ => Err(Refusal::DatabaseUnsupported("that".to_owned())),
        }
    }

    /// Where development keeps its root secret: beside the file, or else in the working directory.
    pub(crate) fn secret_file(&self) -> PathBuf {
        match self {
            Self::File(path) => path.with_extension("secret"),
            Self::Server(_) => PathBuf::from("ps-example.secret"),
        }
    }

    /// The folder that must be there already.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty()),
            Self::Server(_) => None,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "sqlite://{}", path.display()),
            Self::Server(url) => write!(f, "{url}"),
        }
    }
}

/// The file that a `sqlite:` URL names. In memory nothing would be kept, and parameters could take
/// back what is promised about durability.
fn file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let is_file = !path.is_empty() && !path.starts_with(':') && !path.contains('?');
    is_file.then(|| PathBuf::from(path))
}

fn is_scheme(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    // OP1
    #[test]
    fn a_url_is_a_file_or_a_server_or_refused() {
        for (url, shown, secret) in [
            (
                "sqlite://ps-example.db",
                "sqlite://ps-example.db",
                "ps-example.secret",
            ),
            ("sqlite:data/x.db", "sqlite://data/x.db", "data/x.secret"),
            (
                "sqlite:///var/lib/x.db",
                "sqlite:///var/lib/x.db",
                "/var/lib/x.secret",
            ),
            (
                "postgres://u:hunter2@localhost/app",
                "postgres://localhost:5432/app",
                "ps-example.secret",
            ),
            (
                "postgresql://u:hunter2@db.example.com/app",
                "postgres://db.example.com:5432/app?sslmode=verify-full",
                "ps-example.secret",
            ),
            (
                "postgres://u:hunter2@db/app?sslmode=disable",
                "postgres://db:5432/app?sslmode=disable",
                "ps-example.secret",
            ),
        ] {
            let database = Database::parse(url).unwrap();
            assert_eq!(database.to_string(), shown, "{url}");
            assert_eq!(database.secret_file(), Path::new(secret), "{url}");
            assert!(!format!("{database:?}").contains("hunter2"), "{url}");
        }
        for (url, code) in [
            ("sqlite://", "database_invalid"),
            ("sqlite::memory:", "database_invalid"),
            ("sqlite://x.db?mode=memory", "database_invalid"),
            ("postgres://u:hunter2@[::1/app", "database_invalid"),
            ("postgres://u:hunter2@h/app?sslmod=off", "database_invalid"),
            ("postgres://u:12/hunter2@h/app", "database_invalid"),
            ("mysql://u:hunter2@h/app", "database_unsupported"),
            ("hunter2", "database_unsupported"),
            ("u:hunter2@h/app", "database_unsupported"),
            ("", "database_unsupported"),
        ] {
            let refusal = Database::parse(url).unwrap_err();
            let said = format!("{refusal} {refusal:?}");
            assert!(said.starts_with(&format!("{code}: ")), "{url}: {said}");
            assert!(!said.contains("hunter2"), "{url}: {said}");
        }
    }
}
