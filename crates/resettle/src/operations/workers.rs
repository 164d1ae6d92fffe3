//! `resettle workers`: who works, and whether everybody still does.

use super::{
    Asking, lasting, moment,
    table::{Cell, Tone, bar, table},
    text, told,
};
use crate::{exit::Outcome, terminal::note};
use reqwest::Method;
use serde_json::Value;

/// A worker that lives tells every 10 seconds or so.
const SILENT_SECONDS: f64 = 45.0;

pub(crate) async fn command(asking: Asking) -> Result<Outcome, anyhow::Error> {
    let answer = asking.client()?.ask(Method::GET, "api/admin/workers", None).await;
    told(&asking, answer, show)
}

/// Unsuccessful if nobody works.
fn show(answer: &Value) -> Outcome {
    let workers = answer["workers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let alive =
        |worker: &&Value| worker["heartbeatAgeSeconds"].as_f64().unwrap_or(f64::MAX) <= SILENT_SECONDS;
    let rows = workers.iter().map(|worker| row(worker, alive(&worker))).collect();
    table(&["WORKER", "HEARTBEAT", "MEMORY", "HOLDS", "", "SINCE", "ADDRESS"], rows);
    if workers.iter().any(|worker| alive(&worker)) {
        return Outcome::Done;
    }
    note("no worker is alive: jobs wait until one is started");
    Outcome::Unsuccessful
}

fn row(worker: &Value, alive: bool) -> Vec<Cell> {
    let number = |name: &str| worker[name].as_f64().unwrap_or_default();
    let memory = worker["memoryBytes"].as_i64().map(|bytes| format!("{} MiB", bytes >> 20));
    let tone = if alive { Tone::Good } else { Tone::Bad };
    vec![
        text(worker, "id").into(),
        Cell::new(lasting(number("heartbeatAgeSeconds")), tone),
        memory.unwrap_or_else(|| "–".to_owned()).into(),
        format!("{}/{}", worker["held"], worker["concurrency"]).into(),
        bar(number("held"), number("concurrency")).into(),
        moment(worker, "startedAt").into(),
        text(worker, "grpcAddress").into(),
    ]
}
