//! How many calls are under way at once.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use futures_util::future::join_all;

use crate::{NOTHING, Server, client, get};

// OA23
#[tokio::test]
async fn a_hundred_calls_go_sixteen_at_a_time() {
    static OPEN: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = Server::plain(async |mut peer| {
        MOST.fetch_max(OPEN.fetch_add(1, SeqCst) + 1, SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        OPEN.fetch_sub(1, SeqCst);
        peer.say(NOTHING).await
    })
    .await;
    let (client, url) = (client(), server.url("/"));
    for answer in join_all((0..100).map(|_| get(&client, &url))).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!(server.requests(), 100);
    assert_eq!(MOST.load(SeqCst), 16);
}

// OA23
#[tokio::test]
async fn a_provider_that_hangs_leaves_the_others_alone() {
    let hangs = Server::plain(async |peer| peer.hang().await).await;
    let answers = Server::plain(async |mut peer| peer.say(NOTHING).await).await;
    let (client, hanging) = (client(), hangs.url("/"));
    let stuck = join_all((0..40).map(|_| get(&client, &hanging)));
    let answered = async {
        while hangs.requests() < 16 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        get(&client, &answers.url("/")).await.unwrap();
        assert_eq!(hangs.connections(), 16);
    };
    tokio::select! {
        () = answered => {}
        _ = stuck => panic!("nobody answers"),
    }
}
