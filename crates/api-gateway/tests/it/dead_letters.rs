//! Dead letters over HTTP: who may see them, and what settles them.

use crate::server::{Server, key_of, refused};
use domain::{Failure, failure::Reason, retry::Verdict};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;
use store::{ClaimRequest, FailedAttempt, Lease, Store};

impl Server {
    pub(crate) async fn worker(&self) -> Store {
        Store::connect(&self.database.worker()).await.expect("the worker may connect")
    }

    /// A migration whose job a worker has claimed.
    async fn claimed(&self, path: &str) -> (String, Store, Lease) {
        let migration = self.started(path).await;
        let worker = self.worker().await;
        let request = ClaimRequest {
            queue: domain::job::MIGRATION_QUEUE,
            worker: domain::WorkerId(uuid::Uuid::now_v7()),
            slots: 1,
            ttl: Duration::from_secs(300),
            begin: None,
        };
        let lease = worker.claim(&request).await.expect("a claim").pop().expect("a job").lease;
        (migration, worker, lease)
    }

    /// A migration that failed, and the id of its dead letter.
    pub(crate) async fn dead(&self, path: &str) -> (String, String) {
        let (migration, worker, lease) = self.claimed(path).await;
        let failure = Failure::of(Reason::Network, "site_unreachable", "The site is away.");
        let failed = FailedAttempt { failure, verdict: Verdict::GiveUp, events: vec![] };
        let _held = worker.fail_attempt(&lease, &failed).await.expect("failed");
        let list = self.json(&format!("/api/dead-letters?migrationId={migration}")).await;
        let letter = list["deadLetters"][0]["id"].as_str().expect("an id").to_owned();
        (migration, letter)
    }

    /// A migration that a worker holds, while another one waits; the holder's row is there, too.
    pub(crate) async fn held(&self, path: &str) -> String {
        // The oldest goes first: what waits already is held back for the moment of the claim.
        let sql = self.database.sql().await;
        let later =
            |by: &str| format!("UPDATE jobs SET run_at = run_at {by} interval '1 h' WHERE state = 'PENDING'");
        sql.batch_execute(&later("+")).await.expect("the owner may");
        let (migration, worker, lease) = self.claimed(path).await;
        sql.batch_execute(&later("-")).await.expect("the owner may");
        worker.register_worker(lease.worker, "http://10.0.0.7:50051", 2).await.expect("a row");
        worker.worker_heartbeat(lease.worker, Some(4096)).await.expect("a heartbeat");
        migration
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.json().await.expect("JSON")
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.request(Method::POST, path).bearer_auth(&self.key).json(body);
        request.send().await.expect("an answer")
    }
}

#[tokio::test]
async fn a_letter_is_found_looked_into_and_replayed_once() {
    let server = Server::start().await;
    let (migration, letter) = server.dead("/").await;
    let path = format!("/api/dead-letters/{letter}");
    let full = server.json(&path).await;
    assert_eq!((&full["state"], &full["migrationId"]), (&json!("open"), &json!(migration)));
    assert_eq!(full["failure"]["reason"], "network");
    assert_eq!(full["job"]["payload"]["migrationId"], migration);
    let last = full["transitions"].as_array().and_then(|moves| moves.last()).expect("moves");
    assert_eq!((&last["to"], &last["failure"]["code"]), (&json!("FAILED"), &json!("site_unreachable")));

    let answer = server.post(&format!("{path}/replay"), &json!({})).await;
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({"id": letter, "state": "replayed"}));
    assert_eq!(server.json(&format!("/api/migration/{migration}")).await["status"], "queued");
    let told =
        refused(server.post(&format!("{path}/replay"), &json!({})).await, 409, "dead_letter_settled").await;
    assert_eq!(told["state"], "replayed");
    let open = server.json("/api/dead-letters?state=open").await;
    assert_eq!(open, json!({"deadLetters": [], "next": null}));
}

