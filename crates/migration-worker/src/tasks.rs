//! Jobs of other sorts than a website's move: kinds that the operator binds to an executor. The same claim, lease, fence,
//! heartbeat and retries as for every job; what differs is who does the work.
//!
//! Each kind has slots of its own, so that no kind's jobs, and no site's move, wait for another's.

mod attempt;
mod container;
mod executor;
mod http;
mod options;
mod program;
mod subprocess;

pub use options::{Executor as ExecutorName, Kind, Options};

use domain::{TenantId, task::PayloadSchema};
use executor::Executor;
use site_read::render::Unavailable;
use std::{sync::Arc, time::Duration};
use store::JobKind;

/// Why a kind cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its programs cannot be confined on this machine.
    #[error("jobs.kinds.{kind} runs a program, and this machine cannot confine one")]
    Cell {
        /// Which kind.
        kind: String,
        /// What is missing.
        #[source]
        source: Unavailable,
    },
    /// The container engine's command is not installed.
    #[error(
        "jobs.kinds.{kind} runs containers with {engine:?}, which is not on the PATH: install it, or name another \
         `engine`"
    )]
    NoEngine {
        /// Which kind.
        kind: String,
        /// The command that was looked for.
        engine: String,
    },
    /// The client of an endpoint cannot be set up.
    #[error("jobs.kinds.{kind} calls an endpoint, and its client cannot be set up")]
    Client {
        /// Which kind.
        kind: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// A kind, bound to what does its work.
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    executor: Executor,
}

/// Binds all kinds; looks for what their executors need.
pub(crate) fn bind(options: &Options) -> Result<Vec<Arc<Binding>>, Error> {
    let bound = options.kinds.iter().map(|(name, kind)| {
        let executor = Executor::of(name, kind)?;
        Ok(Arc::new(Binding { name: name.clone(), kind: kind.clone(), executor }))
    });
    bound.collect()
}

/// How much longer than the attempt itself may take whoever sweeps waits: the attempt's own clock comes first.
const SWEEPERS_GRACE: Duration = Duration::from_secs(30);

impl Binding {
    /// From its claim on: when an attempt that nothing has ended by then is taken away.
    pub(crate) fn swept_after(&self) -> Duration {
        self.kind.timeout + SWEEPERS_GRACE
    }

    /// What is told to those who enqueue.
    pub(crate) fn offered(&self) -> JobKind {
        let Kind { max_payload_bytes, max_attempts, timeout, tenants, .. } = &self.kind;
        JobKind {
            name: self.name.clone(),
            executor: self.kind.executor.as_str().to_owned(),
            payload_schema: self.kind.schema().ok().flatten(), // checked with the configuration
            max_payload_bytes: *max_payload_bytes,
            max_attempts: *max_attempts,
            timeout: *timeout,
            tenants: (!tenants.is_empty()).then(|| tenants.iter().copied().map(TenantId).collect()),
        }
    }
}

/// Does a schema compile?
fn compiles(schema: &serde_json::Value) -> Result<(), String> {
    PayloadSchema::compile(schema).map(drop).map_err(|error| error.to_string())
}
