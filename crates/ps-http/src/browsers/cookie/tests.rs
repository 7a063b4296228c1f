use proptest::prelude::*;
use ps_core::RootSecret;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
const MILLISECOND: Duration = Duration::from_millis(1);

fn cookies(roots: &[u8]) -> DeviceCookies {
    let roots = roots
        .iter()
        .map(|first| RootSecret::new((*first..first + 32).collect::<Vec<u8>>()).unwrap());
    DeviceCookies::new(&RootSecrets::new(roots).unwrap())
}

fn address(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

/// A cookie of these people, who signed in a second after one another, the last one just now.
fn of(cookies: &DeviceCookies, names: &[&str]) -> String {
    let mut text = String::new();
    for (before, name) in (0..names.len() as u64).rev().zip(names) {
        let at = NOW.minus(Duration::from_secs(before));
        text = cookies.renewed(&text, &address(name), at);
    }
    text
}

// MC12
#[test]
fn a_browser_is_known_for_180_days_to_the_address_that_signed_in_and_to_no_other() {
    let cookies = cookies(&[1]);
    let text = of(&cookies, &["alice"]);
    assert_eq!(text.len(), TEXT);
    let table = [
        ("alice", NOW, Some(NOW)),
        ("alice", NOW.minus(SKEW), Some(NOW)),
        ("alice", NOW.minus(SKEW).minus(MILLISECOND), None),
        ("alice", NOW.plus(LIFE).minus(MILLISECOND), Some(NOW)),
        ("alice", NOW.plus(LIFE), None),
        ("bob", NOW, None),
        ("alice1", NOW, None),
    ];
    for (name, at, since) in table {
        let found = cookies.since(&text, &address(name), at);
        assert_eq!(found, since, "{name} at {at:?}");
    }
}

// MC12
#[test]
fn a_browser_is_known_for_four_addresses_the_newest_first() {
    let cookies = cookies(&[1]);
    let text = of(&cookies, &["a", "b", "c", "d", "e"]);
    assert_eq!(text.len(), MOST * TEXT + MOST - 1);
    let known = |text: &str, name| cookies.since(text, &address(name), NOW).is_some();
    assert!(!known(&text, "a"), "the oldest of five is dropped");
    assert!(
        ["b", "c", "d", "e"]
            .into_iter()
            .all(|name| known(&text, name))
    );
    // Whoever signs in again takes no second place, and is the newest.
    let text = cookies.renewed(&text, &address("b"), NOW.plus(MILLISECOND));
    let text = cookies.renewed(&text, &address("f"), NOW.plus(MILLISECOND * 2));
    assert!(!known(&text, "c"), "the oldest by now");
    assert!(
        ["b", "d", "e", "f"]
            .into_iter()
            .all(|name| known(&text, name))
    );
    let now = NOW.plus(MILLISECOND);
    assert_eq!(cookies.since(&text, &address("b"), now), Some(now));
    // Which comes first is the time's word and not the place's.
    let mixed: Vec<&str> = text.rsplit(BETWEEN).collect();
    let text = cookies.renewed(&mixed.join("."), &address("g"), now.plus(MILLISECOND * 2));
    assert!(!known(&text, "d") && ["b", "e", "f"].into_iter().all(|name| known(&text, name)));
}

// MC12
#[test]
fn what_is_not_ours_is_as_if_it_were_not_there() {
    let (ours, theirs) = (cookies(&[1]), cookies(&[2]));
    let (good, foreign) = (of(&ours, &["alice"]), of(&theirs, &["alice"]));
    let bob = of(&ours, &["bob"]);
    // Another's MAC, digest or time under one's own version.
    let cut = |text: &str, from: usize, to: usize| text[from..to].to_owned();
    let spliced = cut(&bob, 0, 28) + &cut(&good, 28, TEXT);
    let strangers = [
        "",
        ".",
        "....",
        "garbage",
        "ä",
        &"A".repeat(TEXT),
        &good[1..],
        &good[..TEXT - 1],
        &format!("{good}="),
        &format!(" {good}"),
        &good.to_lowercase(),
        &foreign,
        &spliced,
        // What comes behind as many as are ever made is not looked at.
        &format!("x.x.x.x.{good}"),
    ];
    for text in strangers {
        assert_eq!(ours.since(text, &address("alice"), NOW), None, "{text}");
        assert_eq!(ours.kept(text, NOW), "", "{text}");
        let beside = format!("{good}.{text}");
        assert_eq!(ours.since(&beside, &address("alice"), NOW), Some(NOW));
        assert_eq!(ours.kept(&beside, NOW), good, "{text}");
        let renewed = ours.renewed(text, &address("alice"), NOW);
        assert_eq!(renewed, good, "{text}");
    }
}

#[test]
fn of_two_entries_of_one_address_the_newer_counts() {
    let cookies = cookies(&[1]);
    let [older, newer] = [NOW.minus(LIFE / 2), NOW].map(|at| {
        let text = cookies.renewed("", &address("alice"), at);
        (text, at)
    });
    for text in [
        format!("{}.{}", older.0, newer.0),
        format!("{}.{}", newer.0, older.0),
    ] {
        assert_eq!(cookies.since(&text, &address("alice"), NOW), Some(newer.1));
    }
}

// A buffer of zeros would make up for the zero that was left out.
#[test]
fn an_entry_is_as_long_as_it_was_made() {
    let cookies = cookies(&[1]);
    let made = (0..10_000).map(|before| NOW.minus(MILLISECOND * before));
    let made = made.map(|at| cookies.entry(&address("alice"), at));
    let ends_with_zero =
        |text: &String| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap().ends_with(&[0]);
    let whole = made.into_iter().find(ends_with_zero).unwrap();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&whole).unwrap();
    let short = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..ENTRY - 1]);
    assert!(cookies.since(&whole, &address("alice"), NOW).is_some());
    assert_eq!(cookies.since(&short, &address("alice"), NOW), None);
}

