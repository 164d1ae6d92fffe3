//! The operations over HTTP: for operators of the instance and for nobody else, whoever's jobs they are.

use crate::{
    browser::{Browser, location},
    server::{Server, key_of, refused},
};
use reqwest::Method;
use serde_json::{Value, json};
use store::{Poison, Store};

impl Server {
    /// Makes somebody an operator.
    pub(crate) async fn appoint(&self, email: &str) {
        let owner = Store::connect(&self.database.owner()).await.expect("the owner may connect");
        let user = owner.create_personal_tenant(email).await.expect("a person").user;
        owner.grant_operator(user).await.expect("the owner may");
    }

    /// An operator who has nothing to do with the first tenant.
    pub(crate) async fn operator(&mut self) {
        self.appoint("operator@example.com").await;
        self.key = key_of(&self.database, "operator@example.com").await;
    }
}

const PAGES: [&str; 7] = ["queues", "workers", "leases", "jobs", "dead-letters", "poison", "gates"];

#[tokio::test]
async fn nobody_but_operators_sees_the_operations_not_even_an_owner_of_an_organisation() {
    let server = Server::start().await;
    for page in PAGES {
        refused(server.get(&format!("/api/admin/{page}")).await, 403, "not_operator").await;
    }
    let id = uuid::Uuid::now_v7();
    for path in ["replay", "discard"] {
        let path = format!("/api/admin/dead-letters/{id}/{path}");
        refused(server.post(&path, &json!({"reason": "x"})).await, 403, "not_operator").await;
    }
    server.appoint("first@example.com").await;
    for page in PAGES {
        server.json(&format!("/api/admin/{page}")).await;
    }
}

#[tokio::test]
async fn a_gateway_without_the_operators_role_shows_nobody_its_operations() {
    let server = Server::start_with(|config| config.operator_store.url.clear()).await;
    server.appoint("first@example.com").await;
    let told = refused(server.get("/api/admin/queues").await, 404, "route_not_found").await;
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("operator_store.url")), "{told}");
}

