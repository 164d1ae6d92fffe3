//! The broadcaster's configuration, and whether its values fit together.

use crate::address::Network;
use auth::Origins;
use serde::Deserialize;
use service_kit::{Secret, config::Error, cors::Cors};
use std::{net::SocketAddr, time::Duration};

/// Everything that a broadcaster process can be told. See `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database, as the broadcaster's role.
    pub store: store::Options,
    /// The database, as the owner of the schema: only `--migrate` uses it.
    pub owner_url: Secret,
    /// The bell.
    pub bus: bus::Options,
    /// Logs, traces.
    pub telemetry: telemetry::Options,
    /// Where to listen; port 0 takes a free one. `/livez`, `/readyz` and `/metrics` are served here too.
    pub listen: SocketAddr,
    /// Where to serve gRPC for services and operators; port 0 takes a free one, without an address there is none.
    pub grpc_listen: Option<SocketAddr>,
    /// What its callers have to show.
    pub grpc_token: Secret,
    /// Threads that serve requests.
    pub workers: usize,
    /// The origins that pages are served at, whose cookies count; this machine's own names if there is none.
    pub origins: Vec<String>,
    /// Other origins whose pages may read streams, with a key.
    pub cors_origins: Vec<String>,
    /// How streams behave.
    pub stream: Options,
    /// How long the process takes to stop at most.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: store::Options::default(),
            owner_url: Secret::default(),
            bus: bus::Options::default(),
            telemetry: telemetry::Options::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            grpc_listen: None,
            grpc_token: Secret::default(),
            workers: 2,
            origins: Vec::new(),
            cors_origins: Vec::new(),
            stream: Options::default(),
            grace: Duration::from_secs(20),
        }
    }
}

impl Config {
    /// Do the values fit together?
    pub fn check(&self) -> Result<(), Error> {
        self.store.check().map_err(|error| Error::Check(error.to_string()))?;
        self.bus.check().map_err(|error| Error::Check(error.to_string()))?;
        if !(1..=256).contains(&self.workers) {
            return Err(Error::Check("workers has to be between 1 and 256".into()));
        }
        if self.grace > Duration::from_secs(600) {
            return Err(Error::Check("grace has to be at most 10 minutes".into()));
        }
        if self.grpc_listen.is_some() && self.grpc_token.expose().len() < 16 {
            return Err(Error::Check(
                "grpc_token has to have at least 16 characters with grpc_listen".into(),
            ));
        }
        self.origins()?;
        self.cors()?;
        self.stream.check()
    }

    /// Where pages are served.
    pub fn origins(&self) -> Result<Origins, Error> {
        Origins::parse(&self.origins)
            .map_err(|wrong| Error::Check(format!("origins: {wrong:?} is no origin")))
    }

    /// Who else may read.
    pub fn cors(&self) -> Result<Cors, Error> {
        Cors::new(&self.cors_origins)
            .map_err(|wrong| Error::Check(format!("cors_origins: {wrong:?} is no origin")))
    }
}

/// How streams behave. Every buffer and every wait has its bound here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A comment is sent after this much silence, so that proxies keep the connection and clients see it live.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How often a reader looks for events that no note told of.
    #[serde(with = "humantime_serde")]
    pub tail_check: Duration,
    /// Events read from the database at a time.
    pub page: u32,
    /// Reads (of up to `page` events) kept for listeners of a migration or a feed that are behind; one who falls
    /// further behind reads the database again.
    pub buffer: usize,
    /// Bytes handed to a connection ahead of what it has taken; one read may be larger, and then waits alone.
    pub ahead: usize,
    /// A connection that takes nothing for this long is closed.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
    /// A connection is asked to come again after this long, give or take a fifth, so that listeners spread over
    /// new replicas and a revoked key does not listen forever.
    #[serde(with = "humantime_serde")]
    pub lifetime: Duration,
    /// What clients are told to wait before they come again; each is told half as much more at random.
    #[serde(with = "humantime_serde")]
    pub retry: Duration,
    /// Most events that a feed sends to one who comes back; with more to tell, it begins anew and says so.
    pub max_backlog: u32,
    /// Streams in this process.
    pub max_streams: usize,
    /// Streams of one tenant in this process.
    pub max_streams_per_tenant: usize,
    /// Streams of one user in this process.
    pub max_streams_per_user: usize,
    /// Streams of one client address in this process; of IPv6, of one /64.
    pub max_streams_per_address: usize,
    /// Proxies in front of this process, whose `X-Forwarded-For` names the client: networks or addresses.
    pub proxies: Vec<Network>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            tail_check: Duration::from_secs(3),
            page: 256,
            buffer: 8,
            ahead: 256 * 1024,
            patience: Duration::from_secs(30),
            lifetime: Duration::from_secs(600),
            retry: Duration::from_secs(2),
            max_backlog: 10_000,
            max_streams: 10_000,
            max_streams_per_tenant: 1_000,
            max_streams_per_user: 500,
            max_streams_per_address: 1_000,
            proxies: Vec::new(),
        }
    }
}

impl Options {
    /// Do the values fit together?
    pub fn check(&self) -> Result<(), Error> {
        let positive = [
            ("page", self.page > 0),
            ("buffer", self.buffer > 0),
            ("ahead", self.ahead > 0),
            ("heartbeat", !self.heartbeat.is_zero()),
            ("tail_check", !self.tail_check.is_zero()),
            ("patience", !self.patience.is_zero()),
            ("retry", !self.retry.is_zero()),
            ("max_backlog", self.max_backlog > 0),
            ("max_streams", self.max_streams > 0),
            ("max_streams_per_tenant", self.max_streams_per_tenant > 0),
            ("max_streams_per_user", self.max_streams_per_user > 0),
            ("max_streams_per_address", self.max_streams_per_address > 0),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, positive)| !positive) {
            return Err(Error::Check(format!("stream.{name} must be greater than zero")));
        }
        if self.lifetime < self.heartbeat * 2 {
            return Err(Error::Check("stream.lifetime must be at least twice stream.heartbeat".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_do_not_fit_are_named() {
        let usable = || {
            let mut config = Config::default();
            config.store.url = "postgres://resettle_broadcaster@localhost/resettle".into();
            config
        };
        assert!(usable().check().is_ok());
        let refused = |change: fn(&mut Config)| {
            let mut config = usable();
            change(&mut config);
            config.check().expect_err("must be refused").to_string()
        };
        assert!(refused(|c| c.store.url.clear()).contains("store.url"));
        assert!(refused(|c| c.store.max_connections = 0).contains("store.max_connections"));
        assert!(
            refused(|c| c.bus = bus::Options::Notify { url: "u".into(), prefix: "P".into() })
                .contains("prefix")
        );
        assert!(refused(|c| c.workers = 0).contains("workers"));
        assert!(refused(|c| c.grace = Duration::from_secs(3600)).contains("grace"));
        assert!(refused(|c| c.origins = vec!["nowhere".into()]).contains("origins"));
        assert!(refused(|c| c.stream.retry = Duration::ZERO).contains("stream.retry"));
        assert!(refused(|c| c.stream.max_streams_per_user = 0).contains("stream.max_streams_per_user"));
        assert!(refused(|c| c.stream.lifetime = c.stream.heartbeat).contains("stream.lifetime"));
    }
}
