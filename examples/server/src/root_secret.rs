//! The root secrets: given, or made once and kept in a file that only its owner can read.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use ps_core::{InvalidSecret, Random, RootSecret, RootSecrets, SystemRandom};

use crate::{
    plan::{Database, listed},
    settings::Settings,
};

/// Why there is no usable secret. No variant holds one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("secret_invalid: a root secret is not base64")]
    Base64,
    #[error("secret_unreadable: {0}: {1}")]
    File(PathBuf, #[source] io::Error),
    #[error("secret_unsafe: {0}")]
    Unsafe(#[from] InvalidSecret),
}

/// The secrets of the settings, or else those of a file that is made when it is not there: beside the
/// database, or in the working directory where that is on a server. Outside development the plan has seen to it that they are given.
pub(crate) fn root_secrets(
    settings: &Settings,
    database: &Database,
) -> Result<RootSecrets, SecretError> {
    match given(settings)? {
        Some(secrets) => Ok(secrets),
        None => {
            let path = database.secret_file();
            make_once(&path)?;
            read_file(&path)
        }
    }
}

/// The secrets of the settings, if they name any. Makes nothing.
pub(crate) fn given(settings: &Settings) -> Result<Option<RootSecrets>, SecretError> {
    let mut secrets = listed(&settings.secret).peekable();
    if secrets.peek().is_some() {
        return read(secrets).map(Some);
    }
    settings.secret_file.as_deref().map(read_file).transpose()
}

fn read_file(path: &Path) -> Result<RootSecrets, SecretError> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| SecretError::File(path.to_owned(), error))?;
    read(text.split(','))
}

fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Result<RootSecrets, SecretError> {
    let mut roots = Vec::new();
    for text in texts {
        let bytes = BASE64_STANDARD
            .decode(text.trim())
            .map_err(|_| SecretError::Base64)?;
        roots.push(RootSecret::new(bytes)?);
    }
    Ok(RootSecrets::new(roots)?)
}

/// Makes the file if it is not there, readable for its owner only. It is written under another name
/// and put in its place by a link, so that nobody ever finds it empty or half written, and of several
/// servers that start together all use the one that was first.
fn make_once(path: &Path) -> Result<(), SecretError> {
    if path.exists() {
        return Ok(());
    }
    let draft = path.with_extension(format!("secret-{}", std::process::id()));
    let placed = write_draft(&draft).and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    match placed {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(SecretError::File(path.to_owned(), error))
        }
        _ => Ok(()),
    }
}

fn write_draft(draft: &Path) -> io::Result<()> {
    let mut secret = [0; 32];
    SystemRandom.fill(&mut secret);
    // One of an earlier process that died here is of no use to anybody.
    let _ = fs::remove_file(draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    writeln!(file, "{}", BASE64_STANDARD.encode(secret))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_base64_of_32_random_bytes() {
        let good = BASE64_STANDARD.encode((0..32).collect::<Vec<u8>>());
        let other = BASE64_STANDARD.encode((32..64).collect::<Vec<u8>>());
        assert!(read([good.as_str(), &other].into_iter()).is_ok());
        assert!(read([format!(" {good}\n").as_str()].into_iter()).is_ok());
        for (texts, code) in [
            (vec!["no base64"], "secret_invalid"),
            (vec!["c2hvcnQ="], "secret_unsafe"),
            (vec![good.as_str(), &good], "secret_unsafe"),
            (vec![], "secret_unsafe"),
        ] {
            let error = read(texts.iter().copied()).unwrap_err().to_string();
            assert!(error.starts_with(code), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn the_file_is_made_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("ps-secret-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("secret");
        make_once(&path).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        make_once(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let left: Vec<_> = fs::read_dir(&folder).unwrap().collect();
        assert_eq!(left.len(), 1, "no draft is left");
        fs::remove_dir_all(&folder).unwrap();
    }
}
