//! Jobs that carry out no migration: enqueued one or many, held, ended, retried and called off like every other job.

use crate::world::{TRACE_ID, TTL, World, broken, done, trace, worker};
use domain::{
    CorrelationId, JobId,
    dead_letter::LetterState,
    failure::Reason,
    job::{Cause, JobState},
    retry::Verdict,
    task::Needs,
};
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    ClaimRequest, Claimed, DeadLetterPage, EnqueueOutcome, EnqueueRequest, Enqueued, FailedAttempt, Fenced,
    IdempotentWrite, JobKind, JobPage, JobRetry, JobRetryOutcome, Lease, Member, MovesPage, NewTask,
    StopOutcome, StopRequest, Store,
};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) const KIND: &str = "resize";

pub(crate) fn task(n: u32) -> NewTask {
    NewTask {
        id: JobId(Uuid::now_v7()),
        kind: KIND.to_owned(),
        payload: json!({"n": n, "text": "a\0b"}),
        priority: 0,
        run_at: None,
        max_attempts: 2,
        unique_key: None,
        destination: None,
        needs: Needs::default(),
    }
}

fn unique(key: &str) -> NewTask {
    NewTask { unique_key: Some(key.to_owned()), ..task(0) }
}

pub(crate) fn wish(member: Member, tasks: Vec<NewTask>) -> EnqueueRequest {
    EnqueueRequest {
        tenant: member.tenant,
        user: member.user,
        tasks,
        correlation: CorrelationId(Uuid::now_v7()),
        trace: trace(),
        idempotency: None,
        answer: |came| json!(came.iter().map(|one| one.job).collect::<Vec<_>>()),
    }
}

pub(crate) async fn enqueue(world: &World, member: Member, tasks: Vec<NewTask>) -> Vec<Enqueued> {
    match world.gateway.enqueue_tasks(&wish(member, tasks)).await.expect("an answer") {
        EnqueueOutcome::Enqueued(came) => came,
        other => panic!("{other:?}"),
    }
}

async fn claim(world: &World, slots: u32, begin: Option<Duration>) -> Vec<Claimed> {
    let request = ClaimRequest { queue: KIND, worker: worker(), slots, ttl: TTL, begin };
    world.worker.claim(&request).await.expect("a claim")
}

/// A job that runs, and whose it is.
async fn running(world: &World) -> (Member, Lease) {
    let member = world.member("one@example.com").await;
    enqueue(world, member, vec![task(1)]).await;
    (member, begun(world).await)
}

async fn begun(world: &World) -> Lease {
    let claimed = claim(world, 1, Some(TTL)).await.pop().expect("it waits");
    assert_eq!(claimed.run, 1);
    claimed.lease
}

async fn failed(world: &World, lease: &Lease) {
    let verdict = Verdict::GiveUp;
    let failed = FailedAttempt { failure: broken(), verdict, events: vec![] };
    assert_eq!(done(world.worker.fail_attempt(lease, &failed).await), JobState::Failed);
}

fn retry(member: Member, job: JobId) -> JobRetry {
    JobRetry { tenant: member.tenant, user: member.user, job, trace: trace(), idempotency: None }
}

fn stop(member: Member, job: JobId) -> StopRequest {
    StopRequest { tenant: member.tenant, user: member.user, job, trace: trace() }
}

