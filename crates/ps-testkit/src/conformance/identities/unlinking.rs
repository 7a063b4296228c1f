//! What may be unlinked, and that a way in is left.

use super::*;

pub(super) async fn an_unlinked_identity_opens_nothing_and_is_remembered(store: Store) {
    let (goes, stays) = (identity("a", "google", "1"), identity("a", "linkedin", "1"));
    link_all(&store, &[&goes, &stays]).await;
    let unlink = async |now| {
        let (under, account) = (AccountVersion::default(), &goes.account);
        let unlinked = store.unlink_unless_last(account, "google", &CONFIGURED, false, under, now);
        unlinked.await.unwrap()
    };
    assert_eq!(unlink(NOW.plus(SECOND)).await, Unlinked::Done);
    let expected = removed(&goes, NOW.plus(SECOND));
    assert_eq!(find(&store, &goes).await.as_ref(), Some(&expected));
    assert_eq!(list(&store, "a").await, [stays]);
    // It is gone, and when it went does not change.
    assert_eq!(unlink(NOW.plus(HOUR)).await, Unlinked::NotLinked);
    assert_eq!(find(&store, &goes).await, Some(expected));
}

// SE22
pub(super) async fn unlinking_needs_the_version_of_the_proof(store: Store) {
    let id = account("a");
    let version = claim(&*store, &id, NOW).await;
    let linked = identity("a", "google", "1");
    let done = store.link(&linked, Removed::Stays, version).await;
    assert_eq!(done.unwrap(), Linked::Done);
    let unlink = async |under| {
        let unlinked = store.unlink_unless_last(&id, "google", &[], true, under, NOW);
        unlinked.await.unwrap()
    };
    for other in [AccountVersion::default(), version.next()] {
        assert_eq!(unlink(other).await, Unlinked::AccountChanged);
    }
    store.disable(&id, NOW).await.unwrap();
    assert_eq!(unlink(version.next()).await, Unlinked::AccountChanged);
    assert_eq!(find(&store, &linked).await, Some(linked));
    store.enable(&id, NOW).await.unwrap();
    assert_eq!(unlink(version.next()).await, Unlinked::Done);
}

pub(super) async fn unlinking_needs_an_identity_of_the_account_and_provider(store: Store) {
    let (mine, theirs) = (identity("a", "google", "1"), identity("b", "linkedin", "2"));
    link_all(&store, &[&mine, &theirs]).await;
    for (name, provider) in [
        ("a", "linkedin"),
        ("b", "google"),
        ("c", "google"),
        ("a", "Google"),
        ("a", ""),
    ] {
        let unlinked = unlink_with(&store, name, provider, &CONFIGURED, true).await;
        assert_eq!(unlinked, Unlinked::NotLinked, "{name} {provider}");
    }
    assert_eq!(find(&store, &mine).await, Some(mine));
    assert_eq!(find(&store, &theirs).await, Some(theirs));
}

pub(super) async fn every_identity_of_the_provider_goes(store: Store) {
    let (first, second, other) = (
        identity("a", "google", "1"),
        identity("a", "google", "2"),
        identity("a", "linkedin", "1"),
    );
    link_all(&store, &[&first, &second, &other]).await;
    assert_eq!(unlink(&store, "a", "google").await, Unlinked::Done);
    for gone in [&first, &second] {
        assert_eq!(find(&store, gone).await, Some(removed(gone, NOW)));
    }
    assert_eq!(list(&store, "a").await, std::slice::from_ref(&other));
    // What was removed before was removed then.
    link_all(&store, &[&identity("a", "google", "3")]).await;
    let (id, under, later) = (account("a"), AccountVersion::default(), NOW.plus(SECOND));
    let unlinked = store.unlink_unless_last(&id, "google", &CONFIGURED, false, under, later);
    assert_eq!(unlinked.await.unwrap(), Unlinked::Done);
    assert_eq!(find(&store, &first).await, Some(removed(&first, NOW)));
    assert_eq!(list(&store, "a").await, [other]);
}

// OA18
pub(super) async fn the_last_way_in_stays(store: Store) {
    let both: &[&str] = &CONFIGURED;
    // What is linked besides one of Google's, what one can sign in with, a password, whether it goes.
    let table = [
        (None, both, false, false),
        (None, both, true, true),
        (None, &[], true, true),
        (Some(("linkedin", "2")), both, false, true),
        (Some(("linkedin", "2")), &["linkedin"], false, true),
        (Some(("linkedin", "2")), &["google"], false, false),
        (
            Some(("linkedin", "2")),
            &["LinkedIn", "linked", ""],
            false,
            false,
        ),
        (Some(("linkedin", "2")), &[], false, false),
        (Some(("linkedin", "2")), &["google"], true, true),
        (Some(("google", "2")), both, false, false),
        (Some(("google", "2")), both, true, true),
    ];
    for (number, (other, configured, has_password, goes)) in table.into_iter().enumerate() {
        let name = format!("{number}");
        let mut all = vec![identity(&name, "google", &format!("{number}"))];
        if let Some((provider, subject)) = other {
            all.push(identity(&name, provider, &format!("{number}-{subject}")));
        }
        for new in &all {
            link_all(&store, &[new]).await;
        }
        let unlinked = unlink_with(&store, &name, "google", configured, has_password).await;
        let expected = if goes { Unlinked::Done } else { Unlinked::Last };
        assert_eq!(unlinked, expected, "row {number}");
        if !goes {
            assert_eq!(list(&store, &name).await, all, "row {number}");
        }
    }
    // Neither what was removed before nor what another has is a way in.
    let (mine, gone, theirs) = (
        identity("a", "google", "a"),
        identity("a", "linkedin", "a"),
        identity("b", "linkedin", "b"),
    );
    link_all(&store, &[&mine, &gone, &theirs]).await;
    assert_eq!(unlink(&store, "a", "linkedin").await, Unlinked::Done);
    assert_eq!(unlink(&store, "a", "google").await, Unlinked::Last);
    assert_eq!(find(&store, &mine).await, Some(mine));
}

// OA18, ST2
pub(super) async fn of_both_unlinked_at_once_one_stays(store: Store) {
    many_at_once(1_000, |round| {
        let store = store.clone();
        async move {
            let name = format!("{round}");
            let linked = CONFIGURED.map(|provider| identity(&name, provider, &name));
            link_all(&store, &linked.each_ref()).await;
            let mut unlinked = race(2, |task| {
                let (store, name) = (store.clone(), name.clone());
                async move { unlink(&store, &name, CONFIGURED[task]).await }
            })
            .await;
            unlinked.sort_by_key(|one| *one == Unlinked::Last);
            assert_eq!(unlinked, [Unlinked::Done, Unlinked::Last]);
            assert_eq!(list(&store, &name).await.len(), 1);
        }
    })
    .await;
}

// OA18, ST2
pub(super) async fn links_and_unlinks_at_once_leave_a_way_in(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let linked = CONFIGURED.map(|provider| identity(&name, provider, &name));
        link_all(&store, &linked.each_ref()).await;
        race(64, |task| {
            let (store, name) = (store.clone(), name.clone());
            async move {
                let provider = CONFIGURED[task / 2 % 2];
                if task % 2 == 0 {
                    unlink(&store, &name, provider).await;
                } else {
                    let again = identity(&name, provider, &name);
                    link(&store, &again, Removed::IsLifted).await;
                }
                assert!(!list(&store, &name).await.is_empty());
            }
        })
        .await;
    }
}
