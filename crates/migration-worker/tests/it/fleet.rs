//! A database that goes away in the middle: no attempt is burned, no work is done twice.

use crate::world::{BOUND, Bell, Running, World, page, small_site};
use domain::event::EventType;
use std::time::Duration;
use testkit::{postgres::Cluster, wait};
use tokio::time::Instant;

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
