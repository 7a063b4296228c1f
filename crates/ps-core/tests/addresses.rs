//! Addresses that others collected to break parsers.

#![allow(clippy::unwrap_used, missing_docs)]

use ps_core::EmailAddress;

/// An address of the set, and the category that its authors put it in.
fn isemail() -> Vec<(String, String)> {
    let text = include_str!("vectors/isemail_tests.xml");
    let tests = text.split("<test id=").skip(1);
    tests
        .map(|test| {
            let category = between(test, "<category>", "</category>");
            let address = between(test, "<address>", "</address>");
            (decode(&address), category)
        })
        .collect()
}

/// Empty where the element is not there or stands empty.
fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end)
        .map_or("", |(inner, _)| inner)
        .to_owned()
}

/// XML's entities, and the set's own way of writing control characters as their pictures.
fn decode(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, behind) = after.split_once(';').unwrap();
        plain.push_str(before);
        plain.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            code => {
                let code = u32::from_str_radix(code.trim_start_matches("#x"), 16).unwrap();
                char::from_u32(code).unwrap()
            }
        });
        rest = behind;
    }
    plain.push_str(rest);
    plain
        .chars()
        .map(|c| match u32::from(c) {
            picture @ 0x2400..=0x2420 => char::from_u32(picture - 0x2400).unwrap(),
            _ => c,
        })
        .collect()
}

/// Whatever is taken is an address without reservations, or one whose domain is merely unknown.
// MC19
#[test]
fn of_the_isemail_set_only_plain_addresses_are_taken() {
    let all = isemail();
    assert_eq!(all.len(), 164);
    let mut taken = 0;
    // Spaces around an address are taken off, which the set holds against it.
    let all = all
        .into_iter()
        .filter(|(address, _)| address.trim_matches(' ') == address);
    for (address, category) in all {
        if let Ok(read) = EmailAddress::parse(&address) {
            let plain = matches!(
                category.as_str(),
                "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN" | "ISEMAIL_RFC5321"
            );
            assert!(plain, "{address:?} is {category}");
            assert!(read.as_str().is_ascii());
            taken += 1;
        }
    }
    assert!((10..60).contains(&taken), "{taken} were taken");
}

// MC19
#[test]
fn no_naughty_string_is_an_address_or_does_harm_inside_one() {
    let text = include_str!("vectors/blns.json");
    let strings: Vec<String> = serde_json::from_str(text).unwrap();
    assert!(strings.len() > 400);
    for string in strings {
        for text in [
            string.clone(),
            format!("{string}@example.com"),
            format!("a@{string}"),
            format!("a@{string}.com"),
        ] {
            if let Ok(address) = EmailAddress::parse(&text) {
                let harmless =
                    |byte: u8| byte.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&byte);
                assert!(
                    address.as_str().bytes().all(harmless),
                    "{text:?} is {address}"
                );
                assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }
    }
}
