//! What a command answers when it is said again because the answer of its commit was lost: the same as the first
//! time, whatever happened to the job meanwhile, and it writes nothing.

use crate::world::{World, broken, done, event, finished, trace};
use domain::{job::JobState, phase::Phase, retry::Verdict};
use std::{fmt::Debug, time::Duration};
use store::{
    CancelOutcome, CancelRequest, Completion, FailedAttempt, Fenced, Lease, StartMigration, Store, Told,
};
use uuid::Uuid;

/// A command that ends a lease, said three times: at once again, and after another worker took the job on if the
/// job may still run. What was there before a repetition is there after it.
async fn answers_the_same<T: Debug + PartialEq>(
    wish: bool,
    command: impl AsyncFn(&Store, &Lease) -> Result<T>,
) {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    done(world.worker.begin_phase(&lease, Phase::Transform, &[]).await);
    if wish {
        let asked = world.gateway.request_cancel(&cancel(&request)).await.expect("an answer");
        assert_eq!(asked, CancelOutcome::Requested);
    }
    let first = done(command(&world.worker, &lease).await);
    let before = world.everything().await;
    assert_eq!(done(command(&world.worker, &lease).await), first);
    assert_eq!(world.everything().await, before, "said again, it writes nothing");
    // Another process asks in vain: the answer is only for the one whose call it was.
    let stranger = Lease { worker: crate::world::worker(), ..lease.clone() };
    assert!(matches!(command(&world.worker, &stranger).await, Ok(Fenced::Stale)));
    if !["PENDING", "WAITING_RETRY"].contains(&&*world.state(lease.job).await) {
        return;
    }
    world.make_due(lease.job).await;
    world.worker.promote_due(crate::world::worker(), 10).await.expect("a promotion");
    let next = world.claim_one().await.lease;
    done(world.worker.begin_job(&next, &[]).await);
    let before = world.everything().await;
    assert_eq!(done(command(&world.worker, &lease).await), first);
    assert_eq!(world.everything().await, before, "the next holder is left alone");
    done(command(&world.worker, &next).await);
}

type Result<T> = store::Result<Fenced<T>>;

fn cancel(request: &StartMigration) -> CancelRequest {
    CancelRequest { tenant: request.tenant, user: request.user, migration: request.migration, trace: trace() }
}

fn failed(verdict: Verdict) -> FailedAttempt {
    FailedAttempt { failure: broken(), verdict, events: vec![event(20)] }
}

#[tokio::test]
async fn a_failure_that_waits_for_another_attempt() {
    let failed = failed(Verdict::RetryAfter(Duration::from_secs(3600)));
    answers_the_same(false, async |store, lease| store.fail_attempt(lease, &failed).await).await;
}

#[tokio::test]
async fn a_failure_that_gives_up_or_is_called_off() {
    let gives_up = failed(Verdict::GiveUp);
    answers_the_same(false, async |store, lease| store.fail_attempt(lease, &gives_up).await).await;
    let again = failed(Verdict::RetryAfter(Duration::from_secs(3600)));
    answers_the_same(true, async |store, lease| store.fail_attempt(lease, &again).await).await;
}

#[tokio::test]
async fn a_job_that_is_handed_back_or_called_off_instead() {
    for wish in [false, true] {
        answers_the_same(wish, async |store, lease| store.hand_back(lease).await).await;
    }
}

#[tokio::test]
async fn a_job_that_is_cancelled() {
    answers_the_same(true, async |store, lease| store.cancel_job(lease, &[]).await).await;
}

#[tokio::test]
async fn a_job_that_is_completed() {
    let completion = Completion { project_id: Uuid::now_v7(), events: vec![finished()] };
    answers_the_same(false, async |store, lease| store.complete_job(lease, &completion).await).await;
}

#[tokio::test]
async fn one_command_never_answers_for_another() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    assert_eq!(done(world.worker.hand_back(&lease).await), JobState::Pending);
    let before = world.everything().await;
    let answer = world.worker.fail_attempt(&lease, &failed(Verdict::GiveUp)).await;
    assert!(matches!(answer, Ok(Fenced::Stale)), "{answer:?}");
    assert!(matches!(world.worker.cancel_job(&lease, &[]).await, Ok(Fenced::Stale)));
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_job_that_was_rescued_answers_stale() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    world.expire(lease.job).await;
    assert_eq!(world.rescue().await.len(), 1);
    let before = world.everything().await;
    let again = failed(Verdict::RetryAfter(Duration::from_secs(1)));
    assert!(matches!(world.worker.fail_attempt(&lease, &again).await, Ok(Fenced::Stale)));
    assert!(matches!(world.worker.hand_back(&lease).await, Ok(Fenced::Stale)));
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_batch_of_events_is_written_once_and_each_lease_counts_its_own() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    assert_eq!(done(world.worker.append_events(&lease, 1, &[event(20)]).await), Told::Now);
    assert_eq!(done(world.worker.append_events(&lease, 2, &[event(30), event(40)]).await), Told::Now);
    let before = world.everything().await;
    for batch in [1, 2] {
        assert_eq!(done(world.worker.append_events(&lease, batch, &[event(50)]).await), Told::Before);
    }
    assert_eq!(world.everything().await, before);
    let next = world.take_over(lease.job).await;
    assert_eq!(done(world.worker.append_events(&next, 1, &[event(60)]).await), Told::Now);
    assert_eq!(world.told(request.migration).await.len(), 7, "the rescue told of itself, too");
    // A row that a repair by hand left behind is taken over with its count.
    assert_eq!(done(world.worker.hand_back(&next).await), JobState::Pending);
    let left = "INSERT INTO leases (job_id, tenant_id, worker_id, epoch, expires_at, last_batch)
                SELECT id, tenant_id, gen_random_uuid(), epoch, clock_timestamp() + interval '1 h', 9 FROM jobs
                WHERE id = $1";
    world.change(left, lease.job).await;
    let last = world.claim_one().await.lease;
    assert_eq!(done(world.worker.append_events(&last, 1, &[event(70)]).await), Told::Now);
}
