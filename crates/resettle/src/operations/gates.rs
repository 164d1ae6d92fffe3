//! `resettle gates`: what is held back on an instance, for its operators: limits, rates, weights and pauses.

use super::{
    Asking, moment,
    table::{Cell, Tone, table},
    text, told,
};
use crate::{exit::Outcome, terminal::note};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum GatesCommand {
    /// Every limit, rate, weight and pause
    List {
        #[command(flatten)]
        asking: Asking,
    },
    /// Says what holds, in the place of what held; what is not given is not limited. A pause stays
    Set(SetArguments),
    /// Begins nothing more there; what runs goes on
    Pause {
        #[command(flatten)]
        gate: Gate,
        /// For those who look later
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Ends a pause
    Resume {
        #[command(flatten)]
        gate: Gate,
        #[command(flatten)]
        asking: Asking,
    },
    /// Who changed what, newest first
    Log {
        #[command(flatten)]
        asking: Asking,
    },
}

/// One gate.
#[derive(Debug, Args)]
pub(crate) struct Gate {
    /// all, queue (each kind of job has its own), tenant or destination
    scope: String,
    /// Which of them; * is everybody who has none of their own
    #[arg(default_value = "*")]
    key: String,
}

impl Gate {
    fn path(&self, what: &str) -> String {
        let segment =
            |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
        // A space is a plus there and a plus in a path is one.
        let key = segment(&self.key).replace('+', "%20");
        format!("api/admin/gates/{}/{key}{what}", segment(&self.scope))
    }
}

#[derive(Debug, Args)]
pub(crate) struct SetArguments {
    #[command(flatten)]
    gate: Gate,
    /// Jobs held at once
    #[arg(long, value_name = "N")]
    most: Option<u32>,
    /// Jobs begun per second in the long run; needs --burst
    #[arg(long, value_name = "N", requires = "burst")]
    per_second: Option<f64>,
    /// Jobs begun at once after a pause; needs --per-second
    #[arg(long, value_name = "N", requires = "per_second")]
    burst: Option<u32>,
    /// Of a tenant: jobs that it begins before it is another's turn
    #[arg(long, value_name = "N")]
    weight: Option<u32>,
    #[command(flatten)]
    asking: Asking,
}

pub(crate) async fn command(command: GatesCommand) -> Result<Outcome, anyhow::Error> {
    match command {
        GatesCommand::List { asking } => {
            let answer = asking.client()?.ask(Method::GET, "api/admin/gates", None).await;
            told(&asking, answer, |answer| {
                list(answer["gates"].as_array().map(Vec::as_slice).unwrap_or_default())
            })
        }
        GatesCommand::Set(SetArguments { gate, most, per_second, burst, weight, asking }) => {
            let rate = per_second.zip(burst).map(|(rate, burst)| json!({"perSecond": rate, "burst": burst}));
            let body = json!({"most": most, "rate": rate, "weight": weight});
            let answer = asking.client()?.ask(Method::PUT, &gate.path(""), Some(&body)).await;
            told(&asking, answer, one)
        }
        GatesCommand::Pause { gate, reason, asking } => {
            let body = json!({"reason": reason});
            let answer = asking.client()?.ask(Method::POST, &gate.path("/pause"), Some(&body)).await;
            told(&asking, answer, one)
        }
        GatesCommand::Resume { gate, asking } => {
            let answer = asking.client()?.ask(Method::POST, &gate.path("/resume"), None).await;
            told(&asking, answer, one)
        }
        GatesCommand::Log { asking } => {
            let answer = asking.client()?.ask(Method::GET, "api/admin/gates/changes?limit=100", None).await;
            told(&asking, answer, log)
        }
    }
}

fn one(gate: &Value) -> Outcome {
    list(std::slice::from_ref(gate))
}

fn list(gates: &[Value]) -> Outcome {
    if gates.is_empty() {
        note("nothing is held back");
        return Outcome::Done;
    }
    let given = |value: &Value| if value.is_null() { "–".to_owned() } else { value.to_string() };
    let row = |gate: &Value| -> Vec<Cell> {
        let (rate, pause) = (&gate["rate"], &gate["paused"]);
        let rate = match rate.is_object() {
            true => format!("{}/s, {} at once", rate["perSecond"], rate["burst"]),
            false => "–".to_owned(),
        };
        let paused = match pause.is_object() {
            true => {
                Cell::new(format!("since {}: {}", moment(pause, "since"), text(pause, "reason")), Tone::Bad)
            }
            false => "–".into(),
        };
        vec![
            text(gate, "scope").into(),
            text(gate, "key").into(),
            given(&gate["most"]).into(),
            rate.into(),
            given(&gate["weight"]).into(),
            paused,
        ]
    };
    table(&["OF", "WHICH", "AT ONCE", "RATE", "WEIGHT", "PAUSED"], gates.iter().map(row).collect());
    Outcome::Done
}

fn log(answer: &Value) -> Outcome {
    let changes = answer["changes"].as_array().cloned().unwrap_or_default();
    let row = |change: &Value| -> Vec<Cell> {
        let after = if change["after"].is_null() { "–".to_owned() } else { change["after"].to_string() };
        vec![
            moment(change, "at").into(),
            change["userId"].as_str().unwrap_or("the schema's owner").into(),
            text(change, "scope").into(),
            text(change, "key").into(),
            after.into(),
        ]
    };
    table(&["WHEN", "BY", "OF", "WHICH", "WHAT HOLDS SINCE"], changes.iter().map(row).collect());
    Outcome::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_one_segment_of_the_path() {
        let path = |key: &str| Gate { scope: "destination".into(), key: key.into() }.path("/pause");
        assert_eq!(path("a/b c+d"), "api/admin/gates/destination/a%2Fb%20c%2Bd/pause");
        assert_eq!(path("*"), "api/admin/gates/destination/*/pause");
    }
}
