//! What both bells promise, on both.

use crate::ground::{BOUND, Ground, Ringing, delivery, heard, hint, note, noted, resubscribed, taken};
use bus::{Delivery, Options};
use futures::{StreamExt, future::join_all, stream};
use std::collections::BTreeSet;
use testkit::{broker::unique_prefix, wait};

macro_rules! on_both_bells {
    ($($promise:ident),+ $(,)?) => {
        mod amqp {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(super::Ground::amqp().await).await;
            })+
        }
        mod notify {
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(super::Ground::notify().await).await;
            })+
        }
    };
}

on_both_bells! {
    a_hint_reaches_one_taker,
    a_doubled_hint_is_delivered_twice,
    a_hint_carries_job_and_trace,
    a_note_reaches_every_subscriber,
    hints_of_another_queue_are_not_heard,
    two_prefixes_do_not_disturb_each_other,
    many_rings_at_once_are_all_heard,
    a_reader_that_leaves_takes_nothing_along,
    streams_end_when_the_bell_stops,
    a_hint_with_nobody_there_is_no_error,
}

async fn a_hint_reaches_one_taker(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let (one, two) = (ringing.hints("q", 5).await, ringing.hints("q", 5).await);
    let mut both = stream::select(one, two);
    let mut rung = BTreeSet::new();
    for _ in 0..6 {
        let hint = hint("q");
        rung.insert(hint.job);
        ringing.bell.ring(&hint).await.expect("rung");
    }
    let mut heard = Vec::new();
    for _ in 0..6 {
        let next = wait::within("a hint", BOUND, both.next()).await;
        let Some(Delivery::Hint(hint)) = next else { panic!("a hint was expected, not {next:?}") };
        heard.push(hint.body.job);
        hint.ack().await.expect("acknowledged");
    }
    assert_eq!(heard.iter().copied().collect::<BTreeSet<_>>(), rung, "each hint once");
    // Had any of them gone to both, the second copy would come before this one.
    let last = hint("q");
    ringing.bell.ring(&last).await.expect("rung");
    let next = wait::within("the last hint", BOUND, both.next()).await;
    assert!(matches!(&next, Some(Delivery::Hint(hint)) if hint.body == last), "{next:?}");
}

async fn a_doubled_hint_is_delivered_twice(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("q", 5).await;
    let hint = hint("q");
    ringing.bell.ring(&hint).await.expect("rung");
    ringing.bell.ring(&hint).await.expect("rung again");
    assert_eq!(taken(&mut hints).await, hint);
    assert_eq!(taken(&mut hints).await, hint);
}

async fn a_hint_carries_job_and_trace(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("q", 1).await;
    let traced = hint("q");
    let mut untraced = hint("q");
    untraced.trace = domain::trace::TraceContext::default();
    ringing.bell.ring(&traced).await.expect("rung");
    ringing.bell.ring(&untraced).await.expect("rung");
    assert_eq!(taken(&mut hints).await, traced);
    assert_eq!(taken(&mut hints).await, untraced);
}

async fn a_note_reaches_every_subscriber(ground: Ground) {
    // Two processes' worth of bells, and two subscribers in the second.
    let (one, two) = (Ringing::open(&ground.options).await, Ringing::open(&ground.options).await);
    let mut readers = vec![one.notes().await, two.notes().await, two.notes().await];
    let said: Vec<_> = (1..=3).map(note).collect();
    for note in &said {
        one.bell.announce(note).await.expect("announced");
    }
    for reader in &mut readers {
        for note in &said {
            assert_eq!(&noted(reader).await, note, "every note, in order");
        }
    }
}

async fn hints_of_another_queue_are_not_heard(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("mine", 5).await;
    ringing.bell.ring(&hint("other")).await.expect("rung");
    let mine = hint("mine");
    ringing.bell.ring(&mine).await.expect("rung");
    assert_eq!(taken(&mut hints).await, mine);
}

async fn two_prefixes_do_not_disturb_each_other(ground: Ground) {
    let elsewhere = match ground.options.clone() {
        Options::Amqp { url, .. } => Options::Amqp { url, prefix: unique_prefix() },
        Options::Notify { url, .. } => Options::Notify { url, prefix: unique_prefix() },
    };
    let (here, there) = (Ringing::open(&ground.options).await, Ringing::open(&elsewhere).await);
    let (mut hints, mut notes) = (there.hints("q", 5).await, there.notes().await);
    here.bell.ring(&hint("q")).await.expect("rung");
    here.bell.announce(&note(1)).await.expect("announced");
    let (own_hint, own_note) = (hint("q"), note(2));
    there.bell.ring(&own_hint).await.expect("rung");
    there.bell.announce(&own_note).await.expect("announced");
    assert_eq!(taken(&mut hints).await, own_hint);
    assert_eq!(noted(&mut notes).await, own_note);
}

async fn many_rings_at_once_are_all_heard(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let mut hints = ringing.hints("q", 50).await;
    let rung: Vec<_> = (0..200).map(|_| hint("q")).collect();
    let rings = join_all(rung.iter().map(|hint| ringing.bell.ring(hint))).await;
    assert!(rings.iter().all(Result::is_ok), "{rings:?}");
    let mut heard = BTreeSet::new();
    while heard.len() < rung.len() {
        heard.insert(taken(&mut hints).await.job);
    }
    assert_eq!(heard, rung.iter().map(|hint| hint.job).collect());
}

async fn a_reader_that_leaves_takes_nothing_along(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let leaving = ringing.hints("q", 5).await;
    drop(leaving);
    let mut staying = ringing.hints("q", 5).await;
    let hint = hint("q");
    ringing.bell.ring(&hint).await.expect("rung");
    assert_eq!(heard(&mut staying).await.body, hint);
}

async fn streams_end_when_the_bell_stops(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    let (mut hints, mut notes) = (ringing.hints("q", 5).await, ringing.notes().await);
    ringing.stop.cancel();
    assert!(wait::within("the hints' end", BOUND, hints.next()).await.is_none());
    assert!(wait::within("the notes' end", BOUND, notes.next()).await.is_none());
    wait::until_true("the bell to be silent", BOUND, || async { !ringing.bell.healthy() }).await;
    assert!(ringing.bell.ring(&hint("q")).await.is_err());
    let mut late = ringing.bell.hints("q", 5);
    assert!(wait::within("a late stream's end", BOUND, late.next()).await.is_none());
}

async fn a_hint_with_nobody_there_is_no_error(ground: Ground) {
    let ringing = Ringing::open(&ground.options).await;
    ringing.bell.ring(&hint("q")).await.expect("rung");
    ringing.bell.announce(&note(1)).await.expect("announced");
    // Whoever comes later is told to look first.
    let mut hints = ringing.bell.hints("q", 5);
    resubscribed(&mut hints).await;
    let own = hint("q");
    ringing.bell.ring(&own).await.expect("rung");
    // A broker has kept the first hint, NOTIFY has not: either is fine, as the record is elsewhere.
    while let Delivery::Hint(hint) = delivery(&mut hints).await {
        let body = hint.body.clone();
        hint.ack().await.expect("acknowledged");
        if body == own {
            return;
        }
    }
    panic!("the second hint was not heard");
}
