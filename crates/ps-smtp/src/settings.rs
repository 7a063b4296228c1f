//! Where mail is handed in, and in whose name.

use std::{fmt, net::IpAddr};

use lettre::{
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, TlsParameters},
    },
};
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use crate::{InvalidSmtp, sender};

/// A mail server, how to reach it, and the sender of every mail.
///
/// Shown by `Debug` without user and password.
pub struct SmtpSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<Login>,
    pub(crate) from: Mailbox,
    roots: Vec<Certificate>,
}

/// How what is sent is hidden from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all, and therefore to this machine only.
    Loopback,
    /// STARTTLS (RFC 3207), or nothing is sent.
    StartTls,
    /// TLS from the first byte on (RFC 8314 §3.3).
    Tls,
}

pub(crate) struct Login {
    user: String,
    password: Zeroizing<String>,
}

impl SmtpSettings {
    /// Reads the server's URL and the sender.
    ///
    /// - `smtps://user:password@host:465`: TLS from the first byte on (RFC 8314); 465 is the default
    ///   port.
    /// - `smtp://user:password@host:587?tls=required`: STARTTLS, and nothing is sent without it; 587
    ///   is the default port.
    /// - `smtp://127.0.0.1:25`, `[::1]` or `localhost`: clear text to this machine, for tests and
    ///   local relays; 25 is the default port.
    ///
    /// User and password are percent-encoded, and both or neither are given. `from` is
    /// `Name <mail@example.com>` or `mail@example.com`; its domain also names this client to the
    /// server and stands in every `Message-ID`.
    ///
    /// # Errors
    /// An [`InvalidSmtp`] that names what is wrong; [`InvalidSmtp::Insecure`] for clear text to
    /// another machine.
    pub fn parse(url: &str, from: &str) -> Result<Self, InvalidSmtp> {
        let url = Url::parse(url).map_err(|_| InvalidSmtp::Url)?;
        let requires_tls = match url.query() {
            None => false,
            Some("tls=required") => true,
            Some(_) => return Err(InvalidSmtp::Option),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(InvalidSmtp::Option);
        }
        let host = parse_host(&url)?;
        let encryption = match url.scheme() {
            "smtps" => Encryption::Tls,
            "smtp" if requires_tls => Encryption::StartTls,
            "smtp" if is_loopback(&host) => Encryption::Loopback,
            "smtp" => return Err(InvalidSmtp::Insecure),
            _ => return Err(InvalidSmtp::Scheme),
        };
        let port = url.port().unwrap_or(encryption.default_port());
        if port == 0 {
            return Err(InvalidSmtp::Port);
        }
        Ok(Self {
            host,
            port,
            encryption,
            login: Login::parse(&url)?,
            from: sender::parse(from)?,
            roots: Vec::new(),
        })
    }

    /// Trusts these certificate authorities, besides the public ones: one or more certificates in
    /// PEM form.
    ///
    /// # Errors
    /// [`InvalidSmtp::Certificate`] where there is none in it, or one that cannot be read.
    pub fn with_root_certificate(mut self, pem: &[u8]) -> Result<Self, InvalidSmtp> {
        let begin = b"-----BEGIN CERTIFICATE-----";
        if !pem.windows(begin.len()).any(|window| window == begin) {
            return Err(InvalidSmtp::Certificate);
        }
        let root = Certificate::from_pem(pem).map_err(|_| InvalidSmtp::Certificate)?;
        self.roots.push(root);
        self.tls().map_err(|_| InvalidSmtp::Certificate)?;
        Ok(self)
    }

    /// TLS 1.2 or later, with the server's certificate checked against its host.
    pub(crate) fn tls(&self) -> Result<TlsParameters, InvalidSmtp> {
        let public = TlsParameters::builder(self.host.clone())
            .certificate_store(CertificateStore::WebpkiRoots);
        let all = self.roots.iter().cloned();
        all.fold(public, |tls, root| tls.add_root_certificate(root))
            .build()
            .map_err(|_| InvalidSmtp::Tls)
    }
}