#[tokio::test]
async fn a_job_lives_from_its_wish_to_its_result() {
    let world = World::new().await;
    let (member, lease) = running(&world).await;
    let tell = async || world.worker.finish_task(&lease, &json!({"made": "x\0y"})).await;
    done(tell().await);
    done(tell().await); // the answer was lost: said again, it is the same
    let record = world.gateway.job(member.tenant, lease.job).await.expect("a look").expect("there");
    assert_eq!((record.state, record.attempts, record.epoch.0), (JobState::Completed, 0, 1));
    assert_eq!(record.payload, Some(json!({"n": 1, "text": "ab"})));
    assert_eq!(record.result, Some(json!({"made": "xy"})));
    assert!(record.finished_at.is_some() && record.migration.is_none());
    let page = MovesPage { limit: 2, after: 0 };
    let first = world.gateway.job_moves(member.tenant, lease.job, page).await.expect("a look");
    let after = first.last().expect("two").id;
    let rest = world
        .gateway
        .job_moves(member.tenant, lease.job, MovesPage { limit: 9, after })
        .await
        .expect("a look");
    let causes: Vec<&str> = first.iter().chain(&rest).map(|one| one.cause.as_str()).collect();
    assert_eq!(causes, ["enqueued", "claimed", "started", "completed"]);
    assert_eq!(world.one::<i64>("SELECT count(*) FROM leases WHERE job_id = $1", lease.job.0).await, 0);
    let traced: Option<String> =
        world.one("SELECT min(trace_id) FROM transitions WHERE job_id = $1", lease.job.0).await;
    assert_eq!(traced.as_deref(), Some(TRACE_ID));
}

#[tokio::test]
async fn a_claim_may_begin_what_it_takes_and_both_moves_are_in_the_log() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    enqueue(&world, member, vec![task(1), task(2)]).await;
    for claimed in claim(&world, 9, Some(TTL * 7)).await {
        let job = claimed.lease.job;
        assert_eq!((claimed.attempt, claimed.run), (1, 1));
        assert_eq!(world.state(job).await, JobState::Running.as_str());
        assert_eq!(
            world.transitions(job).await[1..],
            ["PENDING>PREPARING claimed 1 1", "PREPARING>RUNNING started 1 1"]
        );
        let swept: f64 = world
            .one(
                "SELECT extract(epoch FROM overdue_at - claimed_at)::float8 FROM leases WHERE job_id = $1",
                job.0,
            )
            .await;
        assert_eq!(Duration::from_secs_f64(swept), TTL * 7);
        let actors: i64 =
            world.one("SELECT count(DISTINCT actor) FROM transitions WHERE job_id = $1", job.0).await;
        assert_eq!(actors, 2, "who enqueued it, and its holder");
    }
    // Given back, it is nobody's, and the next may leave it unbegun.
    enqueue(&world, member, vec![task(3)]).await;
    let third = claim(&world, 1, Some(TTL)).await.pop().expect("it waits").lease;
    assert_eq!(done(world.worker.hand_back(&third).await), JobState::Pending);
    let again = claim(&world, 1, None).await.pop().expect("it waits").lease;
    assert_eq!(
        (again.job, world.state(again.job).await),
        (third.job, JobState::Preparing.as_str().to_owned())
    );
    let swept: Option<time::OffsetDateTime> =
        world.one("SELECT overdue_at FROM leases WHERE job_id = $1", again.job.0).await;
    assert_eq!(swept, None);
}

#[tokio::test]
async fn a_claim_does_not_begin_what_carries_out_a_migration() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.start(member, "https://example.com/").await;
    let before = world.everything().await;
    let queue = domain::job::MIGRATION_QUEUE;
    let request = ClaimRequest { queue, worker: worker(), slots: 1, ttl: TTL, begin: Some(TTL) };
    assert_eq!(world.worker.claim(&request).await.expect("a claim"), [], "it has to tell of its beginning");
    assert_eq!(world.everything().await, before);
    assert_eq!(world.claim(1).await.len(), 1);
}

#[tokio::test]
async fn what_a_job_needs_goes_with_it() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let needs = Needs { memory: 1 << 40, disk: 5 };
    let came = enqueue(&world, member, vec![NewTask { needs, ..task(1) }, task(2)]).await;
    let claimed: Vec<Needs> = claim(&world, 2, Some(TTL)).await.iter().map(|one| one.needs).collect();
    assert_eq!(claimed, [needs, Needs::default()]);
    let told = world.gateway.job(member.tenant, came[0].job).await.expect("a look").expect("there");
    assert_eq!(told.needs, needs);
    let stored = "SELECT count(*) FROM jobs WHERE needs IS NOT NULL";
    assert_eq!(world.sql.query_one(stored, &[]).await.expect("may").get::<_, i64>(0), 1);
}

