//! What is over goes by policy, a few rows at a time; what is not over, or could still be replayed, never does.

use crate::world::{World, broken, done};
use domain::{event::NewEvent, retry::Verdict};
use std::time::Duration;
use store::{FailedAttempt, Fenced, Forgettable, Poison, Retention, StartMigration};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Keeps everything.
const ALL: Retention = Retention {
    done_jobs: 1000,
    failed_jobs: 1000,
    jobs_at_least: DAY,
    jobs_at_most: Duration::from_secs(1000 * 24 * 60 * 60),
    events: DAY,
    workers: DAY,
    poison: DAY,
};
/// Keeps nothing that may go.
const NONE: Retention = Retention {
    done_jobs: 0,
    failed_jobs: 0,
    jobs_at_least: Duration::ZERO,
    jobs_at_most: Duration::ZERO,
    events: Duration::ZERO,
    workers: Duration::ZERO,
    poison: Duration::ZERO,
};

async fn forget(world: &World, what: Forgettable, policy: &Retention) -> u64 {
    world.worker.forget(what, policy, 100).await.expect("a sweep")
}

async fn count(world: &World, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    world.sql.query_one(&sql, &[]).await.expect("the owner may look").get(0)
}

/// A migration whose job failed for good, and whose crawl's journal is gone.
async fn failed(world: &World, url: &str) -> StartMigration {
    let request = world.failed(url).await;
    world.sql.batch_execute("DELETE FROM crawl_journals").await.expect("the owner may");
    request
}

async fn discard(world: &World) {
    let sql = "UPDATE dead_letters SET discarded_at = clock_timestamp(), discard_reason = 'done with', settled_by = $1
               WHERE discarded_at IS NULL AND replayed_at IS NULL";
    world.sql.execute(sql, &[&Uuid::now_v7()]).await.expect("the owner may");
}

#[tokio::test]
async fn a_failed_job_goes_only_when_nobody_can_replay_it_and_what_was_paid_for_stays() {
    let world = World::new().await;
    let request = failed(&world, "https://example.com/").await;
    let (sessions, transitions) =
        (count(&world, "tracking_sessions").await, count(&world, "transitions").await);
    assert!(sessions > 0 && transitions > 0);
    assert_eq!(forget(&world, Forgettable::Jobs, &NONE).await, 0, "its dead letter is open");
    discard(&world).await;
    assert_eq!(forget(&world, Forgettable::Jobs, &ALL).await, 0, "there are not too many");
    assert_eq!(forget(&world, Forgettable::Jobs, &NONE).await, 1);
    for table in ["jobs", "transitions", "dead_letters", "leases"] {
        assert_eq!(count(&world, table).await, 0, "{table}");
    }
    assert_eq!(count(&world, "tracking_sessions").await, sessions);
    assert_eq!(world.migration_state(request.migration).await, "failed");
    let phases = world.gateway.phases(request.tenant, request.migration, 1).await.expect("a look");
    assert_eq!(phases.len(), 3, "what it came to is still told");
}

#[tokio::test]
async fn nothing_of_a_job_outlives_its_row_and_nothing_of_another_goes_with_it() {
    let world = World::new().await;
    let (gone, of_gone) = world.running("https://gone.example/").await;
    let (_, of_other) = world.running("https://other.example/").await;
    let moves = world.transitions(of_other.job).await;
    let sql = "DELETE FROM migrations WHERE id = $1";
    assert_eq!(world.sql.execute(sql, &[&gone.migration.0]).await.expect("the owner may"), 1);
    assert!(world.transitions(of_gone.job).await.is_empty());
    assert_eq!(world.transitions(of_other.job).await, moves);
    let left: Vec<Uuid> = world
        .sql
        .query("SELECT job_id FROM leases", &[])
        .await
        .expect("a look")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(left, [of_other.job.0]);
}

