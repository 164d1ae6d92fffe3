//! The clock on the wall: attempts that hang are taken from workers that live and renew.

use crate::world::{DEADLINES, TTL, World, done, event};
use domain::{
    JobId,
    job::{Cause, JobState},
    phase::Phase,
};
use serde_json::{Value, json};
use store::{Fenced, Lease, PhaseStart, Rescued};

/// Lets a phase have begun longer ago than it may take.
async fn overrun_phase(world: &World, job: JobId) {
    world.change(&format!("UPDATE leases SET phase_began_at = {} WHERE job_id = $1", long_ago()), job).await;
}

/// The same for the attempt as a whole.
async fn overrun_job(world: &World, job: JobId) {
    world.change(&format!("UPDATE leases SET claimed_at = {} WHERE job_id = $1", long_ago()), job).await;
}

fn long_ago() -> String {
    format!("clock_timestamp() - interval '{} s'", DEADLINES.job.as_secs() + 1)
}

async fn keeps(world: &World, lease: &Lease) -> bool {
    let held = [(lease.job, lease.epoch)];
    world.worker.heartbeat(lease.worker, &held, TTL).await.expect("a heartbeat").len() == 1
}

#[tokio::test]
async fn a_phase_that_hangs_is_taken_from_a_worker_that_renews_and_is_told_of() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    assert!(keeps(&world, &lease).await);
    assert_eq!(world.rescue().await, [], "it may still take its time");
    overrun_phase(&world, lease.job).await;
    let (to, cause) = (JobState::WaitingRetry, Cause::PhaseOverdue);
    let taken = Rescued { job: lease.job, migration: Some(request.migration), to, cause };
    assert_eq!(world.rescue().await, [taken]);
    assert_eq!(world.transitions(lease.job).await[3], "RUNNING>WAITING_RETRY phase_overdue 1 1");
    let code: String = world.one("SELECT last_error->>'code' FROM jobs WHERE id = $1", lease.job.0).await;
    assert_eq!(code, "phase_overdue");
    let told: Value = world
        .one(
            "SELECT detail FROM events WHERE migration_id = $1 ORDER BY seq DESC LIMIT 1",
            request.migration.0,
        )
        .await;
    assert_eq!((&told["status"], &told["code"]), (&json!("retrying"), &json!("phase_overdue")));
    assert!(told["notes"].as_str().is_some_and(|notes| notes.starts_with("ANALYZE took longer")), "{told}");
    assert!(told["retryInMs"].is_u64() && told["attempt"] == 1, "{told}");

    assert!(!keeps(&world, &lease).await, "the heartbeat tells the one that hangs");
    let late = world.worker.complete_phase(&lease, Phase::Analyze, &json!({}), &[]).await;
    assert!(matches!(late, Ok(Fenced::Stale)), "{late:?}");
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_as_a_whole_has_a_cause_of_its_own() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    done(world.worker.complete_phase(&lease, Phase::Analyze, &json!({}), &[]).await);
    overrun_job(&world, lease.job).await;
    let taken = world.rescue().await;
    assert_eq!(taken.iter().map(|one| one.cause).collect::<Vec<_>>(), [Cause::JobOverdue]);
    assert_eq!(world.transitions(lease.job).await[3], "RUNNING>WAITING_RETRY job_overdue 1 1");
}

#[tokio::test]
async fn a_worker_that_is_gone_explains_the_rest() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    overrun_phase(&world, lease.job).await;
    overrun_job(&world, lease.job).await;
    world
        .change("UPDATE leases SET expires_at = claimed_at + interval '1 s' WHERE job_id = $1", lease.job)
        .await;
    assert_eq!(world.rescue().await[0].cause, Cause::LeaseExpired);
}

#[tokio::test]
async fn each_phase_has_its_own_time_from_its_own_beginning() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let began = "SELECT phase || ' ' || phase_began_at FROM leases WHERE job_id = $1";
    let first: String = world.one(began, lease.job.0).await;
    // Said again after a lost answer, it does not begin anew.
    let again = done(world.worker.begin_phase(&lease, Phase::Analyze, &[event(1)]).await);
    assert_eq!(again, PhaseStart::Begun);
    assert_eq!(world.one::<String>(began, lease.job.0).await, first);
    overrun_phase(&world, lease.job).await;
    done(world.worker.complete_phase(&lease, Phase::Analyze, &json!({}), &[]).await);
    assert_eq!(world.one::<Option<String>>(began, lease.job.0).await, None, "between phases none runs");
    assert_eq!(world.rescue().await, [], "what is done was not too late");
    done(world.worker.begin_phase(&lease, Phase::Plan, &[]).await);
    assert_eq!(world.rescue().await, []);
    // The next attempt has all of its time again.
    overrun_phase(&world, lease.job).await;
    assert_eq!(world.rescue().await.len(), 1);
    world.make_due(lease.job).await;
    world.worker.promote_due(lease.worker, 10).await.expect("a promotion");
    let next = world.claim_one().await.lease;
    done(world.worker.begin_job(&next, &[]).await);
    done(world.worker.begin_phase(&next, Phase::Plan, &[]).await);
    assert_eq!(world.rescue().await, []);
}

#[tokio::test]
async fn a_phase_that_ends_during_the_sweep_is_not_taken() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    overrun_phase(&world, lease.job).await;
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    world.change("UPDATE leases SET phase = NULL, phase_began_at = NULL WHERE job_id = $1", lease.job).await;
    let (taken, ()) = futures::future::join(world.rescue(), async {
        world.until_blocked().await;
        world.sql.batch_execute("COMMIT").await.expect("the end of it");
    })
    .await;
    assert_eq!(taken, []);
    assert!(keeps(&world, &lease).await);
}

#[tokio::test]
async fn the_last_attempt_that_hangs_ends_the_run_and_says_so() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    world.change("UPDATE jobs SET attempts = 2 WHERE id = $1", lease.job).await;
    overrun_phase(&world, lease.job).await;
    assert_eq!(world.rescue().await[0].to, JobState::Failed);
    assert_eq!(world.transitions(lease.job).await[3], "RUNNING>FAILED phase_overdue 1 3");
    assert_eq!(world.told(request.migration).await, ["log", "phase_update", "error", "done"]);
    let code: String =
        world.one("SELECT failure->>'code' FROM dead_letters WHERE job_id = $1", lease.job.0).await;
    assert_eq!(code, "phase_overdue");
}
