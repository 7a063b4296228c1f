//! What goes over the wire: how often a caller waits for the server shows in no answer.

use std::{
    mem,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use ps_apikey::{ApiKeyRecord, ApiKeyStore, KeyInserted};
use ps_core::{AccountVersion, KeyDigest};
use ps_session::{Advance, SessionStore};
use ps_sqlx::{PostgresOptions, PostgresStore};
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::spawn_blocking,
};

use crate::{
    records::{DAY, NOW, key, open, session},
    server::{Cluster, Programs},
};

/// One statement that the connection knows: bind, execute, close, synchronise. The pool adds a
/// synchronisation of its own when it gets the connection back, for which nobody waits.
/// <https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY>
const ONE_STATEMENT: &str = "BEC";

pub(crate) async fn lookups_rotations_and_uses_are_one_round_trip_each(programs: Programs) {
    let starting = spawn_blocking(move || {
        let mut server = Cluster::prepare(&programs)?;
        server.run(&["listen_addresses=localhost"])?;
        Ok::<_, String>(server)
    });
    let server = starting.await.unwrap().unwrap();
    let tap = Tap::on(&server).await;
    let one = PostgresOptions::default()
        .with_max_connections(NonZeroU32::MIN)
        .with_acquire_timeout(Duration::from_secs(10));
    let store = PostgresStore::open_with(&tap.url(), one).await.unwrap();
    let session = session("a");
    open(&store, &session).await;
    let keys: Vec<_> = (0..100).map(numbered).collect();
    for key in &keys {
        let inserted = ApiKeyStore::insert(&store, key, AccountVersion::default(), 100, NOW).await;
        assert_eq!(inserted.unwrap(), KeyInserted::Done);
    }
    let digests: Vec<_> = keys.iter().map(|key| key.digest).collect();

    // At first the statement is made known.
    for generation in 0..2 {
        let advance = Advance {
            family: session.family,
            generation,
            key: None,
            idle_ends_at: NOW.plus(DAY),
        };
        tap.hear();
        assert!(
            SessionStore::rotate(&store, &advance, NOW)
                .await
                .unwrap()
                .is_some()
        );
    }
    assert_eq!(tap.hear(), ONE_STATEMENT, "a rotation");

    for some in [&digests[..1], &digests[..40], &digests[..]] {
        let mut heard = String::new();
        for _ in 0..2 {
            tap.hear();
            let found = ApiKeyStore::find(&store, some).await;
            assert_eq!(found.unwrap().len(), some.len());
            heard = tap.hear();
        }
        assert_eq!(heard, ONE_STATEMENT, "a lookup of {}", some.len());
    }

    for seconds in 1..=2 {
        let at = NOW.plus(Duration::from_secs(seconds));
        let used: Vec<_> = keys[..64].iter().map(|key| (key.id, at)).collect();
        tap.hear();
        store.touch(&used).await.unwrap();
    }
    assert_eq!(tap.hear(), ONE_STATEMENT, "the uses of 64 keys");
}

fn numbered(number: u8) -> ApiKeyRecord {
    ApiKeyRecord {
        digest: KeyDigest::from_bytes([number; 32]),
        ..key("a")
    }
}

/// A way to the server that takes down what kinds of messages a client sends.
struct Tap {
    port: u16,
    heard: Arc<Mutex<String>>,
}

impl Tap {
    async fn on(server: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tap = Self {
            port: listener.local_addr().unwrap().port(),
            heard: Arc::default(),
        };
        let (url, heard) = (server.url_by_network(), Arc::clone(&tap.heard));
        let address = url.rsplit_once('@').unwrap().1.rsplit_once('/').unwrap().0;
        let address = address.to_owned();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(relay(client, server, Arc::clone(&heard)));
            }
        });
        tap
    }

    fn url(&self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// What was said since the last time, but for the synchronisations at both ends.
    fn hear(&self) -> String {
        let heard = mem::take(&mut *self.heard.lock().unwrap());
        heard.trim_matches('S').to_owned()
    }
}

/// Until either of them hangs up.
async fn relay(client: TcpStream, server: TcpStream, heard: Arc<Mutex<String>>) -> io::Result<()> {
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
    // The first message has no kind.
    let mut message = Vec::new();
    loop {
        let length = from_client.read_u32().await?;
        message.extend(length.to_be_bytes());
        let body = message.len();
        message.resize(body + length as usize - 4, 0);
        from_client.read_exact(&mut message[body..]).await?;
        to_server.write_all(&message).await?;
        let kind = from_client.read_u8().await?;
        heard.lock().unwrap().push(char::from(kind));
        message = vec![kind];
    }
}
