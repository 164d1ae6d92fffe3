//! The Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one request, one effect, one answer.

use crate::server::{Server, key_of, refused};
use futures::future::join_all;
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};
use testkit::wait;
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_at_once_start_one_migration() {
    let server = Server::start().await;
    let body = server.wish("/");
    let send = || async {
        let mut in_flight = 0;
        loop {
            let answer = server.start_request(&body).header("idempotency-key", "\"one\"").send().await;
            let answer = answer.expect("an answer");
            if answer.status() == 202 {
                return (answer.json::<Value>().await.expect("JSON"), in_flight);
            }
            refused(answer, 409, "idempotency_key_in_flight").await;
            in_flight += 1;
            assert!(in_flight < 1000, "the key stayed locked");
        }
    };
    let answers = join_all((0..32).map(|_| send())).await;
    let distinct: BTreeSet<String> = answers.iter().map(|(answer, _)| answer.to_string()).collect();
    assert_eq!(distinct.len(), 1, "all got the same answer");
    assert_eq!((server.count("migrations").await, server.count("jobs").await), (1, 1));
}

#[tokio::test]
async fn a_replay_says_so_and_another_body_is_refused() {
    let server = Server::start().await;
    let send = |path: &str| server.start_request(&server.wish(path)).header("idempotency-key", "k-1").send();
    let first = send("/a").await.expect("an answer");
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: Value = first.json().await.expect("JSON");
    let second = send("/a").await.expect("an answer");
    assert_eq!(second.headers()["idempotent-replayed"], "true");
    assert_eq!(second.json::<Value>().await.expect("JSON"), first);
    refused(send("/b").await.expect("an answer"), 422, "idempotency_key_reused").await;
    let malformed = server.start_request(&server.wish("/c")).header("idempotency-key", "\"open").send().await;
    refused(malformed.expect("an answer"), 400, "invalid_header").await;
}

#[tokio::test]
async fn a_key_belongs_to_one_tenant() {
    let mut server = Server::start().await;
    let body = server.wish("/");
    let first = server.start_request(&body).header("idempotency-key", "shared").send().await;
    let first: Value = first.expect("an answer").json().await.expect("JSON");
    server.key = key_of(&server.database, "second@example.com").await;
    let second = server.start_request(&body).header("idempotency-key", "shared").send().await;
    let second = second.expect("an answer");
    assert_eq!(second.status(), 202);
    assert!(second.headers().get("idempotent-replayed").is_none());
    let second: Value = second.json().await.expect("JSON");
    assert_ne!(first["migrationId"], second["migrationId"]);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let server = Server::start().await;
    let blocking = server.started("/").await;
    let send = || server.start_request(&server.wish("/")).header("idempotency-key", "k-2").send();
    refused(send().await.expect("an answer"), 409, "already_active").await;
    let sql = "UPDATE migrations SET state = 'cancelled', finished_at = now() WHERE id::text = $1";
    server.database.sql().await.execute(sql, &[&blocking]).await.expect("an update");
    assert_eq!(send().await.expect("an answer").status(), 202, "the refusal was stale and is not replayed");
}

#[tokio::test]
async fn an_answer_lost_on_the_way_is_given_again() {
    let server = Server::start().await;
    let body = server.wish("/").to_string();
    let request = format!(
        "POST /api/migration/start HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIdempotency-Key: lost\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.key,
        body.len()
    );
    let mut connection = TcpStream::connect(server.address).await.expect("it listens");
    connection.write_all(request.as_bytes()).await.expect("it is sent");
    // The effect is committed; the answer is never read.
    wait::until_true("the migration", Duration::from_secs(10), || async {
        server.count("migrations").await == 1
    })
    .await;
    drop(connection);
    let retry = server.start_request(&server.wish("/")).header("idempotency-key", "lost").send().await;
    let retry = retry.expect("an answer");
    assert_eq!(
        (retry.status().as_u16(), &retry.headers()["idempotent-replayed"]),
        (202, &"true".parse().expect("ASCII"))
    );
    assert_eq!(server.count("migrations").await, 1);
}
