//! Whom an identity opens, and who may say so.

use super::*;

pub(super) async fn what_was_linked_is_found(store: Store) {
    let (mine, theirs) = (identity("a", "google", "1"), identity("b", "google", "2"));
    link_all(&store, &[&mine, &theirs]).await;
    assert_eq!(find(&store, &mine).await.as_ref(), Some(&mine));
    assert_eq!(list(&store, "a").await, [mine]);
    assert_eq!(list(&store, "b").await, [theirs]);
    assert_eq!(list(&store, "c").await, []);
    let unknown = identity("a", "google", "3");
    assert_eq!(find(&store, &unknown).await, None);
}

pub(super) async fn every_field_comes_back(store: Store) {
    let full = LinkedIdentity {
        identity: Identity {
            provider: "a-provider_of.our:own".to_owned(),
            issuer: "https://example.com/it's/\"quoted\"; --".to_owned(),
            subject: "x".repeat(255),
        },
        email: Some(email("o'neill+tag@xn--bcher-kva.example")),
        linked_at: NOW.minus(HOUR).plus(MILLISECOND),
        ..identity("a", "", "")
    };
    let bare = LinkedIdentity {
        email: None,
        ..identity("b", "google", "|auth0:1/2 3")
    };
    for new in [&full, &bare] {
        link_all(&store, &[new]).await;
        assert_eq!(find(&store, new).await.as_ref(), Some(new));
        let (of, provider) = (new.account.as_str(), &new.identity.provider);
        assert_eq!(list(&store, of).await, std::slice::from_ref(new));
        remove(&store, of, provider).await;
        assert_eq!(find(&store, new).await, Some(removed(new, NOW)));
    }
}

// OA12
pub(super) async fn an_identity_is_its_exact_bytes(store: Store) {
    let distinct = [
        ("google", "https://google.com", "Aa1"),
        // The same somebody at another name of the same issuer, and at another issuer.
        ("google2", "https://google.com", "Aa1"),
        ("Google", "https://google.com", "Aa1"),
        ("google", "google.com", "Aa1"),
        ("google", "https://google.com/", "Aa1"),
        ("google", "https://Google.com", "Aa1"),
        // Somebody else there.
        ("google", "https://google.com", "aa1"),
        ("google", "https://google.com", "AA1"),
        ("google", "https://google.com", "Aa1 "),
        ("google", "https://google.com", "0Aa1"),
        ("google", "https://google.com", "Aa1\u{301}"),
        // The same letters, divided elsewhere.
        ("google", "https://google.comA", "a1"),
        ("googleh", "ttps://google.com", "Aa1"),
    ];
    for (number, (provider, issuer, subject)) in distinct.into_iter().enumerate() {
        let mut new = identity(&format!("{number}"), provider, subject);
        issuer.clone_into(&mut new.identity.issuer);
        assert_eq!(find(&store, &new).await, None, "{number}");
        // All have the same address, which says nothing of who they are.
        link_all(&store, &[&new]).await;
        assert_eq!(find(&store, &new).await, Some(new));
    }
}

pub(super) async fn a_list_begins_with_the_first_linked(store: Store) {
    let linked = [2, 0, 1].map(|second| LinkedIdentity {
        linked_at: NOW.plus(SECOND * second),
        ..identity("a", "google", &format!("{}", 9 - second))
    });
    for new in &linked {
        link_all(&store, &[new]).await;
    }
    let [third, first, second] = linked;
    assert_eq!(list(&store, "a").await, [first, second, third]);
}

// SE22
pub(super) async fn linking_needs_the_version_of_the_proof(store: Store) {
    let new = identity("a", "google", "1");
    let version = claim(&*store, &new.account, NOW).await;
    let link = async |under| store.link(&new, Removed::IsLifted, under).await.unwrap();
    for other in [AccountVersion::default(), version.next()] {
        assert_eq!(link(other).await, Linked::AccountChanged);
    }
    store.disable(&new.account, NOW).await.unwrap();
    assert_eq!(link(version.next()).await, Linked::AccountChanged);
    assert_eq!(find(&store, &new).await, None);
    store.enable(&new.account, NOW).await.unwrap();
    assert_eq!(link(version.next()).await, Linked::Done);
}

pub(super) async fn linking_again_changes_nothing(store: Store) {
    let first = identity("a", "google", "1");
    link_all(&store, &[&first]).await;
    let again = LinkedIdentity {
        email: Some(email("bob@example.com")),
        linked_at: NOW.plus(SECOND),
        ..first.clone()
    };
    for removed in [Removed::Stays, Removed::IsLifted] {
        assert_eq!(link(&store, &again, removed).await, Linked::Already);
    }
    assert_eq!(find(&store, &first).await.as_ref(), Some(&first));
    assert_eq!(list(&store, "a").await, [first]);
}

// OA17
pub(super) async fn what_is_linked_stays_with_its_account(store: Store) {
    let owners = identity("a", "google", "1");
    link_all(&store, &[&owners]).await;
    for is_disabled in [false, true] {
        if is_disabled {
            store.disable(&owners.account, NOW).await.unwrap();
        }
        for removed in [Removed::Stays, Removed::IsLifted] {
            let theirs = identity("b", "google", "1");
            assert_eq!(link(&store, &theirs, removed).await, Linked::OfAnother);
        }
    }
    assert_eq!(find(&store, &owners).await, Some(owners));
    assert_eq!(list(&store, "b").await, []);
}

// OA25
pub(super) async fn of_many_accounts_at_once_one_gets_an_identity(store: Store) {
    for round in 0..ROUNDS {
        let subject = format!("{round}");
        let linked = race(64, |task| {
            let (store, new) = (
                store.clone(),
                identity(&format!("{task}"), "google", &subject),
            );
            async move { (link(&store, &new, Removed::Stays).await, new) }
        })
        .await;
        let (done, others): (Vec<_>, Vec<_>) =
            (linked.into_iter()).partition(|(linked, _)| *linked == Linked::Done);
        let [(_, winner)] = done.as_slice() else {
            panic!("{} were linked", done.len());
        };
        assert_eq!(find(&store, winner).await.as_ref(), Some(winner));
        for (linked, loser) in others {
            assert_eq!(linked, Linked::OfAnother);
            let theirs = list(&store, loser.account.as_str()).await;
            assert!(theirs.iter().all(|one| one.identity != winner.identity));
        }
    }
}

// OA25
pub(super) async fn many_links_at_once_by_one_account_are_one(store: Store) {
    for round in 0..ROUNDS {
        let name = format!("{round}");
        let linked = race(64, |_| {
            let (store, new) = (store.clone(), identity(&name, "google", &name));
            async move { link(&store, &new, Removed::Stays).await }
        })
        .await;
        let done = linked.iter().filter(|one| **one == Linked::Done);
        assert_eq!(done.count(), 1);
        let already = linked.iter().filter(|one| **one == Linked::Already);
        assert_eq!(already.count(), 63);
        assert_eq!(list(&store, &name).await.len(), 1);
    }
}
