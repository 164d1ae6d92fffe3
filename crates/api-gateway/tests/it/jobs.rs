//! Jobs over HTTP: which are taken and which refused with what, how they are followed, and what moves them.

use crate::server::{Server, key_of, refused};
use domain::{Failure, failure::Reason, retry::Verdict};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;
use store::{ClaimRequest, FailedAttempt, Fenced, JobKind, Lease, Store};

/// A server, and a worker that offers one kind.
pub(crate) struct World {
    pub(crate) server: Server,
    worker: Store,
}

impl World {
    pub(crate) async fn new() -> Self {
        let server = Server::start().await;
        let worker = Store::connect(&server.database.worker()).await.expect("the worker may connect");
        let kind = JobKind {
            name: "resize".to_owned(),
            executor: "subprocess".to_owned(),
            payload_schema: Some(json!({"type": "object", "required": ["width"], "properties": {
                "width": {"type": "integer", "minimum": 1}}})),
            max_payload_bytes: 200,
            max_attempts: 3,
            timeout: Duration::from_secs(5),
            tenants: None,
        };
        let kinds = [kind.clone(), JobKind { name: "any".to_owned(), payload_schema: None, ..kind }];
        worker.offer_job_kinds(worker_id(), &kinds).await.expect("offered");
        Self { server, worker }
    }

    async fn send(&self, path: &str, body: &Value) -> Response {
        let request = self.server.request(Method::POST, path).bearer_auth(&self.server.key).json(body);
        request.send().await.expect("an answer")
    }

    async fn enqueue(&self, body: &Value) -> Response {
        self.send("/api/jobs", body).await
    }

    /// The id of a job that waits.
    async fn waiting(&self) -> String {
        let answer = self
            .enqueue(&json!({"jobs": [{"kind": "any", "payload": {"n": 1}, "destination": "models.example",
                                   "needs": {"memoryBytes": 5}}]}))
            .await;
        assert_eq!(answer.status(), 202);
        let answer: Value = answer.json().await.expect("JSON");
        answer["jobs"][0]["jobId"].as_str().expect("an id").to_owned()
    }

    async fn begun(&self) -> Lease {
        let limit = Duration::from_secs(300);
        let begin = Some(limit);
        let request = ClaimRequest { queue: "any", worker: worker_id(), slots: 1, ttl: limit, begin };
        self.worker.claim(&request).await.expect("a claim").pop().expect("it waits").lease
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.server.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.expect("JSON")
    }
}

fn worker_id() -> domain::WorkerId {
    domain::WorkerId(uuid::Uuid::now_v7())
}

fn written<T: std::fmt::Debug>(answer: store::Result<Fenced<T>>) {
    assert!(matches!(answer, Ok(Fenced::Done(_))), "{answer:?}");
}

#[tokio::test]
async fn a_job_is_followed_from_its_wish_to_its_result() {
    let world = World::new().await;
    let kinds = world.json("/api/jobs/kinds").await;
    assert_eq!(
        (&kinds["kinds"][1]["name"], &kinds["kinds"][1]["timeoutMs"]),
        (&json!("resize"), &json!(5000))
    );
    let id = world.waiting().await;
    let path = format!("/api/jobs/{id}");
    let waits = world.json(&path).await;
    assert_eq!(
        (&waits["state"], &waits["payload"], &waits["result"]),
        (&json!("PENDING"), &json!({"n": 1}), &Value::Null)
    );
    assert_eq!((&waits["maxAttempts"], &waits["migrationId"]), (&json!(3), &Value::Null));
    assert_eq!(waits["needs"], json!({"memoryBytes": 5, "diskBytes": 0}));
    assert_eq!(world.json(&format!("{path}/attempts")).await, json!({"attempts": [], "truncated": false}));
    let lease = world.begun().await;
    let counted = world.server.database.sql().await;
    let counted = counted.query_one("SELECT destination FROM leases", &[]).await.expect("one lease");
    assert_eq!(counted.get::<_, String>(0), "models.example");
    written(world.worker.finish_task(&lease, &json!({"ok": true})).await);
    let over = world.json(&path).await;
    assert_eq!((&over["state"], &over["result"]), (&json!("COMPLETED"), &json!({"ok": true})));
    let attempts = world.json(&format!("{path}/attempts")).await;
    assert_eq!(attempts["attempts"][0]["outcome"], "completed");
    assert_eq!(attempts["attempts"][0]["worker"], lease.worker.to_string());
    let first = world.json(&format!("{path}/transitions?limit=3")).await;
    let rest = world.json(&format!("{path}/transitions?after={}", first["next"])).await;
    assert_eq!(
        (&first["transitions"][2]["to"], &rest["transitions"][0]["to"]),
        (&json!("RUNNING"), &json!("COMPLETED"))
    );
    assert_eq!(rest["next"], Value::Null);
    let told = refused(world.send(&format!("{path}/cancel"), &json!({})).await, 409, "job_over").await;
    assert_eq!(told["state"], "COMPLETED");
    let told = refused(world.send(&format!("{path}/retry"), &json!({})).await, 409, "job_not_failed").await;
    assert_eq!(told["state"], "COMPLETED");
}

