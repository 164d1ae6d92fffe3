//! New runs at a person's wish, carried out: what was stored is used, what is done anew gives the same bytes.

use crate::world::{BOUND, Bell, Running, World, small_site};
use domain::{
    CorrelationId, JobId, MigrationId, event::EventType, phase::Phase, rerun::Why, trace::TraceContext,
};
use serde_json::{Value, json};
use store::{
    AmendOutcome, AmendPlan, Approval, PhaseRecord, PlanEdit, Retried, RetryMigration, RetryOutcome,
};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_to_be_approved_waits_without_a_lease_and_is_written_as_it_was_edited() {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    let (migration, job) = world.start_reviewed(&site).await;
    world.reaches(migration, "questionnaire").await;
    assert_eq!(world.count("SELECT count(*) FROM leases").await, 0);
    assert_eq!(world.moves(job).await.last().map(String::as_str), Some("RUNNING>COMPLETED parked 1"));
    let events = world.events(migration).await;
    let last = events.last().expect("a history");
    assert_eq!((last.phase, &last.detail["question"]), (Some(Phase::Plan), &json!("plan")));

    // Its owner calls a page's component by another name.
    let record = world.gateway.plan(world.member.tenant, migration).await.expect("a look").expect("there");
    let planned = record.result.expect("a plan");
    let (key, hash) = (planned["plan"].as_str().expect("a key"), planned["hash"].as_str().expect("a hash"));
    let folder = world.folder.path().join("objects");
    let text = std::fs::read(folder.join(key)).expect("it is stored");
    let mut plan: site_write::Plan = serde_json::from_slice(&text).expect("a plan");
    assert_eq!(plan.hash().to_string(), hash);
    plan.routes[0].component = "FrontDoor".to_owned();
    let edited = format!("{key}.edited");
    std::fs::write(folder.join(&edited), serde_json::to_vec(&plan).expect("a plan")).expect("written");
    let mut result = planned.clone();
    result["plan"] = json!(edited);
    result["hash"] = json!(plan.hash().to_string());
    let wish = AmendPlan {
        tenant: world.member.tenant,
        user: world.member.user,
        migration,
        base: hash.to_owned(),
        edit: Some(PlanEdit { hash: plan.hash().to_string(), edits: json!({}), result }),
        approval: Some(Approval { job: JobId(Uuid::now_v7()), max_attempts: 3 }),
        trace: TraceContext::default(),
        idempotency: None,
        answer: |_, _| json!(null),
    };
    let outcome = world.gateway.amend_plan(&wish).await.expect("an answer");
    assert!(matches!(outcome, AmendOutcome::Amended(_)), "{outcome:?}");
    world.reaches(migration, "completed").await;
    let phases = world.phases(migration).await;
    assert_eq!(phases.iter().map(|one| one.starts).collect::<Vec<_>>(), [1, 1, 1, 1, 1]);
    let list = std::fs::read_to_string(folder.join(result_text(&phases, Phase::Transform, "project")));
    let list: Value = serde_json::from_str(&list.expect("stored")).expect("JSON");
    let home = list["files"]["app/page.tsx"]["hash"].as_str().expect("the front page");
    let body = folder.join(format!("tenants/{}/bodies/{home}", world.member.tenant));
    let page = std::fs::read_to_string(body).expect("stored");
    assert!(page.contains("export default function FrontDoor()"), "{page}");
    running.stop().await;
}

fn result_text(phases: &[PhaseRecord], phase: Phase, member: &str) -> String {
    result(phases, phase)[member].as_str().expect("a text").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_an_earlier_release_left_is_made_anew_and_kills_no_migration() {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    let phases = world.phases(migration).await;
    let file = world.folder.path().join("objects").join(result_text(&phases, Phase::Plan, "plan"));
    std::fs::write(file, r#"{"version": 1, "routes": []}"#).expect("written");
    assert_eq!(retry(&world, migration, Some(Phase::Transform)).await.first, Some(Phase::Transform));
    world.reaches(migration, "completed").await;
    let second = world.gateway.phases(world.member.tenant, migration, 2).await.expect("a look");
    assert_eq!(result(&phases, Phase::Transform)["hash"], result(&second, Phase::Transform)["hash"]);
    running.stop().await;
}
