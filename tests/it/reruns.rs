//! A move that failed is run again by its owner: what was done is taken over, what was not is done once.

use crate::{
    example,
    faults::Gate,
    record,
    stack::{Stack, Terms},
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use testkit::{disk::SmallDisk, postgres::Database, wait};

const BOUND: Duration = Duration::from_secs(90);
const ROOM: u64 = 64 << 20;

/// What each run of the migration has of each phase.
async fn told(stack: &Stack, id: &str) -> Vec<String> {
    let sql = "SELECT run || ' ' || phase || ' ' || coalesce('as in ' || reused_from, state) FROM phases
               WHERE migration_id::text = $1 ORDER BY run, started_at";
    record::texts(&stack.database, sql, id).await
}

async fn ends(stack: &Stack, id: &str, state: &str) {
    wait::until_true(&format!("the migration to be {state}"), BOUND, || async {
        let sql = "SELECT state FROM migrations WHERE id::text = $1";
        record::texts(&stack.database, sql, id).await == [state]
    })
    .await;
}

async fn again(stack: &Stack, id: &str, key: &str, wish: &Value) -> Response {
    stack.client.post(&format!("/api/migration/{id}/retry"), Some(key), wish).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_disk_ended_goes_on_where_it_stopped_and_nothing_is_read_again() {
    let site = example::site().await;
    let disk = Arc::new(SmallDisk::with_room_for(ROOM).await);
    let terms = Terms { disk: Some(Arc::clone(&disk)), ..Terms::with_shared_broker(site.addr()) };
    let stack = Stack::start(Database::create().await, terms).await;
    let gate = Gate::before_completion_of("PLAN", &stack.database).await;
    let _worker = stack.worker().await;
    let id = stack.client.start(&site.url()).await.expect("it starts");
    gate.reached().await;
    disk.fill();
    gate.open().await;
    let first = stack.client.follow_to_the_end(&id).await.expect("a history");
    let kinds: Vec<&str> = first.iter().rev().take(2).filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds, ["done", "error"], "{first:#?}");
    ends(&stack, &id, "failed").await;
    let (read, cursor) = (site.hits("/"), stack.client.follow(&id, None).await.expect("a stream"));
    let cursor = cursor.last().expect("a frame").id.clone();

    let wish = json!({ "retryReason": "user_request", "fromPhase": "DEPLOY" });
    let refused = again(&stack, &id, "too-early", &wish).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "no phase before it has a result");
    disk.make_room();
    let wish = json!({ "retryReason": "user_request" });
    let accepted = again(&stack, &id, "again", &wish).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let started: Value = accepted.json().await.expect("JSON");
    assert_eq!((&started["run"], &started["fromPhase"]), (&json!(2), &json!("TRANSFORM")), "{started}");
    let replayed = again(&stack, &id, "again", &wish).await;
    assert_eq!(replayed.headers().get("idempotent-replayed").expect("it says so"), "true");
    assert_eq!(replayed.json::<Value>().await.expect("JSON"), started);

    ends(&stack, &id, "completed").await;
    let second = stack.client.follow(&id, Some(&cursor)).await.expect("a stream");
    assert_eq!(second.last().map(|frame| frame.event.as_str()), Some("done"));
    assert_eq!(site.hits("/"), read, "the site was not asked again");
    let phases = [
        "1 ANALYZE completed",
        "1 PLAN completed",
        "1 TRANSFORM running",
        "2 ANALYZE as in 1",
        "2 PLAN as in 1",
        "2 TRANSFORM completed",
        "2 VERIFY completed",
        "2 DEPLOY completed",
    ];
    assert_eq!(told(&stack, &id).await, phases);
    stack.client.artifact(&id).await.expect("the project");
    let soon = again(&stack, &id, "soon", &wish).await;
    assert_eq!(soon.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(soon.headers().contains_key("retry-after"), "it says when: {soon:?}");
}