#[tokio::test]
async fn many_are_taken_together_and_a_repeated_request_writes_nothing() {
    let world = World::new().await;
    let jobs: Vec<Value> = (0..1000)
        .map(|n| json!({"kind": "any", "payload": n, "uniqueKey": format!("k{}", n % 999)}))
        .collect();
    let body = json!({"jobs": jobs});
    let send = async |key: &str| {
        let request = world.server.request(Method::POST, "/api/jobs").bearer_auth(&world.server.key);
        request.header("Idempotency-Key", key).json(&body).send().await.expect("an answer")
    };
    let first = send("\"one\"").await;
    assert_eq!(first.status(), 202);
    let first: Value = first.json().await.expect("JSON");
    assert_eq!(first["jobs"][999], json!({"jobId": first["jobs"][0]["jobId"], "existing": true}));
    let again = send("\"one\"").await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.json::<Value>().await.expect("JSON"), first);
    assert_eq!(world.server.count("jobs").await, 999);
    // Without the key it is the unique keys that hold.
    let other: Value = send("\"two\"").await.json().await.expect("JSON");
    assert!(other["jobs"].as_array().is_some_and(|jobs| jobs.iter().all(|job| job["existing"] == true)));
    let page = world.json("/api/jobs?limit=100&kind=any&state=PENDING").await;
    assert_eq!(page["jobs"].as_array().map(Vec::len), Some(100));
    let next = world.json(&format!("/api/jobs?before={}", page["next"].as_str().expect("more"))).await;
    assert_eq!(next["jobs"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_what_can_and_nothing_is_written() {
    let world = World::new().await;
    let good = json!({"kind": "resize", "payload": {"width": 5}});
    let with = |name: &str, value: Value| {
        let mut job = good.clone();
        job[name] = value;
        json!({"jobs": [good, job]})
    };
    for (body, status, code, told) in [
        (json!({"jobs": []}), 422, "invalid_job", "1 to 1000"),
        (json!({"jobs": vec![good.clone(); 1001]}), 422, "invalid_job", "1 to 1000"),
        (with("kind", json!("resise")), 422, "unknown_kind", "any, resize"),
        (with("kind", json!("migrate_website")), 422, "unknown_kind", "any, resize"),
        (with("payload", json!({"width": 0})), 422, "invalid_payload", "/width"),
        (with("payload", json!({"width": 1, "x": "y".repeat(200)})), 422, "invalid_payload", "takes 200"),
        (with("priority", json!(101)), 422, "invalid_job", "-100 and 100"),
        (with("maxAttempts", json!(4)), 422, "invalid_job", "between 1 and 3"),
        (with("maxAttempts", json!(0)), 422, "invalid_job", "between 1 and 3"),
        (with("uniqueKey", json!("")), 422, "invalid_job", "1 to 200"),
        (with("uniqueKey", json!("a\0")), 422, "invalid_job", "U+0000"),
        (with("needs", json!({"diskBytes": (1_u64 << 44) + 1})), 422, "invalid_job", "17592186044416 bytes"),
        (with("needs", json!({"gpus": 1})), 400, "invalid_body", "gpus"),
        (with("destination", json!("*")), 422, "invalid_job", "300 bytes"),
        (with("destination", json!("x".repeat(301))), 422, "invalid_job", "300 bytes"),
        (with("runAt", json!("tomorrow")), 422, "invalid_job", "2026-01-31"),
        (with("runAt", json!("2001-01-01T00:00:00Z")), 422, "invalid_job", "24 h ago"),
        (with("runAt", json!("2999-01-01T00:00:00Z")), 422, "invalid_job", "366 days ahead"),
        (with("colour", json!("red")), 400, "invalid_body", "colour"),
        (json!([good]), 400, "invalid_body", "object"),
    ] {
        let answer = refused(world.enqueue(&body).await, status, code).await;
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{answer}");
        if status == 422 && body["jobs"].as_array().is_some_and(|jobs| jobs.len() == 2) {
            assert_eq!(answer["index"], 1, "{answer}");
        }
    }
    let wrong = refused(world.enqueue(&with("payload", json!({}))).await, 422, "invalid_payload").await;
    assert_eq!(wrong["errors"][0]["path"], "");
    let wrong = refused(world.enqueue(&with("kind", json!("x"))).await, 422, "unknown_kind").await;
    assert_eq!(wrong["kinds"], json!(["any", "resize"]));
    assert_eq!(world.server.count("jobs").await, 0);
    for query in ["limit=0", "limit=101", "state=pending", "colour=red"] {
        refused(world.server.get(&format!("/api/jobs?{query}")).await, 400, "invalid_query").await;
    }
    refused(world.server.get("/api/jobs/seven").await, 400, "invalid_id").await;
}

#[tokio::test]
async fn a_failed_job_is_tried_again_at_a_wish_and_one_that_waits_or_runs_is_called_off() {
    let world = World::new().await;
    let id = world.waiting().await;
    let lease = world.begun().await;
    let failure = Failure::of(Reason::Upstream5xx, "endpoint_failed", "It answers 500.");
    let failed = FailedAttempt { failure, verdict: Verdict::GiveUp, events: vec![] };
    written(world.worker.fail_attempt(&lease, &failed).await);
    let path = format!("/api/jobs/{id}");
    assert_eq!(world.json(&path).await["lastError"]["reason"], "upstream_5xx");
    let retry = async || {
        let request =
            world.server.request(Method::POST, &format!("{path}/retry")).bearer_auth(&world.server.key);
        request.header("Idempotency-Key", "\"again\"").send().await.expect("an answer")
    };
    for _ in 0..2 {
        let answer = retry().await;
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({"jobId": id, "status": "pending"}));
    }
    world.begun().await;
    let cancelling = world.send(&format!("{path}/cancel"), &json!({})).await;
    assert_eq!(cancelling.status(), 202);
    assert_eq!(world.json(&path).await["cancelRequested"], true);
    let waiting = world.waiting().await;
    for _ in 0..2 {
        let cancelled = world.send(&format!("/api/jobs/{waiting}/cancel"), &json!({})).await;
        assert_eq!(cancelled.status(), 200);
    }
    let migration = world.server.started("/").await;
    let listed = world.json("/api/jobs?kind=migrate_website").await;
    assert_eq!(listed["jobs"][0]["migrationId"], migration);
    let job = listed["jobs"][0]["jobId"].as_str().expect("an id").to_owned();
    for verb in ["cancel", "retry"] {
        let told = world.send(&format!("/api/jobs/{job}/{verb}"), &json!({})).await;
        assert_eq!(refused(told, 409, "job_of_migration").await["migrationId"], migration);
    }
}

#[tokio::test]
async fn strangers_see_nothing_and_viewers_change_nothing() {
    let mut world = World::new().await;
    let id = world.waiting().await;
    let path = format!("/api/jobs/{id}");
    let own = std::mem::take(&mut world.server.key);
    world.server.key = key_of(&world.server.database, "second@example.com").await;
    assert_eq!(world.json("/api/jobs").await, json!({"jobs": [], "next": null}));
    for path in [path.clone(), format!("{path}/attempts"), format!("{path}/transitions")] {
        refused(world.server.get(&path).await, 404, "job_not_found").await;
    }
    for verb in ["cancel", "retry"] {
        refused(world.send(&format!("{path}/{verb}"), &json!({})).await, 404, "job_not_found").await;
    }
    world.server.key = own;
    let sql = world.server.database.sql().await;
    sql.execute("UPDATE members SET role = 'viewer'", &[]).await.expect("an update");
    refused(world.send(&format!("{path}/cancel"), &json!({})).await, 403, "forbidden").await;
    refused(world.send(&format!("{path}/retry"), &json!({})).await, 403, "forbidden").await;
    let wish = json!({"jobs": [{"kind": "any", "payload": 1}]});
    refused(world.enqueue(&wish).await, 403, "forbidden").await;
    assert_eq!(world.json(&path).await["state"], "PENDING");
}