#[tokio::test]
async fn the_queue_of_all_tenants_is_shown_with_figures_holders_and_what_died() {
    let mut server = Server::start_with(|config| {
        config.instance.name = "staging".into();
        config.instance.colour = api_gateway::Colour::Violet;
        config.trace_url = "https://traces.example/{trace}".into();
    })
    .await;
    let (migration, letter) = server.dead("/").await;
    server.started("/waits").await;
    let held = server.held("/held").await;
    server.operator().await;

    let overview = server.json("/api/admin/queues").await;
    assert_eq!(overview["instance"], json!({"name": "staging", "colour": "violet"}));
    assert_eq!(overview["queues"][0]["depth"], json!({"value": 1, "kind": "exact"}));
    let states: Vec<(&str, i64)> = overview["states"]
        .as_array()
        .expect("states")
        .iter()
        .map(|one| {
            (one["state"].as_str().expect("a state"), one["jobs"]["value"].as_i64().expect("a number"))
        })
        .collect();
    for expected in [("PENDING", 1), ("PREPARING", 1), ("FAILED", 1), ("COMPLETED", 0)] {
        assert!(states.contains(&expected), "{states:?}");
    }
    assert_eq!(
        (&overview["throughput"]["claimed"], &overview["throughput"]["failed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(overview["openDeadLetters"], json!({"value": 1, "kind": "exact"}));

    let workers = server.json("/api/admin/workers").await;
    assert_eq!(
        (&workers["workers"][0]["held"], &workers["workers"][0]["memoryBytes"]),
        (&json!(1), &json!(4096))
    );
    let leases = server.json("/api/admin/leases").await;
    let lease = &leases["leases"][0];
    assert_eq!((&lease["migrationId"], &lease["epoch"]), (&json!(held), &json!(1)));
    assert!(lease["expiresInSeconds"].as_f64().is_some_and(|left| left > 0.0), "{lease}");

    let jobs = server.json("/api/admin/jobs?state=FAILED").await;
    let id = jobs["jobs"][0]["id"].as_str().expect("an id");
    assert_eq!((jobs["jobs"].as_array().map(Vec::len), &jobs["next"]), (Some(1), &Value::Null));
    let traced = "UPDATE jobs SET trace = '{\"traceparent\": \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}'";
    server.database.sql().await.batch_execute(traced).await.expect("the owner may");
    let job = server.json(&format!("/api/admin/jobs/{id}")).await;
    assert_eq!(
        (&job["migrationId"], &job["lastError"]["code"]),
        (&json!(migration), &json!("site_unreachable"))
    );
    let moves = job["transitions"].as_array().expect("moves");
    assert_eq!((moves.len(), &moves[2]["failure"]["reason"]), (3, &json!("network")));
    assert!(job["events"].as_array().is_some_and(|events| !events.is_empty()), "{job}");
    assert!(!job.to_string().contains("payload"), "what it works on is its tenant's");
    assert_eq!(job["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(job["traceUrl"], "https://traces.example/4bf92f3577b34da6a3ce929d0e0e4736");
    let unknown = server.get(&format!("/api/admin/jobs/{letter}")).await;
    refused(unknown, 404, "job_not_found").await;
    refused(server.get("/api/admin/jobs?state=LOST").await, 400, "invalid_query").await;
    refused(server.get("/api/admin/jobs?limit=101").await, 400, "invalid_query").await;
}

#[tokio::test]
async fn an_operator_settles_letters_in_their_tenants_name() {
    let mut server = Server::start().await;
    let (migration, first) = server.dead("/1").await;
    let (_, second) = server.dead("/2").await;
    let owner = server.key.clone();
    server.operator().await;
    let list = server.json("/api/admin/dead-letters").await;
    let ids: Vec<&str> = list["deadLetters"]
        .as_array()
        .expect("letters")
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!(ids, [second.as_str(), first.as_str()]);
    let page = server.json("/api/admin/dead-letters?limit=1").await;
    assert_eq!(page["next"], json!(second));
    let rest = server.json(&format!("/api/admin/dead-letters?limit=1&before={second}")).await;
    assert_eq!((&rest["deadLetters"][0]["id"], &rest["next"]), (&json!(first), &Value::Null));
    let full = server.json(&format!("/api/admin/dead-letters/{first}")).await;
    assert_eq!((&full["job"]["state"], &full["transitions"][2]["to"]), (&json!("FAILED"), &json!("FAILED")));

    let at = |id: &str, what: &str| format!("/api/admin/dead-letters/{id}/{what}");
    assert_eq!(server.post(&at(&first, "replay"), &json!({})).await.status(), 202);
    refused(server.post(&at(&first, "replay"), &json!({})).await, 409, "dead_letter_settled").await;
    refused(server.post(&at(&second, "discard"), &json!({"reason": ""})).await, 400, "invalid_body").await;
    let discarded = server.post(&at(&second, "discard"), &json!({"reason": "The site is gone."})).await;
    assert_eq!(discarded.status(), 200);
    assert_eq!(server.json("/api/admin/dead-letters").await["deadLetters"], json!([]));
    let settled = server.json("/api/admin/dead-letters?settled=true").await;
    assert_eq!(settled["deadLetters"].as_array().map(Vec::len), Some(2));
    let nobody = uuid::Uuid::now_v7().to_string();
    refused(server.post(&at(&nobody, "replay"), &json!({})).await, 404, "dead_letter_not_found").await;
    server.key = owner;
    assert_eq!(server.json(&format!("/api/migration/{migration}")).await["status"], "queued");
}

#[tokio::test]
async fn a_message_that_nobody_could_read_is_shown_as_far_as_it_is_text() {
    let mut server = Server::start().await;
    let poison = Poison {
        queue: "hints".into(),
        body: b"{\"broken\xff".to_vec(),
        headers: json!({"x": 1}),
        error: "no JSON".into(),
    };
    server.worker().await.keep_poison(&poison).await.expect("kept");
    server.operator().await;
    let shown = server.json("/api/admin/poison").await;
    let message = &shown["messages"][0];
    assert_eq!((&message["queue"], &message["bytes"]), (&json!("hints"), &json!(9)));
    assert_eq!(message["beginning"], "{\"broken\u{fffd}");
}

#[tokio::test]
async fn a_stream_that_is_asked_of_the_gateway_alone_says_who_serves_it() {
    let server = Server::start().await;
    let id = server.started("/").await;
    for path in ["/api/events/stream", &format!("/api/migration/{id}/stream")] {
        let told = refused(server.get(path).await, 404, "route_not_found").await;
        assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("broadcaster")), "{told}");
        let bare = server.request(Method::GET, path).send().await.expect("an answer");
        refused(bare, 401, "unauthenticated").await;
    }
}

#[tokio::test]
async fn every_page_of_the_operations_shows_where_it_is_and_settles_what_died() {
    let mut server = Server::start_with(|config| {
        config.instance.name = "<staging>".into();
        config.instance.colour = api_gateway::Colour::Red;
    })
    .await;
    let (_, letter) = server.dead("/").await;
    server.held("/held").await;
    let stranger = Browser::signed_in(&server).await;
    let way = r#"href="/admin/queues""#;
    assert!(!stranger.read("/").await.contains(way), "no way leads where one may not go");
    let refused = stranger.get("/admin/queues").await;
    assert_eq!(refused.status(), 403);
    assert!(
        refused.text().await.expect("a page").contains("Only operators of this instance may see this page.")
    );
    server.operator().await;
    let browser = Browser::signed_in(&server).await;
    assert!(browser.read("/").await.contains(way));
    let jobs = server.json("/api/admin/jobs?state=FAILED").await;
    let job = jobs["jobs"][0]["id"].as_str().expect("an id").to_owned();
    let (one_job, one_letter) = (format!("/jobs/{job}"), format!("/dead-letters/{letter}"));
    for (path, told, in_arabic) in [
        ("/queues", "The oldest waits for", "أقدمها ينتظر منذ"),
        ("/workers", "/ 2", "آخر نبضة"),
        ("/jobs?state=FAILED", &job[28..], "ماتت"),
        (&one_job, "The site is away.", "المحاولات والتنقلات"),
        ("/dead-letters", "The site is away.", "تنتظر أحداً"),
        (&one_letter, "Put it back into its queue", "أعدها إلى طابورها"),
        ("/poison", "Nothing here.", "لا شيء هنا."),
        ("/gates", "Nothing is held back.", "لا شيء محجوز."),
    ] {
        let page = browser.read(&format!("/admin{path}")).await;
        assert!(page.contains(told), "{path}: {page}");
        assert!(page.contains(r#"data-colour="red""#) && page.contains("&lt;staging&gt;"), "{page}");
        assert!(!page.contains(" style="), "{page}");
        let page = browser.read(&format!("/ar/admin{path}")).await;
        assert!(page.contains(in_arabic), "{path}: {page}");
    }
    let token = browser.token().await;
    let at = format!("/ar/admin{one_letter}");
    let forged = browser.form(&format!("{at}/replay"), &[("token", "x")]).await;
    assert_eq!(forged.status(), 403);
    let empty = browser.form(&format!("{at}/discard"), &[("token", &token), ("reason", " ")]).await;
    assert_eq!(empty.status(), 400);
    let answer = browser.form(&format!("{at}/replay"), &[("token", &token)]).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, at.as_str()));
    let page = browser.read(&at).await;
    assert!(page.contains("أُعيدت") && !page.contains("<form class=\"stack\""), "it is settled: {page}");
    let again = browser.form(&format!("{at}/discard"), &[("token", &token), ("reason", "late")]).await;
    assert_eq!(again.status(), 409);
    assert!(again.text().await.expect("a page").contains("حسمها أحد من قبل."));
}
