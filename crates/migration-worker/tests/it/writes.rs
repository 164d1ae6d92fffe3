//! Writes whose caller waits, is dropped, or does not look at what came of them.

use crate::world::{BOUND, Bell, Running, World, small_site};
use std::time::Duration;
use testkit::{site::Answer, wait};

const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = ";

/// The journal's write is on its way when the lease cannot be renewed any more. The work waits then; the write must
/// not wait with it, or it would keep its connection from the heartbeats that could end the pause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_goes_on_to_its_end_while_the_work_that_asked_for_it_waits() {
    let (world, site) = (World::new().await, small_site().await);
    let mut config = world.config(Bell::Away, site.addr());
    (config.lease.ttl, config.lease.heartbeat, config.lease.margin) =
        (Duration::from_secs(2), Duration::from_millis(200), Duration::from_millis(500));
    // Nobody takes the job away meanwhile.
    config.sweep = Duration::from_secs(3600);
    let (journal, lease) = (world.db.sql().await, world.db.sql().await);
    journal.batch_execute("BEGIN; LOCK TABLE crawl_visits IN SHARE MODE").await.expect("a lock");
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    let waiting = format!("{WAITING}'crawl_visits'::regclass");
    wait::until_true("the journal to wait", BOUND, || async { world.count(&waiting).await > 0 }).await;
    lease.batch_execute("BEGIN").await.expect("a transaction");
    let sql = "SELECT FROM leases WHERE job_id = $1 FOR UPDATE";
    assert_eq!(lease.execute(sql, &[&job.0]).await.expect("a lock"), 1);
    // The holder stops trusting the lease before the database does.
    let over = "SELECT count(*) FROM leases WHERE expires_at < clock_timestamp()";
    wait::until_true("the lease to run out", BOUND, || async { world.count(over).await == 1 }).await;

    journal.batch_execute("COMMIT").await.expect("the journal is free");
    let recorded = "SELECT count(*) FROM crawl_visits";
    wait::until_true("the journal's write", BOUND, || async { world.count(recorded).await > 0 }).await;
    assert_eq!(world.count(over).await, 1, "the work still waits");
    lease.batch_execute("COMMIT").await.expect("the lease is free");
    world.reaches(migration, "completed").await;
    running.stop().await;
}

/// The first look is kept beside the crawl, which does not ask whether that worked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_ends_when_one_of_its_writes_is_given_up() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    config.sweep = Duration::from_secs(3600);
    config.write_patience = Duration::from_millis(500);
    config.store.statement_timeout = Duration::from_millis(200);
    let held = world.db.sql().await;
    held.batch_execute("BEGIN; LOCK TABLE site_analyses IN SHARE MODE").await.expect("a lock");
    let running = Running::start(config).await;
    let (_, job) = world.start(&site).await;
    wait::until_true("the work to be dropped", BOUND, || async {
        running.metric("resettle_job_run_seconds", Some(("outcome", "lost"))) == 1.0
    })
    .await;
    held.batch_execute("COMMIT").await.expect("the table is free");
    let moves = world.moves(job).await;
    assert_eq!(moves.last().map(String::as_str), Some("PREPARING>RUNNING started 1"), "nothing more is said");
    assert_eq!(running.metric("resettle_stale_writes_refused_total", None), 0.0);
    running.stop().await;
}
