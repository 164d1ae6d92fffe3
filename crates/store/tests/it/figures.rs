//! Each figure is moved by its cause.

use crate::world::{World, worker};
use domain::job::MIGRATION_QUEUE;
use std::time::Duration;
use store::QueueFigures;

#[tokio::test]
async fn an_idle_system_has_empty_figures() {
    let world = World::new().await;
    let figures = world.worker.figures().await.expect("figures");
    let queue = MIGRATION_QUEUE.to_owned();
    assert_eq!(figures.queues, [QueueFigures { queue, depth: 0, lag_seconds: 0.0 }]);
    assert_eq!((figures.outbox_oldest_seconds, figures.horizon_lag_seconds), (0.0, 0.0));
}

#[tokio::test]
async fn depth_and_lag_count_what_could_run_now() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut jobs = Vec::new();
    for n in 0..3 {
        jobs.push(world.start(member, &format!("https://{n}.example.com/")).await.job);
    }
    world.change("UPDATE jobs SET run_at = clock_timestamp() + interval '1 h' WHERE id = $1", jobs[0]).await;
    let sql = "UPDATE jobs SET run_at = clock_timestamp() - interval '70 s', updated_at = created_at - interval '1 h'
               WHERE id = $1";
    world.change(sql, jobs[1]).await;
    let figures = world.worker.figures().await.expect("figures");
    assert_eq!(figures.queues[0].depth, 2);
    assert!((70.0..100.0).contains(&figures.queues[0].lag_seconds), "{figures:?}");
    world.claim(5).await;
    let figures = world.worker.figures().await.expect("figures");
    assert_eq!((figures.queues[0].depth, figures.queues[0].lag_seconds), (0, 0.0));
}

#[tokio::test]
async fn the_outbox_ages_until_it_is_published() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.start(member, "https://example.com/").await;
    world
        .sql
        .batch_execute("UPDATE outbox SET created_at = created_at - interval '40 s'")
        .await
        .expect("may");
    let age = world.worker.figures().await.expect("figures").outbox_oldest_seconds;
    assert!((40.0..70.0).contains(&age), "{age}");
    let relay = worker();
    let rows = world.worker.claim_outbox(relay, 10, Duration::from_secs(30)).await.expect("rows");
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    world.worker.mark_published(relay, &ids).await.expect("a mark");
    assert_eq!(world.worker.figures().await.expect("figures").outbox_oldest_seconds, 0.0);
}

#[tokio::test]
async fn a_long_transaction_holds_the_horizon_back() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.sql.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.expect("a transaction");
    world.start(member, "https://example.com/").await;
    let held = world.worker.figures().await.expect("figures").horizon_lag_seconds;
    assert!(held > 0.0);
    world.sql.batch_execute("COMMIT").await.expect("the end of it");
    testkit::wait::until("the horizon to pass the event", Duration::from_secs(20), async || {
        let lag = world.worker.figures().await.expect("figures").horizon_lag_seconds;
        (lag == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_queue_is_counted_up_to_a_bound_and_each_queue_apart() {
    let world = World::new().await;
    world.member("one@example.com").await;
    let sql = "INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, run_at)
               SELECT gen_random_uuid(), organisations.id, queue.name, 'k', '{}', 'PENDING', 1, gen_random_uuid(),
                   clock_timestamp() - interval '1 s'
               FROM organisations, (VALUES ('large', 10050), ('small', 3)) AS queue (name, depth),
                   generate_series(1, queue.depth)";
    world.sql.batch_execute(sql).await.expect("the owner may");
    let figures = world.worker.figures().await.expect("figures");
    let depths: Vec<_> = figures.queues.iter().map(|queue| (queue.queue.as_str(), queue.depth)).collect();
    assert_eq!(depths, [("large", 10_000), (MIGRATION_QUEUE, 0), ("small", 3)]);
}
