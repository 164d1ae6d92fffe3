//! Plans that wait for their owner's word, are changed, and are gone on with.

use crate::world::{World, broken, done, event, retry_request, start_request};
use domain::{JobId, TenantId, job::JobState, migration::MigrationState, phase::Phase, retry::Verdict};
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    AmendOutcome, AmendPlan, Amended, Approval, CancelOutcome, CancelRequest, FailedAttempt, Fenced,
    IdempotentWrite, Lease, Member, PhaseStart, PlanEdit, Retried, RetryMigration, RetryOutcome,
    StartMigration, StoredAnswer,
};
use uuid::Uuid;

fn hash(letter: &str) -> String {
    letter.repeat(64)
}

fn result(letter: &str) -> Value {
    json!({"plan": format!("plans/{letter}"), "hash": hash(letter), "routes": 3})
}

/// A change of the plan `base` into another one, by its owner.
pub(crate) fn change(of: &StartMigration, base: &str, to: &str) -> AmendPlan {
    let edit = PlanEdit { hash: hash(to), edits: json!({"parts": {"A": to}}), result: result(to) };
    AmendPlan { edit: Some(edit), approval: None, ..approval(of, base) }
}

fn approval(of: &StartMigration, base: &str) -> AmendPlan {
    AmendPlan {
        tenant: of.tenant,
        user: of.user,
        migration: of.migration,
        base: hash(base),
        edit: None,
        approval: Some(Approval { job: JobId(Uuid::now_v7()), max_attempts: 3 }),
        trace: crate::world::trace(),
        idempotency: None,
        answer: |_, amended| json!({"version": amended.version}),
    }
}

fn amended(version: i32, letter: &str, state: MigrationState) -> AmendOutcome {
    AmendOutcome::Amended(Amended { version, hash: hash(letter), state })
}

impl World {
    /// A migration whose plan `a` is made, and the lease of its job.
    async fn planned(&self, review_plan: bool) -> (StartMigration, Lease) {
        let member = self.member("one@example.com").await;
        self.planned_by(member, review_plan).await
    }

    pub(crate) async fn planned_by(&self, member: Member, review_plan: bool) -> (StartMigration, Lease) {
        let request = StartMigration { review_plan, ..start_request(member, "https://planned.example.com/") };
        self.gateway.start_migration(&request).await.expect("a start");
        let lease = self.claim_one().await.lease;
        done(self.worker.begin_job(&lease, &[]).await);
        for (phase, left) in [(Phase::Analyze, json!({"kept": "analyze"})), (Phase::Plan, result("a"))] {
            done(self.worker.begin_phase(&lease, phase, &[]).await);
            done(self.worker.complete_phase(&lease, phase, &left, &[]).await);
        }
        (request, lease)
    }

    /// The same, waiting for its owner's word.
    async fn parked(&self) -> StartMigration {
        let (request, lease) = self.planned(true).await;
        assert_eq!(done(self.worker.park_job(&lease, &[event(45)]).await), JobState::Completed);
        request
    }

    /// The same, failed after its project was written by the plan.
    async fn written_and_failed(&self) -> StartMigration {
        let (request, lease) = self.planned(false).await;
        done(self.worker.begin_phase(&lease, Phase::Transform, &[]).await);
        done(self.worker.complete_phase(&lease, Phase::Transform, &json!({"by": "a"}), &[]).await);
        let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
        done(self.worker.fail_attempt(&lease, &failed).await);
        request
    }

    async fn amend(&self, wish: &AmendPlan) -> AmendOutcome {
        self.gateway.amend_plan(wish).await.expect("an answer")
    }

    async fn plan_of(&self, of: &StartMigration) -> (i32, Value) {
        let record = self.gateway.plan(of.tenant, of.migration).await.expect("a look").expect("it is there");
        (record.version, record.result.unwrap_or_default())
    }
}

