//! The program itself: configured by its environment, stopped by SIGTERM, and gone at the worst moment.

use crate::server::key_of;
use reqwest::Client;
use serde_json::{Value, json};
use std::{net::SocketAddr, process::Command, time::Duration};
use tempfile::TempDir;
use testkit::{postgres::Database, process::Child, wait};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

const BOUND: Duration = Duration::from_secs(60);

/// What every start of one test has in common.
struct Ground {
    database: Database,
    objects: TempDir,
}

impl Ground {
    async fn new() -> Self {
        let _first_stays = rustls::crypto::ring::default_provider().install_default();
        Self { database: Database::create().await, objects: tempfile::tempdir().expect("a scratch folder") }
    }

    fn program(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
        command.args(arguments);
        let url = self.database.url("resettle_gateway");
        let objects = format!("file://{}", self.objects.path().display());
        let fixed = [("STORE__URL", url.as_str()), ("OBJECTS__URL", &objects), ("LISTEN", "127.0.0.1:0")];
        let more = [("GRPC_TOKEN", "0123456789abcdef"), ("TELEMETRY__LOG", "json")];
        for (name, value) in fixed.iter().chain(&more).chain(settings) {
            command.env(format!("RESETTLE_API_GATEWAY__{name}"), value);
        }
        Child::spawn("api-gateway", command)
    }
}

async fn address(program: &mut Child) -> SocketAddr {
    let line: Value = serde_json::from_str(&program.line("listening", BOUND).await).expect("a JSON line");
    line["address"].as_str().expect("an address").parse().expect("an address")
}

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a plain client")
}

#[tokio::test]
async fn the_program_serves_counts_and_stops_at_sigterm() {
    let ground = Ground::new().await;
    let mut program = ground.program(&[], &[]);
    let base = format!("http://{}", address(&mut program).await);
    let http = client();
    let refused = http.get(format!("{base}/api/migration")).send().await.expect("an answer");
    let document: Value = refused.json().await.expect("a problem");
    let trace = document["traceId"].as_str().expect("a trace id");
    assert!(trace.len() == 32 && trace != "0".repeat(32), "{trace}");
    let metrics = http.get(format!("{base}/metrics")).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    let counted = |line: &str| {
        line.starts_with("resettle_http_request_seconds_count{")
            && line.contains("route=\"/api/migration\"")
            && line.contains("status=\"401\"")
            && line.ends_with(" 1")
    };
    assert!(metrics.lines().any(counted), "{metrics}");
    // The client still holds its idle connection: that must not hold up the stop.
    program.terminate();
    assert_eq!(program.exited(Duration::from_secs(20)).await.code(), Some(0), "{}", program.log());
}

/// The database takes the connection and says nothing: the program is still starting when it is asked to stop.
#[tokio::test]
async fn a_program_that_is_still_starting_stops_in_order_at_sigterm() {
    let ground = Ground::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("postgres://nobody@{}/none", silent.local_addr().expect("bound"));
    let mut program = ground.program(&[], &[("STORE__URL", &url), ("STORE__CONNECT_TIMEOUT", "1h")]);
    let (_held, _) = wait::within("the program to look for its database", BOUND, silent.accept())
        .await
        .expect("a connection");
    program.terminate();
    assert_eq!(program.exited(BOUND).await.code(), Some(0), "{}", program.log());
    assert!(program.log().contains("before the start was over"), "{}", program.log());
}

#[tokio::test]
async fn what_cannot_work_says_why_by_its_exit_code() {
    let ground = Ground::new().await;
    let ended = async |arguments: &[&str], settings: &[(&str, &str)], code: i32, told: &str| {
        let mut program = ground.program(arguments, settings);
        assert_eq!(program.exited(BOUND).await.code(), Some(code), "{}", program.log());
        assert!(program.log().contains(told), "{}", program.log());
    };
    ended(&["check-config"], &[], 0, "").await;
    ended(&[], &[("WORKERZ", "1")], 64, "workerz").await;
    ended(&["check-config"], &[("WORKERS", "0")], 64, "workers").await;
    ended(&["--migrate"], &[], 64, "owner_url").await;
    ended(&[], &[("STORE__URL", "postgres://nobody@127.0.0.1:1/none")], 75, "").await;
    let sql = ground.database.sql().await;
    sql.batch_execute("DELETE FROM refinery_schema_history").await.expect("an older database");
    ended(&[], &[], 75, "--migrate").await;
}

#[tokio::test]
async fn migrate_brings_the_schema_up_to_date_and_serves() {
    let ground = Ground::new().await;
    let owner = ground.database.url("postgres");
    let mut program = ground.program(&["--migrate"], &[("OWNER_URL", &owner)]);
    let ready = format!("http://{}/readyz", address(&mut program).await);
    assert_eq!(client().get(ready).send().await.expect("an answer").status(), 200);
    assert!(program.log().contains("the schema is up to date"), "{}", program.log());
}

#[tokio::test]
async fn a_crash_between_commit_and_answer_costs_the_retry_nothing() {
    let ground = Ground::new().await;
    let key = key_of(&ground.database, "owner@example.com").await;
    // Nobody listens there, and nobody has to: a start looks at the address and sends it nothing.
    let allow = [("ALLOW_ADDRESSES", "[\"127.0.0.1:9\"]")];
    let body = json!({"sourceUrl": "http://127.0.0.1:9/", "userPrompt": "Keep it."}).to_string();
    let mut program = ground.program(&[], &allow);
    let request = format!(
        "POST /api/migration/start HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: crash\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(address(&mut program).await).await.expect("it listens");
    connection.write_all(request.as_bytes()).await.expect("it is sent");
    let sql = ground.database.sql().await;
    let count = "SELECT count(*) FROM migrations";
    let committed = || async { sql.query_one(count, &[]).await.expect("a count").get::<_, i64>(0) == 1 };
    wait::until_true("the commit", BOUND, committed).await;
    program.kill();
    drop(connection);

    let mut program = ground.program(&[], &allow);
    let url = format!("http://{}/api/migration/start", address(&mut program).await);
    let retry = client().post(url).bearer_auth(&key).header("idempotency-key", "crash");
    let retry = retry.header("content-type", "application/json").body(body).send().await.expect("an answer");
    assert_eq!(retry.status(), 202, "{}", program.log());
    assert_eq!(retry.headers()["idempotent-replayed"], "true");
    let answer: Value = retry.json().await.expect("JSON");
    let first = sql.query_one("SELECT id::text FROM migrations", &[]).await.expect("just one");
    assert_eq!(answer["migrationId"], first.get::<_, String>(0));
}
