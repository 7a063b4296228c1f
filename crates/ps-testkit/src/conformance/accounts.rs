//! What a store of accounts promises, apart from what happens to the rows of the flows: [`Accounts`].

use std::sync::Arc;

use ps_core::{AccountVersion, Accounts, Raised, Standing};

use super::common::{NOW, ROUNDS, SECOND, account, claim, proof, race};

/// What this suite tests.
pub trait Ports: Accounts {}
impl<T: Accounts> Ports for T {}
type Store = Arc<dyn Ports>;

suite! {
    $ accounts __accounts {
        self {
            an_account_nobody_touched_stands_at_the_default
            a_claim_proves_and_raises
            a_claim_under_another_version_does_nothing
            a_claim_of_a_disabled_account_does_nothing
            of_many_claims_at_once_one_is_done
            the_first_proof_is_the_one_remembered
            disabling_raises_and_enabling_does_not
            disabling_at_once_is_done_once
        }
    }
}

async fn an_account_nobody_touched_stands_at_the_default(accounts: Store) {
    let standing = accounts.standing(&account("a")).await.unwrap();
    assert_eq!(standing, Standing::default());
    assert!(!standing.is_good());
    assert!(!accounts.enable(&account("a"), NOW).await.unwrap());
    assert_eq!(
        accounts.standing(&account("a")).await.unwrap(),
        Standing::default()
    );
}

async fn a_claim_proves_and_raises(accounts: Store) {
    let version = claim(&*accounts, &account("a"), NOW).await;
    assert_eq!(version, AccountVersion::default().next());
    let standing = accounts.standing(&account("a")).await.unwrap();
    let expected = Standing {
        version,
        proven_at: Some(NOW),
        disabled_at: None,
    };
    assert_eq!(standing, expected);
    assert_eq!(
        accounts.standing(&account("b")).await.unwrap(),
        Standing::default()
    );
}

async fn a_claim_under_another_version_does_nothing(accounts: Store) {
    let id = account("a");
    claim(&*accounts, &id, NOW).await;
    let before = accounts.standing(&id).await.unwrap();
    for other in [AccountVersion::default(), before.version.next()] {
        let raised = accounts
            .claim(&id, &proof("a@example.com"), other, NOW)
            .await;
        assert_eq!(raised.unwrap(), Raised::Changed);
    }
    assert_eq!(accounts.standing(&id).await.unwrap(), before);
}

async fn a_claim_of_a_disabled_account_does_nothing(accounts: Store) {
    let id = account("a");
    assert!(accounts.disable(&id, NOW).await.unwrap());
    let before = accounts.standing(&id).await.unwrap();
    let raised = accounts
        .claim(&id, &proof("a@example.com"), before.version, NOW)
        .await;
    assert_eq!(raised.unwrap(), Raised::Changed);
    assert_eq!(accounts.standing(&id).await.unwrap(), before);
}

async fn of_many_claims_at_once_one_is_done(accounts: Store) {
    for round in 0..ROUNDS {
        let id = account(&format!("{round}"));
        let raised = race(64, |_| {
            let (accounts, id) = (accounts.clone(), id.clone());
            async move {
                let (proof, under) = (proof("a@example.com"), AccountVersion::default());
                accounts.claim(&id, &proof, under, NOW).await.unwrap()
            }
        })
        .await;
        let done = raised.iter().filter(|one| matches!(one, Raised::To(_)));
        assert_eq!(done.count(), 1);
    }
}

async fn the_first_proof_is_the_one_remembered(accounts: Store) {
    let id = account("a");
    claim(&*accounts, &id, NOW).await;
    claim(&*accounts, &id, NOW.plus(SECOND)).await;
    assert_eq!(accounts.standing(&id).await.unwrap().proven_at, Some(NOW));
}

async fn disabling_raises_and_enabling_does_not(accounts: Store) {
    let id = account("a");
    let proven = claim(&*accounts, &id, NOW).await;
    assert!(accounts.disable(&id, NOW.plus(SECOND)).await.unwrap());
    let disabled = accounts.standing(&id).await.unwrap();
    assert_eq!(disabled.version, proven.next());
    assert_eq!(disabled.disabled_at, Some(NOW.plus(SECOND)));
    assert!(!disabled.is_good());

    assert!(!accounts.disable(&id, NOW.plus(SECOND * 2)).await.unwrap());
    assert_eq!(accounts.standing(&id).await.unwrap(), disabled);

    assert!(accounts.enable(&id, NOW.plus(SECOND * 3)).await.unwrap());
    let enabled = accounts.standing(&id).await.unwrap();
    assert_eq!(
        enabled,
        Standing {
            disabled_at: None,
            ..disabled
        }
    );
    assert!(enabled.is_good());
    assert!(!accounts.enable(&id, NOW.plus(SECOND * 4)).await.unwrap());
}

async fn disabling_at_once_is_done_once(accounts: Store) {
    for round in 0..ROUNDS {
        let id = account(&format!("{round}"));
        let done = race(64, |_| {
            let (accounts, id) = (accounts.clone(), id.clone());
            async move { accounts.disable(&id, NOW).await.unwrap() }
        })
        .await;
        assert_eq!(done.into_iter().filter(|done| *done).count(), 1);
        let version = accounts.standing(&id).await.unwrap().version;
        assert_eq!(version, AccountVersion::default().next());
    }
}
