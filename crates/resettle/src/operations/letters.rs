//! `resettle dlq`: dead letters of your organisation, or of all with `--all`, and what becomes of them.

use super::{
    Asking, asked,
    jobs::moves,
    moment,
    table::{Cell, bar, table},
    text, told,
};
use crate::{
    exit::Outcome,
    terminal::{note, say},
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// Letters that nobody has settled, newest first
    List {
        /// Settled ones, too
        #[arg(long)]
        settled: bool,
        /// How many, 1 to 100
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Only those before this one
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
        #[command(flatten)]
        of: Of,
    },
    /// One letter with the whole job and all its attempts
    Show {
        /// The letter's id
        id: Uuid,
        #[command(flatten)]
        of: Of,
    },
    /// Puts the dead job back into its queue, with all its attempts before it again
    Replay {
        /// The letter's id
        id: Uuid,
        #[command(flatten)]
        of: Of,
    },
    /// Puts back many of your organisation's open letters, oldest first; at least one of the filters is needed
    ReplayMany(ManyArguments),
    /// Tells how far a replay of many has come
    Progress {
        /// The replay's id
        id: Uuid,
        #[command(flatten)]
        asking: Asking,
    },
    /// Leaves it dead
    Discard {
        /// The letter's id
        id: Uuid,
        /// Why, for those who look later: 1 to 500 characters
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ManyArguments {
    /// Only of jobs of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only those whose last attempt failed for this reason, such as network
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Only those whose last failure has this code
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Only of this migration
    #[arg(long, value_name = "ID")]
    migration: Option<Uuid>,
    /// Tells what would be taken, and does nothing
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    asking: Asking,
}

/// Whose letters.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// Those of all organisations, for operators
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Of {
    fn at(&self) -> &'static str {
        if self.all { "api/admin/dead-letters" } else { "api/dead-letters" }
    }
}

pub(crate) async fn command(command: DlqCommand) -> Result<Outcome, anyhow::Error> {
    match command {
        DlqCommand::List { settled, limit, before, of } => {
            let mut values =
                vec![("limit", Some(limit.to_string())), ("before", before.map(|id| id.to_string()))];
            // The two lists are asked for what is open in their own words.
            match of.all {
                true => values.push(("settled", settled.then(|| "true".to_owned()))),
                false => values.push(("state", (!settled).then(|| "open".to_owned()))),
            }
            let answer = of.asking.client()?.ask(Method::GET, &asked(of.at(), &values), None).await;
            told(&of.asking, answer, list)
        }
        DlqCommand::Show { id, of } => {
            let answer = of.asking.client()?.ask(Method::GET, &format!("{}/{id}", of.at()), None).await;
            told(&of.asking, answer, show)
        }
        DlqCommand::ReplayMany(arguments) => replay_many(arguments).await,
        DlqCommand::Progress { id, asking } => {
            let path = format!("api/dead-letters/replays/{id}");
            let answer = asking.client()?.ask(Method::GET, &path, None).await;
            told(&asking, answer, many)
        }
        DlqCommand::Replay { id, of } => settle(&of, id, "replay", json!({})).await,
        DlqCommand::Discard { id, reason, of } => settle(&of, id, "discard", json!({"reason": reason})).await,
    }
}

async fn replay_many(arguments: ManyArguments) -> Result<Outcome, anyhow::Error> {
    let ManyArguments { kind, reason, code, migration, preview, asking } = arguments;
    let migration = migration.map(|id| id.to_string());
    let given = [("kind", kind), ("reason", reason), ("code", code), ("migrationId", migration)];
    let filter: Map<String, Value> =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    let body = json!({"filter": filter, "preview": preview});
    let answer = asking.client()?.ask(Method::POST, "api/dead-letters/replays", Some(&body)).await;
    told(&asking, answer, if preview { previewed } else { many })
}

fn previewed(answer: &Value) -> Outcome {
    say(format_args!("{} letters would be put back; the oldest:", answer["found"]));
    for id in answer["first"].as_array().into_iter().flatten() {
        say(format_args!("  {}", id.as_str().unwrap_or_default()));
    }
    Outcome::Done
}

/// How far a replay of many has come: workers carry it out.
fn many(answer: &Value) -> Outcome {
    let count = |name: &str| answer[name].as_f64().unwrap_or_default();
    let bar = bar(count("replayed") + count("refused"), count("found"));
    say(format_args!(
        "{} {} {bar} {} of {} put back, {} could not be",
        text(answer, "id"),
        text(answer, "state"),
        answer["replayed"],
        answer["found"],
        answer["refused"]
    ));
    Outcome::Done
}

async fn settle(of: &Of, id: Uuid, what: &str, body: Value) -> Result<Outcome, anyhow::Error> {
    let path = format!("{}/{id}/{what}", of.at());
    let answer = of.asking.client()?.ask(Method::POST, &path, Some(&body)).await;
    told(&of.asking, answer, |answer| {
        say(format_args!("{} {}", text(answer, "id"), text(answer, "state")));
        Outcome::Done
    })
}

fn list(answer: &Value) -> Outcome {
    let letters = answer["deadLetters"].as_array().cloned().unwrap_or_default();
    let row = |letter: &Value| -> Vec<Cell> {
        vec![
            text(letter, "id").into(),
            text(letter, "state").into(),
            text(letter, "kind").into(),
            text(&letter["failure"], "reason").into(),
            moment(letter, "diedAt").into(),
            text(&letter["failure"], "message").into(),
        ]
    };
    table(&["LETTER", "STATE", "KIND", "REASON", "DIED", "FAILURE"], letters.iter().map(row).collect());
    if let Some(next) = answer["next"].as_str() {
        note(format_args!("there are more: --before {next}"));
    }
    Outcome::Done
}

fn show(letter: &Value) -> Outcome {
    list(&json!({"deadLetters": [letter]}));
    say("");
    moves(letter);
    // Values of JSON have a text.
    let job = serde_json::to_string_pretty(&letter["job"]).unwrap_or_default();
    say(format_args!("\n{job}"));
    Outcome::Done
}
