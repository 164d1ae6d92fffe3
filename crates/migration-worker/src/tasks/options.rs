//! `[jobs.kinds.NAME]`: which kinds of job this worker carries out, and by what.

use crate::resources::Needs;
use domain::task;
use serde::Deserialize;
use serde_json::Value;
use service_kit::Secret;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use url::Url;
use uuid::Uuid;

/// More kinds than one worker can hold slots for.
const MOST_KINDS: usize = 100;
/// As the database holds it.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// Less is no room for an interpreter.
const LEAST_MEMORY: u64 = 4 * 1024 * 1024;

/// Kinds of job besides a website's move.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// By name.
    pub kinds: BTreeMap<String, Kind>,
}

/// What does the work of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executor {
    /// An endpoint of the operator's.
    Http,
    /// A program in a cell.
    Subprocess,
    /// A container.
    Container,
}

impl Executor {
    /// The name in configuration, database and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Subprocess => "subprocess",
            Self::Container => "container",
        }
    }
}

/// One kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// What does the work.
    pub executor: Executor,
    /// How long an attempt may take.
    #[serde(default = "a_minute", with = "humantime_serde")]
    pub timeout: Duration,
    /// Attempts in all. They go before what each sort of failure has by itself, where that may pass at all.
    #[serde(default = "three")]
    pub max_attempts: u32,
    /// Jobs of the kind at a time, in this worker.
    #[serde(default = "one")]
    pub concurrency: u32,
    /// The JSON Schema of payloads, as JSON text; any payload will do without one.
    #[serde(default)]
    pub payload_schema: Option<String>,
    /// The longest payload, in bytes of JSON text.
    #[serde(default = "sixty_four_kib")]
    pub max_payload_bytes: u32,
    /// The longest result, in bytes of JSON text.
    #[serde(default = "sixty_four_kib")]
    pub max_result_bytes: u32,
    /// Whose jobs it takes; everybody's if there is none.
    #[serde(default)]
    pub tenants: Vec<Uuid>,
    /// `http`: where jobs are sent.
    #[serde(default)]
    pub url: Option<Url>,
    /// `http`: what requests are signed with.
    #[serde(default)]
    pub secret: Secret,
    /// `subprocess`: the program and its arguments. `container`: the arguments behind the image.
    #[serde(default)]
    pub command: Vec<String>,
    /// `subprocess`: files and folders beside the system's programs that it may read.
    #[serde(default)]
    pub readable: Vec<PathBuf>,
    /// `subprocess` and `container`: how much memory it may take, in bytes.
    #[serde(default)]
    pub memory: Option<u64>,
    /// What a job of the kind needs of the worker's own machine; it is taken only where that is left.
    #[serde(default)]
    pub needs: Needs,
    /// `container`: the image.
    #[serde(default)]
    pub image: Option<String>,
    /// `container`: the command of the engine, `docker` or `podman`; `docker` if absent.
    #[serde(default)]
    pub engine: Option<String>,
}

fn a_minute() -> Duration {
    Duration::from_secs(60)
}

fn three() -> u32 {
    3
}

fn one() -> u32 {
    1
}

fn sixty_four_kib() -> u32 {
    64 * 1024
}

impl Options {
    /// Can all kinds be meant?
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.kinds.len() > MOST_KINDS {
            return Err(format!("jobs.kinds holds more than {MOST_KINDS} kinds"));
        }
        self.kinds.iter().try_for_each(|(name, kind)| {
            if !task::is_kind_name(name) {
                return Err(format!(
                    "jobs.kinds: {name:?} is no name for a kind: lower-case letters, digits, _ and -, a letter first, 63 \
                     at most, and not one of our own"
                ));
            }
            kind.check().map_err(|wrong| format!("jobs.kinds.{name}: {wrong}"))
        })
    }
}

