//! `resettle migrate --server`, against a gateway that says just what each test wants: the whole conversation, and
//! all that can go wrong in it.

use crate::scratch::{STARTED, Scratch, resettle};
use serde_json::{Value, json};
use std::{io::Write, path::Path, process::Output};
use testkit::{
    process::Child,
    site::{Answer, StaticSite},
    wait,
};
use uuid::Uuid;
use zip::{ZipWriter, write::SimpleFileOptions};

const KEY: &str = "rsk_test";

/// A gateway with one migration.
struct Gateway {
    site: StaticSite,
    id: Uuid,
}

impl Gateway {
    async fn new() -> Self {
        let gateway =
            Self { site: StaticSite::serve([("/healthz", Answer::html("ok"))]).await, id: Uuid::now_v7() };
        let started = json!({"migrationId": gateway.id, "status": "queued", "message": "…", "correlationId": gateway.id});
        gateway.site.answer("/api/migration/start", json_answer(202, &started));
        gateway
    }

    fn path(&self, name: &str) -> String {
        format!("/api/migration/{}/{name}", self.id)
    }

    fn event(&self, seq: i64, kind: &str, phase: Value, detail: Value) -> Value {
        json!({
            "seq": seq, "ts": 0, "type": kind, "migrationId": self.id, "run": 1, "phase": phase,
            "progress": seq * 10, "correlationId": self.id, "detail": detail,
        })
    }

    /// A history that ends well.
    fn history(&self) -> Vec<Value> {
        vec![
            self.event(1, "log", Value::Null, json!({"notes": "Attempt 1 of 3."})),
            self.event(
                2,
                "phase_update",
                json!("ANALYZE"),
                json!({"status": "completed", "pages": 12, "notes": "Read."}),
            ),
            self.event(3, "phase_update", json!("PLAN"), json!({"status": "running", "notes": "Planning"})),
            self.event(4, "done", json!("DEPLOY"), json!({"success": true, "state": "completed"})),
        ]
    }

    fn streams(&self, events: &[Value]) {
        let mut body = String::from("retry: 1000\nevent: hello\nid: c0\ndata: {}\n\n");
        for event in events {
            let kind = event["type"].as_str().expect("a type");
            body += &format!("event: {kind}\nid: c{}\ndata: {event}\n\n", event["seq"]);
        }
        self.site.answer(&self.path("stream"), Answer::bytes("text/event-stream", body));
    }

    fn pages(&self, events: &[Value]) {
        let next = events.last().map_or(json!(0), |event| event["seq"].clone());
        self.site.answer(&self.path("events"), json_answer(200, &json!({"events": events, "next": next})));
    }

    fn offers(&self, entries: &[(&str, &str)]) {
        let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).expect("any name can be written");
            writer.write_all(text.as_bytes()).expect("written");
        }
        let bytes = writer.finish().expect("finished").into_inner();
        self.site.answer(&self.path("artifact"), Answer::bytes("application/zip", bytes));
    }

    fn command(&self, out: &Path, more: &[&str]) -> std::process::Command {
        let server = self.site.url();
        let mut command =
            resettle(&["migrate", "https://example.com/", "--server", &server, "--api-key", KEY]);
        command.args(more).arg("--out").arg(out);
        command
    }

    async fn migrate(&self, out: &Path, more: &[&str]) -> Output {
        let command = tokio::process::Command::from(self.command(out, more)).output();
        wait::within("resettle migrate", STARTED, command).await.expect("the program is there")
    }
}

fn json_answer(status: u16, value: &Value) -> Answer {
    Answer::bytes("application/json", value.to_string()).with_status(status)
}