#[test]
fn every_changed_character_is_refused() {
    let cookies = cookies(&[1]);
    let good = of(&cookies, &["alice"]);
    for place in 0..TEXT {
        let other = if &good[place..=place] == "A" {
            "B"
        } else {
            "A"
        };
        let changed = format!("{}{other}{}", &good[..place], &good[place + 1..]);
        let found = cookies.since(&changed, &address("alice"), NOW);
        assert_eq!(found, None, "{place}");
    }
}

// SE8
#[test]
fn a_browser_stays_known_while_its_root_is_in_force() {
    let before = of(&cookies(&[1]), &["alice"]);
    let (during, after) = (cookies(&[2, 1]), cookies(&[2]));
    assert_eq!(during.since(&before, &address("alice"), NOW), Some(NOW));
    assert_eq!(after.since(&before, &address("alice"), NOW), None);
    let renewed = during.renewed(&before, &address("alice"), NOW);
    assert_eq!(
        renewed.len(),
        TEXT,
        "one address has one entry, whatever its root"
    );
    assert_eq!(after.since(&renewed, &address("alice"), NOW), Some(NOW));
}

// Computed apart, by Python's `hmac`, from the root of the bytes 1 to 32: a release that writes it
// otherwise would know nobody again.
#[test]
fn the_golden_cookie_stays_what_it_is() {
    let golden = "x2TW3pRxGq8weDB7hvBlXAP3lKEAAAGiArLFAByhyYmBEY1BdzxB3ZsUPaqo7h07a6n0S6uhJHOxB1ce";
    assert_eq!(of(&cookies(&[1]), &["alice"]), golden);
}

#[test]
fn a_cookie_tells_nobody_who_uses_the_browser() {
    let text = of(&cookies(&[1]), &["alice"]);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    assert!(!bytes.windows(5).any(|window| window == b"alice"));
    // Nor can two sites, or two roots, find out that it is the same person.
    let other = of(&cookies(&[2]), &["alice"]);
    let other = BASE64_URL_SAFE_NO_PAD.decode(other).unwrap();
    assert_ne!(bytes[4..20], other[4..20]);
}

proptest! {
    /// Whatever a browser sends, reading ends and makes nobody known; and beside it a good entry
    /// stays good, if it is among the first four.
    #[test]
    fn nothing_that_is_made_up_is_taken(
        parts in prop::collection::vec("[A-Za-z0-9_.=-]{0,90}|\\PC{0,20}", 0..8),
        place in 0usize..4,
    ) {
        let cookies = cookies(&[1]);
        let noise = parts.join(".");
        prop_assert_eq!(cookies.since(&noise, &address("alice"), NOW), None);
        prop_assert_eq!(cookies.kept(&noise, NOW), "");
        let good = of(&cookies, &["alice"]);
        let mut among: Vec<&str> = noise.split('.').collect();
        among.insert(place.min(among.len()), &good);
        let among = among.join(".");
        prop_assert_eq!(cookies.since(&among, &address("alice"), NOW), Some(NOW));
        let renewed = cookies.renewed(&among, &address("bob"), NOW);
        prop_assert_eq!(renewed.len(), 2 * TEXT + 1);
    }

    /// Any number of sign-ins leaves the last four addresses, each at its last time.
    #[test]
    fn the_last_four_are_known(names in prop::collection::vec(0u8..7, 0..30)) {
        let cookies = cookies(&[1]);
        let (mut text, mut last): (String, Vec<(u8, Timestamp)>) = Default::default();
        let mut now = NOW;
        for name in names {
            now = now.plus(MILLISECOND);
            text = cookies.renewed(&text, &address(&name.to_string()), now);
            last.retain(|(other, _)| *other != name);
            last.insert(0, (name, now));
            last.truncate(MOST);
        }
        for name in 0..7 {
            let expected = last.iter().find(|(other, _)| *other == name).map(|(_, at)| *at);
            prop_assert_eq!(cookies.since(&text, &address(&name.to_string()), now), expected);
        }
    }
}
