//! From a code to a session.

use super::*;

// MC3, SE19
pub(super) async fn of_many_right_codes_at_once_one_opens_a_session(store: Store) {
    for round in 0..10 {
        let (name, new) = (format!("{round}"), new_challenge(&format!("a{round}")));
        let many = LimitRule {
            limit: 100,
            per: MINUTE,
        };
        let exposure = Exposure {
            address: many,
            everywhere: many,
        };
        let sends = SendBudget {
            hourly: many,
            daily: many,
            address: many,
        };
        let sends = sends.in_lane(network(1));
        store.place(&new, &exposure, &sends, NOW).await.unwrap();
        race(64, |_| {
            let (store, name, new) = (Arc::clone(&store), name.clone(), new.clone());
            async move {
                let (id, email) = (&new.id, Some(&new.email));
                let under = store.standing(&account(&name)).await.unwrap().version;
                let claimed = store.claim_attempt(id, email, new.purpose, NOW).await;
                // Meanwhile the code is compared.
                tokio::task::yield_now().await;
                if claimed.unwrap().is_none() || !store.consume(id, NOW).await.unwrap() {
                    return;
                }
                let proof = proof(new.email.as_str());
                let raised = store.claim(&account(&name), &proof, under, NOW).await;
                let Raised::To(version) = raised.unwrap() else {
                    panic!("nobody else proved anything");
                };
                let session = session_under(&name, version);
                let opened = store.open(&session, None, 20, NOW).await.unwrap();
                assert_eq!(opened, Opened::Done { ended: Vec::new() });
            }
        })
        .await;
        let sessions = SessionStore::list(&*store, &account(&name), NOW).await;
        assert_eq!(sessions.unwrap().len(), 1);
    }
}

fn new_challenge(name: &str) -> NewChallenge {
    NewChallenge {
        id: ChallengeId::random(&SystemRandom),
        purpose: Purpose::Register,
        email: email(&format!("{name}@example.com")),
        key_version: KeyVersion::new(7),
        attempts: 5,
        expires_at: NOW.plus(MINUTE * 10),
    }
}
