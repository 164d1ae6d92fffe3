//! `resettle jobs` and `resettle gates`: what a command asks a gateway for, and how it ends.

use crate::scratch::{STARTED, resettle};
use serde_json::{Value, json};
use std::process::Output;
use testkit::{
    site::{Answer, StaticSite},
    wait,
};

const ID: &str = "0190f8d4-0000-7000-8000-000000000001";

fn answers(status: u16, value: &Value) -> Answer {
    Answer::bytes("application/json", value.to_string()).with_status(status)
}

async fn run(site: &StaticSite, arguments: &[&str]) -> Output {
    let mut command = resettle(arguments);
    command.args(["--server", &site.url(), "--api-key", "rsk_test"]);
    let running = tokio::process::Command::from(command).output();
    wait::within("resettle", STARTED, running).await.expect("the program is there")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_job_is_submitted_called_off_and_tried_again() {
    let written = answers(202, &json!({"jobs": [{"jobId": ID, "existing": true}]}));
    let cancelling = answers(202, &json!({"jobId": ID, "status": "cancelling"}));
    let over = Answer::bytes(
        "application/problem+json",
        json!({"type": "/problems/job_not_failed", "title": "The job has not failed", "status": 409, "detail": "It is RUNNING."})
            .to_string(),
    )
    .with_status(409);
    let site = StaticSite::serve([("/healthz", Answer::html("ok"))]).await;
    site.answer("/api/jobs", written);
    site.answer(&format!("/api/jobs/{ID}/cancel"), cancelling);
    site.answer(&format!("/api/jobs/{ID}/retry"), over);
    let submitted = run(
        &site,
        &[
            "jobs",
            "submit",
            "resize",
            "{\"width\": 5}",
            "--priority",
            "-3",
            "--destination",
            "cdn.example",
            "--idempotency-key",
            "k1",
        ],
    )
    .await;
    assert_eq!((submitted.status.code(), out(&submitted)), (Some(0), format!("{ID} (it was there)\n")));
    let sent = &site.requests()[0];
    assert_eq!((sent.target.as_str(), sent.header("idempotency-key")), ("/api/jobs", Some("\"k1\"")));
    assert_eq!(sent.header("authorization"), Some("Bearer rsk_test"));
    let cancelled = run(&site, &["jobs", "cancel", ID]).await;
    assert_eq!((cancelled.status.code(), out(&cancelled)), (Some(0), format!("{ID} is cancelling\n")));
    let refused = run(&site, &["jobs", "retry", ID]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("It is RUNNING."));
    let unread = run(&site, &["jobs", "submit", "resize", "{width: 5}"]).await;
    assert_eq!(unread.status.code(), Some(64));
}

#[tokio::test]
async fn gates_are_told_in_columns_and_set_by_their_own_address() {
    let gate = json!({"scope": "destination", "key": "a/b", "weight": 1, "most": 2,
        "rate": {"perSecond": 0.5, "burst": 3}, "paused": {"since": "2026-01-31T12:00:00Z", "reason": "A repair."}});
    let site = StaticSite::serve([("/healthz", Answer::html("ok"))]).await;
    site.answer("/api/admin/gates", answers(200, &json!({"gates": [gate]})));
    site.answer("/api/admin/gates/destination/a%2Fb/pause", answers(200, &gate));
    for arguments in
        [&["gates", "list"][..], &["gates", "pause", "destination", "a/b", "--reason", "A repair."]]
    {
        let told = run(&site, arguments).await;
        assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
        let lines: Vec<String> = out(&told).lines().map(str::to_owned).collect();
        assert_eq!(
            lines,
            [
                "OF           WHICH  AT ONCE  RATE              WEIGHT  PAUSED",
                "destination  a/b    2        0.5/s, 3 at once  1       since 2026-01-31 12:00:00: A repair."
            ]
        );
    }
    let half = run(&site, &["gates", "set", "queue", "resize", "--per-second", "2"]).await;
    assert_eq!(half.status.code(), Some(64), "a rate needs a burst");
}
