//! What is encrypted, and who is let in.

use ps_core::MailError;

use crate::{Authority, Place, Security, Server, Wish, letter};

const LOGIN: [&str; 2] = ["me@example.com", "sécret:1"];
/// The same in a URL.
const IN_URL: &str = "me%40example.com:s%C3%A9cret%3A1@";

pub(crate) fn both_kinds_of_tls_hide_the_login_and_the_mail(place: &Place) {
    for security in [Security::StartTls, Security::Tls] {
        let wish = Wish {
            login: Some(LOGIN),
            ..Wish::good(security)
        };
        let server = place.server(&wish);
        let mailer = place.mailer(&server, security, IN_URL);
        for _ in 0..2 {
            place.send(&mailer, &letter()).unwrap();
        }
        let (connections, mails) = server.stop();
        assert_eq!((connections, mails.len()), (1, 2), "{security:?}");
        for mail in mails {
            assert_eq!(mail["encrypted"], true, "{security:?}");
            assert_eq!(mail["login"], true, "{security:?}");
        }
    }
}

pub(crate) fn a_login_that_is_wrong_is_refused(place: &Place) {
    for security in [Security::StartTls, Security::Tls] {
        let wish = Wish {
            login: Some(LOGIN),
            ..Wish::good(security)
        };
        for (login, code) in [
            ("me%40example.com:wr0ng-secret@", "535 5.7.8"),
            ("", "530 5.7.0"),
        ] {
            let server = place.server(&wish);
            let mailer = place.mailer(&server, security, login);
            let refused = place.send(&mailer, &letter()).unwrap_err();
            let why = whole(&refused);
            assert!(matches!(refused, MailError::Refused(_)), "{why}");
            assert!(why.contains(code), "{why}");
            assert!(!why.contains("wr0ng") && !why.contains("me@"), "{why}");
            assert!(server.stop().1.is_empty());
        }
    }
}

pub(crate) fn a_certificate_of_another_host_or_authority_is_refused(place: &Place) {
    let stranger = Authority::new();
    for security in [Security::StartTls, Security::Tls] {
        let named = |name| Wish {
            name,
            login: Some(LOGIN),
            ..Wish::good(security)
        };
        let servers = [
            place.server(&named("mail.example.net")),
            place.server(&named("127.0.0.2")),
            Server::start(&place.python, &stranger, &named("127.0.0.1")),
        ];
        for server in servers {
            let mailer = place.mailer(&server, security, IN_URL);
            let refused = place.send(&mailer, &letter()).unwrap_err();
            let why = whole(&refused);
            assert!(matches!(refused, MailError::Unavailable(_)), "{why}");
            assert!(why.contains("invalid peer certificate"), "{why}");
            assert!(server.stop().1.is_empty());
        }
    }
}

pub(crate) fn a_server_without_tls_is_told_nothing(place: &Place) {
    for asked in [Security::StartTls, Security::Tls] {
        let server = place.server(&Wish::good(Security::Plain));
        let mailer = place.mailer(&server, asked, IN_URL);
        let refused = place.send(&mailer, &letter()).unwrap_err();
        assert!(matches!(refused, MailError::Unavailable(_)), "{refused:?}");
        assert!(server.stop().1.is_empty());
    }
}

/// An error with all its sources.
fn whole(error: &dyn std::error::Error) -> String {
    let own = format!("{error} / {error:?}");
    error
        .source()
        .map_or(own.clone(), |source| own + "; " + &whole(source))
}
