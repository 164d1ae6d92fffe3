//! The gateway's configuration: what its parts want, put together, and whether they fit together.

use auth::Origins;
use serde::Deserialize;
use service_kit::{Secret, cors::Cors, objects};
use std::{net::SocketAddr, time::Duration};

/// Everything that a gateway process can be told. See `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database, as the gateway's role.
    pub store: store::Options,
    /// The database, as the operators' role. Without a URL this gateway shows nobody its operations.
    pub operator_store: store::Options,
    /// What operators know this instance by.
    pub instance: Instance,
    /// Where a trace can be looked at, with `{trace}` in place of its id.
    pub trace_url: String,
    /// The database, as the owner of the schema: only `--migrate` uses it.
    pub owner_url: Secret,
    /// Logs, traces.
    pub telemetry: telemetry::Options,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that serve requests.
    pub workers: usize,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// The largest body of a request that enqueues jobs, in bytes.
    pub max_jobs_body: usize,
    /// How long a request body may take to arrive.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// Where artefacts are kept.
    pub objects: objects::Options,
    /// What is shown to the workers' status services.
    pub grpc_token: Secret,
    /// How long a worker gets to answer what it is doing before the record has to do.
    #[serde(with = "humantime_serde")]
    pub grpc_deadline: Duration,
    /// How long the answer to a request with an Idempotency-Key is kept.
    #[serde(with = "humantime_serde")]
    pub idempotency_ttl: Duration,
    /// Attempts of a migration's job, the first included.
    pub max_attempts: u32,
    /// `address:port` pairs that may be moved although they are not public: for development.
    pub allow_addresses: Vec<SocketAddr>,
    /// The origins that pages are served at, such as `https://resettle.example`; this machine's own names if there is
    /// none. A cookie counts nowhere else.
    pub origins: Vec<String>,
    /// Other origins whose pages may read answers, with a key.
    pub cors_origins: Vec<String>,
    /// How long a browser stays signed in.
    #[serde(with = "humantime_serde")]
    pub session_lifetime: Duration,
    /// How long open requests get after the process was asked to stop.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

/// What tells one instance from another at a glance: nobody should replay in production what was meant for staging.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instance {
    /// Its name, such as `production`; nothing is shown if it is empty.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
}

/// A colour that the pages' style knows in light and dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// The pages' own.
    #[default]
    Green,
    /// For a place to try things out, say.
    Blue,
    /// Another one.
    Violet,
    /// For a place to be careful in.
    Amber,
    /// For production, say.
    Red,
    /// For one that is put away.
    Grey,
}

impl Colour {
    /// Its name, as it is configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Violet => "violet",
            Self::Amber => "amber",
            Self::Red => "red",
            Self::Grey => "grey",
        }
    }
}

/// Longer names do not fit beside the brand.
const LONGEST_NAME: usize = 40;

