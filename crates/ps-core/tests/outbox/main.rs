//! What becomes of a mail, whatever becomes of the mail server.
#![allow(clippy::unwrap_used, missing_docs)]

mod post;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures_util::FutureExt;
use ps_core::{
    Outcome::{MailDelayed, MailDropped, MailFailed, MailSent, MailUnknown},
    Unwritten,
};

use post::{
    Act::{Busy, Cut, Hang, Later, Panic, Refuse, Take},
    Post, idle,
};

// MC17, F8
#[tokio::test]
async fn what_was_certainly_not_sent_is_tried_again_with_growing_pauses_and_sent_once() {
    let mut post = Post::with_room(10);
    post.put("code", 480, &[Later; 8]);
    post.run().await;
    post.advance(600).await;
    let tries: Vec<u64> = post.tries().into_iter().map(|(at, _)| at).collect();
    assert_eq!(tries, [0, 2, 6, 14, 30, 62, 126, 190, 254]);
    let mut told = [MailDelayed; 9];
    told[8] = MailSent;
    assert_eq!(post.told(), told);
    assert_eq!(post.outbox.unsettled(), 0);
}

// MC17, F8
#[tokio::test]
async fn nothing_is_tried_again_but_what_may_be() {
    let table: [(_, _, &[_]); 7] = [
        (&[Take][..], 1, &[MailSent]),
        (&[Refuse], 1, &[MailFailed]),
        (&[Cut], 1, &[MailUnknown]),
        (&[Panic], 1, &[MailUnknown]),
        (&[Later, Refuse], 2, &[MailDelayed, MailFailed]),
        (&[Later, Cut], 2, &[MailDelayed, MailUnknown]),
        (&[Hang], 1, &[MailUnknown]),
    ];
    for (acts, tries, told) in table {
        let mut post = Post::with_room(10);
        post.put("code", 480, acts);
        post.run().await;
        post.advance(900).await;
        assert_eq!(post.tries().len(), tries, "{acts:?}");
        assert_eq!(post.told(), told, "{acts:?}");
        assert_eq!(post.outbox.unsettled(), 0, "{acts:?}");
        post.stop().await;
    }
}

#[tokio::test]
async fn a_mail_is_tried_again_only_while_it_is_of_use() {
    let mut post = Post::with_room(10);
    post.put("code", 14, &[Later; 9]);
    post.run().await;
    post.advance(600).await;
    let tries: Vec<u64> = post.tries().into_iter().map(|(at, _)| at).collect();
    assert_eq!(tries, [0, 2, 6]);
    assert_eq!(post.told(), [MailDelayed, MailDelayed, MailFailed]);
}

#[tokio::test]
async fn a_second_try_whose_turn_comes_too_late_is_not_made_and_a_first_one_is() {
    let mut post = Post::with_room(20);
    post.put("again", 20, &[Later]);
    post.run().await;
    for _ in 0..8 {
        post.put("hung", 480, &[Hang; 8]);
    }
    post.put("first", 20, &[]);
    idle().await;
    post.advance(29).await;
    post.tries();
    post.told();
    post.advance(1).await; // the eight are given up
    assert_eq!(post.names(), ["first"]);
    let mut told = post.told();
    told.retain(|outcome| *outcome != MailUnknown);
    assert_eq!(told, [MailSent, MailFailed]);
}

#[tokio::test]
async fn mails_that_wait_for_another_try_hold_nobody_up() {
    let mut post = Post::with_room(8);
    for number in 0..8 {
        assert!(post.put(&format!("delayed {number}"), 480, &[Later; 9]));
    }
    post.run().await;
    assert_eq!(post.told(), [MailDelayed; 8]);
    for number in 0..8 {
        assert!(post.put(&format!("fresh {number}"), 480, &[]));
    }
    idle().await;
    assert_eq!(post.told(), [MailSent; 8]);
    assert_eq!(post.outbox.unsettled(), 8);
}

#[tokio::test]
async fn whoever_has_just_asked_goes_before_what_is_tried_again() {
    let mut post = Post::with_room(20);
    post.put("again", 480, &[Later]);
    post.run().await;
    for _ in 0..8 {
        post.put("hung", 480, &[Hang; 8]);
    }
    idle().await;
    post.advance(5).await;
    post.put("fresh", 480, &[]);
    post.tries();
    post.advance(25).await;
    assert_eq!(post.names(), ["fresh", "again"]);
}

