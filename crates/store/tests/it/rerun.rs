//! New runs of what is over: what is taken over, what is written down, and how often.

use crate::world::{World, done, retry_request, start_request};
use domain::{
    Epoch,
    failure::Reason,
    migration::MigrationState,
    phase::Phase,
    rerun::{NotReached, Why},
};
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    IdempotentWrite, NewBrief, PhaseStart, Retried, RetryMigration, RetryOutcome, StartMigration,
    StoredAnswer,
};
use tokio_postgres::error::SqlState;

impl World {
    async fn retry(&self, wish: &RetryMigration) -> RetryOutcome {
        self.gateway.retry_migration(wish).await.expect("an answer")
    }

    /// Lets the cooldown be over.
    async fn cool_down(&self) {
        let sql = "UPDATE retries SET created_at = created_at - interval '60 seconds'";
        self.sql.execute(sql, &[]).await.expect("the owner may");
    }

    /// Ends the run that waits.
    async fn give_up(&self) {
        let lease = self.claim_one().await.lease;
        done(self.worker.begin_job(&lease, &[]).await);
        let verdict = domain::retry::Verdict::GiveUp;
        let failed = store::FailedAttempt { failure: crate::world::broken(), verdict, events: vec![] };
        done(self.worker.fail_attempt(&lease, &failed).await);
    }
}

fn again(run: i32, first: Phase) -> RetryOutcome {
    RetryOutcome::Retried(Retried { run, first: Some(first), plan_version: 1 })
}

#[tokio::test]
async fn a_new_run_goes_on_where_the_last_one_failed_with_what_it_stored() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let tail = world.gateway.event_tail(request.tenant, request.migration).await.expect("a look");
    assert!(tail.is_some_and(|tail| tail.over));
    assert_eq!(world.retry(&retry_request(&request)).await, again(2, Phase::Transform));

    let record = world.gateway.migration(request.tenant, request.migration).await.expect("a look");
    let record = record.expect("it is there");
    assert_eq!((record.state, record.run, record.progress), (MigrationState::Queued, 2, 0));
    assert_eq!((record.error, record.finished_at, record.phase), (None, None, None));
    assert_eq!((record.seed, record.analysis_run, record.plan_version), (7, 1, 1));
    let tail = world.gateway.event_tail(request.tenant, request.migration).await.expect("a look");
    assert!(tail.is_some_and(|tail| !tail.over), "whoever comes back with the last cursor hears more");
    assert_eq!(world.told(request.migration).await.last().map(String::as_str), Some("phase_update"));

    let lease = world.claim_one().await.lease;
    assert_eq!((lease.carries.map(|of| of.run), lease.epoch), (Some(2), Epoch(1)));
    done(world.worker.begin_job(&lease, &[]).await);
    for (phase, kept) in [(Phase::Analyze, "analyze"), (Phase::Plan, "plan")] {
        let found = done(world.worker.begin_phase(&lease, phase, &[]).await);
        assert_eq!(found, PhaseStart::AlreadyComplete(json!({"kept": kept})));
    }
    assert_eq!(done(world.worker.begin_phase(&lease, Phase::Transform, &[]).await), PhaseStart::Begun);
    let phases = world.gateway.phases(request.tenant, request.migration, 2).await.expect("a look");
    let taken: Vec<_> = phases.iter().map(|one| (one.phase, one.reused_from)).collect();
    assert_eq!(
        taken,
        [(Phase::Analyze, Some(1)), (Phase::Plan, Some(1)), (Phase::Transform, None)],
        "and the run before keeps its own"
    );
    assert_eq!(world.gateway.phases(request.tenant, request.migration, 1).await.expect("a look").len(), 3);
}

