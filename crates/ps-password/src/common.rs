//! The commonest passwords.

use std::sync::LazyLock;

/// In order, lower-case ASCII, 8 characters at least. Where it is from: `commonest.README`.
static COMMONEST: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("commonest.txt").lines().collect());

/// Whether a password is among the commonest, without regard to case.
pub(crate) fn is_common(password: &str) -> bool {
    let lower = || password.bytes().map(|byte| byte.to_ascii_lowercase());
    COMMONEST
        .binary_search_by(|common| common.bytes().cmp(lower()))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commonest of at least eight characters in another list, the one of John the Ripper.
    const ELSEWHERE: &str = "\
    password password1 123456789 12345678 1234567890 computer internet baseball michelle changeme \
    trustno1 butthead football iloveyou jennifer jonathan poohbear sunshine victoria whatever \
    alexander asdfjkl; basketball elephant goodluck lacrosse shithead stephanie a1b2c3d4 christin \
    franklin maryjane maverick mitchell mountain pearljam princess startrek steelers sunflower \
    superman benjamin bluebird chocolate cocacola einstein explorer flamingo katherine security \
    snowball thunderbird beautiful caroline charlotte crawford elizabeth firebird fletcher \
    garfield godzilla greenday icecream jeanette kathleen lionking margaret mariposa marlboro \
    mercedes monopoly nicholas penelope phoenix1 remember samantha scarlett snickers snoopdog \
    spitfire starwars stingray valentine veronica warriors zeppelin abcd1234 asdfasdf asdfghjk \
    babydoll beatrice bluefish bullshit business california carebear catalina catherine champion \
    chelsea1";

    // The search is right only on a list like this.
    #[test]
    fn the_list_is_in_order_and_in_form() {
        assert!(COMMONEST.len() > 8_000, "{}", COMMONEST.len());
        assert!(COMMONEST.is_sorted_by(|one, next| one < next));
        for common in COMMONEST.iter() {
            assert!((8..=128).contains(&common.len()), "{common:?}");
            let form = |byte: u8| matches!(byte, b' '..=b'~') && !byte.is_ascii_uppercase();
            assert!(common.bytes().all(form), "{common:?}");
        }
    }

    #[test]
    fn each_of_them_is_found_and_nothing_beside_them() {
        for common in COMMONEST.iter() {
            assert!(is_common(common), "{common}");
            assert!(is_common(&common.to_ascii_uppercase()), "{common}");
            assert!(!is_common(&format!("{common} ~ {common}")), "{common}");
        }
        for rare in ["", "passwor", "passwordpasswordx", "pässword", "\u{10ffff}"] {
            assert!(!is_common(rare), "{rare}");
        }
    }

    #[test]
    fn the_commonest_hundred_of_another_list_are_among_them() {
        assert_eq!(ELSEWHERE.split_whitespace().count(), 100);
        for common in ELSEWHERE.split_whitespace() {
            assert!(is_common(common), "{common}");
        }
    }
}