#[tokio::test]
async fn many_jobs_are_one_write_in_their_order_and_wake_a_few_workers() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let tasks: Vec<NewTask> = (0..100).map(task).collect();
    let given: Vec<JobId> = tasks.iter().map(|task| task.id).collect();
    let came = enqueue(&world, member, tasks).await;
    assert_eq!(came.iter().map(|one| one.job).collect::<Vec<_>>(), given);
    let hints: i64 = world.sql.query_one("SELECT count(*) FROM outbox", &[]).await.expect("may").get(0);
    assert_eq!(hints, 20);
    let claimed: Vec<JobId> = claim(&world, 50, Some(TTL)).await.iter().map(|one| one.lease.job).collect();
    assert_eq!(claimed, given[..50]);
}

#[tokio::test]
async fn a_wish_with_one_bad_job_writes_none() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let before = world.everything().await;
    let soon = |by: time::Duration| Some(OffsetDateTime::now_utc() + by);
    for (by, refused) in [(-25, true), (-23, false), (24 * 365, false), (24 * 367, true)] {
        let bad = NewTask { run_at: soon(time::Duration::hours(by)), ..task(2) };
        let outcome =
            world.gateway.enqueue_tasks(&wish(member, vec![task(1), bad])).await.expect("an answer");
        assert_eq!(outcome == EnqueueOutcome::OutOfTime(1), refused, "{by} h");
        if refused && by < 0 {
            assert_eq!(world.everything().await, before);
        }
    }
    // What is due later is neither announced nor claimed.
    let claimed = claim(&world, 50, Some(TTL)).await.len();
    assert_eq!(claimed, 3);
    let (before, over) = (world.everything().await, NewTask { priority: 101, ..task(3) });
    assert!(world.gateway.enqueue_tasks(&wish(member, vec![task(1), over])).await.is_err());
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_request_that_is_sent_again_writes_nothing_and_gets_its_answer() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let keyed = |hash: &str| EnqueueRequest {
        idempotency: Some(IdempotentWrite {
            route: "POST /api/jobs".to_owned(),
            key: "k".to_owned(),
            request_hash: hash.repeat(64),
            ttl: TTL,
            status: 202,
            answer: Value::Null,
        }),
        ..wish(member, vec![task(1)])
    };
    let first = keyed("a");
    let came = world.gateway.enqueue_tasks(&first).await.expect("an answer");
    assert!(matches!(came, EnqueueOutcome::Enqueued(_)));
    let before = world.everything().await;
    let again = world.gateway.enqueue_tasks(&keyed("a")).await.expect("an answer");
    let EnqueueOutcome::Replayed(stored) = again else { panic!("{again:?}") };
    assert_eq!(stored.answer, json!([first.tasks[0].id]));
    let other = world.gateway.enqueue_tasks(&keyed("b")).await.expect("an answer");
    assert_eq!(other, EnqueueOutcome::KeyMismatch);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_unique_key_is_taken_until_its_job_is_over() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let came = enqueue(&world, member, vec![unique("k"), task(1), unique("k"), unique("other")]).await;
    assert_eq!(came.iter().map(|one| one.existing).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(came[2].job, came[0].job);
    // Another tenant's key is another key.
    let stranger = world.member("two@example.com").await;
    assert!(!enqueue(&world, stranger, vec![unique("k")]).await[0].existing);
    for state in [JobState::Pending, JobState::Preparing, JobState::Running] {
        assert_eq!(world.state(came[0].job).await, state.as_str());
        assert!(enqueue(&world, member, vec![unique("k")]).await[0].existing, "{state}");
        match state {
            JobState::Pending => {
                let others = claim(&world, 50, None).await;
                let lease = others.into_iter().map(|one| one.lease).find(|lease| lease.job == came[0].job);
                world
                    .sql
                    .execute("UPDATE leases SET worker_id = $1", &[&lease.expect("it waits").worker.0])
                    .await
                    .expect("may");
            }
            JobState::Preparing => {
                done(world.worker.begin_job(&lease_of(&world, came[0].job).await, &[]).await);
            }
            _ => failed(&world, &lease_of(&world, came[0].job).await).await,
        }
    }
    // The failed one is over, so there may be another; and while that one lives, the first cannot come back.
    let second = enqueue(&world, member, vec![unique("k")]).await[0];
    assert!(!second.existing);
    let refused = world.gateway.retry_job(&retry(member, came[0].job)).await.expect("an answer");
    assert_eq!(refused, JobRetryOutcome::UniqueTaken(second.job));
    assert_eq!(
        world.gateway.stop_job(&stop(member, second.job)).await.expect("an answer"),
        StopOutcome::Cancelled
    );
    let retried = world.gateway.retry_job(&retry(member, came[0].job)).await.expect("an answer");
    assert_eq!(retried, JobRetryOutcome::Retried);
}