#[tokio::test]
async fn what_was_asked_for_is_written_down_with_where_the_run_before_had_ended_and_who_asked() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let brief = json!({"kind": "brief", "value": "Now in blue."});
    let wish = RetryMigration {
        why: Why::Failed(Reason::BudgetExceeded),
        from: Some(Phase::Transform),
        reuse_seeds: false,
        brief: Some(NewBrief { brief: brief.clone(), prompt_hash: "cd".repeat(32) }),
        increased_budget: Some(600),
        ..retry_request(&request)
    };
    let new_plan = Retried { run: 2, first: Some(Phase::Plan), plan_version: 2 };
    assert_eq!(world.retry(&wish).await, RetryOutcome::Retried(new_plan));
    let written: Value =
        world.one("SELECT to_jsonb(retries) FROM retries WHERE migration_id = $1", request.migration.0).await;
    for (column, value) in [
        ("run", json!(2)),
        ("user_id", json!(request.user)),
        ("reason", json!("budget_exceeded")),
        ("previous_state", json!("failed")),
        ("previous_phase", json!("TRANSFORM")),
        ("from_phase", json!("PLAN")),
        ("reuse_seeds", json!(false)),
        ("new_brief", json!(true)),
        ("increased_budget", json!(600)),
        ("seed", json!(8)),
        ("prompt_hash", json!("cd".repeat(32))),
        ("plan_version", json!(2)),
    ] {
        assert_eq!(written[column], value, "{column}");
    }
    assert_eq!(written["previous_error"]["code"], "site_unreachable");
    let record = world.gateway.migration(request.tenant, request.migration).await.expect("a look");
    let record = record.expect("it is there");
    assert_eq!((record.brief, record.seed, record.plan_version), (brief, 8, 2));
    assert_eq!(record.analysis_run, 1, "the site was read once");
}

#[tokio::test]
async fn a_result_that_was_taken_over_twice_names_the_run_that_did_it_and_one_done_anew_none() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    world.retry(&retry_request(&request)).await;
    world.give_up().await;
    world.cool_down().await;
    let wish = RetryMigration { from: Some(Phase::Plan), ..retry_request(&request) };
    let retried = Retried { run: 3, first: Some(Phase::Plan), plan_version: 2 };
    assert_eq!(world.retry(&wish).await, RetryOutcome::Retried(retried));
    let phases = world.gateway.phases(request.tenant, request.migration, 3).await.expect("a look");
    let taken: Vec<_> = phases.iter().map(|one| (one.phase, one.reused_from)).collect();
    assert_eq!(taken, [(Phase::Analyze, Some(1))]);
    world.give_up().await;
    world.cool_down().await;
    let anew = RetryMigration { reuse_seeds: false, ..retry_request(&request) };
    assert_eq!(
        world.retry(&anew).await,
        RetryOutcome::Retried(Retried { run: 4, first: Some(Phase::Analyze), plan_version: 2 }),
        "run 3 made no plan that could change"
    );
    let record = world.gateway.migration(request.tenant, request.migration).await.expect("a look");
    assert_eq!(record.map(|record| (record.analysis_run, record.seed)), Some((4, 8)));
}

#[tokio::test]
async fn three_runs_for_each_reason_and_one_a_minute() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    for run in 2..=4 {
        assert_eq!(world.retry(&retry_request(&request)).await, again(run, Phase::Transform));
        world.give_up().await;
        let other = RetryMigration { why: Why::Failed(Reason::Network), ..retry_request(&request) };
        let RetryOutcome::TooSoon(wait) = world.retry(&other).await else { panic!("a minute has to pass") };
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(60), "{wait:?}");
        world.cool_down().await;
    }
    let before = world.everything().await;
    assert_eq!(world.retry(&retry_request(&request)).await, RetryOutcome::LimitReached);
    assert_eq!(world.everything().await, before);
    let other = RetryMigration { why: Why::Failed(Reason::Network), ..retry_request(&request) };
    assert_eq!(world.retry(&other).await, again(5, Phase::Transform));
}

