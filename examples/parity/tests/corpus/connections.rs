//! What comes behind a request on the same connection, whatever became of that.

use std::time::Duration;

use parity::{Asked, Mount, Place, Sending, Server, Ways, Wire, World};

/// Stands in bodies: were it read as a request, it would be answered.
const SMUGGLED: &str = "GET /api/panic HTTP/1.1\r\nhost: app.example.com\r\n\r\n";

fn refused() -> Vec<Asked> {
    let heads = [
        Asked::new("GET", "/api/v1/whoami"),
        Asked::new("POST", "/api/echo"),
        Asked::new("POST", "/api/nothing"),
        Asked::new("PUT", "/api/keys"),
        Asked::new("POST", "/api/keys").bearing("{forged_token}"),
        Asked::new("POST", "/api/auth/magic-code"),
        Asked::new("POST", "/api/auth/magic-code").with("content-type", "application/json"),
        Asked::new("POST", "/api/auth/refresh").with("host", "evil.example"),
        Asked::new("POST", "/api/auth/refresh").with("origin", "null"),
        Asked::new("GET", "/api/panic"),
    ];
    let sized = |asked: &Asked, length: usize| {
        let times = length.div_ceil(SMUGGLED.len());
        asked.clone().with_body(&SMUGGLED.repeat(times)[..length])
    };
    let mut all = Vec::new();
    for asked in &heads {
        for length in [SMUGGLED.len(), 16_384, 16_385, 20_000, 200_000] {
            all.push(sized(asked, length));
            all.push(sized(asked, length).sent(Sending::Chunked(1_000)));
        }
    }
    all
}

/// The next request is answered as itself, or not at all.
async fn is_clean(server: &Server, world: &World, asked: &Asked) -> bool {
    let next = Asked::new("GET", "/api/v1/whoami")
        .with("x-api-key", "{key}")
        .bytes(world);
    let both = [asked.bytes(world), next].concat();
    let mut wire = Wire::open(server.address()).await.unwrap();
    let first = wire.exchange(&both, false).await.unwrap();
    if first.closes() {
        wire.shut_down().await.unwrap(); // else actix-web waits a second for it
        let rest = wire.rest(Duration::from_secs(10)).await;
        assert_eq!(rest.as_deref(), Some(&b""[..]), "{asked:?}");
        return false;
    }
    // hyper does not always say that it will close.
    let Ok(second) = wire.answer(false).await else {
        return false;
    };
    assert_eq!(second.status, 200, "{asked:?}: {second:?}");
    assert_eq!(
        second.json()["key"]["id"],
        world.value("key_id"),
        "{asked:?}"
    );
    true
}

// HT12
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_body_is_taken_for_a_request() {
    let ways = Ways::new(Place::Production, Mount::Alone).await;
    let all = refused();
    for (name, server) in ["axum", "actix"].into_iter().zip(ways.servers()) {
        let (mut kept, mut ended) = (0, 0);
        for asked in &all {
            let goes_on = is_clean(server, ways.world(), asked).await;
            kept += usize::from(goes_on);
            ended += usize::from(!goes_on);
        }
        println!("bodies with requests in them, {name}: {kept} went on, {ended} were closed");
        assert!(kept >= 40 && kept + ended == 100, "{name}: {kept} {ended}");
    }
}
