//! What the routes answer when all is well.

use crate::server::{Server, refused};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_start_writes_everything_that_follows_from_it() {
    let server = Server::start().await;
    let correlation = "0197a000-0000-7000-8000-0000000000aa";
    let answer =
        server.start_request(&server.wish("/shop/")).header("x-correlation-id", correlation).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()["x-correlation-id"], correlation);
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!((&body["status"], &body["correlationId"]), (&json!("queued"), &json!(correlation)));
    let read: Value = server.get(&location).await.json().await.expect("JSON");
    assert_eq!(read["migrationId"], body["migrationId"]);
    assert_eq!((&read["status"], &read["progress"], &read["run"]), (&json!("queued"), &json!(0), &json!(1)));
    assert_eq!((&read["phases"], &read["live"]), (&json!([]), &Value::Null));
    for (table, rows) in [("jobs", 1), ("transitions", 1), ("events", 1), ("outbox", 2)] {
        assert_eq!(server.count(table).await, rows, "{table}");
    }
    let events: Value = server.get(&format!("{location}/events")).await.json().await.expect("JSON");
    assert_eq!(events["events"][0]["type"], "phase_update");
    assert_eq!(events["next"], 1);
    let nothing_new: Value =
        server.get(&format!("{location}/events?since_id=1")).await.json().await.expect("JSON");
    assert_eq!(nothing_new, json!({"events": [], "next": 1}));
}

#[tokio::test]
async fn one_active_migration_per_user_and_site() {
    let server = Server::start().await;
    let first = server.started("/a/").await;
    // The same site, written differently.
    let again = server.start_request(&server.wish("/a#top")).send().await.expect("an answer");
    let document = refused(again, 409, "already_active").await;
    assert_eq!(document["migrationId"], first);
    let cancel =
        server.request(Method::POST, &format!("/api/migration/{first}/cancel")).bearer_auth(&server.key);
    assert_eq!(cancel.send().await.expect("an answer").status(), 200);
    server.started("/a/").await;
}

#[tokio::test]
async fn pages_hold_every_migration_once_newest_first() {
    let server = Server::start().await;
    let mut started = Vec::new();
    for n in 0..7 {
        started.push(server.started(&format!("/{n}")).await);
    }
    started.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/migration?limit=3".to_owned());
    loop {
        let page: Value = server.get(&path).await.json().await.expect("JSON");
        let ids = page["migrations"].as_array().expect("a list").iter();
        seen.extend(ids.map(|m| m["migrationId"].as_str().expect("an id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/migration?limit=3&before={next}");
    }
    assert_eq!(seen, started);
}

#[tokio::test]
async fn cancelling_twice_is_cancelling_once() {
    let server = Server::start().await;
    let id = server.started("/").await;
    for _ in 0..2 {
        let cancel =
            server.request(Method::POST, &format!("/api/migration/{id}/cancel")).bearer_auth(&server.key);
        let answer = cancel.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body, json!({"migrationId": id, "status": "cancelled"}));
    }
    let events: Value = server.get(&format!("/api/migration/{id}/events")).await.json().await.expect("JSON");
    let types: Vec<&str> =
        events["events"].as_array().expect("a list").iter().filter_map(|e| e["type"].as_str()).collect();
    assert_eq!(types, ["phase_update", "error", "done"]);
}

#[tokio::test]
async fn probes_and_figures_are_served() {
    let server = Server::start().await;
    for path in ["/healthz", "/livez", "/readyz", "/metrics"] {
        let answer = server.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn the_history_is_paged_without_gaps() {
    let server = Server::start().await;
    let id = server.started("/").await;
    let append = "INSERT INTO events (migration_id, tenant_id, seq, run, type, progress, correlation_id, detail)
                  SELECT id, tenant_id, $2, run, 'log', 0, correlation_id, '{}' FROM migrations WHERE id::text = $1";
    let sql = server.database.sql().await;
    for seq in 2..=7_i64 {
        sql.execute(append, &[&id, &seq]).await.expect("an event");
    }
    let (mut seen, mut since) = (Vec::new(), 0);
    loop {
        let path = format!("/api/migration/{id}/events?since_id={since}&limit=3");
        let page: Value = server.get(&path).await.json().await.expect("JSON");
        let events = page["events"].as_array().expect("a list");
        if events.is_empty() {
            assert_eq!(page["next"], since, "the end is where to ask again");
            break;
        }
        assert!(events.len() <= 3);
        seen.extend(events.iter().filter_map(|event| event["seq"].as_i64()));
        since = page["next"].as_i64().expect("a number");
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}
