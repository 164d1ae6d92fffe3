//! `resettle jobs`: the queues at one glance, a list of jobs, one with everything that happened to it, and jobs of one's
//! own.

use super::{
    Asking, asked, lasting, moment, number,
    table::{Cell, Tone, bar, table},
    text, told,
    work::{self, SubmitArguments},
};
use crate::{
    exit::Outcome,
    terminal::{note, say},
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Depth, lag, states and throughput
    Overview {
        #[command(flatten)]
        asking: Asking,
    },
    /// Jobs, newest first
    List(ListArguments),
    /// Enqueues a job of one of your organisation's kinds, and tells its id
    Submit(SubmitArguments),
    /// Calls a job of your organisation off
    Cancel {
        /// The job's id
        id: Uuid,
        #[command(flatten)]
        asking: Asking,
    },
    /// Has a failed job of your organisation tried again, with all its attempts before it
    Retry {
        /// The job's id
        id: Uuid,
        #[command(flatten)]
        asking: Asking,
    },
    /// One job with its lease, its attempts and the end of its history
    Show {
        /// The job's id
        id: Uuid,
        #[command(flatten)]
        asking: Asking,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only in this state: PENDING, PREPARING, RUNNING, WAITING_RETRY, COMPLETED, FAILED or CANCELLED
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// How many, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Only those before this one
    #[arg(long, value_name = "ID")]
    before: Option<Uuid>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) async fn command(command: JobsCommand) -> Result<Outcome, anyhow::Error> {
    match command {
        JobsCommand::Overview { asking } => {
            let answer = asking.client()?.ask(Method::GET, "api/admin/queues", None).await;
            told(&asking, answer, overview)
        }
        JobsCommand::List(ListArguments { state, kind, limit, before, asking }) => {
            let path = asked(
                "api/admin/jobs",
                &[
                    ("state", state.map(|state| state.to_ascii_uppercase())),
                    ("kind", kind),
                    ("limit", Some(limit.to_string())),
                    ("before", before.map(|id| id.to_string())),
                ],
            );
            let answer = asking.client()?.ask(Method::GET, &path, None).await;
            told(&asking, answer, list)
        }
        JobsCommand::Submit(given) => work::submit(given).await,
        JobsCommand::Cancel { id, asking } => work::moved(id, "cancel", asking).await,
        JobsCommand::Retry { id, asking } => work::moved(id, "retry", asking).await,
        JobsCommand::Show { id, asking } => {
            let answer = asking.client()?.ask(Method::GET, &format!("api/admin/jobs/{id}"), None).await;
            told(&asking, answer, one)
        }
    }
}

fn overview(answer: &Value) -> Outcome {
    let items = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let name = text(&answer["instance"], "name");
    if !name.is_empty() {
        note(format_args!("instance: {name}"));
    }
    let queue = |queue: &Value| -> Vec<Cell> {
        let lag = lasting(queue["lagSeconds"].as_f64().unwrap_or_default());
        vec![text(queue, "queue").into(), number(&queue["depth"]).into(), lag.into()]
    };
    table(&["QUEUE", "WAITING", "LAG"], items("queues").iter().map(queue).collect());
    say("");
    let states = items("states");
    let jobs = |one: &Value| one["jobs"]["value"].as_f64().unwrap_or_default();
    let most = states.iter().map(jobs).fold(0.0, f64::max);
    let state = |one: &Value| -> Vec<Cell> {
        let name = text(one, "state");
        vec![Cell::new(name, tone(name)), number(&one["jobs"]).into(), bar(jobs(one), most).into()]
    };
    table(&["STATE", "JOBS", ""], states.iter().map(state).collect());
    let done = &answer["throughput"];
    say(format_args!(
        "\nin the last {}: {} taken, {} completed, {} to be tried again, {} died",
        lasting(done["windowSeconds"].as_f64().unwrap_or_default()),
        done["claimed"],
        done["completed"],
        done["retried"],
        done["failed"]
    ));
    say(format_args!(
        "dead letters: {}; unreadable messages: {}",
        number(&answer["openDeadLetters"]),
        number(&answer["poison"])
    ));
    Outcome::Done
}

fn tone(state: &str) -> Tone {
    match state {
        "COMPLETED" | "RUNNING" => Tone::Good,
        "FAILED" => Tone::Bad,
        _ => Tone::Plain,
    }
}

fn list(answer: &Value) -> Outcome {
    let jobs = answer["jobs"].as_array().cloned().unwrap_or_default();
    let row = |job: &Value| -> Vec<Cell> {
        let state = text(job, "state");
        vec![
            text(job, "id").into(),
            Cell::new(state, tone(state)),
            text(job, "kind").into(),
            format!("{}/{}", job["attempts"], job["maxAttempts"]).into(),
            job["epoch"].to_string().into(),
            moment(job, "createdAt").into(),
            text(&job["lastError"], "message").into(),
        ]
    };
    let head = ["JOB", "STATE", "KIND", "ATTEMPTS", "EPOCH", "CREATED", "LAST ERROR"];
    table(&head, jobs.iter().map(row).collect());
    if let Some(next) = answer["next"].as_str() {
        note(format_args!("there may be more: --before {next}"));
    }
    Outcome::Done
}

fn one(job: &Value) -> Outcome {
    let state = text(job, "state");
    let fact = |name: &str, value: String| -> Vec<Cell> { vec![name.into(), value.into()] };
    let mut facts = vec![
        fact("state", state.to_owned()),
        fact("kind", format!("{} ({})", text(job, "kind"), text(job, "queue"))),
        fact("organisation", text(job, "tenantId").to_owned()),
        fact("attempts", format!("{}/{}", job["attempts"], job["maxAttempts"])),
        fact("epoch", job["epoch"].to_string()),
        fact("created", moment(job, "createdAt")),
    ];
    if let Some(migration) = job["migrationId"].as_str() {
        facts.push(fact("migration", format!("{migration}, run {}", job["run"])));
    }
    if job["lastError"].is_object() {
        facts.push(fact("last error", text(&job["lastError"], "message").to_owned()));
    }
    if job["lease"].is_object() {
        facts.push(fact("held by", text(&job["lease"], "workerId").to_owned()));
    }
    if let Some(trace) = job["traceUrl"].as_str().or(job["traceId"].as_str()) {
        facts.push(fact("trace", trace.to_owned()));
    }
    table(&["JOB", text(job, "id")], facts);
    say("");
    moves(job);
    let events = job["events"].as_array().cloned().unwrap_or_default();
    if !events.is_empty() {
        say("");
        let row = |event: &Value| -> Vec<Cell> {
            vec![moment(event, "at").into(), text(event, "type").into(), text(event, "notes").into()]
        };
        table(&["WHEN", "EVENT", ""], events.iter().map(row).collect());
    }
    Outcome::Done
}

/// The moves of a job, or of the job of a dead letter.
pub(super) fn moves(of: &Value) {
    let moves = of["transitions"].as_array().cloned().unwrap_or_default();
    let row = |one: &Value| -> Vec<Cell> {
        let to = text(one, "to");
        vec![
            moment(one, "at").into(),
            Cell::new(to, tone(to)),
            text(one, "cause").into(),
            one["attempt"].to_string().into(),
            one["epoch"].to_string().into(),
            text(&one["failure"], "message").into(),
        ]
    };
    table(&["WHEN", "STATE", "CAUSE", "ATTEMPT", "EPOCH", "FAILURE"], moves.iter().map(row).collect());
}
