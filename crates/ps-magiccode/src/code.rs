//! The code: derived from a challenge, and read from what a person typed.

use std::fmt;

use ps_core::{MacKey, MacKeys};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Challenge;

const FEWEST: usize = 6;
const MOST: usize = 8;

/// ASCII digits, zero bytes behind them. Wiped when dropped.
type Digits = Zeroizing<[u8; MOST]>;

/// A code as it is mailed: six to eight digits, leading zeros included.
///
/// It is stored nowhere. It is derived from its challenge under a key outside the database, when it
/// is mailed and again when it is checked. It does not print, clone or serialise, and is wiped when
/// dropped; the one way to read it says so:
///
/// ```
/// fn mail(code: &ps_magiccode::Code) -> &str { code.expose() }
/// ```
///
/// ```compile_fail
/// fn log(code: &ps_magiccode::Code) -> String { format!("{code}") }
/// ```
///
/// ```compile_fail
/// fn log(code: &ps_magiccode::Code) -> String { format!("{code:?}") }
/// ```
///
/// ```compile_fail
/// fn keep(code: &ps_magiccode::Code) -> ps_magiccode::Code { code.clone() }
/// ```
pub struct Code(Digits);

impl Code {
    /// The code of this challenge, or `None` if the root it was made under is no longer in force.
    pub(crate) fn derive(keys: &MacKeys, challenge: &Challenge) -> Option<Self> {
        let length = usize::from(challenge.digits);
        if !(FEWEST..=MOST).contains(&length) {
            return None;
        }
        let key = keys.find(challenge.key_version)?;
        Some(Self(decimal(number(key, challenge), length)))
    }

    /// The digits, to be written into the mail to the challenge's address and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(text).expect("digits are ASCII")
    }

    /// Whether this was typed, in time that does not depend on where they differ.
    pub(crate) fn is(&self, typed: &TypedCode) -> bool {
        self.0.ct_eq(&*typed.0).into()
    }
}

/// 128 bits of the tag over everything that the code is bound to. Every part has a fixed length but
/// the purpose, which is preceded by its length, and the address, which comes last.
fn number(key: &MacKey, challenge: &Challenge) -> u128 {
    let purpose = challenge.purpose.as_str();
    let tag = key.tag(&[
        challenge.id.as_str().as_bytes(),
        &[purpose.len() as u8],
        purpose.as_bytes(),
        &[challenge.digits],
        &challenge.key_version.number().to_be_bytes(),
        challenge.email.as_str().as_bytes(),
    ]);
    let (half, _) = tag
        .as_bytes()
        .split_first_chunk()
        .expect("a tag has 32 bytes");
    u128::from_be_bytes(*half)
}

/// The last `length` decimal digits. Of a random 128-bit number none of them is likelier than
/// another by more than 10⁸ in 2¹²⁸.
fn decimal(mut number: u128, length: usize) -> Digits {
    let mut digits = Digits::default();
    for digit in digits[..length].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// What a person typed, if it has the form of a code. Wiped when dropped.
pub struct TypedCode(Digits);

/// A text that no code could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a code of six to eight digits")]
pub struct InvalidCode;

impl TypedCode {
    /// Reads a code. Spaces and hyphens in it are ignored.
    ///
    /// # Errors
    /// [`InvalidCode`] unless six to eight ASCII digits remain, and nothing else. Digits of other
    /// scripts (`٣`, `１`) are none.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        let mut digits = Digits::default();
        let mut length = 0;
        for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')) {
            let place = digits.get_mut(length).ok_or(InvalidCode)?;
            if !byte.is_ascii_digit() {
                return Err(InvalidCode);
            }
            *place = byte;
            length += 1;
        }
        (length >= FEWEST)
            .then_some(Self(digits))
            .ok_or(InvalidCode)
    }
}

