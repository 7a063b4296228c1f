//! What arrives, as another parser than ours reads it.

use std::collections::BTreeSet;

use ps_core::{EmailAddress, Mail};
use serde_json::{Value, json};

use crate::{Place, Security, Wish, letter};

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().unwrap();
    let mut named = headers.iter().filter(|header| header[0] == name);
    match (named.next(), named.next()) {
        (Some(only), None) => only[1].as_str().unwrap(),
        _ => panic!("{name} once in {headers:?}"),
    }
}

fn names(mail: &Value) -> Vec<&str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers.map(|header| header[0].as_str().unwrap()).collect()
}

// MC18
pub(crate) fn a_letter_arrives_as_it_was_written(place: &Place) {
    let server = place.server(&Wish::good(Security::Plain));
    let mailer = place.mailer(&server, Security::Plain, "");
    let letter = letter();
    place.send(&mailer, &letter).unwrap();
    let (connections, mails) = server.stop();
    assert_eq!((connections, mails.len()), (1, 1));
    let mail = &mails[0];
    assert_eq!(mail["defects"], json!([]), "{mail}");
    assert_eq!(mail["from"], "mail@example.com");
    assert_eq!(mail["to"], json!(["alice@example.com"]));
    assert_eq!(mail["hello"], "example.com");
    assert_eq!(
        names(mail).join(" "),
        "Date Message-ID From To Subject Auto-Submitted MIME-Version Content-Type"
    );
    assert_eq!(header(mail, "From"), "Exámple <mail@example.com>");
    assert_eq!(header(mail, "To"), "alice@example.com");
    assert_eq!(header(mail, "Subject"), letter.subject);
    assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
    assert_eq!(mail["type"], "multipart/alternative");
    let html = letter.html.unwrap().replace('\n', "\r\n");
    let text = letter.text.replace('\n', "\r\n");
    let parts = json!([["text/plain", text], ["text/html", html]]);
    let same = |part: &Value| part.to_string().replace("\\r\\n", "\\n");
    assert_eq!(same(&mail["parts"]).trim_end(), same(&parts).trim_end());
    assert_eq!(mail["ascii"], true);
    assert!(mail["longest"].as_u64().unwrap() <= 78, "{mail}");
}

pub(crate) fn many_mails_at_once_arrive_once_each(place: &Place) {
    let server = place.server(&Wish::good(Security::StartTls));
    let mailer = place.mailer(&server, Security::StartTls, "");
    place.runtime.block_on(async {
        let sendings = (0..20).map(|number| {
            let mut mail = letter();
            mail.subject = format!("{number:06}");
            let mailer = &mailer;
            async move { ps_core::Mailer::send(mailer, &mail).await.unwrap() }
        });
        futures_util::future::join_all(sendings).await;
    });
    let (connections, mails) = server.stop();
    assert!(connections <= 4, "{connections}");
    let one_of_each = |name| {
        mails
            .iter()
            .map(|mail| header(mail, name))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(mails.len(), 20);
    assert_eq!(one_of_each("Subject").len(), 20);
    assert_eq!(one_of_each("Message-ID").len(), 20);
}

// MC19
pub(crate) fn an_address_is_one_mailbox(place: &Place) {
    let server = place.server(&Wish::good(Security::Plain));
    let mailer = place.mailer(&server, Security::Plain, "");
    let odd = [
        "a'b+c-d_e=f.g@example.com",
        "o'hara+alice=eve@example.com",
        "bcc@xn--bcher-kva.example",
        "rcpt.to.eve@example.com",
        "\"quoted\"@example.com",
        "alice@example.com,eve@example.com",
        "alice@example.com>\r\nRCPT TO:<eve@example.com",
        "alice@example.com NOTIFY=NEVER",
        "<alice@example.com>",
        "alice@[127.0.0.1]",
        "álice@example.com",
    ];
    let addresses = odd.iter().filter_map(|text| EmailAddress::parse(text).ok());
    let addresses: Vec<_> = addresses.collect();
    assert_eq!(addresses.len(), 4, "{addresses:?}");
    for to in &addresses {
        let mail = Mail {
            to: to.clone(),
            ..letter()
        };
        place.send(&mailer, &mail).unwrap();
    }
    let (_, mails) = server.stop();
    for (to, mail) in addresses.iter().zip(&mails) {
        assert_eq!(mail["to"], json!([to.as_str()]));
        assert_eq!(header(mail, "To"), to.as_str());
        assert_eq!(mail["defects"], json!([]), "{mail}");
    }
    assert_eq!(mails.len(), addresses.len());
}

// MC18, MC19
pub(crate) fn nothing_in_a_mail_becomes_a_header_or_a_command(place: &Place) {
    let server = place.server(&Wish::good(Security::Plain));
    let mailer = place.mailer(&server, Security::Plain, "");
    let endings = [
        "\n", "\r\n", "\r", "\n\r", "\u{85}", "\u{2028}", "\u{b}", "\0",
    ];
    for ending in endings {
        let mut mail = letter();
        mail.subject = format!("a{ending}Bcc: eve@example.com{ending}{ending}b");
        mail.text = format!("a{ending}.{ending}RCPT TO:<eve@example.com>{ending}DATA{ending}");
        mail.html = Some(mail.text.clone());
        place.send(&mailer, &mail).unwrap();
    }
    let (_, mails) = server.stop();
    assert_eq!(mails.len(), endings.len());
    for mail in mails {
        assert_eq!(mail["to"], json!(["alice@example.com"]), "{mail}");
        assert_eq!(names(&mail).len(), 8, "{mail}");
        assert_eq!(mail["parts"].as_array().unwrap().len(), 2, "{mail}");
    }
}
