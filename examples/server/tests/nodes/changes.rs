//! How long after a change was acknowledged a node still accepts what it took away.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    common::Client,
    databases::{schema::Schema, wait_for},
    group::{Group, NODES, Over},
    number,
};

const WORKERS: usize = 4;
/// The node whose following is cut.
const CUT: usize = 2;
/// What is promised of a node that follows, and of one that cannot.
const FOLLOWING: Duration = Duration::from_secs(1);
const NOT_FOLLOWING: Duration = Duration::from_secs(5);

// AK7, SE10, F17
pub(crate) fn a_change_holds_at_every_node_in_time(server: &str) {
    let changes = number("PS_NODES_CHANGES", 500);
    let schema = wait_for(Schema::make(server));
    let (name, role) = (schema.name(), format!("{}_cut", schema.name()));
    // A node whose role may not read the feed can do everything but follow.
    let may = |sql: String| wait_for(schema.execute(sql));
    may(format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'cut'; GRANT ALL ON SCHEMA {name} TO {role}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT ALL ON TABLES TO {role}"
    ));
    let cut_url = format!("{}&user={role}&password=cut", schema.url());
    let group = Group::start([schema.url(), schema.url(), cut_url]);

    let report = Report::default();
    let (done, begun) = (AtomicBool::new(false), Instant::now());
    thread::scope(|scope| {
        let over = Over(&done);
        let unharmed = scope.spawn(|| unharmed(&group, &done));
        let working: Vec<_> = (0..WORKERS)
            .map(|number| Worker::open(&group, number))
            .collect();
        let working = intact(working, changes * 9 / 10, &report);
        cut(working, changes - changes * 9 / 10, &report, |is_cut| {
            let (what, whom) = if is_cut {
                ("REVOKE", "FROM")
            } else {
                ("GRANT", "TO")
            };
            may(format!("{what} SELECT ON ps_changes {whom} {role}"));
        });
        drop(over);
        println!("{report}");
        let accepted = unharmed.join().unwrap();
        println!(
            "in {} s, while {accepted} requests with another key were all accepted",
            begun.elapsed().as_secs()
        );
    });
    drop(group);
    wait_for(async {
        schema.remove().await;
        let other = Schema::make(server).await;
        other.execute(format!("DROP ROLE {role}")).await;
        other.remove().await;
    });
    report.judge(changes);
}

