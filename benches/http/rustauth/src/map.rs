//! What rustauth calls a secondary storage, in the process's own memory: the quickest there could be.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rustauth::options::{SecondaryStorage, SecondaryStorageFuture as Later};

/// Nothing here expires.
#[derive(Default)]
pub(crate) struct Map(Mutex<HashMap<String, String>>);

impl Map {
    fn at_once<'a, T: Send + 'a>(
        &self,
        act: impl FnOnce(&mut HashMap<String, String>) -> T,
    ) -> Later<'a, T> {
        let done = act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async { Ok(done) })
    }
}

impl SecondaryStorage for Map {
    fn get<'a>(&'a self, key: &'a str) -> Later<'a, Option<String>> {
        self.at_once(|map| map.get(key).cloned())
    }

    fn set<'a>(&'a self, key: &'a str, value: String, _: Option<u64>) -> Later<'a, ()> {
        self.at_once(|map| match map.get_mut(key) {
            Some(old) => *old = value,
            None => drop(map.insert(key.to_owned(), value)),
        })
    }

    fn set_if_not_exists<'a>(
        &'a self,
        key: &'a str,
        value: String,
        _: Option<u64>,
    ) -> Later<'a, bool> {
        self.at_once(|map| {
            let is_new = !map.contains_key(key);
            if is_new {
                map.insert(key.to_owned(), value);
            }
            is_new
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Later<'a, ()> {
        self.at_once(|map| drop(map.remove(key)))
    }

    fn take<'a>(&'a self, key: &'a str) -> Later<'a, Option<String>> {
        self.at_once(|map| map.remove(key))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a str,
        expected: Option<String>,
        value: String,
        _: Option<u64>,
    ) -> Later<'a, bool> {
        self.at_once(|map| {
            let is_as_expected = map.get(key) == expected.as_ref();
            if is_as_expected {
                map.insert(key.to_owned(), value);
            }
            is_as_expected
        })
    }

    fn delete_if_value<'a>(&'a self, key: &'a str, expected: Option<String>) -> Later<'a, bool> {
        self.at_once(|map| {
            let is_as_expected = map.get(key) == expected.as_ref();
            if is_as_expected {
                map.remove(key);
            }
            is_as_expected
        })
    }
}
