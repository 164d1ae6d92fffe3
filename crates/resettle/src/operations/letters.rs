//! `resettle dlq`: dead letters of your organisation, or of all with `--all`, and what becomes of them.

use super::{
    Asking, asked,
    jobs::moves,
    moment,
    table::{Cell, table},
    text, told,
};
use crate::{
    exit::Outcome,
    terminal::{note, say},
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
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
        DlqCommand::Replay { id, of } => settle(&of, id, "replay", json!({})).await,
        DlqCommand::Discard { id, reason, of } => settle(&of, id, "discard", json!({"reason": reason})).await,
    }
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
