//! The fence after a restore, on SQLite.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/fencing.rs"]
mod fencing;

use common::{Folder, records};
use ps_core::{StoreResult, Timestamp};
use ps_sqlx::{Fenced, SqliteStore};

impl fencing::Store for SqliteStore {
    async fn fence(&self, now: Timestamp) -> StoreResult<Fenced> {
        SqliteStore::fence(self, now).await
    }
}

macro_rules! tests {
    ($($test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $test() {
                let folder = Folder::new();
                fencing::$test([folder.open().await, folder.open().await]).await;
            }
        )*
    };
}

tests! {
    nothing_from_before_a_fence_is_carried_on
    a_node_that_ran_through_the_restore_is_told
    the_keys_that_open_something_are_listed_by_owner_and_age
    a_second_fence_finds_nothing_and_says_the_same
    however_many_there_are_all_end
    the_mails_of_a_code_that_a_fence_ended_still_count
}
