//! A write whose commit happened and whose answer got lost: the worker says it again, hears the same answer, and
//! nothing is refused, doubled or counted twice.

use crate::world::{BOUND, Bell, Running, World, page, small_site};
use domain::trace::TraceContext;
use migration_worker::Config;
use std::time::Duration;
use store::CancelRequest;
use testkit::{
    postgres::Door,
    site::{Answer, StaticSite},
    wait,
};

/// A worker behind a door that loses the answer of the commit that makes the condition true.
async fn behind(condition: &'static str, world: &World, config: Config) -> (Door, Running) {
    let door = Door::losing(condition, &world.db).await;
    let running = Running::start(Config { store: door.worker(), ..config }).await;
    (door, running)
}

async fn loses(door: &Door) {
    wait::until_true("the answer to be lost", BOUND, || async { door.has_lost() }).await;
}

fn refused(running: &Running) -> f64 {
    running.metric("resettle_stale_writes_refused_total", None)
}

fn ended(running: &Running, outcome: &str) -> f64 {
    running.metric("resettle_job_run_seconds", Some(("outcome", outcome)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_attempt_is_counted_once() {
    let world = World::new().await;
    let site = StaticSite::serve([("/", Answer::status(500))]).await;
    let condition = "SELECT EXISTS (SELECT FROM transitions WHERE cause = 'attempt_failed')";
    let (door, running) = behind(condition, &world, world.config(Bell::Away, site.addr())).await;
    let (migration, job) = world.start(&site).await;
    loses(&door).await;
    world.reaches(migration, "failed").await;
    let moves = world.moves(job).await;
    let failed: Vec<_> = moves.iter().filter(|one| one.contains("attempt_failed")).collect();
    assert_eq!(failed.len(), 2, "{moves:?}");
    wait::until_true("all three runs to be measured", BOUND, || async {
        ended(&running, "retried") == 2.0 && ended(&running, "failed") == 1.0
    })
    .await;
    assert_eq!((refused(&running), ended(&running, "lost")), (0.0, 0.0));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_given_back_once() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let condition = "SELECT EXISTS (SELECT FROM transitions WHERE cause = 'handed_back')";
    let config = Config { finish_within: Duration::ZERO, ..world.config(Bell::Away, site.addr()) };
    let (door, running) = behind(condition, &world, config).await;
    let (_, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    running.ask_to_stop();
    loses(&door).await;
    wait::until_true("the run to be measured", BOUND, || async { ended(&running, "handed_back") == 1.0 })
        .await;
    assert_eq!(refused(&running), 0.0);
    running.stop().await;
    let moves = world.moves(job).await;
    assert_eq!(moves.iter().filter(|one| one.contains("handed_back")).count(), 1, "{moves:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_cancelled_once() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let condition = "SELECT EXISTS (SELECT FROM transitions WHERE cause = 'cancel_requested')";
    let mut config = world.config(Bell::Away, site.addr());
    config.lease.heartbeat = Duration::from_millis(200);
    let (door, running) = behind(condition, &world, config).await;
    let (migration, _) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    let wish = CancelRequest {
        tenant: world.member.tenant,
        user: world.member.user,
        migration,
        trace: TraceContext::default(),
    };
    world.gateway.request_cancel(&wish).await.expect("an answer");
    loses(&door).await;
    wait::until_true("the run to be measured", BOUND, || async { ended(&running, "cancelled") == 1.0 }).await;
    assert_eq!(refused(&running), 0.0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_telling_of_progress_is_written_once() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", page("About", "Slow.").delayed(Duration::from_secs(1)));
    let condition = "SELECT EXISTS (SELECT FROM events WHERE detail->>'status' = 'running')";
    let (door, running) = behind(condition, &world, world.config(Bell::Away, site.addr())).await;
    let (migration, _) = world.start(&site).await;
    loses(&door).await;
    world.reaches(migration, "completed").await;
    let told = world.events(migration).await;
    let doubled = told.windows(2).find(|pair| pair[0].detail == pair[1].detail);
    assert!(doubled.is_none(), "{doubled:?}");
    assert_eq!(refused(&running), 0.0);
    running.stop().await;
}