#[tokio::test]
async fn a_plan_waits_without_a_job_and_its_approval_writes_another_one_for_the_same_run() {
    let world = World::new().await;
    let (request, lease) = world.planned(true).await;
    assert_eq!(world.migration_state(request.migration).await, "analyzing");
    assert_eq!(done(world.worker.park_job(&lease, &[event(45)]).await), JobState::Completed);
    let before = world.everything().await;
    assert_eq!(done(world.worker.park_job(&lease, &[event(45)]).await), JobState::Completed);
    assert_eq!(world.everything().await, before, "said again, it changes nothing");
    assert_eq!(world.migration_state(request.migration).await, "questionnaire");
    let moves = world.transitions(request.job).await;
    assert_eq!(moves.last().map(String::as_str), Some("RUNNING>COMPLETED parked 1 1"));
    assert!(world.claim(1).await.is_empty(), "who waits for a person holds no job");

    let wish = approval(&request, "a");
    assert_eq!(world.amend(&wish).await, amended(1, "a", MigrationState::Processing));
    let claimed = world.claim_one().await;
    assert_eq!(
        (Some(claimed.lease.job), claimed.lease.carries.map(|of| of.run)),
        (wish.approval.map(|one| one.job), Some(1))
    );
    assert_eq!(claimed.payload["reviewPlan"], false, "it is asked once");
    let lease = claimed.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    let found = done(world.worker.begin_phase(&lease, Phase::Plan, &[]).await);
    assert_eq!(found, PhaseStart::AlreadyComplete(result("a")));
    assert_eq!(done(world.worker.begin_phase(&lease, Phase::Transform, &[]).await), PhaseStart::Begun);
    assert_eq!(world.migration_state(request.migration).await, "processing");
    assert_eq!(world.amend(&approval(&request, "a")).await, AmendOutcome::InUse(MigrationState::Processing));
}

#[tokio::test]
async fn an_edited_plan_is_a_version_of_its_own_and_the_approved_one_is_written_by() {
    let world = World::new().await;
    let request = world.parked().await;
    let waits = MigrationState::Questionnaire;
    assert_eq!(world.amend(&change(&request, "a", "b")).await, amended(2, "b", waits));
    assert_eq!(world.plan_of(&request).await, (2, result("b")));
    assert_eq!(world.amend(&change(&request, "a", "c")).await, AmendOutcome::Changed(hash("b")));
    // A change and its approval are one.
    let both = AmendPlan { approval: approval(&request, "b").approval, ..change(&request, "b", "c") };
    assert_eq!(world.amend(&both).await, amended(3, "c", MigrationState::Processing));
    let lease = world.claim_one().await.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    let found = done(world.worker.begin_phase(&lease, Phase::Plan, &[]).await);
    assert_eq!(found, PhaseStart::AlreadyComplete(result("c")));
    let kept: Value = world
        .one(
            "SELECT jsonb_agg(jsonb_build_array(version, run, left(base_hash, 1), left(hash, 1), edits, user_id)
             ORDER BY version) FROM plan_edits WHERE migration_id = $1",
            request.migration.0,
        )
        .await;
    let edits = |to: &str| json!({"parts": {"A": to}});
    assert_eq!(
        kept,
        json!([[2, 1, "a", "b", edits("b"), request.user], [3, 1, "b", "c", edits("c"), request.user]])
    );
    let record = world.gateway.migration(request.tenant, request.migration).await.expect("a look");
    assert_eq!(record.map(|record| record.plan_version), Some(3));
}

#[tokio::test]
async fn the_plan_of_what_is_over_is_changed_for_the_next_run_which_writes_by_it() {
    let world = World::new().await;
    let request = world.written_and_failed().await;
    assert_eq!(world.amend(&change(&request, "a", "b")).await, amended(2, "b", MigrationState::Failed));
    let not_awaited = AmendOutcome::NotAwaited(MigrationState::Failed);
    assert_eq!(world.amend(&approval(&request, "b")).await, not_awaited);
    let used: Value = world
        .one("SELECT result FROM phases WHERE migration_id = $1 AND phase = 'PLAN'", request.migration.0)
        .await;
    assert_eq!(used, result("a"), "the run that is over keeps the plan that it used");

    let retried = world.gateway.retry_migration(&retry_request(&request)).await.expect("an answer");
    let first = Retried { run: 2, first: Some(Phase::Transform), plan_version: 2 };
    assert_eq!(retried, RetryOutcome::Retried(first), "what was written by the plan before does not hold");
    let lease = world.claim_one().await.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    let found = done(world.worker.begin_phase(&lease, Phase::Plan, &[]).await);
    assert_eq!(found, PhaseStart::AlreadyComplete(result("b")));
    assert_eq!(done(world.worker.begin_phase(&lease, Phase::Transform, &[]).await), PhaseStart::Begun);
    assert_eq!(world.plan_of(&request).await, (2, result("b")));
}