fn keyed(of: &StartMigration, body: &str) -> RetryMigration {
    let write = IdempotentWrite {
        route: "retry".to_owned(),
        key: "k".to_owned(),
        request_hash: body.repeat(64),
        ttl: Duration::from_secs(3600),
        status: 202,
        answer: Value::Null,
    };
    RetryMigration { idempotency: Some(write), ..retry_request(of) }
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_same_answer_and_makes_no_second_run() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    assert_eq!(world.retry(&keyed(&request, "a")).await, again(2, Phase::Transform));
    let before = world.everything().await;
    let answer = StoredAnswer { status: 202, answer: json!({"run": 2, "from": "TRANSFORM"}) };
    assert_eq!(world.retry(&keyed(&request, "a")).await, RetryOutcome::Replayed(answer));
    assert_eq!(world.retry(&keyed(&request, "b")).await, RetryOutcome::KeyMismatch);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn what_cannot_be_run_again_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let skipping = RetryMigration { from: Some(Phase::Deploy), ..retry_request(&request) };
    let missing = NotReached { asked: Phase::Deploy, missing: Phase::Transform };
    let stranger =
        RetryMigration { tenant: world.member("two@example.com").await.tenant, ..skipping.clone() };
    let before = world.everything().await;
    assert_eq!(world.retry(&skipping).await, RetryOutcome::NotReached(missing));
    assert_eq!(world.retry(&stranger).await, RetryOutcome::NotFound);
    assert_eq!(world.everything().await, before);

    let member = store::Member { tenant: request.tenant, user: request.user };
    let other = world.start(member, "https://example.com/").await;
    assert_eq!(world.retry(&retry_request(&request)).await, RetryOutcome::AlreadyActive(other.migration));
    let running = RetryOutcome::NotOver(MigrationState::Queued);
    assert_eq!(world.retry(&retry_request(&other)).await, running);
    world
        .sql
        .execute("UPDATE jobs SET state = 'CANCELLED', finished_at = now() WHERE id = $1", &[&other.job.0])
        .await
        .expect("the owner may");
    let cancel = "UPDATE migrations SET state = 'cancelled', finished_at = now() WHERE id = $1";
    world.sql.execute(cancel, &[&other.migration.0]).await.expect("the owner may");
    let cancelled = RetryOutcome::NotOver(MigrationState::Cancelled);
    assert_eq!(world.retry(&retry_request(&other)).await, cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_retries_at_once_one_makes_a_run() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let (one, other) = (retry_request(&request), retry_request(&request));
    let (one, other) = tokio::join!(world.retry(&one), world.retry(&other));
    let made = [&one, &other].into_iter().filter(|outcome| **outcome == again(2, Phase::Transform)).count();
    assert_eq!(made, 1, "{one:?} {other:?}");
    assert!([one, other].contains(&RetryOutcome::NotOver(MigrationState::Queued)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_of_the_same_site_at_the_same_moment_leaves_one_that_is_active() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let member = store::Member { tenant: request.tenant, user: request.user };
    let start = start_request(member, "https://example.com/");
    let retry = retry_request(&request);
    let (started, retried) = tokio::join!(world.gateway.start_migration(&start), world.retry(&retry));
    let started = started.expect("an answer") == store::StartOutcome::Started;
    assert_eq!(
        retried,
        if started { RetryOutcome::AlreadyActive(start.migration) } else { again(2, Phase::Transform) }
    );
}

#[tokio::test]
async fn a_migration_that_waits_for_a_person_gets_no_job() {
    let world = World::new().await;
    let request = world.failed("https://example.com/").await;
    let insert = "INSERT INTO jobs (id, tenant_id, queue, kind, payload, migration_id, run, state, max_attempts,
                      correlation_id)
                  SELECT gen_random_uuid(), tenant_id, queue, kind, payload, migration_id, run + 1, 'PENDING', 3,
                      correlation_id
                  FROM jobs WHERE migration_id = $1";
    let replay = "UPDATE jobs SET state = 'PENDING', finished_at = NULL WHERE migration_id = $1";
    for state in MigrationState::ALL.into_iter().filter(|state| state.waits()) {
        world.sql.batch_execute("SET session_replication_role = replica").await.expect("a superuser may");
        let force = "UPDATE migrations SET state = $2, finished_at = NULL WHERE id = $1";
        world
            .sql
            .execute(force, &[&request.migration.0, &state.as_str()])
            .await
            .expect("no trigger is asked");
        world.sql.batch_execute("SET session_replication_role = origin").await.expect("a superuser may");
        for sql in [insert, replay] {
            let refused = world.sql.execute(sql, &[&request.migration.0]).await.expect_err("it waits");
            assert_eq!(refused.code(), Some(&SqlState::CHECK_VIOLATION));
            let said = refused.as_db_error().expect("it came from the database").message();
            assert_eq!(said, format!("a migration that waits ({state}) gets no job"));
        }
    }
}
