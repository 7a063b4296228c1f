//! Killed at any moment, many times on one database: what was acknowledged is there, what was
//! used up stays used up, and a client recovers by asking again.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod common;
#[path = "common/databases.rs"]
mod databases;

use std::{process::ExitCode, thread, time::Duration};

use common::{Client, Server};
use databases::Databases;

const WORKERS: u64 = 3;

fn main() -> ExitCode {
    databases::run(&[(
        "nothing_acknowledged_is_lost_and_nothing_used_comes_back",
        nothing_acknowledged_is_lost_and_nothing_used_comes_back,
    )])
}
/// Small, seeded, and good enough to spread what is done and when it ends.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What one client knows: everything here was acknowledged, except `pending`.
struct Ledger {
    client: Client,
    token: String,
    keys: Vec<(String, String)>,
    revoked: Vec<String>,
    /// Access token and refresh cookie of sessions that were signed out.
    ended: Vec<(String, Client)>,
    /// Codes that signed somebody in, with their challenge.
    used: Vec<String>,
    pending: Pending,
}

/// What was asked for when the answer failed to come.
enum Pending {
    Nothing,
    Refresh(String),
    Revoke(String),
    SignOut,
    Verify(String),
}

impl Ledger {
    fn open(server: &Server, email: &str) -> Self {
        let mut client = server.client();
        let token = client.sign_up(email).text("access_token");
        let (keys, revoked, ended, used) = Default::default();
        Self {
            client,
            token,
            keys,
            revoked,
            ended,
            used,
            pending: Pending::Nothing,
        }
    }

    /// Does things until the server is gone.
    fn work(&mut self, dice: &mut Dice, name: &str) {
        for step in 0.. {
            let done = match dice.roll(8) {
                0..=2 => self.refresh(&format!("{name}-{step}-{}", dice.roll(u64::MAX >> 33))),
                3 | 4 => self.create_key(),
                5 => self.revoke_key(),
                _ => self.sign_in_again(&format!("{name}-{step}@example.com")),
            };
            if done.is_none() {
                return;
            }
        }
    }

    fn refresh(&mut self, key: &str) -> Option<()> {
        self.pending = Pending::Refresh(key.to_owned());
        let reply =
            self.client
                .try_send("POST", "/api/auth/refresh", &[("idempotency-key", key)], "")?;
        assert_eq!(reply.status, 200, "{reply:?}");
        self.token = reply.text("access_token");
        self.pending = Pending::Nothing;
        Some(())
    }

    fn create_key(&mut self) -> Option<()> {
        let bearer = format!("Bearer {}", self.token);
        let reply = self.client.try_send(
            "POST",
            "/api/keys",
            &[("authorization", &bearer)],
            r#"{"name":"k"}"#,
        )?;
        match reply.status {
            201 => self.keys.push((reply.text("id"), reply.text("key"))),
            _ => assert_eq!(reply.refusal(), (409, "too_many_keys".to_owned())),
        }
        Some(())
    }

    fn revoke_key(&mut self) -> Option<()> {
        let Some((id, key)) = self.keys.pop() else {
            return Some(());
        };
        self.pending = Pending::Revoke(id.clone());
        let bearer = format!("Bearer {}", self.token);
        let path = format!("/api/keys/{id}");
        let reply = self
            .client
            .try_send("DELETE", &path, &[("authorization", &bearer)], "")?;
        assert_eq!(reply.status, 204);
        self.revoked.push(key);
        self.pending = Pending::Nothing;
        Some(())
    }