async fn lease_of(world: &World, job: JobId) -> Lease {
    let holder: Uuid = world.one("SELECT worker_id FROM leases WHERE job_id = $1", job.0).await;
    let held = world.worker.leases_of(holder.into()).await.expect("a look");
    held.into_iter().find(|lease| lease.job == job).expect("it is held")
}

/// A worker loses its job; what it then tries is refused and leaves no trace, and its successor may do the same.
async fn refused<T: std::fmt::Debug>(attempt: impl AsyncFn(&Store, &Lease) -> store::Result<Fenced<T>>) {
    let world = World::new().await;
    let (_, stale) = running(&world).await;
    world.expire(stale.job).await;
    assert_eq!(world.rescue().await.len(), 1);
    world.make_due(stale.job).await;
    assert_eq!(world.worker.promote_due(worker(), 10).await.expect("a promotion"), 1);
    let current = begun(&world).await;
    let before = world.everything().await;
    let answer = attempt(&world.worker, &stale).await;
    assert!(matches!(answer, Ok(Fenced::Stale)), "{answer:?}");
    assert_eq!(world.everything().await, before);
    let answer = attempt(&world.worker, &current).await;
    assert!(matches!(answer, Ok(Fenced::Done(_))), "{answer:?}");
}

#[tokio::test]
async fn every_write_under_a_lost_lease_is_refused() {
    let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
    refused(async |store, lease| store.finish_task(lease, &json!(7)).await).await;
    refused(async |store, lease| store.fail_attempt(lease, &failed).await).await;
    refused(async |store, lease| store.hand_back(lease).await).await;
    refused(async |store, lease| store.snooze(lease, TTL, &[]).await).await;
    refused(async |store, lease| store.cancel_job(lease, &[]).await).await;
}

#[tokio::test]
async fn a_lease_on_no_migration_writes_nothing_of_one() {
    let world = World::new().await;
    let (_, lease) = running(&world).await;
    let before = world.everything().await;
    assert!(world.worker.begin_phase(&lease, domain::phase::Phase::Analyze, &[]).await.is_err());
    let completion = store::Completion { project_id: Uuid::now_v7(), events: vec![] };
    assert!(world.worker.complete_job(&lease, &completion).await.is_err());
    assert_eq!(world.everything().await, before);
    // And the other way round.
    let other = World::new().await;
    let (_, lease) = other.running("https://example.com/").await;
    assert!(other.worker.finish_task(&lease, &json!(7)).await.is_err());
}

