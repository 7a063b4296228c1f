//! What one client was acknowledged, whoever answered.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    common::{Client, Reply},
    group::NODES,
};

/// How long a node may accept what another was told to end.
const PROMISED: Duration = Duration::from_secs(5);
/// How long whatever is asked for again may go on to be refused.
const PATIENCE: Duration = Duration::from_secs(120);

/// What all clients share.
pub(crate) struct Load {
    pub(crate) addresses: [String; NODES],
    pub(crate) is_over: AtomicBool,
    /// How many requests were answered, and how many by a 503.
    pub(crate) answered: AtomicUsize,
    pub(crate) unavailable: AtomicUsize,
}

/// A client with a session, and what it knows. It turns to another node when one does not answer.
pub(crate) struct Ledger<'a> {
    load: &'a Load,
    name: String,
    dice: u64,
    at: usize,
    accounts: usize,
    client: Client,
    token: String,
    /// Keys of the account that is signed in, with their ids.
    keys: Vec<(String, String)>,
    pub(crate) kept: Vec<String>,
    pub(crate) revoked: Vec<(String, Instant)>,
    /// Access tokens and cookies of sessions that were signed out.
    pub(crate) ended: Vec<(String, Client, Instant)>,
    pub(crate) refreshed: usize,
}

impl<'a> Ledger<'a> {
    pub(crate) fn open(load: &'a Load, name: String) -> Self {
        let client = Client {
            address: load.addresses[0].clone(),
            jar: Default::default(),
        };
        let mut ledger = Self {
            load,
            dice: name.bytes().map(u64::from).sum(),
            name,
            at: 0,
            accounts: 0,
            client,
            token: String::new(),
            keys: Vec::new(),
            kept: Vec::new(),
            revoked: Vec::new(),
            ended: Vec::new(),
            refreshed: 0,
        };
        ledger.sign_in();
        ledger
    }

    pub(crate) fn work(&mut self) {
        while !self.load.is_over.load(Ordering::Relaxed) {
            match self.roll(12) {
                0 | 1 => self.refresh(),
                2..=4 => self.create_key(),
                5 | 6 => self.revoke_key(),
                7 if self.roll(4) == 0 => {
                    self.sign_out();
                    self.sign_in();
                }
                _ => self.look(),
            }
        }
    }

    /// Every node keeps to what any of them acknowledged.
    pub(crate) fn audit(mut self) {
        self.kept.extend(self.keys.drain(..).map(|(_, key)| key));
        for address in self.load.addresses.clone() {
            self.client.address = address;
            for key in &self.kept {
                let reply = self.client.get("/api/v1/whoami", key);
                assert_eq!(reply.status, 200, "an acknowledged key: {reply:?}");
            }
            for (key, _) in &self.revoked {
                let reply = self.client.get("/api/v1/whoami", key);
                assert_eq!(reply.status, 401, "a revoked key: {reply:?}");
            }
            for (token, client, _) in &self.ended {
                let reply = self.client.get("/api/auth/session", token);
                assert_eq!(reply.status, 401, "a signed-out token: {reply:?}");
                let mut client = client.clone();
                client.address.clone_from(&self.client.address);
                let reply = client.send("POST", "/api/auth/refresh", &[], "");
                assert_eq!(reply.status, 401, "its cookie: {reply:?}");
            }
            let token = self.client.refreshed();
            let reply = self.client.get("/api/auth/session", &token);
            assert_eq!(reply.status, 200, "nobody is signed out: {reply:?}");
        }
    }

