//! `resettle watch`, `jobs`, `dlq`, `workers` and `gates`: what the pages show, in a terminal, asked of a gateway. Colours and bars
//! only on a terminal; `--json` gives scripts what the gateway answered.

mod gates;
mod jobs;
mod letters;
mod table;
mod watch;
mod work;
mod workers;

pub(crate) use gates::{GatesCommand, command as gates};
pub(crate) use jobs::{JobsCommand, command as jobs};
pub(crate) use letters::{DlqCommand, command as dlq};
pub(crate) use watch::{WatchArguments, command as watch};
pub(crate) use workers::command as workers;

use crate::{
    cli::DataArguments,
    client::{Client, Error},
    exit::{Outcome, unavailable, usage},
    terminal::{note, say},
};
use clap::Args;
use serde_json::Value;
use service_kit::{Secret, exit::Code};
use std::fs;
use url::{Host, Url};

/// Whom to ask, and how to tell.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// The gateway to ask
    #[arg(long, value_name = "URL", env = "RESETTLE_SERVER", default_value = "http://127.0.0.1:8080/")]
    server: String,
    /// The key for it; one on this machine is asked with the data folder's own if this is absent
    #[arg(long, value_name = "KEY", env = "RESETTLE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    #[command(flatten)]
    data: DataArguments,
    /// Writes the gateway's answer as JSON
    #[arg(long)]
    json: bool,
}

impl Asking {
    fn client(&self) -> Result<Client, anyhow::Error> {
        Client::new(&self.server, self.key()?)
            .map_err(|error| anyhow::Error::new(Code::Config.because(error)))
    }

    /// The folder's key goes to no other machine.
    fn key(&self) -> Result<Secret, anyhow::Error> {
        if let Some(key) = &self.api_key {
            return Ok(Secret::new(key.clone()));
        }
        let missing = || usage("a key is needed: give --api-key or RESETTLE_API_KEY");
        if !Url::parse(&self.server).is_ok_and(|url| is_local(&url)) {
            return Err(missing());
        }
        let file = self.data.data.join("api-key");
        let key = fs::read_to_string(&file).map_err(|_| {
            usage(format!(
                "a key is needed: give --api-key or RESETTLE_API_KEY; there is none in {}",
                file.display()
            ))
        })?;
        Ok(Secret::new(key.trim()))
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What a command says of an answer; a refusal of what was asked for is told in the server's words and ends with 1.
fn told(
    asking: &Asking,
    answer: Result<Value, Error>,
    show: impl FnOnce(&Value) -> Outcome,
) -> Result<Outcome, anyhow::Error> {
    match answer {
        Ok(answer) if asking.json => {
            say(&answer);
            Ok(Outcome::Done)
        }
        Ok(answer) => Ok(show(&answer)),
        Err(error) => refused(error),
    }
}

/// How a refusal ends a command.
fn refused(error: Error) -> Result<Outcome, anyhow::Error> {
    match error {
        Error::Refused(problem) if problem.is_about_what_was_asked() => {
            note(format_args!("resettle: {problem}"));
            Ok(Outcome::Unsuccessful)
        }
        error if error.may_pass() => Err(unavailable(error)),
        error => Err(anyhow::Error::new(Code::Config.because(error))),
    }
}

/// A path with a query of those values that are there.
fn asked(path: &str, values: &[(&str, Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let given = values.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
    let query = query.extend_pairs(given).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// `2026-01-31 12:00:00`, of RFC 3339.
fn moment(value: &Value, name: &str) -> String {
    text(value, name).get(..19).unwrap_or_default().replace('T', " ")
}

fn lasting(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        0 => format!("{:.0} ms", seconds.max(0.0) * 1000.0),
        whole @ 1..=119 => format!("{whole} s"),
        whole @ 120..=7199 => format!("{} min", whole / 60),
        whole @ 7200..=172_799 => format!("{} h", whole / 3600),
        whole => format!("{} d", whole / 86_400),
    }
}

/// A number as the gateway tells it, marked where it is not counted.
fn number(value: &Value) -> String {
    let mark = match text(value, "kind") {
        "estimated" => "≈ ",
        "at_least" => "≥ ",
        _ => "",
    };
    format!("{mark}{}", value["value"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_marked_and_durations_are_told_in_one_unit() {
        assert_eq!(number(&json!({"value": 7, "kind": "exact"})), "7");
        assert_eq!(number(&json!({"value": 7, "kind": "estimated"})), "≈ 7");
        assert_eq!(number(&json!({"value": 7, "kind": "at_least"})), "≥ 7");
        let told: Vec<String> = [0.85, 12.0, 250.0, 10_900.0, 180_000.0].map(lasting).into();
        assert_eq!(told, ["850 ms", "12 s", "4 min", "3 h", "2 d"]);
    }

    #[test]
    fn a_query_holds_what_was_given() {
        assert_eq!(asked("api/x", &[("a", None)]), "api/x");
        assert_eq!(asked("api/x", &[("a", Some("1 &".into())), ("b", None)]), "api/x?a=1+%26");
    }

    #[test]
    fn only_this_machine_is_asked_with_its_own_key() {
        for (url, local) in [
            ("http://127.0.0.1:8080/", true),
            ("http://localhost/", true),
            ("http://[::1]:1/", true),
            ("http://localhost.evil.example/", false),
            ("https://resettle.example/", false),
        ] {
            assert_eq!(is_local(&Url::parse(url).expect("a URL")), local, "{url}");
        }
    }
}