#[tokio::test]
async fn a_failed_job_waits_dies_and_comes_back_at_a_persons_wish() {
    let world = World::new().await;
    let (member, lease) = running(&world).await;
    let again = FailedAttempt { failure: broken(), verdict: Verdict::RetryAfter(TTL), events: vec![] };
    assert_eq!(done(world.worker.fail_attempt(&lease, &again).await), JobState::WaitingRetry);
    let refused = world.gateway.retry_job(&retry(member, lease.job)).await.expect("an answer");
    assert_eq!(refused, JobRetryOutcome::NotFailed(JobState::WaitingRetry));
    world.make_due(lease.job).await;
    assert_eq!(world.worker.promote_due(worker(), 10).await.expect("a promotion"), 1);
    let second = begun(&world).await;
    // The second of two attempts: whatever the verdict says, it was the last.
    assert_eq!(done(world.worker.fail_attempt(&second, &again).await), JobState::Failed);
    let page = DeadLetterPage { limit: 5, before: None, state: None, filter: Default::default() };
    let letters = world.gateway.dead_letters(member.tenant, &page).await.expect("a look");
    assert_eq!((letters.len(), letters[0].job, letters[0].kind.as_str()), (1, lease.job, KIND));
    let retried = world.gateway.retry_job(&retry(member, lease.job)).await.expect("an answer");
    assert_eq!(retried, JobRetryOutcome::Retried);
    let twice = world.gateway.retry_job(&retry(member, lease.job)).await.expect("an answer");
    assert_eq!(twice, JobRetryOutcome::NotFailed(JobState::Pending));
    let third = claim(&world, 1, Some(TTL)).await.pop().expect("it waits");
    assert_eq!((third.attempt, third.lease.epoch.0), (1, 3), "all attempts again, and no token twice");
    assert_eq!(third.run, 2, "another run");
    failed(&world, &third.lease).await;
    let letters = world.gateway.dead_letters(member.tenant, &page).await.expect("a look");
    world
        .gateway
        .discard_dead_letter(member.tenant, member.user, letters[0].id, "enough")
        .await
        .expect("may");
    let refused = world.gateway.retry_job(&retry(member, lease.job)).await.expect("an answer");
    assert_eq!(refused, JobRetryOutcome::Settled(LetterState::Discarded));
}

#[tokio::test]
async fn a_job_is_called_off_at_once_or_by_its_holder() {
    let world = World::new().await;
    let (member, lease) = running(&world).await;
    let stopped = async |job| world.gateway.stop_job(&stop(member, job)).await.expect("an answer");
    assert_eq!(stopped(lease.job).await, StopOutcome::Requested);
    let kept = world.worker.heartbeat(lease.worker, &[(lease.job, lease.epoch)], TTL).await.expect("kept");
    assert!(kept[0].cancel_requested);
    done(world.worker.cancel_job(&lease, &[]).await);
    assert_eq!(stopped(lease.job).await, StopOutcome::AlreadyOver(JobState::Cancelled));
    let waiting = enqueue(&world, member, vec![task(2)]).await[0].job;
    assert_eq!(stopped(waiting).await, StopOutcome::Cancelled);
    assert_eq!(world.transitions(waiting).await[1], "PENDING>CANCELLED cancel_requested 0 0");
    assert_eq!(stopped(JobId(Uuid::now_v7())).await, StopOutcome::NotFound);
    let request = world.start(member, "https://example.com/").await;
    assert_eq!(stopped(request.job).await, StopOutcome::OfMigration(request.migration));
    let refused = world.gateway.retry_job(&retry(member, request.job)).await.expect("an answer");
    assert_eq!(refused, JobRetryOutcome::OfMigration(request.migration));
}

#[tokio::test]
async fn an_attempt_that_runs_over_its_limit_is_taken_away_although_its_worker_lives() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    enqueue(&world, member, vec![task(1)]).await;
    let lease = begun(&world).await;
    assert_eq!(world.rescue().await, []);
    world.change("UPDATE leases SET overdue_at = clock_timestamp() WHERE job_id = $1", lease.job).await;
    let rescued = world.rescue().await;
    assert_eq!((rescued[0].to, rescued[0].cause), (JobState::WaitingRetry, Cause::JobOverdue));
    let error: Value = world.one("SELECT last_error FROM jobs WHERE id = $1", lease.job.0).await;
    assert_eq!(error["reason"], Reason::ToolTimeout.as_str());
    assert!(matches!(world.worker.finish_task(&lease, &json!(1)).await, Ok(Fenced::Stale)));
}

