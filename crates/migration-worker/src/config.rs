//! The worker's configuration: what its parts want, put together, and whether they fit together.

use crate::{compare, deadlines, lease, relay, resources, retention, tasks, toolchain};
use domain::{job, retry};
use serde::Deserialize;
use service_kit::{Secret, objects};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Everything that a worker process can be told. See `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database, as the worker's role.
    pub store: store::Options,
    /// The database, as the owner of the schema: only `--migrate` uses it.
    pub owner_url: Secret,
    /// The bell.
    pub bus: bus::Options,
    /// Logs, traces.
    pub telemetry: telemetry::Options,
    /// Where `/healthz`, `/readyz` and `/metrics` are served.
    pub admin_listen: SocketAddr,
    /// Where the status service listens; port 0 takes a free one.
    pub grpc_listen: SocketAddr,
    /// The URL at which others reach the status service, such as `http://10.0.0.7:50051`; without one, the
    /// address that was bound.
    pub grpc_advertise: Option<String>,
    /// What callers of the status service have to show.
    pub grpc_token: Secret,
    /// Where bodies, documents and artefacts are kept.
    pub objects: objects::Options,
    /// The queue to take jobs from.
    pub queue: String,
    /// Jobs at a time.
    pub concurrency: u32,
    /// The terms of the leases.
    pub lease: lease::Options,
    /// How often to look for work that no hint told of.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// How often to look for leases that ran out.
    #[serde(with = "humantime_serde")]
    pub sweep: Duration,
    /// How often the gauges are read from the database.
    #[serde(with = "humantime_serde")]
    pub sample: Duration,
    /// How long running jobs may go on after the process was asked to stop, before they are given back.
    #[serde(with = "humantime_serde")]
    pub finish_within: Duration,
    /// How long the process as a whole takes to stop at most.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// How long a write is tried again while the database is away.
    #[serde(with = "humantime_serde")]
    pub write_patience: Duration,
    /// How long computations that nobody waits for any more may hold every place for computing before the process
    /// ends, to be started again.
    #[serde(with = "humantime_serde")]
    pub hung_patience: Duration,
    /// How long phases and attempts may take.
    pub deadlines: deadlines::Options,
    /// How long the worker of a job that was called off has to let go of it before any other takes it away.
    #[serde(with = "humantime_serde")]
    pub cancel_grace: Duration,
    /// When failed attempts are tried again.
    pub retry: Retry,
    /// When jobs are taken, by what the machine has left.
    pub resources: resources::Options,
    /// What a website's move needs.
    pub needs: resources::Needs,
    /// Kinds of job besides a website's move.
    pub jobs: tasks::Options,
    /// The relay of announcements.
    pub relay: relay::Options,
    /// How much of what is over is kept.
    pub retention: retention::Options,
    /// Where a crawl stops.
    pub crawl: site_read::Limits,
    /// From how many pages on a site counts as an enterprise's.
    pub size: site_read::analysis::SizeBounds,
    /// How requests to the site behave.
    pub fetch: Fetch,
    /// `address:port` pairs that may be fetched although they are not public: for development.
    pub allow_addresses: Vec<SocketAddr>,
    /// The most bytes of pages and style sheets that are held in memory for one job.
    pub max_text_bytes: u64,
    /// What checks written projects.
    pub toolchain: toolchain::Options,
    /// Whether and how projects are built and compared with their sites.
    pub compare: compare::Options,
    /// Where scratch files go; the system's folder for such files if absent.
    pub scratch: Option<PathBuf>,
}

/// [`retry::Policy`], as configured: bounds around the terms that each sort of failure has. A job's own number of
/// attempts goes before `max_attempts`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts in all, for jobs that do not say.
    pub max_attempts: u32,
    /// The bound of the first wait is not longer; it doubles each time.
    #[serde(with = "humantime_serde")]
    pub base: Duration,
    /// No wait is longer, but for a pause that a site asks for.
    #[serde(with = "humantime_serde")]
    pub cap: Duration,
}

