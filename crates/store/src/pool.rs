//! The handle that everything hangs on: a pool of connections, all with one role.

use crate::{
    Error, Options, Result, TlsMode,
    announced::Announced,
    connect::Opener,
    jobs::{together::Together, turns::Turns},
    role, schema,
    tls::{self, Tls},
    tx::{Tx, Work},
};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use domain::TenantId;
use std::{fmt, sync::Arc, time::Duration};
use tokio_postgres::{Config, config::SslMode};

/// A transaction holds few statements, so this many times the statements' bound covers every one of ours.
const STATEMENTS_PER_TRANSACTION: u32 = 4;

/// The owner's maintenance may rewrite many rows.
const MAINTENANCE: Duration = Duration::from_secs(60 * 60);

/// The database, as one role sees it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    dial: Arc<(Config, Option<Tls>)>,
    transaction_timeout: Duration,
    turns: Arc<Turns>,
    finishing: Arc<Together>,
    announced: Arc<Announced>,
}

impl Store {
    /// Makes the pool and proves that the database answers.
    pub async fn connect(options: &Options) -> Result<Self> {
        let bound = options.statement_timeout.as_millis();
        let settings = format!("-c statement_timeout={bound} -c idle_in_transaction_session_timeout={bound}");
        let patience = options.statement_timeout * STATEMENTS_PER_TRANSACTION;
        let store = Self::new(options, &settings, options.max_connections, patience)?;
        store.ping().await?;
        Ok(store)
    }

    /// One connection with settings of the caller's, whose transactions may take as long as the owner's maintenance does.
    pub(crate) fn for_maintenance(options: &Options, settings: &str) -> Result<Self> {
        Self::new(options, settings, 1, MAINTENANCE)
    }

    fn new(options: &Options, settings: &str, size: usize, transaction_timeout: Duration) -> Result<Self> {
        Ok(Self {
            pool: pool(options, settings, size)?,
            dial: Arc::new((config(options, settings)?, tls::of(options)?)),
            transaction_timeout,
            turns: Arc::default(),
            finishing: Arc::default(),
            announced: Arc::default(),
        })
    }

    /// Does the database answer?
    pub async fn ping(&self) -> Result<()> {
        self.run(&Ping).await
    }

    /// Is the role that we log in with one that row-level security binds? A service must not start with any other.
    pub async fn check_role(&self) -> Result<()> {
        self.run(&role::Check).await
    }

    /// Is the database's schema one that this binary can run on?
    pub async fn check_schema(&self) -> Result<()> {
        self.run(&schema::Check).await
    }

    pub(crate) async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(unavailable)
    }

    /// Whom to ask for a connection outside the pool, and how.
    pub(crate) fn dial(&self) -> &(Config, Option<Tls>) {
        &self.dial
    }

    /// Where this process stands in its rounds.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Jobs that are being finished.
    pub(crate) fn finishing(&self) -> &Together {
        &self.finishing
    }

    /// What relays are told.
    pub(crate) fn announcements(&self) -> &Announced {
        &self.announced
    }

    pub(crate) fn transaction_timeout(&self) -> Duration {
        self.transaction_timeout
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

struct Ping;

impl Work for Ping {
    type Out = ();
    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        tx.query_one("-- store.ping\nSELECT 1", &[]).await.map(drop)
    }
    fn tenant(&self) -> Option<TenantId> {
        None
    }
}

/// A pool whose connections have these settings, as `-c name=value`.
pub(crate) fn pool(options: &Options, settings: &str, size: usize) -> Result<Pool> {
    let manager = Manager::from_connect(
        config(options, settings)?,
        Opener::here(tls::of(options)?),
        // A closed connection is noticed without a question; one that hangs is dropped by the transaction's
        // own bound.
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    Pool::builder(manager)
        .max_size(size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.acquire_timeout))
        .create_timeout(Some(options.connect_timeout))
        .recycle_timeout(Some(options.connect_timeout))
        .build()
        .map_err(|error| Error::BadOptions { reason: error.to_string() })
}

/// Everything about the options that can be known without a server.
pub(crate) fn check(options: &Options) -> Result<()> {
    parse(options)?;
    tls::of(options)?;
    let refuse = |wrong: bool, told: &str| if wrong { Err(unusable(told)) } else { Ok(()) };
    refuse(options.max_connections == 0, "store.max_connections has to be at least 1")?;
    let Options { connect_timeout, acquire_timeout, statement_timeout, .. } = options;
    let least = Duration::from_millis(1); // Postgres takes 0 for "no bound"
    refuse(*connect_timeout < least, "store.connect_timeout has to be at least 1 ms")?;
    refuse(*acquire_timeout < least, "store.acquire_timeout has to be at least 1 ms")?;
    refuse(*statement_timeout < least, "store.statement_timeout has to be at least 1 ms")
}

fn parse(options: &Options) -> Result<Config> {
    if options.url.trim().is_empty() {
        return Err(unusable("store.url is missing"));
    }
    // The driver's error names the part that is wrong, never the password.
    let mut config: Config = options.url.parse().map_err(|error: tokio_postgres::Error| {
        unusable(std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string))
    })?;
    // Said in two places, it could be said differently; what the URL leaves out counts as "prefer".
    let encrypted = options.tls != TlsMode::Disable;
    match (config.get_ssl_mode(), encrypted) {
        (SslMode::Prefer, _) | (SslMode::Disable, false) | (SslMode::Require, true) => {}
        _ => {
            let told = "the url's sslmode contradicts store.tls: leave it out there, and set store.tls to disable, \
                        require or verify-full";
            return Err(unusable(told));
        }
    }
    config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
    Ok(config)
}

fn unusable(reason: impl Into<String>) -> Error {
    Error::BadOptions { reason: reason.into() }
}

fn config(options: &Options, settings: &str) -> Result<Config> {
    let mut config = parse(options)?;
    let given = config.get_options().unwrap_or_default().to_owned();
    config.options(format!("{given} {settings}").trim());
    config.connect_timeout(options.connect_timeout);
    // A peer that vanished without a word is noticed in about a minute, not in two hours; one that does not even
    // acknowledge what was sent to it, sooner.
    config
        .tcp_user_timeout(Duration::from_secs(15))
        .keepalives_idle(Duration::from_secs(30))
        .keepalives_interval(Duration::from_secs(10))
        .keepalives_retries(3);
    if config.get_application_name().is_none() {
        config.application_name("resettle");
    }
    Ok(config)
}

pub(crate) fn unavailable(error: PoolError) -> Error {
    Error::Unavailable { doing: "store.connect", source: Box::new(error) }
}
