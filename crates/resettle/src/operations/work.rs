//! `resettle jobs submit`, `cancel` and `retry`: jobs of your own, from a terminal or a script.

use super::{Asking, text, told};
use crate::{
    exit::{Outcome, usage},
    terminal::say,
};
use anyhow::Context;
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, io::Read};
use uuid::Uuid;

/// More than any request may have.
const MOST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct SubmitArguments {
    /// The kind of work
    #[arg(value_name = "KIND")]
    kind: String,
    /// What the work is, as JSON; @FILE reads a file, - the standard input
    #[arg(value_name = "JSON", default_value = "{}")]
    payload: String,
    /// −100 to 100; higher goes first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i16>,
    /// When it may run, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    run_at: Option<String>,
    /// Attempts in all
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,
    /// While a job with this key is not over, that one is told and no second one is written
    #[arg(long, value_name = "TEXT")]
    unique_key: Option<String>,
    /// What it asks of the world outside, such as a host: operators' limits count by it
    #[arg(long, value_name = "TEXT")]
    destination: Option<String>,
    /// Makes it harmless to run the same command again: it tells the job of the first time
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

pub(super) async fn submit(given: SubmitArguments) -> Result<Outcome, anyhow::Error> {
    let job = json!({
        "kind": given.kind,
        "payload": payload(&given.payload)?,
        "priority": given.priority,
        "runAt": given.run_at,
        "maxAttempts": given.max_attempts,
        "uniqueKey": given.unique_key,
        "destination": given.destination,
    });
    let body = json!({"jobs": [job]});
    let asking = given.asking;
    let answer = asking.client()?.submit("api/jobs", &body, given.idempotency_key.as_deref()).await;
    told(&asking, answer, |answer| {
        let job = &answer["jobs"][0];
        let was_there = job["existing"] == true;
        say(format_args!("{}{}", text(job, "jobId"), if was_there { " (it was there)" } else { "" }));
        Outcome::Done
    })
}

/// JSON, of where it stands.
fn payload(given: &str) -> Result<Value, anyhow::Error> {
    let read = match given.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?,
        None if given == "-" => {
            let mut read = String::new();
            std::io::stdin()
                .take(MOST)
                .read_to_string(&mut read)
                .context("cannot read the standard input")?;
            read
        }
        None => given.to_owned(),
    };
    serde_json::from_str(&read).map_err(|error| usage(format!("the payload is no JSON: {error}")))
}

/// Calls a job off, or has it tried again.
pub(super) async fn moved(id: Uuid, verb: &str, asking: Asking) -> Result<Outcome, anyhow::Error> {
    let answer = asking.client()?.ask(Method::POST, &format!("api/jobs/{id}/{verb}"), None).await;
    told(&asking, answer, |answer| {
        say(format_args!("{id} is {}", text(answer, "status")));
        Outcome::Done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_given_as_it_is_or_by_its_file() {
        assert_eq!(payload("{\"n\": 1}").expect("JSON"), json!({"n": 1}));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("payload.json");
        fs::write(&file, "[1]").expect("written");
        assert_eq!(payload(&format!("@{}", file.display())).expect("JSON"), json!([1]));
        assert!(payload("{n: 1}").is_err());
        assert!(payload("@/nowhere").is_err());
    }
}
