//! Bounds: streams, silence, listeners that do not read.

use crate::{
    client::{Stream, get, path},
    world::{BOUND, World},
};
use domain::{MigrationId, event::EventType};
use realtime_broadcaster::Options;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_limited_per_tenant_and_per_process_and_places_are_given_back() {
    let world = World::new(Options { max_streams: 3, max_streams_per_tenant: 2, ..quickly_noticed() }).await;
    let migration = world.migration(&world.me).await;
    let other = world.other().await;
    let theirs = world.migration(&other).await;
    let _first = world.listen(migration, None).await;
    let second = world.listen(migration, None).await;
    refused(&world, &world.me.key, &path(migration), 429, "too_many_streams").await;

    let mut third = Stream::open(world.address, &other.key, theirs, None).await;
    third.hello().await;
    refused(&world, &other.key, &path(theirs), 503, "unavailable").await;

    drop(second);
    once_there_is_room(&world, migration, None).await;
}

/// A listener that left is noticed at the next heartbeat.
fn quickly_noticed() -> Options {
    Options { heartbeat: Duration::from_millis(50), ..Options::default() }
}

async fn once_there_is_room(world: &World, migration: MigrationId, cursor: Option<&str>) -> Stream {
    testkit::wait::until("a place to be given back", BOUND, async || {
        let response = get(world.address, Some(&world.me.key), &path(migration), cursor).await;
        (response.status() == 200).then(|| Stream::of(response, cursor))
    })
    .await
}

async fn refused(world: &World, key: &str, path: &str, status: u16, code: &str) {
    let response = get(world.address, Some(key), path, None).await;
    assert_eq!(response.status(), status);
    let seconds: u64 = response.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=10).contains(&seconds));
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["type"], format!("/problems/{code}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_beats() {
    let world = World::new(Options { heartbeat: Duration::from_millis(30), ..Options::default() }).await;
    let migration = world.migration(&world.me).await;
    let mut stream = world.listen(migration, None).await;
    assert_eq!(stream.hello().await["heartbeatMs"], 30);
    assert_eq!(stream.numbers(1).await, [1]);
    for _ in 0..3 {
        let beat = stream.next().await.expect("a comment");
        assert!(beat.event.is_empty() && beat.data.is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_does_not_read_delays_nobody_and_resumes_without_loss() {
    // Patience that a busy machine does not try; a limit, so that the slow one's end can be seen from outside.
    let patience = Duration::from_secs(3);
    let options = Options {
        patience,
        buffer: 8,
        ahead: 128 * 1024,
        page: 8,
        max_streams_per_tenant: 2,
        ..quickly_noticed()
    };
    let world = World::new(options).await;
    world.bell_is_up().await;
    let migration = world.migration(&world.me).await;
    let mut slow = world.listen(migration, None).await;
    assert_eq!(slow.numbers(1).await, [1]);
    let mut quick = world.listen(migration, None).await;
    assert_eq!(quick.numbers(1).await, [1]);
    // More than the sockets on both sides hold.
    let line = "x".repeat(64 * 1024);
    for expected in 2..=400 {
        let seq = world.write(migration, EventType::Log, json!({ "notes": line })).await;
        world.announce(migration, seq).await;
        assert_eq!(quick.numbers(1).await, [expected], "the quick one is served all the time");
    }
    drop(once_there_is_room(&world, migration, None).await);
    // What was under way arrives, then the connection is closed, long before the end.
    let mut at = 1;
    while let Some(event) = slow.event().await {
        assert_eq!(event.seq, at + 1);
        at = event.seq;
    }
    assert!(at < 400, "the slow one was cut off");
    let mut again = once_there_is_room(&world, migration, Some(&slow.cursor)).await;
    assert_eq!(again.numbers(2).await, [at + 1, at + 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_had_its_time_is_asked_to_come_again() {
    let options = Options {
        lifetime: Duration::from_millis(200),
        heartbeat: Duration::from_millis(50),
        ..Options::default()
    };
    let world = World::new(options).await;
    let migration = world.migration(&world.me).await;
    let mut stream = world.listen(migration, None).await;
    let mut last = None;
    while let Some(frame) = stream.next().await {
        last = Some(frame);
    }
    let bye = last.expect("frames");
    assert_eq!((bye.event.as_str(), &bye.data["reason"]), ("bye", &json!("rotated")));
    let mut again = world.listen(migration, Some(&stream.cursor)).await;
    assert_eq!(again.hello().await["verdict"], "resumed");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_to_come_back_at_different_times() {
    let world = World::new(Options { retry: Duration::from_secs(2), ..Options::default() }).await;
    let migration = world.migration(&world.me).await;
    let mut told = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let mut stream = world.listen(migration, None).await;
        let retry = stream.next().await.expect("a greeting").retry.expect("it says when to come again");
        assert!((2000..=3000).contains(&retry), "{retry}");
        told.insert(retry);
    }
    assert!(told.len() > 5, "{told:?}");
}
