//! The quickest secondary storage there is: a map.

use std::{
    collections::HashMap,
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustauth::options::{SecondaryStorage, SecondaryStorageFuture};

/// Nothing here expires, since no key of the comparison does.
#[derive(Default)]
pub(super) struct InMap(Mutex<HashMap<String, String>>);

impl InMap {
    fn map(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done<'a, T: Send + 'a>(value: T) -> SecondaryStorageFuture<'a, T> {
    Box::pin(ready(Ok(value)))
}

impl SecondaryStorage for InMap {
    fn get<'a>(&'a self, key: &'a str) -> SecondaryStorageFuture<'a, Option<String>> {
        done(self.map().get(key).cloned())
    }

    fn set<'a>(
        &'a self,
        key: &'a str,
        value: String,
        _: Option<u64>,
    ) -> SecondaryStorageFuture<'a, ()> {
        self.map().insert(key.to_owned(), value);
        done(())
    }

    fn set_if_not_exists<'a>(
        &'a self,
        key: &'a str,
        value: String,
        ttl: Option<u64>,
    ) -> SecondaryStorageFuture<'a, bool> {
        self.compare_and_set(key, None, value, ttl)
    }

    fn delete<'a>(&'a self, key: &'a str) -> SecondaryStorageFuture<'a, ()> {
        self.map().remove(key);
        done(())
    }

    fn take<'a>(&'a self, key: &'a str) -> SecondaryStorageFuture<'a, Option<String>> {
        done(self.map().remove(key))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a str,
        expected: Option<String>,
        value: String,
        _: Option<u64>,
    ) -> SecondaryStorageFuture<'a, bool> {
        let mut map = self.map();
        let is_so = map.get(key) == expected.as_ref();
        if is_so {
            map.insert(key.to_owned(), value);
        }
        done(is_so)
    }

    fn delete_if_value<'a>(
        &'a self,
        key: &'a str,
        expected: Option<String>,
    ) -> SecondaryStorageFuture<'a, bool> {
        let mut map = self.map();
        let is_so = expected.is_some() && map.get(key) == expected.as_ref();
        if is_so {
            map.remove(key);
        }
        done(is_so)
    }
}
