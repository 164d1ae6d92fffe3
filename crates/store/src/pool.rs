//! The handle that everything hangs on: a pool of connections, all with one role.

use crate::{
    Error, Options, Result, schema,
    tx::{Tx, Work},
};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use domain::TenantId;
use std::{fmt, time::Duration};
use tokio_postgres::{Config, NoTls};

/// A transaction holds few statements, so this many times the statements' bound covers every one of ours.
const STATEMENTS_PER_TRANSACTION: u32 = 4;

/// The database, as one role sees it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    transaction_timeout: Duration,
}

impl Store {
    /// Makes the pool and proves that the database answers.
    pub async fn connect(options: &Options) -> Result<Self> {
        let bound = options.statement_timeout.as_millis();
        let settings = format!("-c statement_timeout={bound} -c idle_in_transaction_session_timeout={bound}");
        let store = Self {
            pool: pool(options, &settings, options.max_connections)?,
            transaction_timeout: options.statement_timeout * STATEMENTS_PER_TRANSACTION,
        };
        store.ping().await?;
        Ok(store)
    }

    /// Does the database answer?
    pub async fn ping(&self) -> Result<()> {
        self.run(&Ping).await
    }

    /// Is the database's schema one that this binary can run on?
    pub async fn check_schema(&self) -> Result<()> {
        self.run(&schema::Check).await
    }

    pub(crate) async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(unavailable)
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
    let manager = Manager::from_config(
        config(options, settings)?,
        NoTls,
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

fn config(options: &Options, settings: &str) -> Result<Config> {
    if options.url.trim().is_empty() {
        return Err(Error::BadOptions { reason: "the url is empty".to_owned() });
    }
    // The driver's error names the part that is wrong, never the password.
    let mut config: Config =
        options.url.parse().map_err(|error: tokio_postgres::Error| Error::BadOptions {
            reason: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        })?;
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
