//! What a change of the account does to its identities.

use super::*;

// OA15
pub(super) async fn a_claim_forgets_every_identity(store: Store) {
    let (planted, hidden, others) = (
        identity("a", "google", "1"),
        identity("a", "linkedin", "1"),
        identity("b", "google", "2"),
    );
    link_all(&store, &[&planted, &hidden, &others]).await;
    remove(&store, "a", "linkedin").await;
    claim(&*store, &account("a"), NOW).await;
    assert_eq!(list(&store, "a").await, []);
    for gone in [&planted, &hidden] {
        assert_eq!(find(&store, gone).await, None);
    }
    assert_eq!(find(&store, &others).await, Some(others));
    // Nothing of it is remembered, so whoever it is may be linked as if for the first time.
    for (name, gone) in [("c", planted), ("c", hidden)] {
        let new = LinkedIdentity {
            account: account(name),
            ..gone
        };
        link_all(&store, &[&new]).await;
    }
}

pub(super) async fn a_claim_that_does_nothing_forgets_nothing(store: Store) {
    let linked = identity("a", "google", "1");
    link_all(&store, &[&linked]).await;
    let (proof, other) = (proof("a@example.com"), AccountVersion::default().next());
    let raised = store.claim(&linked.account, &proof, other, NOW).await;
    assert_eq!(raised.unwrap(), Raised::Changed);
    assert_eq!(list(&store, "a").await, [linked]);
}

pub(super) async fn a_disabled_owner_keeps_its_identities(store: Store) {
    let linked = identity("a", "google", "1");
    link_all(&store, &[&linked]).await;
    store.disable(&linked.account, NOW).await.unwrap();
    assert_eq!(find(&store, &linked).await.as_ref(), Some(&linked));
    store.enable(&linked.account, NOW).await.unwrap();
    assert_eq!(list(&store, "a").await, [linked]);
}

// SE22, OA15
pub(super) async fn no_link_in_flight_survives_a_claim(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let linked = race(64, |task| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                let under = store.standing(&account(&name)).await.unwrap().version;
                tokio::task::yield_now().await;
                if task == 32 {
                    claim(&*store, &account(&name), NOW).await;
                    return None;
                }
                let new = identity(&name, "google", &format!("{round}-{task}"));
                let linked = store.link(&new, Removed::Stays, under).await.unwrap();
                (linked == Linked::Done).then_some((new, under))
            }
        })
        .await;
        for (new, under) in linked.into_iter().flatten() {
            let is_there = find(&store, &new).await.is_some();
            assert_eq!(is_there, under != AccountVersion::default());
        }
    }
}