/// What of the fetcher can be configured: its limits and its name, never its guard.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fetch {
    /// The User-Agent header.
    pub user_agent: String,
    /// The largest answer, in bytes.
    pub max_body: u64,
    /// For name, TCP and TLS together.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// The longest silence.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// For one exchange as a whole.
    #[serde(with = "humantime_serde")]
    pub total_timeout: Duration,
    /// How often a request that may pass is sent again.
    pub retries: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: store::Options::default(),
            owner_url: Secret::default(),
            bus: bus::Options::default(),
            telemetry: telemetry::Options::default(),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 8082)),
            grpc_listen: SocketAddr::from(([127, 0, 0, 1], 50051)),
            grpc_advertise: None,
            grpc_token: Secret::default(),
            objects: objects::Options::default(),
            queue: job::MIGRATION_QUEUE.to_owned(),
            concurrency: 2,
            lease: lease::Options::default(),
            poll: Duration::from_secs(1),
            sweep: Duration::from_secs(5),
            sample: Duration::from_secs(5),
            finish_within: Duration::from_secs(20),
            grace: Duration::from_secs(45),
            write_patience: Duration::from_secs(10 * 60),
            hung_patience: Duration::from_secs(2 * 60),
            deadlines: deadlines::Options::default(),
            cancel_grace: Duration::from_secs(30),
            retry: Retry::default(),
            resources: resources::Options::default(),
            needs: resources::Needs::default(),
            jobs: tasks::Options::default(),
            relay: relay::Options::default(),
            retention: retention::Options::default(),
            crawl: site_read::Limits::default(),
            size: site_read::analysis::SizeBounds::default(),
            fetch: Fetch::default(),
            allow_addresses: Vec::new(),
            max_text_bytes: 512 * 1024 * 1024,
            toolchain: toolchain::Options::default(),
            compare: compare::Options::default(),
            scratch: None,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        let policy = retry::Policy::default();
        Self { max_attempts: policy.max_attempts, base: policy.base, cap: policy.cap }
    }
}

impl Default for Fetch {
    fn default() -> Self {
        let options = site_fetch::Options::default();
        Self {
            user_agent: options.user_agent,
            max_body: options.max_body,
            connect_timeout: options.connect_timeout,
            idle_timeout: options.idle_timeout,
            total_timeout: options.total_timeout,
            retries: options.retries,
        }
    }
}

impl Config {
    /// Do all values make sense together? To be asked before anything is bound or opened.
    pub fn check(&self) -> Result<(), service_kit::config::Error> {
        self.checked().map_err(service_kit::config::Error::Check)
    }

    fn checked(&self) -> Result<(), String> {
        self.lease.check()?;
        self.deadlines.check(self.crawl.max_time)?;
        self.relay.check()?;
        self.retention.check()?;
        self.objects.check()?;
        self.compare.check()?;
        self.jobs.check()?;
        self.resources.check()?;
        self.bus.check().map_err(|error| error.to_string())?;
        self.store.check().map_err(|error| error.to_string())?;
        let refuse = |wrong: bool, told: &str| if wrong { Err(told.to_owned()) } else { Ok(()) };
        refuse(!(1..=1000).contains(&self.concurrency), "concurrency has to be between 1 and 1000")?;
        refuse(self.queue.is_empty(), "queue is missing")?;
        refuse(self.jobs.kinds.contains_key(&self.queue), "queue is the name of a kind in jobs.kinds")?;
        // Heartbeats must not queue behind the work: they are what keeps it alive.
        refuse(
            self.store.max_connections < 4
                || self.store.max_connections < self.concurrency.min(8) as usize + 2,
            "store.max_connections has to be at least 4, and 2 more than concurrency (up to 10)",
        )?;
        refuse(self.grpc_token.expose().len() < 16, "grpc_token has to have at least 16 characters")?;
        let advertised = self.grpc_advertise.as_deref().unwrap_or("http://-");
        refuse(
            !advertised.starts_with("http://"),
            "grpc_advertise has to be a URL like http://10.0.0.7:50051",
        )?;
        refuse(
            self.grpc_advertise.is_none() && self.grpc_listen.ip().is_unspecified(),
            "grpc_listen takes every address of this machine, and that is none that others could reach: set \
             grpc_advertise to the URL at which they do, such as http://10.0.0.7:50051",
        )?;
        refuse(
            self.finish_within + Duration::from_secs(5) > self.grace,
            "grace has to be at least 5 s longer than finish_within: giving jobs back takes a moment",
        )?;
        let grace = self.lease.heartbeat * 2..=Duration::from_secs(600);
        refuse(
            !grace.contains(&self.cancel_grace),
            "cancel_grace has to be between two of lease.heartbeat and 10 minutes",
        )?;
        refuse(
            self.hung_patience < Duration::from_secs(1),
            "hung_patience has to be at least 1 s: what was called off takes a moment to end",
        )?;
        refuse(self.retry.max_attempts == 0, "retry.max_attempts has to be at least 1")?;
        refuse(self.retry.base > self.retry.cap, "retry.base is longer than retry.cap")?;
        let every = [("poll", self.poll), ("sweep", self.sweep), ("sample", self.sample)];
        let pointless = every.iter().find(|(_, interval)| *interval < Duration::from_millis(10));
        refuse(pointless.is_some(), "poll, sweep and sample have to be at least 10 ms")?;
        // Each page may take as many as four requests; see `site_read::Limits`.
        let requests = self.crawl.max_pages.saturating_mul(4).saturating_add(self.crawl.max_assets);
        refuse(
            requests.saturating_add(1000) > store::MAX_VISITS,
            "crawl.max_pages and crawl.max_assets allow more requests than a crawl's journal takes (1000000)",
        )?;
        refuse(self.max_text_bytes < self.fetch.max_body, "max_text_bytes is smaller than fetch.max_body")
    }