#[tokio::test]
async fn as_many_as_are_queued_may_wait_for_another_try() {
    let mut post = Post::with_room(2);
    post.put("first", 480, &[Later]);
    post.put("second", 480, &[Later]);
    post.run().await;
    post.put("third", 480, &[Later]);
    idle().await;
    assert_eq!(post.told(), [MailDelayed, MailDelayed, MailDropped]);
    post.advance(2).await;
    assert_eq!(post.told(), [MailSent, MailSent]);
    post.put("fourth", 480, &[Later]); // there is room again
    idle().await;
    assert_eq!(post.told(), [MailDelayed]);
}

#[tokio::test]
async fn what_cannot_be_written_yet_is_written_later_and_what_is_useless_never() {
    let table = [
        (Some(Err(Unwritten::NotNow)), 0, MailDelayed, MailSent),
        (None, 30, MailDelayed, MailSent),
        (Some(Err(Unwritten::Useless)), 0, MailFailed, MailFailed),
    ];
    for (writes, ends_at, told, at_last) in table {
        let mut post = Post::with_room(10);
        post.broken("mail", writes);
        post.run().await;
        post.advance(ends_at).await;
        let mut so_far = post.told();
        assert_eq!(so_far, [told], "{writes:?}");
        assert_eq!(post.tries(), [], "{writes:?}");
        post.broken.store(false, SeqCst);
        post.advance(10).await;
        so_far.extend(post.told());
        assert_eq!(so_far.last(), Some(&at_last), "{writes:?}");
        assert_eq!(post.outbox.unsettled(), 0, "{writes:?}");
        post.stop().await;
    }
}

// OP6
#[tokio::test]
async fn a_stop_tries_once_more_at_once_and_waits_for_no_pause() {
    let mut post = Post::with_room(10);
    post.put("recovered", 480, &[Later]);
    post.put("down", 480, &[Later; 9]);
    post.put("hung", 480, &[Later, Hang]);
    post.run().await;
    post.told();
    let settling = tokio::spawn({
        let outbox = post.outbox.clone();
        async move { outbox.settle().await }
    });
    idle().await;
    assert_eq!(post.told(), [MailSent, MailFailed]);
    post.put("late", 480, &[Later]);
    idle().await;
    assert_eq!(post.told(), [MailFailed]);
    post.advance(29).await;
    assert!(!settling.is_finished(), "one is still being sent");
    post.advance(2).await;
    assert!(settling.is_finished());
    assert_eq!(post.told(), [MailUnknown]);
}

// OP6
#[tokio::test]
async fn what_is_left_at_the_end_is_told_of() {
    let mut post = Post::with_room(10);
    post.put("delayed", 480, &[Later]);
    post.put("hung", 480, &[Hang]);
    post.run().await;
    post.put("queued", 480, &[]);
    post.told();
    post.stop().await;
    post.outbox.give_up();
    assert_eq!(post.told(), [MailUnknown, MailDropped, MailDropped]);
    assert_eq!(post.outbox.unsettled(), 0);
}

#[tokio::test]
async fn whoever_sends_next_goes_on_and_sends_nothing_twice() {
    let mut post = Post::with_room(10);
    post.put("delayed", 480, &[Later]);
    post.put("handed over", 480, &[Hang]);
    post.broken("being written", None);
    post.run().await;
    assert_eq!(post.told(), [MailDelayed]);
    post.stop().await;
    assert_eq!(post.told(), [MailUnknown]);
    assert_eq!(post.outbox.unsettled(), 2);
    post.broken.store(false, SeqCst);
    post.tries();
    post.run().await;
    assert_eq!(post.names(), ["being written"]);
    post.advance(2).await;
    assert_eq!(post.names(), ["delayed"]);
}

#[tokio::test]
async fn a_mail_that_was_taken_and_not_begun_is_still_there() {
    let mut post = Post::with_room(10);
    for _ in 0..4 {
        post.put("busy", 480, &[Busy; 4]);
    }
    post.put("taken", 480, &[]);
    // These four use up what is polled in a row, so that it ends between the taking and the beginning.
    assert_eq!(post.outbox.run().now_or_never(), None);
    assert_eq!(post.names(), ["busy"; 4]);
    assert_eq!(post.told(), [MailUnknown; 4]);
    assert_eq!(post.outbox.unsettled(), 1);
    post.run().await;
    assert_eq!(post.names(), ["taken"]);
    assert_eq!(post.outbox.unsettled(), 0);
}

#[tokio::test]
async fn one_that_waits_longer_does_not_hold_up_one_that_is_due() {
    let mut post = Post::with_room(10);
    post.put("old", 480, &[Later; 5]);
    post.run().await;
    post.advance(15).await; // the next try of it is at 30
    post.put("new", 480, &[Later]);
    idle().await;
    post.tries();
    post.advance(2).await;
    assert_eq!(post.names(), ["new"]);
    post.test.clock.advance(Duration::from_secs(13));
    idle().await;
    assert_eq!(post.names(), ["old"]);
}
