//! A node that is killed, a database that goes away, and nodes that are replaced, under load.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    common::Client,
    databases::server::{Cluster, Programs},
    group::{Group, NODES, Over},
    ledger::{Ledger, Load},
    number,
};

const CLIENTS: usize = 6;
/// How soon after the database is back every node answers as before.
const RECOVERY: Duration = Duration::from_secs(2);

// AK7, SE10, ST4, ST9, OP6, F4, F19
pub(crate) fn nothing_acknowledged_is_lost_and_nobody_is_signed_out(programs: &Programs) {
    let away = Duration::from_secs(number("PS_NODES_AWAY", 5) as u64);
    let mut database = Cluster::start(programs).unwrap();
    let mut group = Group::start([(); NODES].map(|()| database.url()));
    let mut prober = Prober::new(&group);
    let load = Load {
        addresses: group.addresses(),
        is_over: AtomicBool::new(false),
        answered: AtomicUsize::new(0),
        unavailable: AtomicUsize::new(0),
    };
    let pause = |seconds| thread::sleep(Duration::from_secs(seconds));
    let ledgers: Vec<Ledger<'_>> = thread::scope(|scope| {
        let load = &load;
        let working: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn(move || {
                    let mut ledger = Ledger::open(load, format!("client{number}"));
                    ledger.work();
                    ledger
                })
            })
            .collect();
        // A client whose expectation failed has told which; nobody waits for it.
        let over = Over(&load.is_over);
        pause(3);

        let again = group.kill(1);
        pause(1);
        again(&mut group);
        let came_back = until_served(&mut prober.clients[1], &prober.token);
        println!("killed and started again, a node served after {came_back:?}");
        pause(2);

        let before = load.unavailable.load(Ordering::Relaxed);
        database.crash();
        thread::sleep(away);
        let refused = load.unavailable.load(Ordering::Relaxed) - before;
        assert!(refused > 0, "somebody asked meanwhile");
        database.run(&[]).unwrap();
        let begun = Instant::now();
        prober.until_all_served();
        let recovered = begun.elapsed();
        println!(
            "the database was away for {away:?}: {refused} answers of 503, all nodes served after {recovered:?}"
        );
        assert!(recovered <= RECOVERY, "{recovered:?}");
        pause(2);

        // As when another version is rolled out.
        for node in 0..NODES {
            let again = group.stop(node);
            again(&mut group);
            pause(1);
        }
        drop(over);
        let ledgers = working.into_iter().map(|working| working.join().unwrap());
        ledgers.collect()
    });
    let sum = |count: fn(&Ledger<'_>) -> usize| ledgers.iter().map(count).sum::<usize>();
    let counts = [
        sum(|ledger| ledger.revoked.len()),
        sum(|ledger| ledger.ended.len()),
        sum(|ledger| ledger.refreshed),
    ];
    println!(
        "{} answers, {} of 503; acknowledged: {} revocations, {} sign-outs, {} refreshes",
        load.answered.load(Ordering::Relaxed),
        load.unavailable.load(Ordering::Relaxed),
        counts[0],
        counts[1],
        counts[2],
    );
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    ledgers.into_iter().for_each(Ledger::audit);
}

/// Asks for what only the database knows.
struct Prober {
    clients: [Client; NODES],
    token: String,
}

impl Prober {
    fn new(group: &Group) -> Self {
        let mut clients = group.clients();
        let made = clients[0].sign_up("prober@example.com");
        Self {
            clients,
            token: made.text("access_token"),
        }
    }

    fn until_all_served(&mut self) {
        let token = &self.token;
        thread::scope(|scope| {
            for client in &mut self.clients {
                scope.spawn(|| until_served(client, token));
            }
        });
    }
}

/// How long a node takes to read and to write again.
fn until_served(client: &mut Client, token: &str) -> Duration {
    let begun = Instant::now();
    let bearer = format!("Bearer {token}");
    let bearer = [("authorization", bearer.as_str())];
    let mut ask = |method, path: &str, body| {
        let reply = client.try_send(method, path, &bearer, body);
        assert!(begun.elapsed() < Duration::from_secs(30), "{reply:?}");
        reply.filter(|reply| reply.status != 503)
    };
    let made = loop {
        if let Some(made) = ask("POST", "/api/keys", r#"{"name":"k"}"#) {
            break made;
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/api/keys/{}", made.text("id"));
    while ask("GET", "/api/keys", "").is_none() || ask("DELETE", &path, "").is_none() {
        thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}