    pub(crate) fn policy(&self) -> retry::Policy {
        let Retry { max_attempts, base, cap } = self.retry;
        retry::Policy { max_attempts, base, cap }
    }

    pub(crate) fn fetcher(&self) -> site_fetch::Options {
        let Fetch { user_agent, max_body, connect_timeout, idle_timeout, total_timeout, retries } =
            self.fetch.clone();
        site_fetch::Options {
            user_agent,
            max_body,
            connect_timeout,
            idle_timeout,
            total_timeout,
            retries,
            allow: self.allow_addresses.clone(),
            ..site_fetch::Options::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usable() -> Config {
        let mut config = Config { grpc_token: Secret::new("0123456789abcdef"), ..Config::default() };
        config.store.url = "postgres://worker@localhost/resettle".into();
        config.objects.url = "file:///var/lib/resettle".into();
        config
    }

    #[test]
    fn the_defaults_lack_only_what_no_default_can_know() {
        assert!(usable().check().is_ok());
        assert!(Config::default().check().is_err());
    }

    #[test]
    fn values_that_do_not_fit_together_are_named() {
        let refused = |change: fn(&mut Config)| {
            let mut config = usable();
            change(&mut config);
            config.check().expect_err("must be refused").to_string()
        };
        assert!(refused(|c| c.lease.heartbeat = c.lease.ttl).contains("lease.heartbeat"));
        assert!(refused(|c| c.lease.margin = c.lease.ttl).contains("lease.margin"));
        assert!(refused(|c| c.concurrency = 0).contains("concurrency"));
        assert!(refused(|c| c.store.max_connections = 3).contains("store.max_connections"));
        assert!(refused(|c| c.grpc_token = Secret::new("short")).contains("grpc_token"));
        assert!(refused(|c| c.grpc_advertise = Some("10.0.0.7:50051".into())).contains("grpc_advertise"));
        assert!(refused(|c| c.grpc_listen = SocketAddr::from(([0, 0, 0, 0], 1))).contains("grpc_advertise"));
        assert!(refused(|c| c.hung_patience = Duration::ZERO).contains("hung_patience"));
        assert!(refused(|c| c.finish_within = c.grace).contains("grace"));
        assert!(refused(|c| c.cancel_grace = Duration::ZERO).contains("cancel_grace"));
        assert!(refused(|c| c.retry.base = c.retry.cap * 2).contains("retry.base"));
        assert!(refused(|c| c.objects.url = "ftp://x/".into()).contains("objects.url"));
        assert!(refused(|c| c.resources.lower_memory_at = f64::NAN).contains("resources.lower_memory_at"));
        assert!(refused(|c| c.resources.stop_memory_at = 0.5).contains("resources.stop_memory_at"));
        assert!(refused(|c| c.resources.stop_cpu_at = Some(2.0)).contains("resources.stop_cpu_at"));
        assert!(refused(|c| c.relay.batch = 0).contains("relay.batch"));
        assert!(refused(|c| c.crawl.max_pages = 300_000).contains("crawl.max_pages"));
        assert!(refused(|c| c.max_text_bytes = 1).contains("max_text_bytes"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let mut config = usable();
        config.owner_url = Secret::new("postgres://owner:hunter2@db/resettle");
        config.objects.secret_access_key = Secret::new("hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
