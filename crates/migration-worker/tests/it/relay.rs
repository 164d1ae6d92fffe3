//! The relay, and what the bell brings that is no hint.

use crate::world::{BOUND, Bell, Running, World, small_site};
use bus::NoteDelivery;
use futures::StreamExt;
use std::time::Duration;
use testkit::wait;
use tokio_util::sync::CancellationToken;

const UNPUBLISHED: &str = "SELECT count(*) FROM outbox WHERE published_at IS NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_nothing_is_marked_and_with_one_nothing_is_lost() {
    let (world, site) = (World::new().await, small_site().await);
    let mut away = world.config(Bell::Away, site.addr());
    away.relay.hold = Duration::from_secs(1);
    let first = Running::start(away).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    first.stop().await;
    let published = world.count("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL").await;
    assert_eq!(published, 0);
    let waiting = world.count(UNPUBLISHED).await;
    assert!(waiting >= 12, "a job and its events: {waiting}");

    let silence = CancellationToken::new();
    let listener = bus::open(&world.bus(Bell::Amqp), silence.clone()).expect("a bell");
    let mut notes = listener.notes();
    let first = wait::within("the subscription", BOUND, notes.next()).await;
    assert_eq!(first, Some(NoteDelivery::Resubscribed));
    let second = Running::start(world.config(Bell::Amqp, site.addr())).await;
    wait::until_true("everything to be published", BOUND, || async { world.count(UNPUBLISHED).await == 0 })
        .await;
    let last = world.events(migration).await.last().expect("a history").seq;
    let mut heard = 0;
    while heard < last {
        match wait::within("the last note", BOUND, notes.next()).await.expect("the bell rings on") {
            NoteDelivery::Note(note) => {
                assert_eq!(note.migration, migration);
                heard = heard.max(note.seq);
            }
            NoteDelivery::Resubscribed => {}
        }
    }
    second.stop().await;
    silence.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_publish_each_row_and_mark_it_once() {
    let (world, site) = (World::new().await, small_site().await);
    let one = Running::start(world.config(Bell::Amqp, site.addr())).await;
    let two = Running::start(world.config(Bell::Amqp, site.addr())).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    wait::until_true("everything to be published", BOUND, || async { world.count(UNPUBLISHED).await == 0 })
        .await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_that_cannot_be_read_is_kept_and_work_goes_on() {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(Bell::Notify, site.addr())).await;
    let (first, _) = world.start(&site).await;
    world.reaches(first, "completed").await;
    let channel = format!("{}.jobs", world.prefix());
    let sql = world.db.sql().await;
    // The worker listens by now, or will hear of the next one.
    wait::until_true("the hint to be put aside", BOUND, || async {
        sql.execute("SELECT pg_notify($1, 'no hint at all')", &[&channel]).await.expect("the owner may");
        world.count("SELECT count(*) FROM poison WHERE convert_from(body, 'UTF8') = 'no hint at all'").await
            > 0
    })
    .await;
    let (second, _) = world.start(&site).await;
    world.reaches(second, "completed").await;
    running.stop().await;
}
