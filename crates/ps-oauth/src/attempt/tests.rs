use proptest::prelude::*;
use ps_core::{Random, RootSecret, SystemRandom};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_123);
const LIFE: Duration = Duration::from_secs(600);

fn root(first: u8) -> RootSecret {
    RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap()
}

fn attempts<const N: usize>(roots: [u8; N]) -> Attempts {
    Attempts::new(&RootSecrets::new(roots.map(root)).unwrap())
}

fn sevens() -> Zeroizing<[u8; 32]> {
    Zeroizing::new([7; 32])
}

fn link() -> Intent {
    Intent::Link {
        account: AccountId::new("user:42/ö").unwrap(),
        session: "0123456789abcdefghijAB".parse().unwrap(),
        under: AccountVersion::new(u64::MAX),
    }
}

fn sign_in(replaces: Option<[u8; 32]>, carries: Option<&str>) -> Intent {
    let carries = carries.map(|text| Carried::new(text).unwrap());
    Intent::SignIn { replaces, carries }
}

fn intents() -> [Intent; 5] {
    let replaces = Some([9; 32]);
    [
        link(),
        sign_in(None, None),
        sign_in(replaces, None),
        sign_in(None, Some("a")),
        sign_in(replaces, Some(&"é".repeat(CARRIED / 2))),
    ]
}

#[test]
fn what_is_carried_is_bounded_and_does_not_print() {
    assert_eq!(Carried::new(""), None);
    assert_eq!(Carried::new(&"a".repeat(CARRIED + 1)), None);
    let carried = Carried::new("a secret").unwrap();
    assert_eq!(carried.as_str(), "a secret");
    assert_eq!(format!("{carried:?}"), "Carried(…)");
}

fn begin(attempts: &Attempts, provider: &str, intent: Intent) -> (Attempt, AttemptCookie) {
    let return_to = ReturnTo::parse("/settings?tab=1").unwrap();
    attempts.begin(provider, sevens(), intent, return_to, NOW)
}

fn bytes_of(cookie: &AttemptCookie) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(cookie.expose()).unwrap()
}

// OA2
#[test]
fn an_attempt_survives_its_cookie() {
    let attempts = attempts([1]);
    for intent in intents() {
        let (begun, cookie) = begin(&attempts, "google", intent.clone());
        let read = attempts.read("google", cookie.expose()).unwrap();
        assert_eq!(read.intent(), &intent);
        assert_eq!(read.return_to().as_str(), "/settings?tab=1");
        assert_eq!(read.begun_at(), NOW);
        assert_eq!(read.reference(), begun.reference());
        assert_eq!(*read.secret, [7; 32]);
    }
}

#[test]
fn the_longest_attempt_fits_a_cookie() {
    let attempts = attempts([1]);
    let longest_link = Intent::Link {
        account: AccountId::new("x".repeat(255)).unwrap(),
        session: SessionId::random(&SystemRandom),
        under: AccountVersion::new(1),
    };
    let path = ReturnTo::parse(&format!("/{}", "a".repeat(511))).unwrap();
    let (_, cookie) = attempts.begin("google", sevens(), longest_link, path, NOW);
    assert!(attempts.read("google", cookie.expose()).is_ok());
    let intent = sign_in(Some([9; 32]), Some(&"a".repeat(CARRIED)));
    let path = ReturnTo::parse(&format!("/{}", "a".repeat(511))).unwrap();
    let (_, cookie) = attempts.begin("google", sevens(), intent, path, NOW);
    assert_eq!(bytes_of(&cookie).len(), LONGEST);
    assert_eq!(cookie.expose().len(), 1_346);
    assert!(attempts.read("google", cookie.expose()).is_ok());
    let longer = BASE64_URL_SAFE_NO_PAD.encode([FORMAT; LONGEST + 3]);
    assert_eq!(
        attempts.read("google", &longer).unwrap_err(),
        Refusal::Malformed
    );
}

