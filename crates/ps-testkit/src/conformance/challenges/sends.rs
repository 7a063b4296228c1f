//! How many mails an address gets, and what a resend is.

use super::*;

fn spent(rule: LimitRule, retry_after: Duration) -> Placed {
    Placed::Spent { rule, retry_after }
}

// MC10
pub(super) async fn of_many_placed_at_once_as_many_as_the_budget_are_mailed(store: Store) {
    let placed = race(1_000, |number| {
        let store = store.clone();
        async move {
            let purpose = [Purpose::Register, Purpose::SignIn][number % 2];
            let new = NewChallenge {
                purpose,
                ..new("a", NOW)
            };
            store
                .place(&new, &EXPOSURE, &strangers(SENDS), NOW)
                .await
                .unwrap()
        }
    })
    .await;
    let sent = placed.iter().filter(|one| matches!(one, Placed::Send(_)));
    assert_eq!(sent.count(), 5);
    let refused = placed
        .iter()
        .filter(|one| **one == spent(SENDS.hourly, HOUR));
    assert_eq!(refused.count(), 995);
    place(&store, "b", NOW).await;
}

// MC10
pub(super) async fn the_send_budget_slides(store: Store) {
    for minute in 0..5 {
        place(&store, "a", NOW.plus(MINUTE * minute)).await;
    }
    let now = NOW.plus(MINUTE * 30);
    assert_eq!(refused(&store, "a", now).await, MINUTE * 30);
    assert_eq!(
        refused(&store, "a", just_before(NOW.plus(HOUR))).await,
        MILLISECOND
    );
    for minute in 0..5 {
        place(&store, "a", NOW.plus(HOUR).plus(MINUTE * minute)).await;
    }
    assert_eq!(
        refused(&store, "a", NOW.plus(HOUR * 12)).await,
        HOUR * 12,
        "ten a day"
    );
    place(&store, "a", NOW.plus(DAY)).await;
    assert_eq!(refused(&store, "a", NOW.plus(DAY)).await, MINUTE);
}

// MC16
pub(super) async fn a_resend_changes_nothing_but_the_time_of_the_mail(store: Store) {
    let first = place(&store, "a", NOW).await;
    claim(&store, &first, NOW).await.unwrap();
    let now = NOW.plus(MINUTE);
    let expected = Challenge {
        attempts_left: 4,
        mailed_at: now,
        ..first.clone()
    };
    assert_eq!(
        resend(&store, &first, now).await,
        Some(Placed::Send(expected.clone()))
    );
    let then = claim(&store, &first, now).await.unwrap();
    assert_eq!(
        then,
        Challenge {
            attempts_left: 3,
            ..expected
        }
    );
    assert_eq!(
        claim(&store, &first, first.expires_at).await,
        None,
        "it extends nothing"
    );
}

// MC10
pub(super) async fn a_resend_waits_and_is_counted(store: Store) {
    let first = place(&store, "a", NOW).await;
    let early = NOW.plus(SECOND * 20);
    let not_yet = Placed::NotYet {
        challenge: first.clone(),
        resend_in: SECOND * 40,
    };
    assert_eq!(resend(&store, &first, early).await, Some(not_yet));
    for minute in 1..5 {
        let resent = race(64, |_| {
            let (store, first) = (store.clone(), first.clone());
            async move { resend(&store, &first, NOW.plus(MINUTE * minute)).await }
        })
        .await;
        let sent = resent.iter().flatten();
        let sent = sent.filter(|one| matches!(one, Placed::Send(_)));
        assert_eq!(sent.count(), 1);
    }
    let spent = spent(SENDS.hourly, MINUTE * 55);
    assert_eq!(
        resend(&store, &first, NOW.plus(MINUTE * 5)).await,
        Some(spent)
    );
    assert_eq!(
        refused(&store, "a", NOW.plus(MINUTE * 5)).await,
        MINUTE * 55
    );
}

pub(super) async fn only_what_can_still_be_guessed_is_resent(store: Store) {
    let challenge = place(&store, "a", NOW).await;
    let now = NOW.plus(MINUTE);
    let others = [
        Challenge {
            id: ChallengeId::random(&SystemRandom),
            ..challenge.clone()
        },
        Challenge {
            email: email("b@example.com"),
            ..challenge.clone()
        },
        Challenge {
            purpose: Purpose::Register,
            ..challenge.clone()
        },
    ];
    for other in &others {
        assert_eq!(resend(&store, other, now).await, None, "{other:?}");
    }
    let last = challenge.expires_at.minus(MINUTE * 2);
    assert_eq!(
        resend(&store, &challenge, last.plus(MILLISECOND)).await,
        None
    );
    assert!(resend(&store, &challenge, last).await.is_some());

    let guessed = place(&store, "a", NOW).await;
    for _ in 0..5 {
        claim(&store, &guessed, NOW).await.unwrap();
    }
    assert_eq!(
        resend(&store, &guessed, now).await,
        None,
        "no attempts left"
    );
    let used = place(&store, "a", NOW).await;
    assert!(store.consume(&used.id, NOW).await.unwrap());
    assert_eq!(resend(&store, &used, now).await, None, "used");

    let patient = ResendRule {
        life_left: Duration::ZERO,
        ..RESEND
    };
    let dead = place(&store, "c", NOW).await;
    let (id, end) = (&dead.id, dead.expires_at);
    let resent = store
        .resend(
            id,
            &dead.email,
            dead.purpose,
            &patient,
            &strangers(SENDS),
            end,
        )
        .await;
    assert_eq!(resent.unwrap(), None, "dead at its end");
}

