//! One website moves, end to end.

use crate::{
    client::{Client, assert_gapless},
    embedded::Embedded,
    example, record,
    stack::{Stack, Terms},
};
use bus::JobHint;
use serde_json::{Value, json};
use std::{net::Ipv4Addr, time::Duration};
use testkit::{corpus, postgres::Database, site::StaticSite, wait};

const MOVES: [&str; 4] = [
    ">PENDING enqueued #0",
    "PENDING>PREPARING claimed #1",
    "PREPARING>RUNNING started #1",
    "RUNNING>COMPLETED completed #1",
];
const PHASES: [&str; 5] = ["ANALYZE x1", "PLAN x1", "TRANSFORM x1", "VERIFY x1", "DEPLOY x1"];

/// The one end-to-end test, whatever runs behind the client: start, a gapless history in order, completed, and a project
/// that `next build` takes. Returns the migration's id.
async fn the_example_site_becomes_a_project(client: &Client, site: &StaticSite) -> String {
    let id = client.start(&site.url()).await.expect("it starts");
    assert_success(&client.follow_to_the_end(&id).await.expect("a history"));
    assert_eq!(site.hits("/members/"), 0, "robots.txt disallows it");
    let cursor_at_the_end = client.follow(&id, None).await.expect("a stream").pop().expect("a frame").id;
    let again = client.follow(&id, Some(&cursor_at_the_end)).await.expect("an answer");
    assert!(again.is_empty(), "the terminal cursor gets 204");
    example::assert_next_builds(&client.artifact(&id).await.expect("a project")).await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_the_example_site_becomes_a_project_that_builds() {
    let site = example::site_at(Ipv4Addr::new(127, 83, 0, 1)).await;
    let embedded = Embedded::start(site.addr()).await;
    the_example_site_becomes_a_project(&embedded.client, &site).await;
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_a_plan_waits_for_its_owner_who_changes_it_and_gets_the_project_that_it_says() {
    let site = example::site().await;
    let embedded = Embedded::start(site.addr()).await;
    let client = &embedded.client;
    let wish = json!({"sourceUrl": site.url(), "userPrompt": "Keep it as it is.", "reviewPlan": true});
    let started = client.post("/api/migration/start", None, &wish).await.expect("an answer");
    let started: Value = started.json().await.expect("JSON");
    let id = started["migrationId"].as_str().expect("an id");
    let path = format!("/api/migration/{id}");
    wait::until("the plan to wait for its owner", Duration::from_secs(120), || async {
        let record: Value = client.get(&path).await.ok()?.json().await.ok()?;
        (record["status"] == "questionnaire").then_some(())
    })
    .await;
    let plan = client.get(&format!("{path}/plan")).await.expect("an answer");
    let tag = plan.headers()["etag"].to_str().expect("text").to_owned();
    let plan: Value = plan.json().await.expect("JSON");
    let home = plan["routes"].as_array().expect("routes").iter().find(|route| route["path"] == "/");
    let home = home.and_then(|route| route["url"].as_str()).expect("a front page");
    let change = json!({"components": {home: "FrontDoor"}, "approve": true});
    let told = client.change_plan(id, &tag, &change).await.expect("it is taken");
    assert_eq!((&told["status"], &told["planVersion"]), (&json!("processing"), &json!(2)));
    assert_success(&client.follow_to_the_end(id).await.expect("a history"));
    let files = client.artifact(id).await.expect("a project");
    let named =
        |text: &Vec<u8>| String::from_utf8_lossy(text).contains("export default function FrontDoor()");
    assert_eq!(files.values().filter(|text| named(text)).count(), 1);
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn distributed_the_example_site_becomes_a_project_that_builds() {
    let site = example::site_at(Ipv4Addr::new(127, 83, 0, 2)).await;
    let terms = Terms::with_shared_broker(site.addr()).type_checked();
    let stack = Stack::start(Database::create().await, terms).await;
    let _worker = stack.worker().await;
    let id = the_example_site_becomes_a_project(&stack.client, &site).await;
    assert_eq!(record::starts(&stack.database, &id).await, PHASES);
    assert_eq!(record::moves(&stack.database, &id).await, MOVES);
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_that_come_twice_or_late_change_nothing() {
    let site = example::site().await;
    let terms = Terms::with_shared_broker(site.addr());
    let bell = terms.bell();
    let stack = Stack::start(Database::create().await, terms).await;
    let _worker = stack.worker().await;
    let first = stack.client.start(&site.url()).await.expect("it starts");
    assert_success(&stack.client.follow_to_the_end(&first).await.expect("a history"));
    let sql = "SELECT id::text FROM jobs WHERE migration_id::text = $1";
    let job = record::texts(&stack.database, sql, &first).await.pop().expect("a job");
    let hint = JobHint {
        queue: domain::job::MIGRATION_QUEUE.into(),
        job: job.parse().expect("an id"),
        trace: domain::trace::TraceContext::default(),
    };
    // More of them than the worker takes ahead: those for the next job come behind.
    for _ in 0..20 {
        let rung = wait::until("the bell", Duration::from_secs(30), || async { bell.ring(&hint).await.ok() });
        rung.await;
    }
    let second = stack.client.start(&site.url()).await.expect("a finished migration is not active");
    assert_success(&stack.client.follow_to_the_end(&second).await.expect("a history"));
    for id in [&first, &second] {
        assert_eq!(record::moves(&stack.database, id).await, MOVES);
        assert_eq!(record::starts(&stack.database, id).await, PHASES);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tenants_move_the_same_site_and_do_not_see_each_other() {
    let site = example::site().await;
    let stack = Stack::start(Database::create().await, Terms::with_shared_broker(site.addr())).await;
    let _worker = stack.worker().await;
    let other = stack.key_of("other@example.com").await;
    let first = stack.client.start(&site.url()).await.expect("it starts");
    let second = other.start(&site.url()).await.expect("it starts");
    for (client, own, foreign) in [(&stack.client, &first, &second), (&other, &second, &first)] {
        assert_success(&client.follow_to_the_end(own).await.expect("a history"));
        let refused = client.get(&format!("/api/migration/{foreign}")).await.expect("an answer");
        assert_eq!(refused.status(), 404);
        assert!(client.follow(foreign, None).await.is_err(), "nor may the other's stream be heard");
    }
    let (one, two) = (stack.client.artifact(&first).await, other.artifact(&second).await);
    assert_eq!(one.expect("a project"), two.expect("a project"), "same site, same bytes out");
}

#[tokio::test(flavor = "multi_thread")]
async fn business_casual_moves_unchanged() {
    moves_unchanged("business-casual", Ipv4Addr::new(127, 83, 0, 3), "/", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spectre_moves_unchanged() {
    moves_unchanged("spectre", Ipv4Addr::new(127, 83, 0, 4), "/docs/index.html", 57).await;
}

/// A site that others made: at least a route for each page that can be reached, and `next build` takes the project.
async fn moves_unchanged(name: &str, place: Ipv4Addr, start: &str, reachable: usize) {
    let site = StaticSite::serve_steadily(place, corpus::site(name)).await;
    let terms = Terms::with_shared_broker(site.addr()).type_checked();
    let stack = Stack::start(Database::create().await, terms).await;
    let _worker = stack.worker().await;
    let start = format!("{}{start}", site.url().trim_end_matches('/'));
    let id = stack.client.start(&start).await.expect("it starts");
    assert_success(&stack.client.follow_to_the_end(&id).await.expect("a history"));
    let files = stack.client.artifact(&id).await.expect("a project");
    let pages = files.keys().filter(|path| path.ends_with("page.tsx")).count();
    assert!(pages >= reachable, "{name}: {pages} routes for {reachable} reachable pages");
    example::assert_next_builds(&files).await;
}

/// Every phase, in order, to the end, without a gap.
pub(crate) fn assert_success(history: &[Value]) {
    assert_gapless(history);
    let last = history.last().expect("a history has an end");
    assert_eq!((&last["type"], &last["detail"]["success"]), (&"done".into(), &true.into()), "{last}");
    let mut phases: Vec<&str> = history.iter().filter_map(|event| event["phase"].as_str()).collect();
    phases.dedup();
    assert_eq!(phases, ["ANALYZE", "PLAN", "TRANSFORM", "VERIFY", "DEPLOY"]);
}
