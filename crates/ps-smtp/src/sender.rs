//! Who the mails come from.

use lettre::{Address, message::Mailbox};

use crate::InvalidSmtp;

/// Reads `Name <address>` or an address.
///
/// lettre's own parser takes the first of several addresses and ignores the rest.
pub(crate) fn parse(text: &str) -> Result<Mailbox, InvalidSmtp> {
    let text = text.trim_matches(' ');
    if text.chars().any(char::is_control) {
        return Err(InvalidSmtp::From);
    }
    let (name, address) = match text.strip_suffix('>') {
        Some(named) => named.rsplit_once('<').ok_or(InvalidSmtp::From)?,
        None => ("", text),
    };
    Ok(Mailbox::new(parse_name(name)?, parse_address(address)?))
}

fn parse_name(text: &str) -> Result<Option<String>, InvalidSmtp> {
    let text = text.trim_matches(' ');
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let name = quoted.unwrap_or(text);
    if name.contains(['"', '\\', '<', '>', '@']) {
        return Err(InvalidSmtp::From);
    }
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

fn parse_address(text: &str) -> Result<Address, InvalidSmtp> {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"(),:;<>[\\]".contains(c);
    if !text.chars().all(is_plain) {
        return Err(InvalidSmtp::From);
    }
    text.parse().map_err(|_| InvalidSmtp::From)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let table = [
            ("mail@example.com", None, "mail@example.com"),
            (" <mail@example.com> ", None, "mail@example.com"),
            ("Example <a@example.com>", Some("Example"), "a@example.com"),
            ("\"A, B\" <a@localhost>", Some("A, B"), "a@localhost"),
            ("A, B. <a@example.com>", Some("A, B."), "a@example.com"),
            ("Bücher <a@example.com>", Some("Bücher"), "a@example.com"),
        ];
        for (text, name, address) in table {
            let sender = parse(text).unwrap();
            assert_eq!(sender.name.as_deref(), name, "{text}");
            assert_eq!(sender.email.to_string(), address, "{text}");
        }
    }

    // MC19
    #[test]
    fn what_could_be_more_than_one_sender_is_refused() {
        let table = [
            "",
            "Example",
            "Example <>",
            "Example mail@example.com",
            "a@example.com, b@example.com",
            "A <a@example.com>, B <b@example.com>",
            "a@example.com, B <b@example.com>",
            "A \"B\" <a@example.com>",
            "A <a@example.com> b",
            "A\r\nBcc: c@example.com <a@example.com>",
            "A <a@example.com\r\nBcc: c@example.com>",
            "A <a b@example.com>",
            "A <\"a\"@example.com>",
            "A <a@[127.0.0.1]>",
            "A <ä@example.com>",
            "A <a@bücher.example>",
        ];
        for text in table {
            assert_eq!(parse(text), Err(InvalidSmtp::From), "{text:?}");
        }
    }
}
