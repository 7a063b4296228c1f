//! A route behind rustauth's API keys: a program of its own, which brings a workspace of its own.

use std::{env, path::PathBuf};

use crate::{
    Outcome,
    child::{Child, pinned},
};

/// Where `cargo build --release` puts it in `rustauth/`; `RUSTAUTH_LOAD` says otherwise.
pub(crate) fn binary() -> Option<PathBuf> {
    let usual = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/rustauth/target/release/rustauth-load"
    );
    let path = env::var_os("RUSTAUTH_LOAD").map_or_else(|| usual.into(), PathBuf::from);
    path.is_file().then_some(path)
}

pub(crate) fn start(words: &[&str]) -> Outcome<Child> {
    let binary = binary().ok_or("no rustauth-load: build it, or say where RUSTAUTH_LOAD is")?;
    Child::started(pinned(&binary.to_string_lossy()).args(words))
}
