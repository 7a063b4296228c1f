//! What is stored of a key: SHA-256, and what else it could be.

use std::hint::black_box;

use argon2::Argon2;
use aws_lc_rs::digest;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{
    plot::Plot,
    race::{Lane, race},
    report::Report,
    stage::keys::texts,
};

const NOTE: &str = "Of a key's 41 bytes. A key has 190 random bits, so nobody can try them all, \
    however quick the hash, and an unsalted SHA-256 is enough: argon2id and bcrypt make each guess \
    dear because people choose passwords that can be guessed, which nobody does here. A secret key \
    (HMAC) would have to be kept and replaced, and protects nothing that the random bits do not.";

/// One for each hash.
#[must_use]
pub fn lanes() -> Vec<Lane<'static>> {
    let key = || texts(1).remove(0);
    let (sha, blake, mac, slow, slower) = (key(), key(), key(), key(), key());
    let prepared = prepared();
    vec![
        Lane::cpu("SHA-256", move || Sha256::digest(black_box(&sha))),
        Lane::cpu("BLAKE3", move || blake3::hash(black_box(blake.as_bytes()))),
        Lane::cpu("HMAC-SHA256, its key prepared", move || {
            tag(&prepared, black_box(mac.as_bytes()))
        }),
        Lane::cpu("argon2id, 19 MiB, 2 passes", move || {
            let mut hash = [0; 32];
            Argon2::default()
                .hash_password_into(black_box(slow.as_bytes()), b"a salt of 16 byt", &mut hash)
                .expect("valid parameters");
            hash
        })
        .times(1),
        Lane::cpu("bcrypt, cost 10", move || {
            bcrypt::bcrypt(10, *b"a salt of 16 byt", black_box(slower.as_bytes()))
        })
        .times(1),
    ]
}

/// The state of an HMAC-SHA256 whose key has been taken in.
///
/// # Panics
/// Never: HMAC takes a key of any length.
#[must_use]
pub fn prepared() -> Hmac<Sha256> {
    Hmac::new_from_slice(&[7; 32]).expect("a key of any length")
}

/// The tag over a message.
#[must_use]
pub fn tag(prepared: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    let mut mac = prepared.clone();
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Makes sure that SHA-256 is as quick as the processor allows: one crate anywhere in the build that
/// asks sha2 for its portable code makes every hash several times slower, and every ratio a lie.
///
/// # Panics
/// Where it is not.
pub fn assert_full_speed() {
    let block = vec![7u8; 16 * 1024];
    let theirs = block.clone();
    let timed = race(vec![
        Lane::cpu("sha2", move || Sha256::digest(black_box(&block))),
        Lane::cpu("aws-lc", move || {
            digest::digest(&digest::SHA256, black_box(&theirs)).as_ref()[0]
        }),
    ]);
    let ratio = timed[0].over(&timed[1]).median;
    eprintln!("sha2 takes {ratio:.2} times as long as aws-lc over 16 KiB");
    assert!(
        ratio < 1.5,
        "sha2 was built without the processor's instructions"
    );
}

pub(super) fn report(report: &mut Report) {
    let timed = race(lanes());
    report.compare("Hashing a key", NOTE, &timed);
    let bars = timed
        .iter()
        .map(|each| (each.name.clone(), each.nanos().median));
    report.draw(Plot::bars(
        "hashing",
        "Hashing a key of 41 bytes",
        "ns",
        bars.collect(),
    ));
}
