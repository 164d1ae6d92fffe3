//! A worker takes away what has been kept long enough, and says how much that was.

use crate::world::{BOUND, Bell, Running, World, small_site};
use std::time::Duration;
use testkit::wait;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_goes_and_is_counted_while_the_worker_works() {
    let (world, site) = (World::new().await, small_site().await);
    let mut config = world.config(Bell::Away, site.addr());
    config.retention.every = Duration::from_millis(100);
    config.retention.done_jobs = 0;
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    let old = "UPDATE jobs SET finished_at = finished_at - interval '2 hours' WHERE id = $1";
    assert_eq!(world.change(old, job.0).await, 1, "an hour's grace keeps it until now");
    wait::until_true("the job to go", BOUND, || async {
        world.count("SELECT count(*) FROM jobs").await == 0
    })
    .await;
    wait::until_true("it to be counted", BOUND, || async {
        running.metric("resettle_rows_forgotten_total", Some(("table", "jobs"))) == 1.0
    })
    .await;
    assert_eq!(world.migration_state(migration).await, "completed");
    assert!(world.count("SELECT count(*) FROM events").await > 1, "its history is kept longer");
    running.stop().await;
}
