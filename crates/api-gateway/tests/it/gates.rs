//! What operators say of how much runs, over HTTP and on their page, and what a claim makes of it.

use crate::{
    browser::{Browser, location},
    server::{Server, refused},
};
use reqwest::Method;
use serde_json::{Value, json};
use store::ClaimRequest;

const QUEUE: &str = "/api/admin/gates/queue/migrations";

impl Server {
    async fn put(&self, path: &str, body: &Value) -> reqwest::Response {
        self.request(Method::PUT, path).bearer_auth(&self.key).json(body).send().await.expect("an answer")
    }

    /// Jobs of migrations that a worker gets now.
    async fn taken(&self) -> usize {
        let worker = domain::WorkerId(uuid::Uuid::now_v7());
        let ttl = std::time::Duration::from_secs(30);
        let request = ClaimRequest { queue: "migrations", worker, slots: 9, ttl, begin: None };
        self.worker().await.claim(&request).await.expect("a claim").len()
    }
}

#[tokio::test]
async fn a_queue_is_paused_limited_and_resumed_and_each_change_is_told_with_who_made_it() {
    let mut server = Server::start().await;
    for path in ["/1", "/2", "/3"] {
        server.started(path).await;
    }
    server.operator().await;
    for _ in 0..2 {
        let paused = server.post(&format!("{QUEUE}/pause"), &json!({"reason": " A repair. "})).await;
        let paused: Value = paused.json().await.expect("JSON");
        assert_eq!((&paused["scope"], &paused["paused"]["reason"]), (&json!("queue"), &json!("A repair.")));
    }
    assert_eq!(server.taken().await, 0);
    assert_eq!(server.json("/api/admin/queues").await["pauses"], 1);
    let limited = server.put(QUEUE, &json!({"most": 2})).await;
    assert_eq!(limited.status(), 200);
    assert!(limited.json::<Value>().await.expect("JSON")["paused"].is_object(), "a pause stays");
    for _ in 0..2 {
        let resumed = server.post(&format!("{QUEUE}/resume"), &json!({})).await;
        assert_eq!(resumed.json::<Value>().await.expect("JSON")["paused"], Value::Null);
    }
    assert_eq!(server.taken().await, 2, "as many as may be held at once");
    let gates = server.json("/api/admin/gates").await;
    let gate =
        json!({"scope": "queue", "key": "migrations", "weight": 1, "most": 2, "rate": null, "paused": null});
    assert_eq!(gates["gates"], json!([gate]));
    assert_eq!(server.put(QUEUE, &json!({})).await.status(), 200);
    assert_eq!(server.json("/api/admin/gates").await["gates"], json!([]));
    let first = server.json("/api/admin/gates/changes?limit=3").await;
    assert_eq!(
        (first["changes"].as_array().map(Vec::len), &first["changes"][0]["after"]),
        (Some(3), &Value::Null)
    );
    assert!(first["changes"][0]["userId"].is_string(), "{first}");
    let rest = server.json(&format!("/api/admin/gates/changes?before={}", first["next"])).await;
    assert_eq!((rest["changes"].as_array().map(Vec::len), &rest["next"]), (Some(1), &Value::Null));
    assert_eq!(rest["changes"][0]["after"]["pause_reason"], "A repair.");
}

#[tokio::test]
async fn a_gate_that_has_no_meaning_is_refused_and_nobody_but_operators_sets_one() {
    let mut server = Server::start().await;
    let stranger = server.post(&format!("{QUEUE}/pause"), &json!({"reason": "x"})).await;
    refused(stranger, 403, "not_operator").await;
    refused(server.put(QUEUE, &json!({"most": 1})).await, 403, "not_operator").await;
    refused(server.get("/api/admin/gates").await, 403, "not_operator").await;
    server.operator().await;
    for (path, body, told) in [
        ("kind/a", json!({"most": 1}), "all, queue, tenant and destination"),
        ("all/everything", json!({"most": 1}), "*"),
        ("tenant/ACME", json!({"weight": 2}), "lower case"),
        ("queue/a", json!({"weight": 2}), "a tenant's own"),
        ("destination/*", json!({"rate": {"perSecond": 1, "burst": 1}}), "bucket"),
        ("destination/a", json!({"rate": {"perSecond": 0, "burst": 1}}), "0.00001"),
    ] {
        let answer =
            refused(server.put(&format!("/api/admin/gates/{path}"), &body).await, 422, "invalid_gate").await;
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{answer}");
    }
    refused(server.post(&format!("{QUEUE}/pause"), &json!({"reason": " "})).await, 422, "invalid_gate").await;
    refused(server.put(QUEUE, &json!({"colour": 1})).await, 400, "invalid_body").await;
    let model = "/api/admin/gates/destination/openai%2Fgpt%20x";
    assert_eq!(server.put(model, &json!({"most": 1})).await.status(), 200);
    assert_eq!(server.json("/api/admin/gates").await["gates"][0]["key"], "openai/gpt x");
}

#[tokio::test]
async fn the_page_pauses_and_resumes_with_the_forms_token_and_shows_who_did() {
    let mut server = Server::start().await;
    server.started("/waits").await;
    server.operator().await;
    let browser = Browser::signed_in(&server).await;
    let queues = browser.read("/admin/queues").await;
    assert!(queues.contains(r#"href="/admin/gates?scope=queue&amp;key=migrations""#), "{queues}");
    let page = browser.read("/admin/gates?scope=queue&key=migrations").await;
    assert!(
        page.contains(r#"<option value="queue" selected"#) && page.contains(r#"value="migrations""#),
        "{page}"
    );
    assert!(!page.contains(" style="), "{page}");
    let token = browser.token().await;
    let gate = [("scope", "queue"), ("key", "migrations"), ("reason", "<repair>")];
    let with = |token: &str| -> Vec<(String, String)> {
        let fields = gate.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        fields.chain([("token".to_owned(), token.to_owned())]).collect()
    };
    let send = async |path: &str, fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.form(path, &fields).await
    };
    assert_eq!(send("/admin/gates/pause", with("forged")).await.status(), 403);
    let answer = send("/admin/gates/pause", with(&token)).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/admin/gates"));
    let page = browser.read("/ar/admin/gates").await;
    assert!(page.contains("استأنف") && page.contains("&lt;repair&gt;"), "{page}");
    assert!(browser.read("/admin/queues").await.contains("Paused: 1"));
    assert_eq!(server.taken().await, 0);
    let none = [("token", token.as_str()), ("scope", "tenant"), ("key", "x"), ("reason", "y")];
    let answer = browser.form("/admin/gates/pause", &none).await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.expect("a page").contains("That names nothing that can be paused"));
    assert_eq!(send("/admin/gates/resume", with("forged")).await.status(), 403);
    assert_eq!(send("/ar/admin/gates/resume", with(&token)).await.status(), 303);
    assert_eq!(server.taken().await, 1);
}
