//! New runs, as a client asks for them and as it is refused.

use crate::server::{Server, key_of, refused};
use domain::{Failure, failure::Reason, phase::Phase, retry::Verdict};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use store::{ClaimRequest, FailedAttempt, Store};

impl Server {
    /// Starts a migration that fails in PLAN, and returns its id.
    async fn failed(&self, path: &str) -> String {
        let id = self.started(path).await;
        self.fail(Some(json!({"kept": true}))).await;
        id
    }

    /// Fails the job that waits; before that ANALYZE completes with a result, if there is one.
    async fn fail(&self, analyzed: Option<Value>) {
        let worker = Store::connect(&self.database.worker()).await.expect("the worker may connect");
        let request = ClaimRequest {
            queue: domain::job::MIGRATION_QUEUE,
            worker: domain::WorkerId(uuid::Uuid::now_v7()),
            slots: 1,
            ttl: Duration::from_secs(300),
            begin: None,
        };
        let lease = worker.claim(&request).await.expect("a claim").pop().expect("a job").lease;
        let _held = worker.begin_job(&lease, &[]).await.expect("begun");
        if let Some(result) = analyzed {
            let _held = worker.begin_phase(&lease, Phase::Analyze, &[]).await.expect("begun");
            let _held = worker.complete_phase(&lease, Phase::Analyze, &result, &[]).await.expect("complete");
        }
        let failure = Failure::of(Reason::DeploymentError, "storage_unavailable", "The storage is away.");
        let failed = FailedAttempt { failure, verdict: Verdict::GiveUp, events: vec![] };
        let _held = worker.fail_attempt(&lease, &failed).await.expect("failed");
    }

    fn retry(&self, id: &str, body: &Value) -> RequestBuilder {
        let path = format!("/api/migration/{id}/retry");
        self.request(Method::POST, &path).bearer_auth(&self.key).json(body)
    }

    async fn cool_down(&self) {
        let sql = "UPDATE retries SET created_at = created_at - interval '1 minute'";
        self.database.sql().await.execute(sql, &[]).await.expect("the owner may");
    }
}

#[tokio::test]
async fn a_failed_migration_is_queued_again_from_the_phase_that_failed() {
    let server = Server::start().await;
    let id = server.failed("/").await;
    let read =
        async || -> Value { server.get(&format!("/api/migration/{id}")).await.json().await.expect("JSON") };
    let before = read().await;
    assert_eq!(
        (&before["status"], &before["error"]["reason"]),
        (&json!("failed"), &json!("deployment_error"))
    );
    let answer =
        server.retry(&id, &json!({"retryReason": "deployment_error"})).send().await.expect("an answer");
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&answer["run"], &answer["fromPhase"], &answer["status"]),
        (&json!(2), &json!("PLAN"), &json!("queued"))
    );
    let after = read().await;
    assert_eq!(
        (&after["status"], &after["run"], &after["error"]),
        (&json!("queued"), &json!(2), &Value::Null)
    );
    assert_eq!((&after["seed"], &after["promptHash"]), (&before["seed"], &before["promptHash"]));
    assert_eq!(
        (&after["phases"][0]["phase"], &after["phases"][0]["reusedFromRun"]),
        (&json!("ANALYZE"), &json!(1))
    );
    let events: Value = server.get(&format!("/api/migration/{id}/events")).await.json().await.expect("JSON");
    let events = events["events"].as_array().expect("a list");
    let [.., error, done, queued] = &events[..] else { panic!("a history: {events:?}") };
    assert_eq!((&error["type"], &error["detail"]["reason"]), (&json!("error"), &json!("deployment_error")));
    assert_eq!((&done["type"], &queued["run"]), (&json!("done"), &json!(2)));
    assert_eq!(queued["detail"]["retryReason"], "deployment_error");
}

#[tokio::test]
async fn everything_anew_takes_another_seed_and_another_brief_makes_another_plan() {
    let server = Server::start().await;
    let id = server.failed("/").await;
    let before: Value = server.get(&format!("/api/migration/{id}")).await.json().await.expect("JSON");
    let body = json!({
        "retryReason": "user_request", "reuseSeeds": false, "newUserBrief": {"tone": "calm"}, "increasedBudget": 60,
    });
    let answer: Value = server.retry(&id, &body).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer["fromPhase"], "ANALYZE");
    let after: Value = server.get(&format!("/api/migration/{id}")).await.json().await.expect("JSON");
    assert_ne!(after["seed"], before["seed"]);
    assert_ne!(after["promptHash"], before["promptHash"]);
    assert_eq!(after["phases"], json!([]));
}