#[tokio::test]
async fn a_list_is_paged_by_kind_and_state() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mail = || NewTask { kind: "mail".to_owned(), ..task(9) };
    let came = enqueue(&world, member, vec![task(0), task(1), mail(), task(2)]).await;
    world.gateway.stop_job(&stop(member, came[1].job)).await.expect("stopped");
    let list = async |page: JobPage| {
        let found = world.gateway.jobs(member.tenant, &page).await.expect("a look");
        (found.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), found.next)
    };
    let page = JobPage { limit: 3, ..JobPage::default() };
    let (first, next) = list(page.clone()).await;
    assert_eq!(first, [came[3].job, came[2].job, came[1].job]);
    let (rest, end) = list(JobPage { before: next, ..page.clone() }).await;
    assert_eq!((rest, end), (vec![came[0].job], None));
    let kind = Some("mail".to_owned());
    assert_eq!(list(JobPage { kind, ..page.clone() }).await, (vec![came[2].job], None));
    let state = Some(JobState::Cancelled);
    assert_eq!(list(JobPage { state, ..page.clone() }).await.0, [came[1].job]);
    assert_eq!(list(JobPage { before: Some(came[0].job.0), ..page }).await, (vec![], None));
}

#[tokio::test]
async fn nobody_sees_or_moves_anothers_job() {
    let world = World::new().await;
    let (member, lease) = running(&world).await;
    let stranger = world.member("two@example.com").await;
    let before = world.everything().await;
    assert_eq!(world.gateway.job(stranger.tenant, lease.job).await.expect("a look"), None);
    let page = JobPage { limit: 9, ..JobPage::default() };
    assert_eq!(world.gateway.jobs(stranger.tenant, &page).await.expect("a look").jobs, []);
    let moves = MovesPage { limit: 9, after: 0 };
    assert_eq!(world.gateway.job_moves(stranger.tenant, lease.job, moves).await.expect("a look"), []);
    assert_eq!(world.gateway.job_holder(stranger.tenant, lease.job).await.expect("a look"), None);
    let stopped = world.gateway.stop_job(&stop(stranger, lease.job)).await.expect("an answer");
    assert_eq!(stopped, StopOutcome::NotFound);
    failed(&world, &lease).await;
    let after = world.everything().await;
    let retried = world.gateway.retry_job(&retry(stranger, lease.job)).await.expect("an answer");
    assert_eq!(retried, JobRetryOutcome::NotFound);
    assert_eq!(world.everything().await, after);
    assert_ne!(before, after);
    let retried = world.gateway.retry_job(&retry(member, lease.job)).await.expect("an answer");
    assert_eq!(retried, JobRetryOutcome::Retried);
}

#[tokio::test]
async fn kinds_are_what_a_worker_said_last_for_those_who_may_use_them() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    let everybodys = JobKind {
        name: KIND.to_owned(),
        executor: "subprocess".to_owned(),
        payload_schema: Some(json!({"type": "object"})),
        max_payload_bytes: 1024,
        max_attempts: 5,
        timeout: Duration::from_millis(1500),
        tenants: None,
    };
    let own = JobKind { name: "mail".to_owned(), tenants: Some(vec![one.tenant]), ..everybodys.clone() };
    let offered = [everybodys.clone(), own.clone()];
    world.worker.offer_job_kinds(worker(), &offered).await.expect("offered");
    let kinds = async |member: Member| world.gateway.job_kinds(member.tenant).await.expect("a look");
    assert_eq!(kinds(one).await, [own.clone(), everybodys.clone()]);
    assert_eq!(kinds(two).await, std::slice::from_ref(&everybodys));
    let changed = JobKind { max_attempts: 1, payload_schema: None, ..everybodys };
    world.worker.offer_job_kinds(worker(), std::slice::from_ref(&changed)).await.expect("offered");
    assert_eq!(kinds(two).await, std::slice::from_ref(&changed));
    let long_ago = "UPDATE job_kinds SET seen_at = clock_timestamp() - interval '31 days'";
    world.sql.execute(long_ago, &[]).await.expect("may");
    assert_eq!(kinds(one).await, []);
    world.worker.keep_job_kinds(&[KIND.to_owned(), "unheard".to_owned()]).await.expect("kept");
    assert_eq!(kinds(one).await, [changed]);
    // The names of our own work are nobody's, and a role that enqueues offers nothing.
    let reserved = JobKind { name: "migrate_website".to_owned(), ..own.clone() };
    assert!(world.worker.offer_job_kinds(worker(), &[reserved]).await.is_err());
    assert!(world.gateway.offer_job_kinds(worker(), &[own]).await.is_err());
}