impl fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use ps_core::{EmailAddress, KeyPurpose, KeyVersion, RootSecret, RootSecrets, Timestamp};

    use super::*;
    use crate::Purpose;

    fn keys(first: u8) -> MacKeys {
        let root = RootSecret::new((first..first + 32).collect::<Vec<u8>>()).unwrap();
        RootSecrets::new([root])
            .unwrap()
            .mac_keys(KeyPurpose::MagicCode)
    }

    fn challenge(keys: &MacKeys) -> Challenge {
        Challenge {
            id: "0123456789abcdefghijAB".parse().unwrap(),
            purpose: Purpose::SignIn,
            email: EmailAddress::parse("alice@example.com").unwrap(),
            digits: 6,
            key_version: keys.current().0,
            attempts_left: 5,
            mailed_at: Timestamp::from_seconds(0),
            expires_at: Timestamp::from_seconds(600),
        }
    }

    /// A code of the `n`th challenge.
    fn nth(keys: &MacKeys, n: u32, digits: u8) -> Code {
        let mut challenge = challenge(keys);
        challenge.id = format!("{n:022}").parse().unwrap();
        challenge.digits = digits;
        Code::derive(keys, &challenge).unwrap()
    }

    // MC1: over 200 000 codes a digit that is 4 % too likely in any place shows; what is smaller is
    // settled by the arithmetic of the next test.
    #[test]
    fn codes_are_uniform() {
        const CODES: u32 = 200_000;
        let keys = keys(1);
        let mut halves = vec![vec![0u32; 1_000]; 2];
        let mut places = vec![vec![0u32; 10]; 6];
        for n in 0..CODES {
            let code = nth(&keys, n, 6);
            let (front, back) = code.expose().split_at(3);
            halves[0][front.parse::<usize>().unwrap()] += 1;
            halves[1][back.parse::<usize>().unwrap()] += 1;
            for (counts, digit) in places.iter_mut().zip(code.expose().bytes()) {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        for counts in halves.iter().chain(&places) {
            let freedom = (counts.len() - 1) as f64;
            let bound = 4.5f64.mul_add((2.0 * freedom).sqrt(), freedom);
            let found = chi_square(counts, CODES);
            assert!(found < bound, "{found} is not below {bound}: {counts:?}");
        }
    }

    fn chi_square(counts: &[u32], total: u32) -> f64 {
        let expected = f64::from(total) / counts.len() as f64;
        let square = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
        counts.iter().map(square).sum()
    }

    // MC1: each of the 128 bits moves the number, so none of them is lost before the remainder is
    // taken, which bounds the bias at 10⁸ in 2¹²⁸.
    #[test]
    fn every_one_of_128_bits_counts() {
        let number = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
        for digits in 6..=8 {
            let code = decimal(number, digits);
            for bit in 0..128 {
                assert_ne!(*decimal(number ^ 1 << bit, digits), *code, "bit {bit}");
            }
        }
    }

    // MC1
    #[test]
    fn leading_zeros_stay() {
        let table = [
            (0, 6, "000000"),
            (7, 6, "000007"),
            (1_000_042, 6, "000042"),
            (u128::MAX, 8, "68211455"),
            (42, 8, "00000042"),
        ];
        for (number, length, text) in table {
            assert_eq!(Code(decimal(number, length)).expose(), text);
        }
        let keys = keys(1);
        let zero = (0..1_000)
            .map(|n| nth(&keys, n, 6))
            .find(|c| c.expose().starts_with('0'));
        assert_eq!(zero.unwrap().expose().len(), 6);
    }

    // MC6, MC7, MC8
    #[test]
    fn a_code_is_bound_to_everything_that_it_is_derived_from() {
        let keys = keys(1);
        let derived = |change: fn(&mut Challenge)| {
            let mut challenge = challenge(&keys);
            change(&mut challenge);
            Code::derive(&keys, &challenge).unwrap()
        };
        let code = derived(|_| {});
        assert_eq!(code.expose(), derived(|_| {}).expose());

        let changes: [fn(&mut Challenge); 3] = [
            |c| c.id = "0123456789abcdefghijAC".parse().unwrap(),
            |c| c.purpose = Purpose::Register,
            |c| c.email = EmailAddress::parse("alice@example.co").unwrap(),
        ];
        for change in changes {
            assert_ne!(derived(change).expose(), code.expose());
        }
        let longer = derived(|c| c.digits = 8);
        assert!(!longer.expose().ends_with(code.expose()));

        let other_keys = self::keys(2);
        let elsewhere = Code::derive(&other_keys, &challenge(&other_keys)).unwrap();
        assert_ne!(elsewhere.expose(), code.expose());
    }

    // MC16: a release that derives otherwise would refuse the codes that the one before it mailed.
    // The digits were computed by another program, from RFC 5869 and RFC 2104 alone.
    #[test]
    fn the_derivation_stays_as_it_is() {
        let keys = keys(1);
        let mut challenge = challenge(&keys);
        assert_eq!(Code::derive(&keys, &challenge).unwrap().expose(), "024950");
        challenge.digits = 8;
        assert_eq!(
            Code::derive(&keys, &challenge).unwrap().expose(),
            "00056632"
        );
    }

    #[test]
    fn what_cannot_be_derived_is_no_code() {
        let keys = keys(1);
        let one = challenge(&keys);
        let removed = Challenge {
            key_version: KeyVersion::new(1),
            ..one.clone()
        };
        assert!(Code::derive(&keys, &removed).is_none());
        for digits in [0, 5, 9, 255] {
            let odd = Challenge {
                digits,
                ..one.clone()
            };
            assert!(Code::derive(&keys, &odd).is_none(), "{digits}");
        }
    }

    // MC1
    #[test]
    fn typing_is_forgiven_and_nothing_else() {
        let good = [
            ("012345", "012345"),
            (" 012 345 ", "012345"),
            ("0123-4567", "01234567"),
            ("- 0-1 2-3 4-5 -", "012345"),
            ("1234567", "1234567"),
        ];
        for (text, digits) in good {
            let typed = TypedCode::parse(text).unwrap();
            assert_eq!(Code(typed.0).expose(), digits, "{text:?}");
        }
        let bad = [
            "",
            " ",
            "12345",
            "123456789",
            "12345a",
            "+12345",
            "12345.",
            "0x1234",
            "123\n456",
            "123\t456",
            "123\u{a0}456",
            "12345٣",
            "12345１",
            "１２３４５６",
            "123–456",
            "123456\0",
            "\0\0\0\0\0\0",
        ];
        for text in bad {
            assert_eq!(TypedCode::parse(text).err(), Some(InvalidCode), "{text:?}");
        }
    }

    #[test]
    fn only_the_same_digits_in_the_same_number_are_equal() {
        let code = Code(decimal(123_456, 6));
        let table = [
            ("123456", true),
            ("123457", false),
            ("023456", false),
            ("1234560", false),
            ("00123456", false),
        ];
        for (typed, equal) in table {
            assert_eq!(code.is(&TypedCode::parse(typed).unwrap()), equal, "{typed}");
        }
    }

    // MC22
    #[test]
    fn what_was_typed_does_not_print() {
        let typed = TypedCode::parse("123456").unwrap();
        assert_eq!(format!("{typed:?}"), "TypedCode(…)");
    }
}