    /// Signs out, and in as somebody new.
    fn sign_in_again(&mut self, email: &str) -> Option<()> {
        let (token, before) = (self.token.clone(), self.client.clone());
        self.pending = Pending::SignOut;
        self.client.try_send("POST", "/api/auth/logout", &[], "")?;
        self.ended.push((token, before));
        self.pending = Pending::Nothing;
        self.keys.clear();
        let body = format!(r#"{{"email":"{email}"}}"#);
        let asked = self
            .client
            .try_send("POST", "/api/auth/register-magic", &[], &body)?;
        let challenge = asked.text("challenge");
        let code = loop {
            let path = format!("/dev/mailbox?to={email}");
            let mails = self.client.try_send("GET", &path, &[], "")?.json();
            if let Some(mail) = mails["messages"].as_array().and_then(|mails| mails.last()) {
                let text = mail["text"].as_str()?;
                break text
                    .split(|c: char| !c.is_ascii_digit())
                    .find(|run| run.len() >= 6)?
                    .to_owned();
            }
        };
        let body = format!(r#"{{"code":"{code}","challenge":"{challenge}"}}"#);
        self.pending = Pending::Verify(body.clone());
        let reply = self
            .client
            .try_send("POST", "/api/auth/register-magic/verify", &[], &body)?;
        assert_eq!(reply.status, 201, "{reply:?}");
        self.token = reply.text("access_token");
        self.used.push(body);
        self.pending = Pending::Nothing;
        Some(())
    }

    /// After the restart: settles what was pending by asking again, then holds the server to its word.
    fn audit(&mut self, server: &Server) {
        self.client.address.clone_from(&server.address);
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => {}
            Pending::Refresh(key) => {
                self.refresh(&key).expect("the retry recovers");
            }
            Pending::Revoke(id) => {
                let reply = self.client.delete(&format!("/api/keys/{id}"), &self.token);
                assert_eq!(reply.status, 204);
            }
            Pending::SignOut => {
                let reply = self.client.post("/api/auth/logout", &self.token, "");
                assert_eq!(reply.status, 204);
                self.ended.push((self.token.clone(), self.client.clone()));
            }
            // Either the code was not used up and signs in now, or a crash cost one code.
            Pending::Verify(body) => {
                let reply = self
                    .client
                    .send("POST", "/api/auth/register-magic/verify", &[], &body);
                assert!(matches!(reply.status, 200 | 201 | 401), "{reply:?}");
                if reply.status == 401 {
                    self.token.clear();
                } else {
                    self.token = reply.text("access_token");
                    self.used.push(body);
                }
            }
        }
        for (_, key) in &self.keys {
            assert_eq!(
                self.client.get("/api/v1/whoami", key).status,
                200,
                "an acknowledged key"
            );
        }
        for key in self.revoked.drain(..) {
            assert_eq!(
                self.client.get("/api/v1/whoami", &key).status,
                401,
                "a revoked key"
            );
        }
        for (token, mut client) in self.ended.drain(..) {
            client.address.clone_from(&server.address);
            assert_eq!(
                client.get("/api/auth/session", &token).status,
                401,
                "a signed-out token"
            );
            assert_eq!(
                client.send("POST", "/api/auth/refresh", &[], "").status,
                401,
                "its cookie"
            );
        }
        for body in self.used.drain(..) {
            let reply = server
                .client()
                .send("POST", "/api/auth/register-magic/verify", &[], &body);
            assert_eq!(
                reply.refusal(),
                (401, "code_invalid".to_owned()),
                "a code used twice"
            );
        }
    }
}

// SE16, MC3, AK7, ST3
fn nothing_acknowledged_is_lost_and_nothing_used_comes_back(databases: &Databases) {
    // Of a server elsewhere, only what talks to it is killed here.
    let rounds = if databases.is_files() { 200 } else { 50 };
    let database = databases.fresh();
    let mut server = database.start(&[]);
    // Tokens name the issuer: it stays the same over all restarts.
    let url = format!("http://{}", server.address);
    let mut dice = Dice(20_261_122);
    let mut ledgers: Vec<Ledger> = Vec::new();
    for round in 0..rounds {
        for worker in 0..WORKERS {
            let place = usize::try_from(worker).unwrap();
            let email = format!("r{round}w{worker}@example.com");
            match ledgers.get_mut(place) {
                None => ledgers.push(Ledger::open(&server, &email)),
                Some(ledger)
                    if ledger.token.is_empty() || !ledger.client.jar.contains_key("ps_refresh") =>
                {
                    *ledger = Ledger::open(&server, &email);
                }
                Some(_) => {}
            }
        }
        let working: Vec<_> = ledgers
            .drain(..)
            .enumerate()
            .map(|(worker, mut ledger)| {
                let mut dice = Dice(round * 31 + worker as u64 + 1);
                thread::spawn(move || {
                    ledger.work(&mut dice, &format!("work{round}x{worker}"));
                    ledger
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(5 + dice.roll(60)));
        let folder = server.kill();
        ledgers.extend(working.into_iter().map(|worker| worker.join().unwrap()));
        server = database.start_in(folder, &["--public-url", &url]);
        for ledger in &mut ledgers {
            ledger.audit(&server);
        }
    }
}