#[tokio::test]
async fn the_newest_of_each_end_stay_and_the_oldest_go_first() {
    let world = World::new().await;
    let mut requests = Vec::new();
    for n in 0..4 {
        requests.push(failed(&world, &format!("https://{n}.example/")).await);
    }
    discard(&world).await;
    for (age, request) in [3, 2, 1, 0].into_iter().zip(&requests) {
        let sql = format!(
            "UPDATE jobs SET finished_at = clock_timestamp() - interval '{age} days 1 hour' WHERE id = $1"
        );
        world.change(&sql, request.job).await;
    }
    let left = async || -> Vec<Uuid> {
        let rows = world.sql.query("SELECT id FROM jobs ORDER BY finished_at", &[]).await.expect("a look");
        rows.iter().map(|row| row.get(0)).collect()
    };
    let ids: Vec<Uuid> = requests.iter().map(|request| request.job.0).collect();
    let two = Retention { failed_jobs: 2, done_jobs: 0, ..ALL };
    // However many there are, one that ended just now is left to whoever asked for it.
    let young = Retention { jobs_at_least: DAY * 100, ..two };
    assert_eq!(forget(&world, Forgettable::Jobs, &young).await, 0);
    // A bound for each transaction: the next one goes on.
    assert_eq!(world.worker.forget(Forgettable::Jobs, &two, 1).await.expect("a sweep"), 1);
    assert_eq!(left().await, ids[1..]);
    assert_eq!(forget(&world, Forgettable::Jobs, &two).await, 1);
    assert_eq!(forget(&world, Forgettable::Jobs, &two).await, 0);
    assert_eq!(left().await, ids[2..]);
    // By age, however few there are.
    assert_eq!(forget(&world, Forgettable::Jobs, &Retention { jobs_at_most: DAY, ..ALL }).await, 1);
    assert_eq!(left().await, ids[3..]);
}

#[tokio::test]
async fn nothing_of_a_migration_that_is_under_way_goes() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    world.worker.register_worker(lease.worker, "http://127.0.0.1:1", 1).await.expect("registered");
    let before = world.everything().await;
    for what in Forgettable::ALL {
        assert_eq!(forget(&world, what, &NONE).await, 0, "{what:?}");
    }
    assert_eq!(world.everything().await, before);
    // A run that is over, of a migration that another run has taken up: its job stays, and its events do.
    let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
    done(world.worker.fail_attempt(&lease, &failed).await);
    discard(&world).await;
    let sql =
        "UPDATE migrations SET state = 'queued', finished_at = NULL, error = NULL, run = 2 WHERE id = $1";
    world.sql.execute(sql, &[&request.migration.0]).await.expect("the owner may");
    assert_eq!(forget(&world, Forgettable::Jobs, &NONE).await, 0);
    assert_eq!(forget(&world, Forgettable::Events, &NONE).await, 0);
}

#[tokio::test]
async fn a_history_that_is_over_is_cut_down_to_its_end_and_goes_on_from_there() {
    let world = World::new().await;
    let mut requests = vec![failed(&world, "https://one.example/").await];
    requests.push(failed(&world, "https://two.example/").await);
    let told = async |request: &StartMigration| {
        world.broadcaster.events_after(request.tenant, request.migration, 0, 100).await.expect("a look")
    };
    let (first, second) = (told(&requests[0]).await, told(&requests[1]).await);
    assert_eq!(forget(&world, Forgettable::Events, &ALL).await, 0, "they ended just now");
    // In small steps: a history that is cut half-way is gone on with.
    let mut steps = 0;
    while world.worker.forget(Forgettable::Events, &NONE, 2).await.expect("a sweep") > 0 {
        steps += 1;
    }
    assert!(steps >= (first.len() + second.len() - 2).div_ceil(2), "{steps} steps");
    assert_eq!(told(&requests[0]).await, first[first.len() - 1..]);
    assert_eq!(told(&requests[1]).await, second[second.len() - 1..]);
    let tail = world.broadcaster.event_tail(requests[0].tenant, requests[0].migration).await.expect("a look");
    assert!(tail.is_some_and(|tail| tail.over && tail.last_seq == first.len() as i64));
    // Somebody who holds the migration is not waited for, and it is not passed over for good either.
    let third = failed(&world, "https://three.example/").await;
    let holder = world.db.sql().await;
    holder.batch_execute("BEGIN").await.expect("a transaction");
    let lock = "SELECT FROM migrations WHERE id = $1 FOR UPDATE";
    holder.execute(lock, &[&third.migration.0]).await.expect("a lock");
    assert_eq!(forget(&world, Forgettable::Events, &NONE).await, 0);
    holder.batch_execute("COMMIT").await.expect("no lock");
    assert!(forget(&world, Forgettable::Events, &NONE).await > 0);
    assert_eq!(told(&third).await.len(), 1);
}

