//! The worker: claims jobs under leases and carries them out, relays announcements, rescues what other workers
//! lost, and answers what it is doing right now.
//!
//! Postgres decides everything; this process only ever acts on a lease that it can prove, and every write it
//! makes names the lease's epoch. It must never publish before a commit, count an attempt for its own shutdown,
//! or touch the outside world while its lease is in doubt.
//!
//! Start at [`Worker::start`], which names all loops; `claim` takes jobs, `run` carries one out, `phase` holds
//! the five executors, `tasks` those of other kinds of job, `pen` is the only way to write.

mod aside;
mod circuit;
mod claim;
mod compare;
mod config;
mod control;
mod cpu;
mod crawl_journal;
mod deadlines;
mod failure;
mod heartbeat;
mod held;
mod housekeeping;
mod jitter;
mod keys;
mod lease;
mod materials;
mod metrics;
mod objects;
mod outage;
mod package;
mod pen;
mod phase;
mod process;
mod progress;
mod relay;
mod resources;
mod results;
mod retention;
mod run;
mod status;
mod stop;
mod tasks;
mod toolchain;
mod worker;

pub use compare::{Options as CompareOptions, When as CompareWhen};
pub use config::{Config, Fetch, Retry};
pub use deadlines::Options as DeadlineOptions;
pub use lease::Options as LeaseOptions;
pub use process::start;
pub use relay::Options as RelayOptions;
pub use resources::{Needs, Options as ResourceOptions};
pub use retention::Options as RetentionOptions;
pub use tasks::{Error as TasksError, ExecutorName, Kind, Options as TasksOptions};
pub use toolchain::Options as ToolchainOptions;
pub use worker::{Error, Worker};

pub(crate) use stop::Stop;

/// The name under which this service is configured, traced and logged.
pub const SERVICE: &str = "migration-worker";
