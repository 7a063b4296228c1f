//! What a store of sessions promises.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod ending;
mod looking;
mod opening;
mod rotating;

use std::{collections::HashSet, sync::Arc};

use common::{
    DAY, HOUR, MINUTE, NOW, SECOND, account, claim, feed, just_before, race,
    sessions::{IDLE, session},
};
use ps_core::{AccountVersion, Accounts, Change, Changes, SessionId, Timestamp};
use ps_session::{
    Advance, End, FamilyDigest, Opened, RotationKey, SessionRecord, SessionStore, Which,
};

trait Stores: Accounts + Changes + SessionStore {}
impl<T: Accounts + Changes + SessionStore> Stores for T {}
type Store = Arc<dyn Stores>;

const AT_MOST: u32 = 20;

/// Opens it, and answers who ended for it.
async fn open(store: &Store, session: &SessionRecord, now: Timestamp) -> Vec<SessionId> {
    match store.open(session, None, AT_MOST, now).await.unwrap() {
        Opened::Done { ended } => ended,
        other => panic!("{other:?}"),
    }
}

async fn open_instead_of(
    store: &Store,
    session: &SessionRecord,
    old: &FamilyDigest,
    now: Timestamp,
) -> Vec<SessionId> {
    match store.open(session, Some(old), AT_MOST, now).await.unwrap() {
        Opened::Done { ended } => ended,
        other => panic!("{other:?}"),
    }
}

async fn find(store: &Store, session: &SessionRecord) -> Option<SessionRecord> {
    store.find(Which::Id(&session.id)).await.unwrap()
}

async fn rotate(
    store: &Store,
    session: &SessionRecord,
    generation: u32,
    key: Option<RotationKey>,
    now: Timestamp,
) -> Option<SessionRecord> {
    let advance = Advance {
        family: session.family,
        generation,
        key,
        idle_ends_at: now.plus(IDLE),
    };
    store.rotate(&advance, now).await.unwrap()
}

async fn end(store: &Store, which: End<'_>, now: Timestamp) -> Option<Vec<SessionId>> {
    store.end(which, now).await.unwrap()
}

fn as_set(ids: &[SessionId]) -> HashSet<SessionId> {
    ids.iter().copied().collect()
}
