//! Why mail cannot be set up.

/// Why settings cannot be used. It tells what is wrong and repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSmtp {
    /// A root certificate is not PEM, or not a certificate.
    #[error("the root certificate is not a certificate in PEM form")]
    Certificate,
    /// User and password do not come together, are not UTF-8 once percent-decoded, or hold control
    /// characters.
    #[error("the SMTP URL needs both a user and a password, percent-encoded, or neither")]
    Credentials,
    /// The sender is neither `Name <address>` nor an address.
    #[error("the sender is not of the form Name <mail@example.com>")]
    From,
    /// There is no host, or it is neither a name nor an address.
    #[error("the SMTP URL has no usable host")]
    Host,
    /// Mail would cross a network in clear text.
    #[error("smtp:// to another machine needs ?tls=required; or use smtps://")]
    Insecure,
    /// There is more in the URL than is understood: a path, a fragment, or another option than
    /// `tls=required`.
    #[error("the SMTP URL takes no path and no option but tls=required")]
    Option,
    /// The port is zero.
    #[error("the SMTP URL has no usable port")]
    Port,
    /// The scheme is neither `smtps` nor `smtp`.
    #[error("the SMTP URL starts with neither smtps:// nor smtp://")]
    Scheme,
    /// TLS cannot be set up with the cryptography that this process has chosen.
    #[error("TLS cannot be set up")]
    Tls,
    /// It is not a URL.
    #[error("the SMTP URL is not a URL")]
    Url,
}