    /// `None` where nothing is known: the node is gone, or says that it cannot answer now. Then
    /// another is turned to.
    fn ask(&mut self, method: &str, path: &str, bearer: &str, body: &str) -> Option<Reply> {
        let bearer = format!("Bearer {bearer}");
        self.send(method, path, &[("authorization", &bearer)], body)
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<Reply> {
        self.client.address = self.load.addresses[self.at].clone();
        let jar = self.client.jar.clone();
        let reply = self.client.try_send(method, path, headers, body);
        if let Some(reply) = reply.as_ref() {
            self.load.answered.fetch_add(1, Ordering::Relaxed);
            if reply.status != 503 {
                return Some(reply.clone());
            }
            self.load.unavailable.fetch_add(1, Ordering::Relaxed);
            let head = reply.head.to_ascii_lowercase();
            assert!(head.contains("\r\nretry-after: "), "{reply:?}");
            assert!(!head.contains("\r\nset-cookie: "), "{reply:?}");
            assert_eq!(self.client.jar, jar);
        }
        self.at = (self.at + 1) % NODES;
        thread::sleep(Duration::from_millis(50));
        None
    }

    /// Asks until there is an answer.
    fn insist(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let begun = Instant::now();
        loop {
            if let Some(reply) = self.send(method, path, headers, "") {
                return reply;
            }
            assert!(begun.elapsed() < PATIENCE, "{method} {path}");
        }
    }

    fn refresh(&mut self) {
        let number = self.roll(u64::MAX >> 33);
        let key = format!("{}-{number}", self.name);
        let key = format!("{key:->16}");
        let reply = self.insist("POST", "/api/auth/refresh", &[("idempotency-key", &key)]);
        assert_eq!(reply.status, 200, "nobody is signed out: {reply:?}");
        self.token = reply.text("access_token");
        self.refreshed += 1;
    }

    fn create_key(&mut self) {
        let token = self.token.clone();
        if let Some(reply) = self.ask("POST", "/api/keys", &token, r#"{"name":"k"}"#) {
            match reply.status {
                201 => self.keys.push((reply.text("id"), reply.text("key"))),
                _ => assert_eq!(reply.refusal(), (409, "too_many_keys".to_owned())),
            }
        }
    }

    fn revoke_key(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let place = self.roll(self.keys.len() as u64) as usize;
        let (id, key) = self.keys.swap_remove(place);
        let bearer = format!("Bearer {}", self.token);
        let path = format!("/api/keys/{id}");
        let reply = self.insist("DELETE", &path, &[("authorization", &bearer)]);
        assert_eq!(reply.status, 204, "{reply:?}");
        self.revoked.push((key, Instant::now()));
    }

    fn sign_out(&mut self) {
        let (token, before) = (self.token.clone(), self.client.clone());
        let bearer = format!("Bearer {token}");
        let reply = self.insist("POST", "/api/auth/logout", &[("authorization", &bearer)]);
        assert_eq!(reply.status, 204, "{reply:?}");
        self.ended.push((token, before, Instant::now()));
        self.kept.extend(self.keys.drain(..).map(|(_, key)| key));
    }

    fn sign_in(&mut self) {
        let begun = Instant::now();
        while self.try_to_sign_in().is_none() {
            assert!(begun.elapsed() < PATIENCE, "signing in");
        }
    }

    /// As somebody new. A mail lies at the node that was asked for it, and dies with it.
    fn try_to_sign_in(&mut self) -> Option<()> {
        self.accounts += 1;
        let email = format!("{}n{}@example.com", self.name, self.accounts);
        let body = format!(r#"{{"email":"{email}"}}"#);
        let asked = self.ask("POST", "/api/auth/register-magic", "", &body)?;
        assert_eq!(asked.status, 202, "{asked:?}");
        let path = format!("/dev/mailbox?to={email}");
        let begun = Instant::now();
        let code = loop {
            let mails = self.ask("GET", &path, "", "")?.json();
            if let Some(mail) = mails["messages"].as_array().and_then(|mails| mails.last()) {
                let mut runs = mail["text"].as_str()?.split(|c: char| !c.is_ascii_digit());
                break runs.find(|run| run.len() >= 6)?.to_owned();
            }
            if begun.elapsed() > PROMISED {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let body = format!(r#"{{"code":"{code}"}}"#);
        let reply = self.ask("POST", "/api/auth/register-magic/verify", "", &body)?;
        assert_eq!(reply.status, 201, "{reply:?}");
        self.token = reply.text("access_token");
        Some(())
    }

    /// Uses something, be it good or not any more.
    fn look(&mut self) {
        let all = self.keys.len() + self.revoked.len() + self.ended.len() + 1;
        let mut place = self.roll(all as u64) as usize;
        let (path, credential, is_good) = if place < self.keys.len() {
            ("/api/v1/whoami", self.keys[place].1.clone(), true)
        } else {
            place -= self.keys.len();
            let is_over = |since: &Instant| since.elapsed() > PROMISED;
            match (
                self.revoked.get(place),
                place.checked_sub(self.revoked.len()),
            ) {
                (Some((key, since)), _) if is_over(since) => ("/api/v1/whoami", key.clone(), false),
                (Some(_), _) => return,
                (None, Some(place)) => match self.ended.get(place) {
                    Some((token, _, since)) if is_over(since) => {
                        ("/api/auth/session", token.clone(), false)
                    }
                    Some(_) => return,
                    None => ("/api/auth/session", self.token.clone(), true),
                },
                (None, None) => return,
            }
        };
        if let Some(reply) = self.ask("GET", path, &credential, "") {
            let expected = if is_good { 200 } else { 401 };
            assert_eq!(reply.status, expected, "{reply:?}");
        }
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }
}