#[tokio::test]
async fn a_new_plan_drops_the_edits_of_the_one_before_and_waits_again_where_it_is_wanted() {
    let world = World::new().await;
    let request = world.parked().await;
    world
        .amend(&AmendPlan { approval: approval(&request, "a").approval, ..change(&request, "a", "b") })
        .await;
    let lease = world.claim_one().await.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
    done(world.worker.fail_attempt(&lease, &failed).await);
    let wish = RetryMigration { from: Some(Phase::Plan), ..retry_request(&request) };
    let anew = Retried { run: 2, first: Some(Phase::Plan), plan_version: 3 };
    let retried = world.gateway.retry_migration(&wish).await.expect("an answer");
    assert_eq!(retried, RetryOutcome::Retried(anew));
    assert_eq!(world.claim_one().await.payload["reviewPlan"], true);
    assert_eq!(world.plan_of(&request).await, (3, Value::Null), "it is not made yet");
}

#[tokio::test]
async fn what_cannot_be_changed_is_left_alone() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let before = world.everything().await;
    let analyzing = MigrationState::Analyzing;
    assert_eq!(world.amend(&change(&request, "a", "b")).await, AmendOutcome::NotPlanned(analyzing));
    let stranger = AmendPlan { tenant: TenantId(Uuid::now_v7()), ..change(&request, "a", "b") };
    assert_eq!(world.amend(&stranger).await, AmendOutcome::NotFound);
    assert_eq!(world.gateway.plan(stranger.tenant, request.migration).await.expect("a look"), None);
    assert_eq!(world.everything().await, before);

    done(world.worker.complete_phase(&lease, Phase::Analyze, &json!({}), &[]).await);
    done(world.worker.begin_phase(&lease, Phase::Plan, &[]).await);
    done(world.worker.complete_phase(&lease, Phase::Plan, &result("a"), &[]).await);
    assert_eq!(world.amend(&change(&request, "a", "b")).await, AmendOutcome::InUse(analyzing));
}

#[tokio::test]
async fn a_change_that_is_sent_again_gets_its_stored_answer() {
    let world = World::new().await;
    let request = world.parked().await;
    let keyed = |wish: AmendPlan, body: &str| AmendPlan {
        idempotency: Some(IdempotentWrite {
            route: "PATCH plan".to_owned(),
            key: "once".to_owned(),
            request_hash: body.repeat(64),
            ttl: Duration::from_secs(3600),
            status: 200,
            answer: Value::Null,
        }),
        ..wish
    };
    let wish = keyed(change(&request, "a", "b"), "1");
    assert_eq!(world.amend(&wish).await, amended(2, "b", MigrationState::Questionnaire));
    let before = world.everything().await;
    let stored = StoredAnswer { status: 200, answer: json!({"version": 2}) };
    assert_eq!(world.amend(&wish).await, AmendOutcome::Replayed(stored));
    assert_eq!(world.amend(&keyed(change(&request, "b", "c"), "2")).await, AmendOutcome::KeyMismatch);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn who_waits_can_be_called_off_and_who_was_called_off_does_not_wait() {
    let world = World::new().await;
    let request = world.parked().await;
    let cancel = CancelRequest {
        tenant: request.tenant,
        user: request.user,
        migration: request.migration,
        trace: crate::world::trace(),
    };
    assert_eq!(world.gateway.request_cancel(&cancel).await.expect("an answer"), CancelOutcome::Cancelled);
    assert_eq!(world.amend(&approval(&request, "a")).await, AmendOutcome::InUse(MigrationState::Cancelled));

    let world = World::new().await;
    let (request, lease) = world.planned(true).await;
    let cancel = CancelRequest { tenant: request.tenant, migration: request.migration, ..cancel };
    assert_eq!(world.gateway.request_cancel(&cancel).await.expect("an answer"), CancelOutcome::Requested);
    assert_eq!(done(world.worker.park_job(&lease, &[]).await), JobState::Cancelled);
    assert_eq!(world.migration_state(request.migration).await, "cancelled");
}

#[tokio::test]
async fn a_lost_lease_parks_nothing() {
    let world = World::new().await;
    let (request, lease) = world.planned(true).await;
    world.take_over(request.job).await;
    assert_eq!(world.worker.park_job(&lease, &[]).await.expect("an answer"), Fenced::Stale);
    assert_eq!(world.migration_state(request.migration).await, "analyzing");
}
