//! A server that goes away, hangs, and comes back; and who asks it for TLS.

use std::{sync::Arc, time::Duration};

use ps_core::{Changes, Cursor, Users};
use ps_session::{SessionStore, Which};
use ps_sqlx::{OpenError, PostgresStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sqlx::{Connection, PgConnection, query_scalar};
use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{Instant, sleep},
};

use crate::{
    records::{NOW, email, open, session},
    server::{Cluster, Programs, signal},
};

/// Making a cluster waits for a program.
async fn prepare(programs: &Programs) -> Cluster {
    let programs = programs.clone();
    let prepared = spawn_blocking(move || Cluster::prepare(&programs));
    prepared.await.unwrap().unwrap()
}

async fn start(programs: &Programs) -> Cluster {
    let mut server = prepare(programs).await;
    server.run(&[]).unwrap();
    server
}

// ST9
pub(crate) async fn a_server_that_was_away_is_found_again(programs: Programs) {
    let mut server = start(&programs).await;
    let store = PostgresStore::open(&server.url()).await.unwrap();
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.find_by_email(&email("a")).await })
        })
        .collect();
    for asked in asking {
        asked.await.unwrap().unwrap();
    }
    let session = session("a");
    open(&store, &session).await;

    server.crash();
    for _ in 0..3 {
        let begun = Instant::now();
        assert!(
            SessionStore::find(&store, Which::Id(&session.id))
                .await
                .is_err()
        );
        assert!(begun.elapsed() < Duration::from_millis(1_500));
    }
    server.run(&[]).unwrap();
    // A connection may still be there of which nobody has noticed that it is lost: each fails once.
    let mut failures = 0;
    let found = loop {
        match SessionStore::find(&store, Which::Id(&session.id)).await {
            Ok(found) => break found,
            Err(_) => failures += 1,
        }
    };
    assert!(failures <= 10, "{failures}");
    assert_eq!(found, Some(session));
    for _ in 0..20 {
        assert!(store.find_by_email(&email("a")).await.unwrap().is_none());
    }
}

// ST4: whatever was going on when the server ended.
pub(crate) async fn what_was_acknowledged_outlives_the_server(programs: Programs) {
    let mut server = start(&programs).await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..3 {
        let store = PostgresStore::open(&server.url()).await.unwrap();
        let writing: Vec<_> = (0..8)
            .map(|_| {
                let (store, acknowledged) = (store.clone(), Arc::clone(&acknowledged));
                tokio::spawn(async move {
                    let mut old = session("a");
                    let mut opened = store.open(&old, None, u32::MAX, NOW).await;
                    while opened.is_ok() {
                        let new = session("a");
                        opened = store.open(&new, Some(&old.family), u32::MAX, NOW).await;
                        if opened.is_ok() {
                            acknowledged.lock().await.push((old.id, new.id));
                        }
                        old = new;
                    }
                })
            })
            .collect();
        while acknowledged.lock().await.len() < 50 * (round + 1) {
            sleep(Duration::from_millis(1)).await;
        }
        server.crash();
        for one in writing {
            one.await.unwrap();
        }
        server.run(&[]).unwrap();
    }
    let acknowledged = acknowledged.lock().await;
    let store = PostgresStore::open(&server.url()).await.unwrap();
    for (old, new) in &*acknowledged {
        let old = SessionStore::find(&store, Which::Id(old)).await.unwrap();
        assert!(old.unwrap().ended_at.is_some());
        let new = SessionStore::find(&store, Which::Id(new)).await.unwrap();
        assert!(new.is_some());
    }
    let (_, ended) = store.ended_since(NOW).await.unwrap();
    let told = store.since(Cursor::default(), u32::MAX).await.unwrap();
    let numbers = told.iter().map(|(cursor, _)| cursor.number());
    assert!(numbers.eq(1..=ended.len() as u64));
}