fn problem(status: u16, code: &str, more: Value) -> Answer {
    let mut problem = json!({
        "type": format!("/problems/{code}"), "title": "It cannot be done", "status": status,
        "detail": "The address 10.0.0.1 is private.", "traceId": "00ab",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        problem[name] = value.clone();
    }
    Answer::bytes("application/problem+json", problem.to_string()).with_status(status)
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_stream_that_breaks_is_paged_on_and_every_event_is_told_once() {
    let (gateway, scratch) = (Gateway::new().await, Scratch::new());
    let out = scratch.path().join("out/site");
    let history = gateway.history();
    gateway.streams(&history[..3]);
    gateway.pages(&history);
    gateway.offers(&[("package.json", "{}"), ("app/page.tsx", "export default …")]);
    let output = gateway.migrate(&out, &["--json"]).await;
    assert!(output.status.success(), "{}", err(&output));

    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let told: Vec<i64> = lines.iter().filter_map(|line| line["seq"].as_i64()).collect();
    assert_eq!(told, [1, 2, 3, 4]);
    let result = json!({"migrationId": gateway.id, "out": out, "files": 2, "pages": 12, "success": true});
    assert_eq!(lines.last(), Some(&result));
    assert_eq!(std::fs::read_to_string(out.join("app/page.tsx")).expect("unpacked"), "export default …");

    let requests = gateway.site.requests();
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer rsk_test")));
    let key = requests[0].header("idempotency-key").expect("sent");
    assert!(key.trim_matches('"').parse::<Uuid>().is_ok(), "{key}");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words_with_what_to_do() {
    let (gateway, scratch) = (Gateway::new().await, Scratch::new());
    gateway.site.answer("/api/migration/start", problem(422, "address_forbidden", json!({})));
    let output = gateway.migrate(&scratch.path().join("out"), &[]).await;
    assert_eq!(output.status.code(), Some(64));
    insta::assert_snapshot!("refusal-by-the-server", err(&output));
}

#[tokio::test]
async fn a_migration_that_is_under_way_is_joined() {
    let (gateway, scratch) = (Gateway::new().await, Scratch::new());
    let out = scratch.path().join("out");
    gateway
        .site
        .answer("/api/migration/start", problem(409, "already_active", json!({"migrationId": gateway.id})));
    // It is the second run: the first one's end is history, and not what is waited for.
    gateway.site.answer(&format!("/api/migration/{}", gateway.id), json_answer(200, &json!({"run": 2})));
    let mut history = vec![
        gateway.event(1, "error", Value::Null, json!({"code": "network", "message": "It was away."})),
        gateway.event(2, "done", Value::Null, json!({"success": false, "state": "failed"})),
    ];
    history.extend(gateway.history().into_iter().map(|mut event| {
        event["run"] = 2.into();
        event["seq"] = (event["seq"].as_i64().expect("a number") + 2).into();
        event
    }));
    gateway.streams(&history);
    gateway.offers(&[("package.json", "{}")]);
    let output = gateway.migrate(&out, &[]).await;
    assert!(output.status.success(), "{}", err(&output));
    assert!(err(&output).contains("being moved already"), "{}", err(&output));
    assert!(out.join("package.json").is_file());
}

#[tokio::test]
async fn a_failed_migration_says_why_and_ends_with_1() {
    let (gateway, scratch) = (Gateway::new().await, Scratch::new());
    let out = scratch.path().join("out");
    let failed =
        json!({"code": "not_html", "message": "The site is not HTML. Name a page.", "retryable": false});
    let history = [
        gateway.event(1, "error", json!("ANALYZE"), failed),
        gateway.event(2, "done", json!("ANALYZE"), json!({"success": false, "state": "failed"})),
    ];
    gateway.streams(&history);
    let output = gateway.migrate(&out, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(said.contains("could not be moved (not_html)") && said.contains("Name a page."), "{said}");
    assert!(!out.exists());
}

#[tokio::test]
async fn an_archive_that_would_leave_its_folder_leaves_nothing() {
    let (gateway, scratch) = (Gateway::new().await, Scratch::new());
    gateway.streams(&gateway.history());
    gateway.offers(&[("package.json", "{}"), ("../evil.sh", "rm -rf /")]);
    let output = gateway.migrate(&scratch.path().join("parent/out"), &[]).await;
    assert_eq!(output.status.code(), Some(70));
    assert!(err(&output).contains("would leave its folder"), "{}", err(&output));
    let left = std::fs::read_dir(scratch.path().join("parent")).expect("made on the way").count();
    assert_eq!(left, 0, "neither the project nor a scratch folder stays");
}

#[tokio::test]
async fn ctrl_c_says_how_to_go_on() {
    let (gateway, scratch) = (Gateway::new().await, Scratch::new());
    gateway.site.answer(&gateway.path("stream"), Answer::stalled("text/event-stream"));
    let mut child = Child::spawn("resettle migrate", gateway.command(&scratch.path().join("out"), &[]));
    child.line("moving https://example.com/", STARTED).await;
    let asked = || async { gateway.site.hits(&gateway.path("stream")) > 0 };
    wait::until_true("a request for the stream", STARTED, asked).await;
    child.interrupt();
    assert_eq!(child.exited(STARTED).await.code(), Some(130));
    let said = child.log();
    assert!(said.contains(&format!("migration {} goes on at the server", gateway.id)), "{said}");
    assert!(said.contains(&format!("POST /api/migration/{}/cancel", gateway.id)), "{said}");
}
