//! Sessions of AI time: each is opened with its phase and closed with it, however it ends.

use crate::world::{World, broken, done, worker};
use domain::{JobId, job::JobState, phase::Phase, retry::Verdict, trace::TraceContext, tracking::Outcome};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use store::{CancelOutcome, CancelRequest, Completion, FailedAttempt, StartMigration};

impl World {
    /// A job's sessions, as `run PHASE purpose epoch outcome`, in order.
    async fn sessions(&self, job: JobId) -> Vec<String> {
        let sql = "SELECT format('%s %s %s %s %s', run, phase, purpose, epoch, coalesce(outcome, 'open'))
                   FROM tracking_sessions WHERE job_id = $1 ORDER BY id";
        self.sql.query(sql, &[&job.0]).await.expect("the owner may").iter().map(|row| row.get(0)).collect()
    }
}

fn attempt(verdict: Verdict) -> FailedAttempt {
    FailedAttempt { failure: broken(), verdict, events: vec![] }
}

fn cancel(request: &StartMigration) -> CancelRequest {
    CancelRequest {
        tenant: request.tenant,
        user: request.user,
        migration: request.migration,
        trace: TraceContext::default(),
    }
}

#[tokio::test]
async fn a_session_is_opened_with_its_phase_and_closed_with_its_result() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    assert_eq!(world.sessions(lease.job).await, ["1 ANALYZE phase 1 open"]);
    // Said again, because an answer was lost.
    done(world.worker.begin_phase(&lease, Phase::Analyze, &[]).await);
    assert_eq!(world.sessions(lease.job).await, ["1 ANALYZE phase 1 open"]);
    for _ in 0..2 {
        done(world.worker.complete_phase(&lease, Phase::Analyze, &json!({}), &[]).await);
    }
    done(world.worker.begin_phase(&lease, Phase::Transform, &[]).await);
    assert_eq!(world.sessions(lease.job).await, ["1 ANALYZE phase 1 completed", "1 TRANSFORM phase 1 open"]);
    let context: Value = world
        .one("SELECT context FROM tracking_sessions WHERE migration_id = $1 LIMIT 1", request.migration.0)
        .await;
    assert_eq!(context, json!({"worker": lease.worker, "attempt": 1}));
    // A job that is over although its last phase is not: no command of a worker's, but nothing stays open.
    let completion = Completion { project_id: uuid::Uuid::now_v7(), events: vec![] };
    done(world.worker.complete_job(&lease, &completion).await);
    assert_eq!(world.sessions(lease.job).await[1], "1 TRANSFORM phase 1 completed");
}

#[tokio::test]
async fn nothing_stays_open_whatever_ends_the_attempt() {
    let again = Verdict::RetryAfter(Duration::ZERO);
    let mut seen = BTreeSet::new();
    for (way, outcome, state) in [
        ("fails", Outcome::Failed, JobState::WaitingRetry),
        ("gives up", Outcome::Failed, JobState::Failed),
        ("is lost", Outcome::Lost, JobState::WaitingRetry),
        ("is called off by its holder", Outcome::Cancelled, JobState::Cancelled),
        ("is called off by the sweep", Outcome::Cancelled, JobState::Cancelled),
        ("is handed back", Outcome::HandedBack, JobState::Pending),
        ("is handed back after it was called off", Outcome::Cancelled, JobState::Cancelled),
    ] {
        let world = World::new().await;
        let (request, lease) = world.running("https://example.com/").await;
        if way.contains("called off") {
            let asked = world.gateway.request_cancel(&cancel(&request)).await.expect("an answer");
            assert_eq!(asked, CancelOutcome::Requested);
        }
        match way {
            "fails" => drop(done(world.worker.fail_attempt(&lease, &attempt(again)).await)),
            "gives up" => drop(done(world.worker.fail_attempt(&lease, &attempt(Verdict::GiveUp)).await)),
            "is called off by its holder" => done(world.worker.cancel_job(&lease, &[]).await),
            "is lost" | "is called off by the sweep" => {
                world.expire(lease.job).await;
                assert_eq!(world.rescue().await.len(), 1);
            }
            _ => drop(done(world.worker.hand_back(&lease).await)),
        }
        assert_eq!(world.state(lease.job).await, state.as_str(), "{way}");
        let expected = format!("1 ANALYZE phase 1 {}", outcome.as_str());
        assert_eq!(world.sessions(lease.job).await, [expected], "{way}");
        seen.insert(outcome.as_str());
    }
    seen.insert(Outcome::Completed.as_str());
    assert_eq!(seen, Outcome::ALL.map(Outcome::as_str).into(), "every outcome has its way");
}

#[tokio::test]
async fn the_next_attempt_has_a_session_of_its_own_and_a_write_that_is_refused_opens_none() {
    let world = World::new().await;
    let (_, first) = world.running("https://example.com/").await;
    let second = world.take_over(first.job).await;
    let stale = world.worker.begin_phase(&first, Phase::Plan, &[]).await.expect("an answer");
    assert_eq!(stale, store::Fenced::Stale);
    assert_eq!(world.sessions(first.job).await, ["1 ANALYZE phase 1 lost"]);
    done(world.worker.begin_job(&second, &[]).await);
    done(world.worker.begin_phase(&second, Phase::Analyze, &[]).await);
    assert_eq!(world.sessions(first.job).await, ["1 ANALYZE phase 1 lost", "1 ANALYZE phase 2 open"]);
    done(world.worker.complete_phase(&second, Phase::Analyze, &json!({}), &[]).await);
    assert_eq!(world.sessions(first.job).await[1], "1 ANALYZE phase 2 completed");
    assert!(world.worker.promote_due(worker(), 10).await.is_ok());
}

#[tokio::test]
async fn the_database_refuses_a_session_that_is_half_closed() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    for change in
        ["closed_at = clock_timestamp()", "outcome = 'lost'", "outcome = 'mislaid', closed_at = now()"]
    {
        let sql = format!("UPDATE tracking_sessions SET {change} WHERE job_id = $1");
        world.sql.execute(&sql, &[&lease.job.0]).await.expect_err("it is both or neither");
    }
}