// ST9: a server that neither answers nor hangs up, as behind a cable that was cut.
pub(crate) async fn a_server_that_hangs_holds_nobody_up(programs: Programs) {
    let server = start(&programs).await;
    let store = PostgresStore::open(&server.url()).await.unwrap();
    let session = session("a");
    open(&store, &session).await;
    let mut other = PgConnection::connect(&server.url()).await.unwrap();
    let processes =
        query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = 'ps-auth'");
    let processes: Vec<i32> = processes.fetch_all(&mut other).await.unwrap();
    assert!(!processes.is_empty());

    signal("STOP", &processes);
    let begun = Instant::now();
    for _ in &processes {
        assert!(
            SessionStore::find(&store, Which::Id(&session.id))
                .await
                .is_err()
        );
    }
    let waited = begun.elapsed() / u32::try_from(processes.len()).unwrap();
    assert!((4_000..6_500).contains(&waited.as_millis()), "{waited:?}");
    // New connections are made in place of those.
    let found = SessionStore::find(&store, Which::Id(&session.id)).await;
    assert_eq!(found.unwrap(), Some(session));
    signal("CONT", &processes);
}

pub(crate) async fn who_asks_for_tls_gets_it_or_nothing(programs: Programs) {
    let mut server = prepare(&programs).await;
    let (ours, another) = (Authority::new(), Authority::new());
    let (certificate, key) = ours.issue("localhost");
    let certificate = server.keep("server.crt", &certificate);
    let key = server.keep("server.key", &key);
    let [right, wrong] = [("right.pem", &ours), ("wrong.pem", &another)]
        .map(|(name, authority)| server.keep(name, &authority.certificate()));
    let verified = |root: &str| format!("?sslmode=verify-full&sslrootcert={root}");

    let listens = "listen_addresses=localhost";
    let (certificate, key) = (
        format!("ssl_cert_file={certificate}"),
        format!("ssl_key_file={key}"),
    );
    server
        .run(&[listens, "ssl=on", &certificate, &key])
        .unwrap();
    for (asked, is_let_in) in [
        ("?sslmode=require", true),
        (&verified(&right), true),
        (&verified(&wrong), false),
        ("?sslmode=verify-full", false),
    ] {
        assert_eq!(
            is_encrypted(&server, asked).await,
            is_let_in.then_some(true),
            "{asked}"
        );
    }
    server.crash();
    server.run(&[listens]).unwrap();
    for asked in ["?sslmode=require", &verified(&right)] {
        assert_eq!(is_encrypted(&server, asked).await, None, "{asked}");
    }
    assert_eq!(is_encrypted(&server, "?sslmode=disable").await, Some(false));
}

// ST4: it is behind by as much as it likes, and so are the revocations that it knows.
pub(crate) async fn a_replica_is_not_asked(programs: Programs) {
    let mut server = start(&programs).await;
    PostgresStore::open(&server.url())
        .await
        .unwrap()
        .close()
        .await;
    server.crash();
    server.keep("data/standby.signal", "");
    server.run(&[]).unwrap();
    let error = PostgresStore::open(&server.url()).await.unwrap_err();
    let OpenError::Unreachable(why) = error else {
        panic!("{error:?}");
    };
    assert!(why.to_string().contains("replica"), "{why}");
}

/// Whether the store's connection is encrypted, if there is one.
async fn is_encrypted(server: &Cluster, asked: &str) -> Option<bool> {
    let url = server.url_by_network() + asked;
    let store = match PostgresStore::open(&url).await {
        Ok(store) => store,
        Err(OpenError::Unreachable(_)) => return None,
        Err(error) => panic!("{error:?}"),
    };
    store.find_by_email(&email("a")).await.unwrap();
    let mut other = PgConnection::connect(&server.url()).await.unwrap();
    let encrypted = query_scalar(
        "SELECT bool_and(s.ssl) FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid) \
         WHERE a.application_name = 'ps-auth'",
    );
    let encrypted = encrypted.fetch_one(&mut other).await.unwrap();
    store.close().await;
    Some(encrypted)
}

struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self { params, key }
    }

    fn certificate(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    /// A certificate for a host, and its key.
    fn issue(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}
