//! What follows a failed attempt: waiting, another try, and in the end a dead letter.

use crate::world::{World, broken, done, event, worker};
use domain::{Failure, event::NewEvent, job::JobState, phase::Phase, retry::Verdict};
use serde_json::{Value, json};
use std::time::Duration;
use store::{FailedAttempt, Lease};

const AGAIN: Verdict = Verdict::RetryAfter(Duration::from_secs(3600));

fn failed(verdict: Verdict) -> FailedAttempt {
    FailedAttempt { failure: broken(), verdict, events: vec![event(20)] }
}

async fn next_attempt(world: &World, lease: &Lease) -> Lease {
    world.make_due(lease.job).await;
    assert_eq!(world.worker.promote_due(worker(), 10).await.expect("a promotion"), 1);
    let claimed = world.claim_one().await;
    done(world.worker.begin_job(&claimed.lease, &[]).await);
    claimed.lease
}

#[tokio::test]
async fn an_attempt_that_failed_waits_is_promoted_and_at_last_gives_up() {
    let world = World::new().await;
    let (request, first) = world.running("https://example.com/").await;
    assert_eq!(done(world.worker.fail_attempt(&first, &failed(AGAIN)).await), JobState::WaitingRetry);
    let record = world
        .gateway
        .migration(request.tenant, request.migration)
        .await
        .expect("a look")
        .expect("it is there");
    assert_eq!(record.retry_count, 1);
    let wait: f64 = world
        .one(
            "SELECT extract(epoch FROM run_at - clock_timestamp())::float8 FROM jobs WHERE id = $1",
            first.job.0,
        )
        .await;
    assert!((3500.0..=3600.0).contains(&wait), "{wait}");
    assert!(record.retry_at.is_some());
    assert_eq!(world.worker.promote_due(worker(), 10).await.expect("a look"), 0, "it is not due");
    assert!(world.claim(5).await.is_empty());

    let second = next_attempt(&world, &first).await;
    let record = world
        .gateway
        .migration(request.tenant, request.migration)
        .await
        .expect("a look")
        .expect("it is there");
    assert_eq!(record.retry_at, None, "it does not wait any more");
    assert_eq!(done(world.worker.fail_attempt(&second, &failed(AGAIN)).await), JobState::WaitingRetry);
    let third = next_attempt(&world, &second).await;
    // The verdict grants a fourth attempt; the job's own count has the last word.
    assert_eq!(done(world.worker.fail_attempt(&third, &failed(AGAIN)).await), JobState::Failed);

    assert_eq!(
        world.transitions(first.job).await[3..],
        [
            "RUNNING>WAITING_RETRY attempt_failed 1 1",
            "WAITING_RETRY>PENDING retry_due 1 1",
            "PENDING>PREPARING claimed 2 2",
            "PREPARING>RUNNING started 2 2",
            "RUNNING>WAITING_RETRY attempt_failed 2 2",
            "WAITING_RETRY>PENDING retry_due 2 2",
            "PENDING>PREPARING claimed 3 3",
            "PREPARING>RUNNING started 3 3",
            "RUNNING>FAILED gave_up 3 3",
        ]
    );
    let letter: Value =
        world.one("SELECT job FROM dead_letters WHERE job_id = $1 AND epoch = 3", first.job.0).await;
    assert_eq!((&letter["state"], &letter["attempts"]), (&json!("FAILED"), &json!(3)));
    assert_eq!(letter["payload"]["sourceUrl"], "https://example.com/");
    let failure: Value = world.one("SELECT failure FROM dead_letters WHERE job_id = $1", first.job.0).await;
    assert_eq!(failure, serde_json::to_value(broken()).expect("JSON"));
    let record = world
        .gateway
        .migration(request.tenant, request.migration)
        .await
        .expect("a look")
        .expect("it is there");
    assert_eq!((record.state.as_str(), record.retry_count), ("failed", 2));
    assert_eq!(record.error, Some(failure));
    let told = world.told(request.migration).await;
    assert_eq!(
        told[told.len() - 3..],
        ["phase_update", "error", "done"],
        "the last two are added by the store"
    );
}

#[tokio::test]
async fn a_failure_that_cannot_pass_gives_up_at_once_with_the_callers_own_last_words() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let failure = Failure::cannot_pass("not_html", "The address is no page\0.");
    let events = NewEvent::failed(&failure, Some(Phase::Analyze), 3).to_vec();
    let attempt = FailedAttempt { failure, verdict: Verdict::GiveUp, events };
    assert_eq!(done(world.worker.fail_attempt(&lease, &attempt).await), JobState::Failed);
    assert_eq!(world.told(request.migration).await, ["log", "phase_update", "error", "done"]);
    let message: String =
        world.one("SELECT error->>'message' FROM migrations WHERE id = $1", request.migration.0).await;
    assert_eq!(message, "The address is no page.");
}

#[tokio::test]
async fn the_site_can_be_started_again_after_the_failure() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    done(world.worker.fail_attempt(&lease, &failed(Verdict::GiveUp)).await);
    world.start(store::Member { tenant: request.tenant, user: request.user }, "https://example.com/").await;
}