impl Kind {
    /// How much memory its program may take.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.unwrap_or(256 * 1024 * 1024)
    }

    /// The schema, read.
    pub(crate) fn schema(&self) -> Result<Option<Value>, String> {
        let read = |text: &String| {
            serde_json::from_str(text).map_err(|error| format!("payload_schema is no JSON: {error}"))
        };
        self.payload_schema.as_ref().map(read).transpose()
    }

    fn check(&self) -> Result<(), String> {
        let refuse = |wrong: bool, told: &str| if wrong { Err(told.to_owned()) } else { Ok(()) };
        let times = Duration::from_millis(1)..=LONGEST_TIMEOUT;
        refuse(!times.contains(&self.timeout), "timeout has to be between 1 ms and 24 h")?;
        refuse(
            !(1..=task::MAX_ATTEMPTS).contains(&self.max_attempts),
            "max_attempts has to be between 1 and 100",
        )?;
        refuse(!(1..=1000).contains(&self.concurrency), "concurrency has to be between 1 and 1000")?;
        let documents = 2..=task::MAX_DOCUMENT;
        let fit = documents.contains(&self.max_payload_bytes) && documents.contains(&self.max_result_bytes);
        refuse(!fit, "max_payload_bytes and max_result_bytes have to be between 2 and 1048576")?;
        refuse(self.tenants.len() > 1000, "tenants names more than 1000")?;
        if let Some(schema) = self.schema()? {
            super::compiles(&schema)?;
        }
        self.fits_executor()
    }

    /// An option that its executor does not have would be believed to hold.
    fn fits_executor(&self) -> Result<(), String> {
        use Executor::{Container, Http, Subprocess};
        let given: [(&str, bool, &[Executor]); 7] = [
            ("url", self.url.is_some(), &[Http]),
            ("secret", !self.secret.expose().is_empty(), &[Http]),
            ("command", !self.command.is_empty(), &[Subprocess, Container]),
            ("readable", !self.readable.is_empty(), &[Subprocess]),
            ("memory", self.memory.is_some(), &[Subprocess, Container]),
            ("image", self.image.is_some(), &[Container]),
            ("engine", self.engine.is_some(), &[Container]),
        ];
        let stray = given.iter().find(|(_, given, of)| *given && !of.contains(&self.executor));
        if let Some((name, ..)) = stray {
            return Err(format!("{name} means nothing to the executor {}", self.executor.as_str()));
        }
        let refuse = |wrong: bool, told: &str| if wrong { Err(told.to_owned()) } else { Ok(()) };
        refuse(self.memory() < LEAST_MEMORY, "memory has to be at least 4194304 bytes")?;
        match self.executor {
            Http => {
                let web = self.url.as_ref().is_some_and(|url| matches!(url.scheme(), "http" | "https"));
                refuse(!web, "url has to be an address such as https://tasks.example/resize")?;
                refuse(self.secret.expose().len() < 24, "secret has to have at least 24 characters")
            }
            Subprocess => {
                let absolute = self.command.first().is_some_and(|program| program.starts_with('/'));
                refuse(!absolute, "command has to begin with a program's whole path")?;
                let relative = self.readable.iter().any(|path| !path.is_absolute());
                refuse(relative, "readable has to name whole paths")
            }
            Container => {
                let image = self.image.as_deref().unwrap_or_default();
                refuse(image.is_empty() || image.starts_with('-'), "image has to name an image")?;
                let engine = self.engine.as_deref().unwrap_or("docker");
                refuse(!matches!(engine, "docker" | "podman"), "engine has to be docker or podman")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Options, String> {
        let options: Options = toml::from_str(text).map_err(|error| error.to_string())?;
        options.check().map(|()| options)
    }

    #[test]
    fn a_kind_says_what_does_its_work_and_little_else() {
        let http = "[kinds.mail]\nexecutor = 'http'\nurl = 'https://tasks.example/mail'\nsecret = '0123456789abcdef01234567'";
        let program =
            "[kinds.resize]\nexecutor = 'subprocess'\ncommand = ['/usr/bin/resize']\ntimeout = '5s'";
        let container = "[kinds.render]\nexecutor = 'container'\nimage = 'render:1'\nengine = 'podman'";
        for text in [http, program, container] {
            read(text).expect("it fits");
        }
        let kind = &read(program).expect("it fits").kinds["resize"];
        assert_eq!((kind.timeout, kind.max_attempts, kind.concurrency), (Duration::from_secs(5), 3, 1));
        assert!(!format!("{:?}", read(http)).contains("0123456789abcdef"), "nothing secret is printed");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let with = |more: &str| {
            let text = format!("[kinds.resize]\nexecutor = 'subprocess'\ncommand = ['/bin/true']\n{more}");
            read(&text).expect_err("must be refused")
        };
        for (more, told) in [
            ("colour = 'red'", "colour"),
            ("url = 'https://x.example'", "url means nothing"),
            ("image = 'x'", "image means nothing"),
            ("timeout = '0s'", "timeout"),
            ("timeout = '25h'", "timeout"),
            ("max_attempts = 0", "max_attempts"),
            ("max_attempts = 101", "max_attempts"),
            ("concurrency = 0", "concurrency"),
            ("max_payload_bytes = 1048577", "max_payload_bytes"),
            ("memory = 1", "memory"),
            ("readable = ['here']", "readable"),
            ("payload_schema = '{'", "payload_schema"),
            ("payload_schema = '{\"type\": \"objekt\"}'", "objekt"),
            ("tenants = ['one']", "tenants"),
        ] {
            let refused = with(more);
            assert!(refused.contains(told), "{more}: {refused}");
        }
        for (text, told) in [
            ("[kinds.Resize]\nexecutor = 'subprocess'\ncommand = ['/bin/true']", "Resize"),
            ("[kinds.migrate_website]\nexecutor = 'subprocess'\ncommand = ['/bin/true']", "our own"),
            ("[kinds.x]\nexecutor = 'subprocess'\ncommand = ['true']", "whole path"),
            ("[kinds.x]\nexecutor = 'subprocess'", "whole path"),
            (
                "[kinds.x]\nexecutor = 'http'\nurl = 'ftp://x.example'\nsecret = '0123456789abcdef01234567'",
                "url",
            ),
            ("[kinds.x]\nexecutor = 'http'\nurl = 'https://x.example'\nsecret = 'short'", "secret"),
            ("[kinds.x]\nexecutor = 'container'\nimage = '--privileged'", "image"),
            ("[kinds.x]\nexecutor = 'container'\nimage = 'x'\nengine = 'sh'", "docker or podman"),
            ("[kinds.x]\nexecutor = 'thread'", "thread"),
            ("[kinds.x]\ncommand = ['/bin/true']", "executor"),
        ] {
            let refused = read(text).expect_err("must be refused");
            assert!(refused.contains(told), "{text}: {refused}");
        }
    }
}
