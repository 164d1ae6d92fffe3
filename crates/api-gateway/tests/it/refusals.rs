//! Every refusal is a problem document with its own code, and leaves nothing behind.

use crate::server::{Server, key_of, refused};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use testkit::wait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn who_calls_has_to_be_known() {
    let server = Server::start().await;
    let bare = server.request(Method::GET, "/api/migration").send().await.expect("an answer");
    assert_eq!(bare.headers()["www-authenticate"], "Bearer");
    refused(bare, 401, "unauthenticated").await;
    for wrong in [
        "Basic abc",
        "Bearer nonsense",
        "Bearer rsk_AAAAAAAAAAAA_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let answer =
            server.request(Method::GET, "/api/migration").header("authorization", wrong).send().await;
        refused(answer.expect("an answer"), 401, "unauthenticated").await;
    }
}

#[tokio::test]
async fn bad_bodies_are_told_apart() {
    let server = Server::start().await;
    let start = || server.request(Method::POST, "/api/migration/start").bearer_auth(&server.key);
    let json = |text: &str| start().header("content-type", "application/json").body(text.to_owned()).send();
    refused(json("{").await.expect("an answer"), 400, "invalid_body").await;
    let unknown = json(r#"{"sourceUrl":"https://example.com/","userPrompt":"x","colour":"red"}"#).await;
    let document = refused(unknown.expect("an answer"), 400, "invalid_body").await;
    assert!(document["detail"].as_str().expect("text").contains("colour"), "the field is named: {document}");
    let address = server.site.url();
    for unnamed in [format!(r#"["{address}","x",null]"#), "[]".into(), "null".into(), r#""x""#.into()] {
        let document = refused(json(&unnamed).await.expect("an answer"), 400, "invalid_body").await;
        let detail = document["detail"].as_str().expect("text");
        assert!(detail.contains("expected a JSON object"), "{unnamed}: {detail}");
    }
    let huge = json!({"sourceUrl": "https://example.com/", "userPrompt": "x".repeat(100_000)}).to_string();
    refused(json(&huge).await.expect("an answer"), 413, "body_too_large").await;
    let plain = start().header("content-type", "text/plain").body("{}").send().await.expect("an answer");
    refused(plain, 415, "unsupported_media_type").await;
    let brief =
        server.start_request(&json!({"sourceUrl": server.site.url()})).send().await.expect("an answer");
    refused(brief, 422, "invalid_brief").await;
    assert_eq!(server.count("migrations").await, 0);
}

#[tokio::test]
async fn urls_that_must_not_be_moved_are_refused_before_anything_is_written() {
    let server = Server::start().await;
    let cases = [
        ("ftp://example.com/", "invalid_source_url"),
        ("https://me:secret@example.com/", "invalid_source_url"),
        ("not a url", "invalid_source_url"),
        ("http://127.0.0.1/", "address_forbidden"),
        ("http://0x7f.1/", "address_forbidden"),
        ("http://[::ffff:10.0.0.1]/", "address_forbidden"),
        ("http://169.254.169.254/latest/meta-data/", "address_forbidden"),
        ("http://localhost/", "address_forbidden"),
        ("http://example.com:22/", "invalid_source_url"),
    ];
    for (url, code) in cases {
        let body = json!({"sourceUrl": url, "userPrompt": "x"});
        let answer = server.start_request(&body).send().await.expect("an answer");
        let document = refused(answer, 422, code).await;
        assert!(!document.to_string().contains("secret"), "{document}");
    }
    for table in ["migrations", "jobs", "events", "outbox", "idempotency_records"] {
        assert_eq!(server.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn ids_routes_and_methods() {
    let server = Server::start().await;
    refused(server.get("/api/migration/not-a-uuid").await, 400, "invalid_id").await;
    let nobody = "/api/migration/0197a000-0000-7000-8000-000000000000";
    for path in ["", "/events", "/artifact"] {
        refused(server.get(&format!("{nobody}{path}")).await, 404, "migration_not_found").await;
    }
    refused(server.get("/api/nothing").await, 404, "route_not_found").await;
    refused(server.get("/api/migration/start/").await, 404, "route_not_found").await;
    let wrong = server.request(Method::DELETE, "/api/migration").bearer_auth(&server.key).send().await;
    let wrong = wrong.expect("an answer");
    assert_eq!(wrong.headers()["allow"], "GET, HEAD");
    refused(wrong, 405, "method_not_allowed").await;
    refused(server.get("/api/migration?limit=0").await, 400, "invalid_query").await;
    let unknown = refused(server.get("/api/migration?colour=red").await, 400, "invalid_query").await;
    assert!(unknown["detail"].as_str().expect("text").starts_with("unknown field `colour`"), "{unknown}");
    let id = server.started("/").await;
    refused(server.get(&format!("/api/migration/{id}/events?since_id=-1")).await, 400, "invalid_query").await;
    refused(server.get(&format!("/api/migration/{id}/artifact")).await, 409, "not_completed").await;
}

#[tokio::test]
async fn somebody_elses_migration_does_not_exist() {
    let mut server = Server::start().await;
    let id = server.started("/").await;
    server.key = key_of(&server.database, "second@example.com").await;
    for path in ["", "/events", "/artifact"] {
        refused(server.get(&format!("/api/migration/{id}{path}")).await, 404, "migration_not_found").await;
    }
    let cancel =
        server.request(Method::POST, &format!("/api/migration/{id}/cancel")).bearer_auth(&server.key);
    refused(cancel.send().await.expect("an answer"), 404, "migration_not_found").await;
    let list: serde_json::Value = server.get("/api/migration").await.json().await.expect("JSON");
    assert_eq!(list["migrations"], json!([]));
    // The same site may be moved by both.
    server.started("/").await;
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_start() {
    let server = Server::start().await;
    server.database.sql().await.execute("UPDATE members SET role = 'viewer'", &[]).await.expect("an update");
    assert_eq!(server.get("/api/migration").await.status(), 200);
    let answer = server.start_request(&server.wish("/")).send().await.expect("an answer");
    refused(answer, 403, "forbidden").await;
}

#[tokio::test]
async fn without_a_key_nothing_else_is_judged() {
    let server = Server::start().await;
    let start = server.request(Method::POST, "/api/migration/start").body("{").send().await;
    refused(start.expect("an answer"), 401, "unauthenticated").await;
    for path in ["/api/migration/not-a-uuid", "/api/migration?limit=0", "/api/migration/a/b/c"] {
        let answer = server.request(Method::GET, path).send().await.expect("an answer");
        assert!(answer.headers().contains_key("x-correlation-id"));
        refused(answer, 401, "unauthenticated").await;
    }
}

#[tokio::test]
async fn what_others_serve_here_refuses_in_the_same_form() {
    let server = Server::start().await;
    for path in ["/healthz", "/metrics", "/api/openapi.json", "/problems/internal"] {
        let answer = server.request(Method::POST, path).send().await.expect("an answer");
        assert_eq!(answer.headers()["allow"], "GET, HEAD", "{path}");
        refused(answer, 405, "method_not_allowed").await;
    }
    for path in ["/api/docs/nothing.js", "/problems/nothing", "/nothing"] {
        let answer = server.request(Method::GET, path).send().await.expect("an answer");
        refused(answer, 404, "route_not_found").await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let server = Server::start_with(|config| config.body_timeout = Duration::from_millis(200)).await;
    let head = format!(
        "POST /api/migration/start HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        server.key
    );
    let mut connection = TcpStream::connect(server.address).await.expect("it listens");
    connection.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = [0; 12];
    let read = wait::within("the refusal", Duration::from_secs(10), connection.read_exact(&mut answer)).await;
    read.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 408");
}
