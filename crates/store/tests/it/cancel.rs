//! Calling a migration off, whoever has its job at that moment.

use crate::world::{DEADLINES, TTL, World, broken, done, start_request, worker};
use domain::{
    MigrationId,
    event::NewEvent,
    job::{Cause, JobState},
    migration::MigrationState,
    retry::Verdict,
};
use std::time::Duration;
use store::{
    CancelOutcome, CancelRequest, FailedAttempt, Fenced, RescueRequest, StartMigration, StartOutcome,
};
use uuid::Uuid;

fn wish(request: &StartMigration) -> CancelRequest {
    CancelRequest {
        tenant: request.tenant,
        user: request.user,
        migration: request.migration,
        trace: crate::world::trace(),
    }
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_at_once() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let request = world.start(member, "https://example.com/").await;
    assert_eq!(
        world.gateway.request_cancel(&wish(&request)).await.expect("an answer"),
        CancelOutcome::Cancelled
    );
    assert_eq!(world.state(request.job).await, "CANCELLED");
    assert_eq!(world.migration_state(request.migration).await, "cancelled");
    assert_eq!(world.told(request.migration).await, ["log", "error", "done"]);
    assert_eq!(world.transitions(request.job).await[1], "PENDING>CANCELLED cancel_requested 0 0");
    let actor: String = world
        .one("SELECT actor FROM transitions WHERE job_id = $1 ORDER BY id DESC LIMIT 1", request.job.0)
        .await;
    assert_eq!(actor, format!("user:{}", request.user));
    assert!(world.claim(5).await.is_empty());
    let again = world.gateway.request_cancel(&wish(&request)).await.expect("an answer");
    assert_eq!(again, CancelOutcome::AlreadyOver(MigrationState::Cancelled));
    let restart = start_request(member, "https://example.com/");
    assert_eq!(world.gateway.start_migration(&restart).await.expect("an answer"), StartOutcome::Started);
}

#[tokio::test]
async fn the_holder_of_a_job_hears_of_the_wish_with_its_next_heartbeat() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    for _ in 0..2 {
        let outcome = world.gateway.request_cancel(&wish(&request)).await.expect("an answer");
        assert_eq!(outcome, CancelOutcome::Requested);
    }
    assert_eq!(world.state(lease.job).await, "RUNNING");
    let kept =
        world.worker.heartbeat(lease.worker, &[(lease.job, lease.epoch)], TTL).await.expect("a heartbeat");
    assert!(kept[0].cancel_requested);
    done(world.worker.cancel_job(&lease, &[]).await);
    assert_eq!(world.state(lease.job).await, "CANCELLED");
    assert_eq!(world.migration_state(request.migration).await, "cancelled");
    assert_eq!(world.told(request.migration).await.last().map(String::as_str), Some("done"));
}

#[tokio::test]
async fn a_wish_is_fulfilled_when_the_attempt_fails_is_handed_back_or_is_lost() {
    for way in ["fail", "give up", "hand_back", "rescue"] {
        let world = World::new().await;
        let (request, lease) = world.running("https://example.com/").await;
        world.gateway.request_cancel(&wish(&request)).await.expect("an answer");
        match way {
            "fail" => {
                let verdict = Verdict::RetryAfter(Duration::from_secs(60));
                let failed = FailedAttempt { failure: broken(), verdict, events: vec![] };
                assert_eq!(done(world.worker.fail_attempt(&lease, &failed).await), JobState::Cancelled);
            }
            "give up" => {
                let events = NewEvent::failed(&broken(), None, 0).to_vec();
                let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events };
                assert_eq!(done(world.worker.fail_attempt(&lease, &failed).await), JobState::Cancelled);
            }
            "hand_back" => assert_eq!(done(world.worker.hand_back(&lease).await), JobState::Cancelled),
            _ => {
                world.expire(lease.job).await;
                assert_eq!(world.rescue().await[0].to, JobState::Cancelled);
            }
        }
        assert_eq!(world.state(lease.job).await, "CANCELLED", "{way}");
        assert_eq!(world.migration_state(request.migration).await, "cancelled", "{way}");
        assert_eq!(world.told(request.migration).await, ["log", "phase_update", "error", "done"], "{way}");
    }
}