#[tokio::test]
async fn a_retry_that_is_sent_again_gets_its_stored_answer() {
    let server = Server::start().await;
    let (id, other) = (server.failed("/").await, server.failed("/other").await);
    let body = json!({"retryReason": "network"});
    let send = async |id: &str, body: &Value| {
        let request = server.retry(id, body).header("idempotency-key", "\"once\"");
        request.send().await.expect("an answer")
    };
    let first = send(&id, &body).await;
    assert_eq!((first.status().as_u16(), first.headers().get("idempotent-replayed")), (202, None));
    let first: Value = first.json().await.expect("JSON");
    let again = send(&id, &body).await;
    assert_eq!(
        (again.status().as_u16(), &again.headers()["idempotent-replayed"]),
        (202, &"true".parse().expect("text"))
    );
    assert_eq!(again.json::<Value>().await.expect("JSON"), first);
    refused(send(&other, &body).await, 422, "idempotency_key_reused").await;
    refused(send(&id, &json!({"retryReason": "internal"})).await, 422, "idempotency_key_reused").await;
    assert_eq!(server.count("retries").await, 1);
}

#[tokio::test]
async fn limits_are_named_with_their_number_and_their_time() {
    let server = Server::start().await;
    let id = server.failed("/").await;
    let body = json!({"retryReason": "tool_timeout"});
    for _ in 0..3 {
        assert_eq!(server.retry(&id, &body).send().await.expect("an answer").status(), 202);
        server.fail(None).await;
        let soon = server.retry(&id, &json!({"retryReason": "internal"})).send().await.expect("an answer");
        let seconds: u64 = soon.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=60).contains(&seconds));
        let told = refused(soon, 429, "retry_too_soon").await;
        assert_eq!(told["retryAfterSeconds"], seconds);
        assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("60 s")), "{told}");
        server.cool_down().await;
    }
    let told =
        refused(server.retry(&id, &body).send().await.expect("an answer"), 409, "retry_limit_reached").await;
    assert_eq!(told["limit"], 3);
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("tool_timeout")), "{told}");
    let other = server.retry(&id, &json!({"retryReason": "internal"})).send().await.expect("an answer");
    assert_eq!(other.status(), 202);
}

#[tokio::test]
async fn what_cannot_be_run_again_is_told_why() {
    let mut server = Server::start().await;
    let active = server.started("/active").await;
    let body = json!({"retryReason": "internal"});
    let told =
        refused(server.retry(&active, &body).send().await.expect("an answer"), 409, "not_retryable").await;
    assert_eq!(told["migrationStatus"], "queued");
    let cancel = server.request(Method::POST, &format!("/api/migration/{active}/cancel"));
    assert_eq!(cancel.bearer_auth(&server.key).send().await.expect("an answer").status(), 200);
    let told =
        refused(server.retry(&active, &body).send().await.expect("an answer"), 409, "not_retryable").await;
    assert_eq!(told["migrationStatus"], "cancelled");

    let id = server.failed("/").await;
    let deploy = json!({"retryReason": "internal", "fromPhase": "DEPLOY"});
    let told =
        refused(server.retry(&id, &deploy).send().await.expect("an answer"), 422, "phase_not_reached").await;
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("Begin with PLAN")), "{told}");
    for (wrong, code, status, told) in [
        (json!({"retryReason": "because"}), "invalid_body", 400, "tool_timeout"),
        (json!({}), "invalid_body", 400, "retryReason"),
        (json!({"retryReason": "internal", "fromPhase": "PAINT"}), "invalid_body", 400, "TRANSFORM"),
        (json!({"retryReason": "internal", "increasedBudget": 0}), "invalid_body", 400, "1000000"),
        (json!({"retryReason": "internal", "newUserBrief": "  "}), "invalid_brief", 422, "newUserBrief"),
        (json!({"retryReason": "internal", "colour": "red"}), "invalid_body", 400, "colour"),
    ] {
        let document =
            refused(server.retry(&id, &wrong).send().await.expect("an answer"), status, code).await;
        assert!(document["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{document}");
    }
    let started = server.started("/").await;
    let told =
        refused(server.retry(&id, &body).send().await.expect("an answer"), 409, "already_active").await;
    assert_eq!(told["migrationId"], started);
    server.key = key_of(&server.database, "second@example.com").await;
    refused(server.retry(&id, &body).send().await.expect("an answer"), 404, "migration_not_found").await;
    assert_eq!(server.count("retries").await, 0);
}