// MC10
pub(super) async fn a_used_code_gives_its_mails_back(store: Store) {
    let first = place(&store, "a", NOW).await;
    assert!(resend(&store, &first, NOW.plus(MINUTE)).await.is_some());
    let others = [
        place(&store, "a", NOW.plus(MINUTE)).await,
        place(&store, "a", NOW.plus(MINUTE * 2)).await,
    ];
    place(&store, "a", NOW.plus(MINUTE * 3)).await;
    let now = NOW.plus(MINUTE * 4);
    refused(&store, "a", now).await;
    claim(&store, &first, now).await.unwrap();
    assert!(store.consume(&first.id, now).await.unwrap());
    place(&store, "a", now).await;
    place(&store, "a", now).await;
    // What is left is the others', each at its own time.
    assert_eq!(refused(&store, "a", now).await, MINUTE * 57);
    assert!(store.consume(&others[0].id, now).await.unwrap());
    place(&store, "a", now).await;
    assert_eq!(refused(&store, "a", now).await, MINUTE * 58);
}

// MC10
pub(super) async fn each_network_has_a_lane_and_all_share_the_address(store: Store) {
    let place = async |lane, now| {
        let placed = place_within(&store, "a", &SENDS.in_lane(lane), now).await;
        matches!(placed, Placed::Send(_))
    };
    for lane in 1..=6 {
        for _ in 0..5 {
            assert!(place(network(lane), NOW).await, "{lane}");
        }
        let next = NOW.plus(SECOND);
        assert!(!place(network(lane), next).await, "{lane}: five an hour");
    }
    let refused = match place_within(&store, "a", &SENDS.in_lane(network(7)), NOW).await {
        Placed::Spent { rule, retry_after } => (rule, retry_after),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused, (SENDS.address, DAY), "thirty a day");
    assert!(place(network(7), NOW.plus(DAY)).await);
}

// MC10, MC12
pub(super) async fn known_browsers_have_a_lane_that_strangers_cannot_use_up(store: Store) {
    for lane in 1..=30 {
        let sends = SENDS.in_lane(network(lane));
        let placed = place_within(&store, "a", &sends, NOW).await;
        assert!(matches!(placed, Placed::Send(_)));
    }
    refused(&store, "a", NOW).await;
    // It is as wide as any, and no wider.
    let sends = SENDS.in_lane(Lane::Known);
    let mut first = None;
    for number in 0..5 {
        let now = NOW.plus(MINUTE * number);
        let placed = place_within(&store, "a", &sends, now).await;
        let Placed::Send(challenge) = placed else {
            panic!("{placed:?}");
        };
        first.get_or_insert((challenge, now));
    }
    let placed = place_within(&store, "a", &sends, NOW.plus(MINUTE * 5)).await;
    assert_eq!(placed, spent(SENDS.hourly, MINUTE * 55));
    // What is used is given back to the lane that it came from, whoever would have it sent again.
    let (challenge, _) = first.unwrap();
    let now = NOW.plus(MINUTE * 6);
    let Challenge {
        id, email, purpose, ..
    } = &challenge;
    for lane in [Lane::Known, network(1)] {
        let sends = SENDS.in_lane(lane);
        let resent = store
            .resend(id, email, *purpose, &RESEND, &sends, now)
            .await;
        let resent = resent.unwrap().unwrap();
        assert!(!matches!(resent, Placed::Send(_)), "{lane}");
    }
    assert!(store.consume(id, now).await.unwrap());
    let placed = place_within(&store, "a", &sends, now).await;
    assert!(matches!(placed, Placed::Send(_)), "one was given back");
    let placed = place_within(&store, "a", &sends, now).await;
    assert!(matches!(placed, Placed::Spent { .. }), "and one only");
    refused(&store, "a", now).await;
}

// MC10
pub(super) async fn of_many_placed_at_once_in_many_lanes_as_many_as_the_address_gets_are_mailed(
    store: Store,
) {
    let placed = race(1_000, |number| {
        let store = store.clone();
        let sends = SENDS.in_lane(network((number % 10) as u8));
        async move { place_within(&store, "a", &sends, NOW).await }
    })
    .await;
    let sent = placed.iter().filter(|one| matches!(one, Placed::Send(_)));
    assert_eq!(sent.count(), 30);
}
