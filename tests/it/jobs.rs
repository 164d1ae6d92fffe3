//! Work of other sorts than a website's move, from a wish over HTTP to its result, in one process.

use crate::embedded::Embedded;
use anyhow::Result;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use testkit::wait;

const BOUND: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_of_a_bound_kind_runs_in_one_process() -> Result<()> {
    let settings = [
        ("WORKER__JOBS__KINDS__ECHO__EXECUTOR", "subprocess"),
        ("WORKER__JOBS__KINDS__ECHO__COMMAND", "[\"/bin/cat\"]"),
    ];
    let resettle = Embedded::start_with(SocketAddr::from(([127, 0, 0, 1], 1)), &settings).await;
    let wish =
        json!({"jobs": [{"kind": "echo", "payload": {"n": 1}}, {"kind": "echo", "payload": {"n": 2}}]});
    let answer = resettle.client.post("/api/jobs", Some("a-wish"), &wish).await?;
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await?;
    for n in [1, 2] {
        let id = answer["jobs"][n - 1]["jobId"].as_str().expect("an id").to_owned();
        let path = format!("/api/jobs/{id}");
        let done = wait::until("the job to be completed", BOUND, || async {
            let job: Value = resettle.client.get(&path).await.ok()?.json().await.ok()?;
            (job["state"] == "COMPLETED").then_some(job)
        });
        let done = done.await;
        assert_eq!((&done["result"]["jobId"], &done["result"]["payload"]), (&json!(id), &json!({"n": n})));
    }
    let unknown = json!({"jobs": [{"kind": "ecko", "payload": 1}]});
    assert_eq!(resettle.client.post("/api/jobs", None, &unknown).await?.status(), 422);
    resettle.stop().await;
    Ok(())
}