impl Default for Config {
    fn default() -> Self {
        Self {
            store: store::Options::default(),
            operator_store: store::Options { max_connections: 2, ..store::Options::default() },
            instance: Instance::default(),
            trace_url: String::new(),
            owner_url: Secret::default(),
            telemetry: telemetry::Options::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 2,
            max_body: 64 * 1024,
            max_jobs_body: 4 * 1024 * 1024,
            body_timeout: Duration::from_secs(15),
            objects: objects::Options::default(),
            grpc_token: Secret::default(),
            grpc_deadline: Duration::from_millis(300),
            idempotency_ttl: Duration::from_secs(24 * 60 * 60),
            max_attempts: 3,
            allow_addresses: Vec::new(),
            origins: Vec::new(),
            cors_origins: Vec::new(),
            session_lifetime: Duration::from_secs(7 * 24 * 60 * 60),
            grace: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// Do all values make sense together? To be asked before anything is bound or opened.
    pub fn check(&self) -> Result<(), service_kit::config::Error> {
        self.checked().map_err(service_kit::config::Error::Check)
    }

    /// Where pages are served; the error is the entry that is no origin.
    pub(crate) fn origins(&self) -> Result<Origins, String> {
        Origins::parse(&self.origins)
    }

    /// Who else may read; the error is the entry that is no origin.
    pub(crate) fn cors(&self) -> Result<Cors, String> {
        Cors::new(&self.cors_origins)
    }

    fn checked(&self) -> Result<(), String> {
        self.objects.check()?;
        self.store.check().map_err(|error| error.to_string())?;
        let refuse = |wrong: bool, told: &str| if wrong { Err(told.to_owned()) } else { Ok(()) };
        refuse(
            self.operator_store.max_connections == 0,
            "operator_store.max_connections has to be at least 1",
        )?;
        if !self.operator_store.url.is_empty() {
            self.operator_store.check().map_err(|error| format!("operator_store: {error}"))?;
        }
        let named = self.instance.name.chars().count() <= LONGEST_NAME;
        refuse(!named, "instance.name has to have at most 40 characters")?;
        let web = ["http://", "https://"].iter().any(|scheme| self.trace_url.starts_with(scheme));
        let usable = self.trace_url.is_empty() || (web && self.trace_url.contains("{trace}"));
        refuse(!usable, "trace_url has to be an http(s) URL with {trace} in it")?;
        refuse(!(1..=256).contains(&self.workers), "workers has to be between 1 and 256")?;
        let least = 2 * domain::brief::MAX_BYTES;
        refuse(self.max_body < least, "max_body is too small for a brief: at least 32768 bytes")?;
        refuse(self.max_body > 1 << 20, "max_body has to be at most 1048576 bytes")?;
        let jobs = 64 * 1024..=64 * 1024 * 1024;
        refuse(
            !jobs.contains(&self.max_jobs_body),
            "max_jobs_body has to be between 65536 and 67108864 bytes",
        )?;
        let arrival = Duration::from_millis(10)..=Duration::from_secs(300);
        refuse(!arrival.contains(&self.body_timeout), "body_timeout has to be between 10 ms and 5 minutes")?;
        refuse(self.grpc_token.expose().len() < 16, "grpc_token has to have at least 16 characters")?;
        let deadline = Duration::from_millis(10)..=Duration::from_secs(5);
        refuse(!deadline.contains(&self.grpc_deadline), "grpc_deadline has to be between 10 ms and 5 s")?;
        refuse(!(1..=100).contains(&self.max_attempts), "max_attempts has to be between 1 and 100")?;
        let kept = Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 60 * 60);
        refuse(
            !kept.contains(&self.idempotency_ttl),
            "idempotency_ttl has to be between 1 minute and 30 days",
        )?;
        let session = Duration::from_secs(60)..=Duration::from_secs(90 * 24 * 60 * 60);
        refuse(
            !session.contains(&self.session_lifetime),
            "session_lifetime has to be between 1 minute and 90 days",
        )?;
        self.origins()
            .map_err(|wrong| format!("origins: {wrong:?} is no origin such as https://x.example"))?;
        self.cors()
            .map_err(|wrong| format!("cors_origins: {wrong:?} is no origin such as https://x.example"))?;
        refuse(self.grace > Duration::from_secs(600), "grace has to be at most 10 minutes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable() -> Config {
        let mut config = Config { grpc_token: Secret::new("0123456789abcdef"), ..Config::default() };
        config.store.url = "postgres://resettle_gateway@localhost/resettle".into();
        config.objects.url = "file:///var/lib/resettle".into();
        config
    }

    #[test]
    fn values_that_do_not_fit_are_named() {
        assert!(usable().check().is_ok());
        let refused = |change: fn(&mut Config)| {
            let mut config = usable();
            change(&mut config);
            config.check().expect_err("must be refused").to_string()
        };
        assert!(refused(|c| c.store.url.clear()).contains("store.url"));
        assert!(refused(|c| c.max_body = 1).contains("max_body"));
        assert!(refused(|c| c.max_jobs_body = 1).contains("max_jobs_body"));
        assert!(refused(|c| c.grpc_token = Secret::default()).contains("grpc_token"));
        assert!(refused(|c| c.objects.url = "ftp://x/".into()).contains("objects.url"));
        assert!(refused(|c| c.body_timeout = Duration::ZERO).contains("body_timeout"));
        assert!(refused(|c| c.origins = vec!["resettle.example".into()]).contains("origins"));
        assert!(refused(|c| c.cors_origins = vec!["*".into()]).contains("cors_origins"));
        assert!(refused(|c| c.session_lifetime = Duration::ZERO).contains("session_lifetime"));
        assert!(refused(|c| c.operator_store.max_connections = 0).contains("operator_store"));
        assert!(refused(|c| c.instance.name = "x".repeat(41)).contains("instance.name"));
        assert!(refused(|c| c.trace_url = "https://traces.example/".into()).contains("{trace}"));
        assert!(refused(|c| c.trace_url = "javascript:{trace}".into()).contains("trace_url"));
        assert!(refused(|c| c.workers = 0).contains("workers"));
        assert!(refused(|c| c.max_attempts = 0).contains("max_attempts"));
        assert!(refused(|c| c.store.max_connections = 0).contains("store.max_connections"));
        assert!(refused(|c| c.idempotency_ttl = Duration::ZERO).contains("idempotency_ttl"));
        assert!(refused(|c| c.grace = Duration::from_secs(3600)).contains("grace"));
        assert!(refused(|c| c.grpc_deadline = Duration::from_secs(60)).contains("grpc_deadline"));
    }
}