#[tokio::test]
async fn what_is_discarded_needs_a_reason_and_stays_dead() {
    let server = Server::start().await;
    let (_, letter) = server.dead("/").await;
    let path = format!("/api/dead-letters/{letter}");
    for wrong in [json!({"reason": "  "}), json!({"reason": "x".repeat(501)}), json!({})] {
        refused(server.post(&format!("{path}/discard"), &wrong).await, 400, "invalid_body").await;
    }
    let answer = server.post(&format!("{path}/discard"), &json!({"reason": "The site is gone."})).await;
    assert_eq!(answer.json::<Value>().await.expect("JSON"), json!({"id": letter, "state": "discarded"}));
    let told =
        refused(server.post(&format!("{path}/replay"), &json!({})).await, 409, "dead_letter_settled").await;
    assert_eq!(told["state"], "discarded");
    assert_eq!(server.json(&path).await["discardReason"], "The site is gone.");
}

#[tokio::test]
async fn many_are_looked_at_first_then_replayed_followed_and_called_off() {
    let server = Server::start().await;
    for n in 0..3 {
        server.dead(&format!("/{n}")).await;
    }
    let asked = |preview| json!({"filter": {"reason": "network"}, "preview": preview});
    let preview: Value =
        server.post("/api/dead-letters/replays", &asked(true)).await.json().await.expect("JSON");
    assert_eq!((&preview["found"], preview["first"].as_array().map(Vec::len)), (&json!(3), Some(3)));
    assert_eq!(server.count("replays").await, 0);
    let answer = server.post("/api/dead-letters/replays", &asked(false)).await;
    assert_eq!(answer.status(), 202);
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    let begun: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&begun["state"], &begun["found"], &begun["replayed"]),
        (&json!("running"), &json!(3), &json!(0))
    );
    assert_eq!(begun["filter"], json!({"reason": "network"}));
    assert_eq!(server.worker().await.continue_replays(2).await.expect("a turn"), 2);
    assert_eq!(server.json(&location).await["replayed"], 2);
    for _ in 0..2 {
        let cancelled: Value =
            server.post(&format!("{location}/cancel"), &json!({})).await.json().await.expect("JSON");
        assert_eq!((&cancelled["state"], &cancelled["replayed"]), (&json!("cancelled"), &json!(2)));
    }
    assert_eq!(server.worker().await.continue_replays(2).await.expect("a turn"), 0);
}

#[tokio::test]
async fn only_owners_see_dead_letters_and_only_their_own() {
    let mut server = Server::start().await;
    let (_, letter) = server.dead("/").await;
    let path = format!("/api/dead-letters/{letter}");
    let own = std::mem::take(&mut server.key);
    server.key = key_of(&server.database, "second@example.com").await;
    assert_eq!(server.json("/api/dead-letters").await["deadLetters"], json!([]));
    refused(server.get(&path).await, 404, "dead_letter_not_found").await;
    refused(server.post(&format!("{path}/replay"), &json!({})).await, 404, "dead_letter_not_found").await;
    server.key = own;
    server.database.sql().await.execute("UPDATE members SET role = 'member'", &[]).await.expect("an update");
    for path in ["/api/dead-letters", &path] {
        refused(server.get(path).await, 403, "forbidden").await;
    }
    refused(server.post(&format!("{path}/replay"), &json!({})).await, 403, "forbidden").await;
}

#[tokio::test]
async fn bad_wishes_are_told_what_is_allowed() {
    let server = Server::start().await;
    refused(server.post("/api/dead-letters/replays", &json!({"filter": {}})).await, 422, "empty_filter")
        .await;
    let colour = json!({"filter": {"colour": "red"}});
    refused(server.post("/api/dead-letters/replays", &colour).await, 400, "invalid_body").await;
    for (query, told) in [
        ("limit=0", "between 1 and 100"),
        ("state=lost", "open, replayed, discarded"),
        ("reason=bad", "tool_timeout"),
        ("diedAfter=yesterday", "2026-01-31"),
        ("colour=red", "colour"),
    ] {
        let answer =
            refused(server.get(&format!("/api/dead-letters?{query}")).await, 400, "invalid_query").await;
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{answer}");
    }
    refused(server.get("/api/dead-letters/seven").await, 400, "invalid_id").await;
    let nobody = uuid::Uuid::now_v7();
    refused(server.get(&format!("/api/dead-letters/replays/{nobody}")).await, 404, "replay_not_found").await;
}
