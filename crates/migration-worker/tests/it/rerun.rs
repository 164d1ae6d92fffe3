//! New runs at a person's wish, carried out: what was stored is used, what is done anew gives the same bytes.

use crate::world::{BOUND, Bell, Running, World, small_site};
use domain::{
    CorrelationId, JobId, MigrationId, event::EventType, phase::Phase, rerun::Why, trace::TraceContext,
};
use serde_json::{Value, json};
use store::{PhaseRecord, Retried, RetryMigration, RetryOutcome};
use testkit::{site::Answer, wait};
use uuid::Uuid;

async fn retry(world: &World, migration: MigrationId, from: Option<Phase>) -> Retried {
    let wish = RetryMigration {
        tenant: world.member.tenant,
        user: world.member.user,
        migration,
        job: JobId(Uuid::now_v7()),
        why: Why::UserRequest,
        from,
        reuse_seeds: true,
        brief: None,
        increased_budget: None,
        seed: 99,
        correlation: CorrelationId(Uuid::now_v7()),
        tool_contract: "1".into(),
        model_version: "none".into(),
        max_attempts: 3,
        trace: TraceContext::default(),
        idempotency: None,
        answer: |_, _| json!(null),
    };
    world
        .change(
            "UPDATE retries SET created_at = created_at - interval '1 h' WHERE migration_id = $1",
            migration.0,
        )
        .await;
    match world.gateway.retry_migration(&wish).await.expect("an answer") {
        RetryOutcome::Retried(retried) => retried,
        refused => panic!("{refused:?}"),
    }
}

fn result(phases: &[PhaseRecord], phase: Phase) -> &Value {
    let found = phases.iter().find(|one| one.phase == phase).and_then(|one| one.result.as_ref());
    found.expect("it is complete")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_run_asks_the_site_for_nothing_that_is_stored_and_gives_the_same_bytes() {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    let asked = site.requests().len();
    let first = world.gateway.phases(world.member.tenant, migration, 1).await.expect("a look");
    let before = world.events(migration).await.len();

    // From PLAN on: everything after the reading is done anew.
    assert_eq!(retry(&world, migration, Some(Phase::Plan)).await.run, 2);
    world.reaches(migration, "completed").await;
    let second = world.gateway.phases(world.member.tenant, migration, 2).await.expect("a look");
    assert_eq!(site.requests().len(), asked, "the site was not asked again");
    let reused: Vec<_> = second.iter().map(|one| one.reused_from).collect();
    assert_eq!(reused, [Some(1), None, None, None, None]);
    assert_eq!(result(&first, Phase::Plan)["hash"], result(&second, Phase::Plan)["hash"]);
    assert_eq!(result(&first, Phase::Transform)["hash"], result(&second, Phase::Transform)["hash"]);
    assert_eq!(result(&first, Phase::Deploy)["sha256"], result(&second, Phase::Deploy)["sha256"]);
    assert_ne!(result(&first, Phase::Deploy)["artifact"], result(&second, Phase::Deploy)["artifact"]);
    let events = world.events(migration).await.split_off(before);
    assert!(events.iter().all(|event| event.run == 2 && event.phase != Some(Phase::Analyze)));
    assert!(events.windows(2).all(|pair| pair[0].progress <= pair[1].progress));
    assert_eq!(events.last().map(|last| (last.event_type, last.progress)), Some((EventType::Done, 100)));

    // With every result there is nothing left to do.
    assert_eq!(retry(&world, migration, None).await.first, None);
    world.reaches(migration, "completed").await;
    let third = world.gateway.phases(world.member.tenant, migration, 3).await.expect("a look");
    assert_eq!(result(&third, Phase::Deploy), result(&second, Phase::Deploy));
    let reused: Vec<_> = third.iter().map(|one| one.reused_from).collect();
    assert_eq!(reused, [Some(1), Some(2), Some(2), Some(2), Some(2)]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_failed_while_reading_reads_in_the_next_one() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/", Answer::status(404));
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "failed").await;
    site.answer("/", crate::world::page("Home", "There after all."));
    assert_eq!(retry(&world, migration, None).await.first, Some(Phase::Analyze));
    wait::until_true("the second run to complete", BOUND, || async {
        world.migration_state(migration).await == "completed"
    })
    .await;
    let phases = world.gateway.phases(world.member.tenant, migration, 2).await.expect("a look");
    assert!(phases.len() == 5 && phases.iter().all(|phase| phase.completed && phase.reused_from.is_none()));
    running.stop().await;
}
