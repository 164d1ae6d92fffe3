//! A database that goes away in the middle: no attempt is burned, no work is done twice.

use crate::world::{BOUND, Bell, Running, World, page, small_site};
use bus::JobHint;
use domain::{event::EventType, job::MIGRATION_QUEUE, trace::TraceContext};
use futures::FutureExt;
use std::time::Duration;
use store::{ClaimRequest, Store};
use testkit::{postgres::Cluster, wait};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Stops Postgres in the middle of the crawl for a while, and sees the migration to its end.
async fn survives(ttl: Duration, heartbeat: Duration, margin: Duration, away: Duration) {
    let mut cluster = Cluster::start().await;
    let world = World::on(cluster.database().await).await;
    let site = small_site().await;
    site.answer("/about.html", page("About", "Slow.").delayed(Duration::from_secs(2)));
    let mut config = world.config(Bell::Away, site.addr());
    (config.lease.ttl, config.lease.heartbeat, config.lease.margin) = (ttl, heartbeat, margin);
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to be on its way", BOUND, || async { site.hits("/about.html") > 0 }).await;
    cluster.stop().await;
    let back = Instant::now() + away;
    wait::until_true("the outage to be over", BOUND, || async { Instant::now() >= back }).await;
    cluster.start_again().await;
    world.reaches(migration, "completed").await;
    let moves = world.moves(job).await;
    assert!(moves.iter().all(|one| !one.ends_with(" 2")), "no attempt is counted: {moves:?}");
    let done = world.events(migration).await.iter().filter(|e| e.event_type == EventType::Done).count();
    assert_eq!(done, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_postgres_in_the_middle_burns_no_attempt() {
    let seconds = Duration::from_secs;
    survives(seconds(30), seconds(1), seconds(5), Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_longer_than_the_lease_pauses_the_work_and_burns_no_attempt() {
    let millis = Duration::from_millis;
    survives(millis(3000), millis(300), millis(1500), millis(4000)).await;
}

/// The claim of a worker is committed and its answer lost: the worker holds a lease that it knows nothing of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lost_answer_claimed_is_given_back_without_an_attempt() {
    let mut cluster = Cluster::start().await;
    let world = World::on(cluster.database().await).await;
    let site = small_site().await;
    let mut config = world.config(Bell::Amqp, site.addr());
    // It looks only when a hint tells it to.
    config.poll = Duration::from_secs(3600);
    config.relay.poll = Duration::from_secs(3600);
    // The worker's relay is told of nothing that a store commits which has a relay beside it.
    assert_eq!(world.gateway.announced().now_or_never(), None);
    let running = Running::start(config).await;
    let silence = CancellationToken::new();
    let bell = bus::open(&world.bus(Bell::Amqp), silence.clone()).expect("a bell");
    wait::until_true("the bell to be ready", BOUND, || async { bell.healthy() }).await;

    let store = Store::connect(&world.db.worker()).await.expect("the database answers");
    let request = ClaimRequest {
        queue: MIGRATION_QUEUE,
        worker: running.worker.id(),
        slots: 1,
        ttl: Duration::from_secs(30),
        begin: None,
    };
    // Its first look and the one after its subscription may come first; then there are no more.
    let (migration, job) = wait::until("a claim that it knows nothing of", BOUND, || async {
        let (migration, job) = world.start(&site).await;
        let claimed = store.claim(&request).await.expect("a claim");
        if claimed.is_empty() {
            world.reaches(migration, "completed").await;
        }
        (!claimed.is_empty()).then_some((migration, job))
    })
    .await;
    cluster.stop().await;
    let hint = JobHint { queue: MIGRATION_QUEUE.into(), job, trace: TraceContext::default() };
    // Each hint makes the worker look; with the database away its claim fails.
    wait::until_true("a hint to be taken", BOUND, || async { bell.ring(&hint).await.is_ok() }).await;
    wait::until_true("its claim to fail", BOUND, || async {
        running.metric("resettle_claims_failed_total", None) >= 1.0
    })
    .await;
    cluster.start_again().await;
    wait::until_true("the migration to complete", BOUND, || async {
        bell.ring(&hint).await.expect("the broker is there");
        world.migration_state(migration).await == "completed"
    })
    .await;
    let moves = world.moves(job).await;
    assert!(moves.contains(&"PREPARING>PENDING handed_back 1".to_owned()), "{moves:?}");
    assert!(moves.iter().all(|one| !one.ends_with(" 2")), "no attempt is counted: {moves:?}");
    running.stop().await;
    silence.cancel();
}
