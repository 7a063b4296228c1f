//! How many calls may be under way to one host.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;
use url::Url;

/// One semaphore a host, for as long as anybody calls it or waits to.
pub(crate) struct Rooms {
    at_once: usize,
    rooms: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Rooms {
    pub(crate) fn new(at_once: usize) -> Self {
        let rooms = Mutex::default();
        Self { at_once, rooms }
    }

    /// The room of the URL's host and port, to be held as long as the permit that it gives.
    pub(crate) fn of(&self, url: &Url) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| Arc::strong_count(room) > 1);
        let origin = url.origin().ascii_serialization();
        let room = rooms.entry(origin);
        Arc::clone(room.or_insert_with(|| Arc::new(Semaphore::new(self.at_once))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn each_host_has_a_room_of_its_own_while_it_is_used() {
        let rooms = Rooms::new(2);
        let one = rooms.of(&url("https://one.example/token?code=1"));
        assert!(Arc::ptr_eq(
            &one,
            &rooms.of(&url("https://ONE.example:443/keys"))
        ));
        assert!(!Arc::ptr_eq(
            &one,
            &rooms.of(&url("https://one.example:444/"))
        ));
        let two = rooms.of(&url("https://two.example/"));
        assert!(!Arc::ptr_eq(&one, &two));
        assert_eq!(one.available_permits(), 2);
        drop(one);
        drop(rooms.of(&url("https://three.example/")));
        let kept = rooms.rooms.lock().unwrap();
        let mut kept: Vec<&str> = kept.keys().map(String::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["https://three.example", "https://two.example"]);
    }
}
