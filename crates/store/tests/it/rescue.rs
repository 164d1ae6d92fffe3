//! Taking jobs from workers that stopped answering.

use crate::world::{DEADLINES, TTL, World, worker};
use domain::{
    job::{Cause, JobState},
    retry,
};
use std::time::Duration;
use store::{Fenced, RescueRequest, Rescued, Told};

#[tokio::test]
async fn only_an_expired_lease_is_taken_and_the_attempt_counts() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    assert_eq!(world.rescue().await, [], "its time is not up");
    world.expire(lease.job).await;
    let to = JobState::WaitingRetry;
    assert_eq!(
        world.rescue().await,
        [Rescued { job: lease.job, migration: Some(request.migration), to, cause: Cause::LeaseExpired }]
    );
    assert_eq!(world.rescue().await, [], "it is taken once");
    let moves = world.transitions(lease.job).await;
    assert_eq!(moves[3], "RUNNING>WAITING_RETRY lease_expired 1 1");
    let code: String = world.one("SELECT last_error->>'code' FROM jobs WHERE id = $1", lease.job.0).await;
    assert_eq!(code, "lost_worker");
    let attempts: i32 = world.one("SELECT attempts FROM jobs WHERE id = $1", lease.job.0).await;
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn nothing_is_swept_until_postgres_has_been_up_for_one_ttl() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    world.expire(lease.job).await;
    let policy = retry::Policy::default();
    // A ttl that is longer than this server has been up.
    let up: f64 = world
        .sql
        .query_one("SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8", &[])
        .await
        .expect("a clock")
        .get(0);
    let ttl = Duration::from_secs_f64(up) + Duration::from_secs(60);
    let early = RescueRequest {
        worker: worker(),
        ttl,
        deadlines: &DEADLINES,
        cancel_grace: Duration::from_secs(300),
        limit: 10,
        policy: &policy,
        jitter: 0.0,
    };
    assert_eq!(world.worker.rescue_expired(&early).await.expect("a sweep"), []);
    let later = RescueRequest { ttl: Duration::from_secs_f64(up / 2.0), ..early };
    assert_eq!(world.worker.rescue_expired(&later).await.expect("a sweep").len(), 1);
}

#[tokio::test]
async fn a_job_that_is_lost_for_the_last_time_ends_with_its_letter_and_its_last_words() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    world.change("UPDATE jobs SET attempts = 2 WHERE id = $1", lease.job).await;
    world.expire(lease.job).await;
    assert_eq!(world.rescue().await[0].to, JobState::Failed);
    assert_eq!(world.transitions(lease.job).await[3], "RUNNING>FAILED lease_expired 1 3");
    assert_eq!(world.told(request.migration).await, ["log", "phase_update", "error", "done"]);
    assert_eq!(world.migration_state(request.migration).await, "failed");
    let code: String =
        world.one("SELECT failure->>'code' FROM dead_letters WHERE job_id = $1", lease.job.0).await;
    assert_eq!(code, "lost_worker");
}

#[tokio::test]
async fn one_bad_row_does_not_hold_up_the_others_of_its_tenant() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    for n in 0..3 {
        world.start(member, &format!("https://{n}.example.com/")).await;
    }
    let other = world.member("two@example.com").await;
    world.start(other, "https://example.com/").await;
    let claimed = world.claim(10).await;
    for one in &claimed {
        world.expire(one.lease.job).await;
    }
    // Its migration is over although its job runs: what no command does, a hand in the database can.
    let bad = &claimed[1].lease;
    world
        .sql
        .execute(
            "UPDATE migrations SET state = 'cancelled', finished_at = now() WHERE id = $1",
            &[&crate::world::carried(bad).migration.0],
        )
        .await
        .expect("the owner may");
    let mut taken: Vec<_> = world.rescue().await.iter().map(|rescued| rescued.job).collect();
    taken.sort();
    let mut good: Vec<_> = claimed.iter().map(|c| c.lease.job).filter(|job| *job != bad.job).collect();
    good.sort();
    assert_eq!(taken, good);
    assert_eq!(world.state(bad.job).await, "PREPARING", "nothing half-written");
    let leases: i64 = world.one("SELECT count(*) FROM leases WHERE job_id = $1", bad.job.0).await;
    assert_eq!(leases, 1);
}

#[tokio::test]
async fn a_holder_that_is_writing_is_not_lost_and_one_that_renews_keeps_its_job() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    world.expire(lease.job).await;
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    world.sql.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", &[&lease.job.0]).await.expect("a lock");
    assert_eq!(world.rescue().await, [], "its row is locked");
    world.sql.batch_execute("ROLLBACK").await.expect("the end of it");
    let kept =
        world.worker.heartbeat(lease.worker, &[(lease.job, lease.epoch)], TTL).await.expect("a heartbeat");
    assert_eq!(kept.len(), 1);
    assert_eq!(world.rescue().await, []);
    assert!(matches!(world.worker.append_events(&lease, 1, &[]).await, Ok(Fenced::Done(Told::Now))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sweepers_one_takes_each_job() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    for n in 0..12 {
        world.start(member, &format!("https://{n}.example.com/")).await;
    }
    let claimed = world.claim(12).await;
    for one in &claimed {
        world.expire(one.lease.job).await;
    }
    let sweeps = futures::future::join_all((0..4).map(|_| world.rescue())).await;
    let mut taken: Vec<_> = sweeps.concat().iter().map(|rescued| rescued.job).collect();
    taken.sort();
    let mut all: Vec<_> = claimed.iter().map(|c| c.lease.job).collect();
    all.sort();
    // A sweep that met another's locks leaves those jobs to it, so each is taken exactly once.
    assert_eq!(taken, all);
}

#[tokio::test]
async fn a_renewal_that_commits_during_the_sweep_wins() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    world.expire(lease.job).await;
    let before = world.state(lease.job).await;
    // The heartbeat has renewed the row and not committed yet: the sweep still sees the old one.
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    let renewal = "UPDATE leases SET expires_at = clock_timestamp() + interval '30 s' WHERE job_id = $1";
    world.change(renewal, lease.job).await;
    let (taken, ()) = futures::future::join(world.rescue(), async {
        world.until_blocked().await;
        world.sql.batch_execute("COMMIT").await.expect("the end of it");
    })
    .await;
    assert_eq!(taken, []);
    assert_eq!(world.state(lease.job).await, before);
    assert!(matches!(world.worker.append_events(&lease, 1, &[]).await, Ok(Fenced::Done(Told::Now))));
}