// OA1: the cookie decides everything, so nobody but us can make one
#[test]
fn every_changed_bit_is_refused() {
    let attempts = attempts([1]);
    for intent in intents() {
        let (_, cookie) = begin(&attempts, "google", intent);
        let bytes = bytes_of(&cookie);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut forged = bytes.clone();
                forged[at] ^= 1 << bit;
                let forged = BASE64_URL_SAFE_NO_PAD.encode(forged);
                let expected = match at {
                    0 => Refusal::Malformed,
                    1..5 => Refusal::Unknown,
                    _ => Refusal::Wrong,
                };
                let why = attempts.read("google", &forged).unwrap_err();
                assert_eq!(why, expected, "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn every_shortened_cookie_is_refused() {
    let attempts = attempts([1]);
    let (_, cookie) = begin(&attempts, "google", link());
    let bytes = bytes_of(&cookie);
    for length in 0..bytes.len() {
        for cut in [&bytes[..length], &bytes[bytes.len() - length..]] {
            let cut = BASE64_URL_SAFE_NO_PAD.encode(cut);
            assert!(attempts.read("google", &cut).is_err(), "{length}");
        }
    }
    let text = cookie.expose();
    for text in [
        String::new(),
        format!("{text}="),
        format!("{text}A"),
        format!(" {text}"),
        format!("é{}", &text[2..]),
    ] {
        assert!(attempts.read("google", &text).is_err(), "{text:?}");
    }
}

// OA1, OA5: a cookie under another provider's name is none
#[test]
fn an_attempt_is_for_its_provider_only() {
    let attempts = attempts([1]);
    let (_, cookie) = begin(&attempts, "google", link());
    for provider in ["linkedin", "googl", "google2", "Google", ""] {
        let why = attempts.read(provider, cookie.expose()).unwrap_err();
        assert_eq!(why, Refusal::Wrong, "{provider}");
    }
}

// OA1
#[test]
fn an_attempt_outlives_the_replacement_of_its_root_and_not_its_removal() {
    let (begun, cookie) = begin(&attempts([1]), "google", link());
    let read = attempts([2, 1]).read("google", cookie.expose()).unwrap();
    assert_eq!(read.reference(), begun.reference());
    let why = attempts([2]).read("google", cookie.expose()).unwrap_err();
    assert_eq!(why, Refusal::Unknown);
}

// SE9
#[test]
fn what_was_made_for_something_else_is_no_attempt() {
    let roots = RootSecrets::new([root(1)]).unwrap();
    let (_, cookie) = begin(&attempts([1]), "google", link());
    let mut bytes = bytes_of(&cookie);
    let signed = bytes.len() - MAC_LENGTH;
    for purpose in [KeyPurpose::RefreshToken, KeyPurpose::MagicCode] {
        let keys = roots.mac_keys(purpose);
        let tag = keys
            .current()
            .1
            .tag(&signed_parts("google", &bytes[..signed]));
        bytes[signed..].copy_from_slice(tag.as_bytes());
        let forged = BASE64_URL_SAFE_NO_PAD.encode(&bytes);
        let why = attempts([1]).read("google", &forged).unwrap_err();
        assert_eq!(why, Refusal::Wrong, "{purpose:?}");
    }
}

// OA1
#[test]
fn an_attempt_has_its_time() {
    let (attempt, _) = begin(&attempts([1]), "google", link());
    let millisecond = Duration::from_millis(1);
    let table = [
        (NOW, None),
        (NOW.plus(LIFE - millisecond), None),
        (NOW.plus(LIFE), Some(Refusal::Expired)),
        (NOW.plus(1_000 * LIFE), Some(Refusal::Expired)),
        (NOW.minus(SKEW), None),
        (NOW.minus(SKEW + millisecond), Some(Refusal::TooEarly)),
    ];
    for (now, expected) in table {
        assert_eq!(attempt.untimely(LIFE, now), expected, "{now:?}");
    }
}

// OA1, OA3, OA4
#[test]
fn state_nonce_and_verifier_have_nothing_in_common() {
    let attempts = attempts([1]);
    let derive = |secret| {
        let (intent, path) = (link(), ReturnTo::default());
        let secret = Zeroizing::new([secret; 32]);
        let (attempt, _) = attempts.begin("google", secret, intent, path, NOW);
        (attempt.derived(), *attempt.reference)
    };
    let ((one, first), (two, second)) = (derive(1), derive(2));
    let mut all = Vec::new();
    for derived in [&one, &two] {
        let secrets = derived.secrets();
        all.extend([secrets.state, secrets.nonce, secrets.verifier]);
    }
    let references = [first, second].map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
    all.extend(references.iter().map(String::as_str));
    assert!(all.iter().all(|text| text.len() == 43));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 8);
}

// OA1
#[test]
fn a_state_is_good_for_its_own_attempt_only() {
    let attempts = attempts([1]);
    let (attempt, _) = begin(&attempts, "google", link());
    let derived = attempt.derived();
    let state = derived.secrets().state.to_owned();
    assert!(attempt.is_state(&state));

    let other = Zeroizing::new([8; 32]);
    let (other, _) = attempts.begin("google", other, link(), ReturnTo::default(), NOW);
    assert!(!other.is_state(&state));
    for text in [
        "",
        "A",
        derived.secrets().nonce,
        derived.secrets().verifier,
        &state[..42],
        &format!("{state}="),
        &format!("{state}A"),
        &format!("{state}AAAA"),
        &state.to_uppercase(),
    ] {
        assert!(!attempt.is_state(text), "{text:?}");
    }
}

// Computed apart, by Python's `hmac`, from the root of the bytes 1 to 32: a release that derives
// otherwise would refuse whoever is at a provider while it is rolled out.
#[test]
fn the_derivation_stays_as_it_is() {
    let intent = sign_in(None, None);
    let path = ReturnTo::default();
    let (attempt, cookie) = attempts([1]).begin("google", sevens(), intent, path, NOW);
    assert_eq!(cookie.expose(), GOLDEN_COOKIE);
    assert_eq!(
        BASE64_URL_SAFE_NO_PAD.encode(attempt.reference()),
        GOLDEN_REFERENCE
    );
    let derived = attempt.derived();
    assert_eq!(derived.secrets().state, GOLDEN_STATE);
}

#[test]
fn nothing_secret_is_printed() {
    let mut secret = sevens();
    SystemRandom.fill(&mut *secret);
    let (attempt, cookie) = attempts([1]).begin("google", secret, link(), ReturnTo::default(), NOW);
    assert_eq!(format!("{cookie:?}"), "AttemptCookie(…)");
    let shown = format!("{attempt:?}");
    assert!(
        shown.contains("begun_at") && !shown.contains("secret") && !shown.contains("reference")
    );
}

proptest! {
    // OA2
    #[test]
    fn nothing_panics_and_nothing_passes_by_chance(
        text in "[ -~]{0,200}",
        rest in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let attempts = attempts([1]);
        prop_assert!(attempts.read("google", &text).is_err());
        let shaped = BASE64_URL_SAFE_NO_PAD.encode([&[FORMAT], rest.as_slice()].concat());
        prop_assert!(attempts.read("google", &shaped).is_err());
    }

    /// What a root in the wrong hands could sign is still read without a panic, field by field.
    #[test]
    fn what_is_signed_and_makes_no_sense_is_malformed(
        rest in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let attempts = attempts([1]);
        let (version, key) = attempts.0.current();
        let mut bytes = [&[FORMAT], version.number().to_be_bytes().as_slice(), &rest].concat();
        let tag = key.tag(&signed_parts("google", &bytes));
        bytes.extend(tag.as_bytes());
        if let Err(why) = attempts.read("google", &BASE64_URL_SAFE_NO_PAD.encode(bytes)) {
            prop_assert_eq!(why, Refusal::Malformed);
        }
    }
}

const GOLDEN_COOKIE: &str = "Acdk1t4HBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwAAAaICssV7AC9f\
    jOgaQCcgAKOTNKzV6pJjXzt2_2uY8UbsUNedVi6T4g";
const GOLDEN_REFERENCE: &str = "e6UV2gN6g-nx2A4UEF_ubh31lZ7svcmTAIy8h6UzOAU";
const GOLDEN_STATE: &str = "krmBGjmdHiXxROHjlkzK1GAX2hvPn1VJUuqAKaaXUWQ";