impl Encryption {
    const fn default_port(self) -> u16 {
        match self {
            Self::Loopback => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

impl Login {
    fn parse(url: &Url) -> Result<Option<Self>, InvalidSmtp> {
        match (url.username(), url.password()) {
            ("", None) => Ok(None),
            ("", Some(_)) | (_, None | Some("")) => Err(InvalidSmtp::Credentials),
            (user, Some(password)) => Ok(Some(Self {
                user: decode(user)?.as_str().to_owned(),
                password: decode(password)?,
            })),
        }
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(self.user.clone(), self.password.as_str().to_owned())
    }
}

/// Refuses control characters: NUL separates the fields of `AUTH PLAIN` (RFC 4616).
fn decode(text: &str) -> Result<Zeroizing<String>, InvalidSmtp> {
    let decoded = Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
    let text = std::str::from_utf8(&decoded).map_err(|_| InvalidSmtp::Credentials)?;
    if text.chars().any(char::is_control) {
        return Err(InvalidSmtp::Credentials);
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// The host without the brackets of an IPv6 address.
fn parse_host(url: &Url) -> Result<String, InvalidSmtp> {
    let host = url.host_str().ok_or(InvalidSmtp::Host)?;
    let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let is_name = |host: &str| {
        let mut bytes = host.bytes();
        bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    match bracketed {
        Some(address) => Ok(address.to_owned()),
        None if !host.is_empty() && is_name(host) => Ok(host.to_ascii_lowercase()),
        None => Err(InvalidSmtp::Host),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .field("from", &self.from.to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<SmtpSettings, InvalidSmtp> {
        SmtpSettings::parse(url, "Example <mail@example.com>")
    }

    #[test]
    fn scheme_host_and_option_decide_the_encryption() {
        use Encryption::{Loopback, StartTls, Tls};
        let table = [
            ("smtps://mx.example.com", "mx.example.com", 465, Tls),
            ("smtps://MX.example.com:4650/", "mx.example.com", 4650, Tls),
            ("smtps://h?tls=required", "h", 465, Tls),
            ("smtps://[2001:db8::1]", "2001:db8::1", 465, Tls),
            (
                "smtp://mail_relay?tls=required",
                "mail_relay",
                587,
                StartTls,
            ),
            ("smtp://h:25?tls=required", "h", 25, StartTls),
            ("smtp://127.0.0.1?tls=required", "127.0.0.1", 587, StartTls),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Loopback),
            ("smtp://[::1]", "::1", 25, Loopback),
            ("smtp://LOCALHOST:1025", "localhost", 1025, Loopback),
        ];
        for (url, host, port, encryption) in table {
            let settings = parse(url).unwrap();
            assert_eq!(settings.host, host, "{url}");
            assert_eq!(settings.port, port, "{url}");
            assert_eq!(settings.encryption, encryption, "{url}");
            assert!(settings.login.is_none(), "{url}");
        }
    }

    #[test]
    fn what_is_unsafe_or_not_understood_is_refused_by_name() {
        let table = [
            ("", InvalidSmtp::Url),
            ("mx.example.com", InvalidSmtp::Url),
            ("https://mx.example.com", InvalidSmtp::Scheme),
            ("smtp://mx.example.com", InvalidSmtp::Insecure),
            ("smtp://mx.example.com:25", InvalidSmtp::Insecure),
            ("smtp://u:p@127.0.0.1.example.com", InvalidSmtp::Insecure),
            ("smtp://localhost.example.com", InvalidSmtp::Insecure),
            ("smtp://10.0.0.1", InvalidSmtp::Insecure),
            ("smtp://0.0.0.0", InvalidSmtp::Insecure),
            ("smtp://[2001:db8::1]", InvalidSmtp::Insecure),
            ("smtp://h?tls=opportunistic", InvalidSmtp::Option),
            ("smtp://h?tls=none", InvalidSmtp::Option),
            ("smtp://h?tls=required&tls=none", InvalidSmtp::Option),
            ("smtps://h?accept_invalid_certs=1", InvalidSmtp::Option),
            ("smtps://h/path", InvalidSmtp::Option),
            ("smtps://h#fragment", InvalidSmtp::Option),
            ("smtps://", InvalidSmtp::Host),
            ("smtps:h", InvalidSmtp::Option),
            ("smtps://ex%41mple.com", InvalidSmtp::Host),
            ("smtps://bücher.example", InvalidSmtp::Host),
            ("smtps://h:0", InvalidSmtp::Port),
            ("smtps://user@h", InvalidSmtp::Credentials),
            ("smtps://user:@h", InvalidSmtp::Credentials),
            ("smtps://:password@h", InvalidSmtp::Credentials),
            ("smtps://user:%ff@h", InvalidSmtp::Credentials),
            ("smtps://user:a%00b@h", InvalidSmtp::Credentials),
            ("smtps://us%0d%0aer:p@h", InvalidSmtp::Credentials),
        ];
        for (url, why) in table {
            assert_eq!(parse(url).map(|_| ()), Err(why), "{url:?}");
        }
        let without_sender = SmtpSettings::parse("smtps://h", "Example");
        assert_eq!(without_sender.map(|_| ()), Err(InvalidSmtp::From));
    }

    #[test]
    fn user_and_password_are_percent_decoded_and_never_shown() {
        let settings = parse("smtps://me%40example.com:p%C3%A4ss%3A%2F+%25@h").unwrap();
        let login = settings.login.as_ref().unwrap();
        assert_eq!(login.user, "me@example.com");
        assert_eq!(login.password.as_str(), "päss:/+%");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("me@") && !shown.contains("ss:"), "{shown}");
    }

    #[test]
    fn a_root_certificate_is_one() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "certificate", "-----BEGIN CERTIFICATE-----\n", broken] {
            let settings = parse("smtps://h").unwrap();
            let refused = settings.with_root_certificate(pem.as_bytes());
            assert_eq!(refused.map(|_| ()), Err(InvalidSmtp::Certificate), "{pem}");
        }
    }
}