#[tokio::test]
async fn a_job_that_waits_with_a_wish_on_it_is_cancelled_when_it_is_due() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let failed =
        FailedAttempt { failure: broken(), verdict: Verdict::RetryAfter(Duration::ZERO), events: vec![] };
    done(world.worker.fail_attempt(&lease, &failed).await);
    world.change("UPDATE jobs SET cancel_requested_at = clock_timestamp() WHERE id = $1", lease.job).await;
    assert_eq!(world.worker.promote_due(worker(), 10).await.expect("a look"), 0);
    assert_eq!(world.state(lease.job).await, "CANCELLED");
    assert_eq!(world.migration_state(request.migration).await, "cancelled");
    let moves = world.transitions(lease.job).await;
    assert_eq!(moves.last().map(String::as_str), Some("WAITING_RETRY>CANCELLED cancel_requested 1 1"));
}

#[tokio::test]
async fn a_migration_that_waits_for_a_person_is_cancelled_without_a_job() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let sql = "UPDATE jobs SET state = 'COMPLETED', finished_at = clock_timestamp() WHERE id = $1";
    world.change(sql, lease.job).await;
    world.sql.batch_execute("UPDATE migrations SET state = 'questionnaire'").await.expect("the owner may");
    assert_eq!(
        world.gateway.request_cancel(&wish(&request)).await.expect("an answer"),
        CancelOutcome::Cancelled
    );
    assert_eq!(world.state(lease.job).await, "COMPLETED");
    assert_eq!(world.migration_state(request.migration).await, "cancelled");
}

#[tokio::test]
async fn somebody_elses_migration_is_not_found_and_not_touched() {
    let world = World::new().await;
    let (request, _) = world.running("https://example.com/").await;
    let other = world.member("two@example.com").await;
    let before = world.everything().await;
    let stranger = CancelRequest { tenant: other.tenant, user: other.user, ..wish(&request) };
    assert_eq!(world.gateway.request_cancel(&stranger).await.expect("an answer"), CancelOutcome::NotFound);
    let nothing = CancelRequest { migration: MigrationId(Uuid::now_v7()), ..wish(&request) };
    assert_eq!(world.gateway.request_cancel(&nothing).await.expect("an answer"), CancelOutcome::NotFound);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_holder_that_does_not_heed_the_wish_loses_its_job_after_a_grace_and_its_writes_are_refused() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let (policy, ttl) = (domain::retry::Policy::default(), Duration::from_millis(1));
    let sweep = |cancel_grace| RescueRequest {
        worker: worker(),
        ttl,
        deadlines: &DEADLINES,
        cancel_grace,
        limit: 100,
        policy: &policy,
        jitter: 0.5,
    };
    let swept = async |grace| world.worker.rescue_expired(&sweep(grace)).await.expect("a sweep");
    assert!(swept(Duration::ZERO).await.is_empty(), "nobody wished anything");
    let asked = world.gateway.request_cancel(&wish(&request)).await.expect("an answer");
    assert_eq!(asked, CancelOutcome::Requested);
    assert!(swept(TTL).await.is_empty(), "the grace is not over");
    // Alive and renewing, but deaf.
    let kept = world.worker.heartbeat(lease.worker, &[(lease.job, lease.epoch)], TTL).await;
    assert!(kept.expect("a heartbeat")[0].cancel_requested);
    let taken = swept(Duration::ZERO).await;
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].to, taken[0].cause), (JobState::Cancelled, Cause::CancelRequested));
    assert_eq!(world.migration_state(request.migration).await, "cancelled");
    assert_eq!(world.told(request.migration).await, ["log", "phase_update", "error", "done"]);
    assert_eq!(
        world.transitions(lease.job).await.last().map(String::as_str),
        Some("RUNNING>CANCELLED cancel_requested 1 1")
    );
    let late = world.worker.append_events(&lease, 1, &[]).await.expect("an answer");
    assert_eq!(late, Fenced::Stale);
    let attempts: i32 = world.one("SELECT attempts FROM jobs WHERE id = $1", lease.job.0).await;
    assert_eq!(attempts, 0, "nothing failed");
}