#[tokio::test]
async fn answers_go_when_they_have_expired_workers_when_they_are_silent_and_poison_when_it_is_old() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let silent = domain::WorkerId(Uuid::now_v7());
    for worker in [lease.worker, silent] {
        world.worker.register_worker(worker, "http://127.0.0.1:1", 1).await.expect("registered");
    }
    let poison =
        Poison { queue: "q".into(), body: vec![0xff], headers: serde_json::json!({}), error: "e".into() };
    world.worker.keep_poison(&poison).await.expect("kept");
    let answers =
        "INSERT INTO idempotency_records (tenant_id, route, key, request_hash, status, answer, expires_at)
                   SELECT $1, 'r', age, repeat('0', 64), 202, '{}', clock_timestamp() + age::interval
                   FROM unnest(ARRAY['-1 second', '1 hour']) AS age";
    assert_eq!(world.sql.execute(answers, &[&lease.tenant.0]).await.expect("the owner may"), 2);
    for what in [Forgettable::Workers, Forgettable::Poison] {
        assert_eq!(forget(&world, what, &ALL).await, 0, "{what:?} are young");
    }
    let old = "UPDATE workers SET heartbeat_at = heartbeat_at - interval '2 days';
               UPDATE poison SET at = at - interval '2 days'";
    world.sql.batch_execute(old).await.expect("the owner may");
    assert_eq!(forget(&world, Forgettable::Answers, &ALL).await, 1);
    assert_eq!(forget(&world, Forgettable::Workers, &ALL).await, 1, "one of them holds a lease");
    assert_eq!(forget(&world, Forgettable::Poison, &ALL).await, 1);
    assert_eq!(count(&world, "idempotency_records").await, 1);
    let left: Uuid = world.sql.query_one("SELECT id FROM workers", &[]).await.expect("one").get(0);
    assert_eq!(left, lease.worker.0);
    assert_eq!(count(&world, "poison").await, 0);
    // The holder goes on as if nothing had been.
    let told = [NewEvent::new(domain::event::EventType::Log, None, 1, serde_json::json!({}))];
    assert!(matches!(world.worker.append_events(&lease, 1, &told).await, Ok(Fenced::Done(_))));
}

#[tokio::test]
async fn a_row_that_somebody_has_locked_is_passed_over() {
    let world = World::new().await;
    let (one, _two) =
        (failed(&world, "https://one.example/").await, failed(&world, "https://two.example/").await);
    discard(&world).await;
    let holder = world.db.sql().await;
    holder.batch_execute("BEGIN").await.expect("a transaction");
    let lock = "SELECT FROM jobs WHERE id = $1 FOR UPDATE";
    holder.execute(lock, &[&one.job.0]).await.expect("a lock");
    assert_eq!(forget(&world, Forgettable::Jobs, &NONE).await, 1);
    holder.batch_execute("COMMIT").await.expect("no lock");
    assert_eq!(forget(&world, Forgettable::Jobs, &NONE).await, 1);
}

#[tokio::test]
async fn only_a_worker_may_sweep_and_not_by_itself() {
    let world = World::new().await;
    failed(&world, "https://example.com/").await;
    for stranger in [&world.gateway, &world.broadcaster] {
        for what in Forgettable::ALL {
            let refused = stranger.forget(what, &NONE, 1).await;
            assert!(matches!(refused, Err(store::Error::Refused { .. })), "{what:?}: {refused:?}");
        }
    }
    let worker = world.db.sql_as("resettle_worker").await;
    for table in ["jobs", "events", "idempotency_records", "workers", "poison", "retention_marks"] {
        let refused = worker.execute(&format!("DELETE FROM {table}"), &[]).await;
        assert!(refused.is_err(), "a worker may delete from {table} by itself");
    }
}
