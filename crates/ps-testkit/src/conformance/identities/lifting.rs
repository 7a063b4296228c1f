//! What becomes of an identity that was removed.

use super::*;

/// Linked to `a` and removed.
async fn once_linked(store: &Store, subject: &str) -> LinkedIdentity {
    let before = identity("a", "google", subject);
    link_all(store, &[&before]).await;
    remove(store, "a", "google").await;
    removed(&before, NOW)
}

pub(super) async fn a_removed_identity_stays_removed_unasked(store: Store) {
    let before = once_linked(&store, "1").await;
    for name in ["a", "b"] {
        let new = identity(name, "google", "1");
        assert_eq!(link(&store, &new, Removed::Stays).await, Linked::Removed);
        assert_eq!(list(&store, name).await, []);
    }
    assert_eq!(find(&store, &before).await, Some(before));
}

pub(super) async fn a_removed_identity_is_linked_again_where_it_is_asked_for(store: Store) {
    let before = once_linked(&store, "1").await;
    let again = LinkedIdentity {
        email: Some(email("bob@example.com")),
        linked_at: NOW.plus(SECOND),
        removed_at: None,
        ..before
    };
    let linked = link(&store, &again, Removed::IsLifted).await;
    assert_eq!(linked, Linked::Done);
    assert_eq!(find(&store, &again).await.as_ref(), Some(&again));
    assert_eq!(list(&store, "a").await, [again]);
    remove(&store, "a", "google").await;
}

pub(super) async fn whoever_lifts_a_removal_has_the_identity(store: Store) {
    once_linked(&store, "1").await;
    let theirs = LinkedIdentity {
        linked_at: NOW.plus(SECOND),
        ..identity("b", "google", "1")
    };
    let linked = link(&store, &theirs, Removed::IsLifted).await;
    assert_eq!(linked, Linked::Done);
    // The account that it opened before has no part in it any more.
    assert_eq!(list(&store, "a").await, []);
    let unlinked = unlink_with(&store, "a", "google", &[], true).await;
    assert_eq!(unlinked, Unlinked::NotLinked);
    let back = link(&store, &identity("a", "google", "1"), Removed::IsLifted).await;
    assert_eq!(back, Linked::OfAnother);
    claim(&*store, &account("a"), NOW).await;
    assert_eq!(find(&store, &theirs).await.as_ref(), Some(&theirs));
    assert_eq!(list(&store, "b").await, [theirs]);
}

// OA25
pub(super) async fn of_many_who_lift_a_removal_at_once_one_has_the_identity(store: Store) {
    for round in 0..ROUNDS {
        let subject = format!("{round}");
        let before = once_linked(&store, &subject).await;
        let linked = race(64, |task| {
            let (store, new) = (
                store.clone(),
                identity(&format!("{task}"), "google", &subject),
            );
            async move { (link(&store, &new, Removed::IsLifted).await, new) }
        })
        .await;
        let mut done = linked.iter().filter(|(one, _)| *one == Linked::Done);
        let winner = done.next().map(|(_, new)| new);
        assert_eq!(done.count(), 0);
        assert_eq!(find(&store, &before).await.as_ref(), winner);
        let others = linked.iter().filter(|(one, _)| *one == Linked::OfAnother);
        assert_eq!(others.count(), 63);
    }
}