/// A key that nobody changes goes on being accepted everywhere; how often.
fn unharmed(group: &Group, done: &AtomicBool) -> usize {
    let mut clients = group.clients();
    let token = clients[0]
        .sign_up("unharmed@example.com")
        .text("access_token");
    let key = clients[0].post("/api/keys", &token, r#"{"name":"k"}"#);
    let (key, mut accepted) = (key.text("key"), 0);
    while !done.load(Ordering::Relaxed) {
        for client in &mut clients {
            let reply = client.get("/api/v1/whoami", &key);
            assert_eq!(reply.status, 200, "{reply:?}");
            accepted += 1;
        }
        thread::sleep(Duration::from_millis(20));
    }
    accepted
}

/// Every node follows.
fn intact(workers: Vec<Worker>, changes: usize, report: &Report) -> Vec<Worker> {
    let made = AtomicUsize::new(0);
    each(workers, |mut worker| {
        while made.load(Ordering::Relaxed) < changes {
            let mut keys = worker.keys(Kind::Narrowed, 8);
            let mut subjects = worker.sessions(2);
            subjects.extend(keys.iter().cloned());
            worker.warm(&subjects);
            worker.change(&subjects, NODES, None, report);
            keys.iter_mut().for_each(|key| key.kind = Kind::Revoked);
            worker.warm(&keys);
            worker.change(&keys, NODES, None, report);
            made.fetch_add(subjects.len() + keys.len(), Ordering::Relaxed);
        }
        worker
    })
}

/// One node does not, from the moment at which everything is remembered everywhere.
fn cut(mut workers: Vec<Worker>, changes: usize, report: &Report, cut: impl Fn(bool)) {
    for _ in 0..changes.div_ceil(WORKERS * 12) {
        let ready = each(workers, |mut worker| {
            let mut subjects = worker.keys(Kind::Narrowed, 5);
            subjects.extend(worker.keys(Kind::Revoked, 5));
            subjects.extend(worker.sessions(2));
            worker.warm(&subjects);
            (worker, subjects)
        });
        cut(true);
        workers = each(ready, |(mut worker, subjects)| {
            worker.change(&subjects, CUT, Some(CUT), report);
            let narrowed = subjects
                .into_iter()
                .filter(|one| one.kind == Kind::Narrowed);
            for mut one in narrowed {
                one.kind = Kind::Revoked;
                one.change(&worker.token, &mut worker.clients[0]);
            }
            worker
        });
        cut(false);
        // It follows again, and trusts what it will remember.
        thread::sleep(FOLLOWING);
    }
}

/// All at once, each on a thread of its own.
fn each<T: Send, U: Send>(all: Vec<T>, act: impl Fn(T) -> U + Sync) -> Vec<U> {
    thread::scope(|scope| {
        let act = &act;
        let acting = all.into_iter().map(|one| scope.spawn(move || act(one)));
        let acting: Vec<_> = acting.collect();
        let done = acting.into_iter().map(|acting| acting.join().unwrap());
        done.collect()
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Narrowed,
    Revoked,
    SignedOut,
}

/// What is accepted until it is changed.
#[derive(Clone)]
struct Subject {
    kind: Kind,
    id: String,
    credential: String,
}

impl Subject {
    fn is_accepted(&self, client: &mut Client) -> bool {
        let (path, refusal) = match self.kind {
            Kind::Narrowed => ("/api/v1/programs", (403, "scope_missing")),
            Kind::Revoked => ("/api/v1/whoami", (401, "api_key_invalid")),
            // A route that believes the token, and reads no row of its session.
            Kind::SignedOut => ("/api/keys?limit=1", (401, "session_invalid")),
        };
        let reply = client.get(path, &self.credential);
        let is_accepted = reply.status == 200;
        let (status, code) = refusal;
        assert!(
            is_accepted || reply.refusal() == (status, code.to_owned()),
            "{reply:?}"
        );
        is_accepted
    }

    /// Comes back when it is acknowledged.
    fn change(&self, token: &str, client: &mut Client) {
        let path = format!("/api/keys/{}", self.id);
        let (reply, status) = match self.kind {
            Kind::Narrowed => {
                let bearer = format!("Bearer {token}");
                let bearer = [("authorization", bearer.as_str())];
                (
                    client.send("PATCH", &path, &bearer, r#"{"scopes":[]}"#),
                    200,
                )
            }
            Kind::Revoked => (client.delete(&path, token), 204),
            Kind::SignedOut => {
                // Without the cookie of another session, which would end too.
                let mut bare = Client {
                    address: client.address.clone(),
                    jar: Default::default(),
                };
                (bare.post("/api/auth/logout", &self.credential, ""), 204)
            }
        };
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

/// Somebody with an account, who asks every node.
struct Worker {
    number: usize,
    sessions: usize,
    clients: [Client; NODES],
    token: String,
}

impl Worker {
    fn open(group: &Group, number: usize) -> Self {
        let mut clients = group.clients();
        let made = clients[0].sign_up(&format!("worker{number}@example.com"));
        Self {
            number,
            sessions: 0,
            clients,
            token: made.text("access_token"),
        }
    }

    fn keys(&mut self, kind: Kind, how_many: usize) -> Vec<Subject> {
        self.token = self.clients[0].refreshed();
        let key = |number: usize| {
            let client = &mut self.clients[number % NODES];
            let body = r#"{"name":"k","scopes":["programs:read"]}"#;
            let made = client.post("/api/keys", &self.token, body);
            assert_eq!(made.status, 201, "{made:?}");
            Subject {
                kind,
                id: made.text("id"),
                credential: made.text("key"),
            }
        };
        (0..how_many).map(key).collect()
    }

    fn sessions(&mut self, how_many: usize) -> Vec<Subject> {
        let session = |_| {
            self.sessions += 1;
            let email = format!("w{}s{}@example.com", self.number, self.sessions);
            let mut client = Client {
                address: self.clients[self.sessions % NODES].address.clone(),
                jar: Default::default(),
            };
            let made = client.sign_up(&email);
            assert_eq!(made.status, 201, "{made:?}");
            Subject {
                kind: Kind::SignedOut,
                id: made.json()["session"]["id"].to_string(),
                credential: made.text("access_token"),
            }
        };
        (0..how_many).map(session).collect()
    }

    /// Every node has seen it, and may remember it.
    fn warm(&mut self, subjects: &[Subject]) {
        for subject in subjects {
            for client in &mut self.clients {
                assert!(subject.is_accepted(client), "{:?}", subject.kind);
            }
        }
    }

    /// Changes each at one of the first nodes, and asks the others until all of them refuse it.
    fn change(&mut self, subjects: &[Subject], at: usize, cut: Option<usize>, report: &Report) {
        let mut pending = Vec::new();
        for (number, subject) in subjects.iter().enumerate() {
            let here = (self.number + number) % at;
            subject.change(&self.token, &mut self.clients[here]);
            let acknowledged = Instant::now();
            assert!(
                !subject.is_accepted(&mut self.clients[here]),
                "at once here"
            );
            let others = (0..NODES).filter(|node| *node != here);
            pending.extend(others.map(|node| Pending {
                subject,
                node,
                is_cut: cut == Some(node),
                acknowledged,
                accepted: Accepted::default(),
            }));
            self.ask(&mut pending, report);
        }
        while !pending.is_empty() {
            self.ask(&mut pending, report);
            thread::sleep(Duration::from_millis(10));
        }
        for subject in subjects {
            for client in &mut self.clients {
                assert!(!subject.is_accepted(client), "refused once is refused");
            }
        }
        report.made(subjects);
    }

    /// Asks once for each, and forgets what is refused by now.
    fn ask(&mut self, pending: &mut Vec<Pending<'_>>, report: &Report) {
        pending.retain_mut(|one| {
            let sent = one.acknowledged.elapsed();
            let is_accepted = one.subject.is_accepted(&mut self.clients[one.node]);
            if is_accepted {
                let answered = one.acknowledged.elapsed();
                one.accepted = Accepted { sent, answered };
            } else {
                report.add(one);
            }
            is_accepted
        });
    }
}

struct Pending<'a> {
    subject: &'a Subject,
    node: usize,
    is_cut: bool,
    acknowledged: Instant,
    accepted: Accepted,
}

/// When, after the acknowledgment, the last request was sent that was accepted, and when answered.
#[derive(Clone, Copy, Default)]
struct Accepted {
    sent: Duration,
    answered: Duration,
}

#[derive(Default)]
struct Report {
    changes: Mutex<BTreeMap<Kind, usize>>,
    largest: Mutex<BTreeMap<(bool, Kind), Accepted>>,
}

impl Report {
    fn made(&self, subjects: &[Subject]) {
        let mut changes = self.changes.lock().unwrap();
        for subject in subjects {
            *changes.entry(subject.kind).or_default() += 1;
        }
    }

    fn add(&self, one: &Pending<'_>) {
        let mut largest = self.largest.lock().unwrap();
        let largest = largest.entry((one.is_cut, one.subject.kind)).or_default();
        largest.sent = largest.sent.max(one.accepted.sent);
        largest.answered = largest.answered.max(one.accepted.answered);
    }

    /// A request that is sent after the promised time is refused.
    fn judge(&self, changes: usize) {
        let made: usize = self.changes.lock().unwrap().values().sum();
        assert!(made >= changes, "{made}");
        let largest = self.largest.lock().unwrap();
        assert_eq!(
            largest.len(),
            6,
            "each kind, at nodes that follow and at one that does not"
        );
        for ((is_cut, kind), accepted) in &*largest {
            let promised = if *is_cut { NOT_FOLLOWING } else { FOLLOWING };
            let sent = accepted.sent;
            assert!(sent <= promised, "{kind:?}, cut: {is_cut}: {sent:?}");
            // Otherwise nothing was cut, or nothing remembered.
            assert!(*is_cut == (sent > FOLLOWING), "{kind:?}: {sent:?}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "changes {:?}", self.changes.lock().unwrap())?;
        for ((is_cut, kind), accepted) in &*self.largest.lock().unwrap() {
            let following = if *is_cut { "cut" } else { "intact" };
            let [sent, answered] = [accepted.sent, accepted.answered].map(|span| span.as_millis());
            write!(
                f,
                "\nfollowing {following}, {kind:?}: the last accepted request was sent {sent} ms \
                 after the acknowledgment, and answered after {answered} ms"
            )?;
        }
        Ok(())
    }
}
