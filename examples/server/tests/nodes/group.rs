//! Nodes that share a database, a root secret and a public URL.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::common::{Client, Server};

pub(crate) const NODES: usize = 3;
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) struct Group {
    urls: [String; NODES],
    addresses: Vec<String>,
    running: Vec<Option<Server>>,
}

impl Group {
    /// One after the other, so that the first makes the tables. Each has a URL of the database.
    pub(crate) fn start(urls: [String; NODES]) -> Self {
        let (addresses, running) = (Vec::new(), Vec::new());
        let mut group = Self {
            urls,
            addresses,
            running,
        };
        for node in 0..NODES {
            let server = group.run(node, Server::new_folder(), "127.0.0.1:0");
            group.addresses.push(server.address.clone());
            group.running.push(Some(server));
        }
        group
    }

    pub(crate) fn addresses(&self) -> [String; NODES] {
        self.addresses.clone().try_into().unwrap()
    }

    /// A client of each node, with no cookie in common.
    pub(crate) fn clients(&self) -> [Client; NODES] {
        self.addresses().map(|address| Client {
            address,
            jar: Default::default(),
        })
    }

    /// SIGKILL, and how it is started again.
    pub(crate) fn kill(&mut self, node: usize) -> impl FnOnce(&mut Self) + use<> {
        let folder = self.running[node].take().unwrap().kill();
        move |group| group.start_again(node, folder)
    }

    /// SIGTERM, which it obeys, and how it is started again.
    pub(crate) fn stop(&mut self, node: usize) -> impl FnOnce(&mut Self) + use<> {
        let (folder, code) = self.running[node].take().unwrap().stop();
        assert_eq!(code, Some(0), "it stops in good order");
        move |group| group.start_again(node, folder)
    }

    fn start_again(&mut self, node: usize, folder: PathBuf) {
        let address = self.addresses[node].clone();
        self.running[node] = Some(self.run(node, folder, &address));
    }

    fn run(&self, node: usize, folder: PathBuf, address: &str) -> Server {
        // All are the same site, whichever is asked; so the first one's address is their name.
        let first = self.addresses.first();
        let site = first.map(|address| format!("http://{address}"));
        let flags = site.iter().flat_map(|site| ["--public-url", site]);
        let flags: Vec<_> = flags.collect();
        let variables = [
            ("DATABASE_URL", self.urls[node].as_str()),
            ("PS_SECRET", SECRET),
        ];
        Server::start_with(folder, address, &flags, &variables)
    }
}

/// Ends the load, also when the test fails.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
