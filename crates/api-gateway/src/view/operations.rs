//! How the queue looks to operators.

pub(crate) mod gates;
mod jobs;

pub(crate) use jobs::{
    EventLine, HolderView, JobPage, JobView, JobWhole, OfTenant, OperatorLetter, OperatorLetterPage,
    PoisonList,
};

use crate::Instance;
use serde::Serialize;
use store::{Count, LeaseLine, Overview, WorkerLine};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Jobs of a queue are counted up to here.
const COUNTED: i64 = 10_000;

/// A number, and how far it is to be trusted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Number {
    pub(crate) value: i64,
    /// `exact`, `at_least` (counting stopped there) or `estimated` (by the planner's statistics).
    pub(crate) kind: &'static str,
}

impl From<Count> for Number {
    fn from(count: Count) -> Self {
        match count {
            Count::Exact(value) => Self { value, kind: "exact" },
            Count::AtLeast(value) => Self { value, kind: "at_least" },
            Count::Estimated(value) => Self { value, kind: "estimated" },
        }
    }
}

/// The whole at one glance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueOverview {
    /// What the configuration calls this instance.
    pub(crate) instance: InstanceView,
    pub(crate) queues: Vec<QueueView>,
    /// In the order of a job's life.
    pub(crate) states: Vec<StateView>,
    pub(crate) throughput: ThroughputView,
    /// Dead letters that nobody has settled.
    pub(crate) open_dead_letters: Number,
    /// Messages whose bytes could not be read.
    pub(crate) poison: Number,
    /// Queues, organisations and destinations that are paused; see `GET /api/admin/gates`.
    pub(crate) pauses: i64,
    /// The age of the oldest announcement that is not published.
    pub(crate) outbox_oldest_seconds: f64,
    /// How far readers of all histories are held back by a long transaction.
    pub(crate) horizon_lag_seconds: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstanceView {
    pub(crate) name: String,
    /// `green`, `blue`, `violet`, `amber`, `red` or `grey`.
    pub(crate) colour: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueueView {
    pub(crate) queue: String,
    /// Jobs that could run now.
    pub(crate) depth: Number,
    /// How long the oldest of them has waited.
    pub(crate) lag_seconds: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateView {
    pub(crate) state: &'static str,
    pub(crate) jobs: Number,
}

/// What was done lately.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThroughputView {
    /// How long was looked back: 300, or less where more happened than is looked at.
    pub(crate) window_seconds: f64,
    pub(crate) claimed: i64,
    pub(crate) completed: i64,
    pub(crate) retried: i64,
    pub(crate) failed: i64,
}

impl QueueOverview {
    pub(crate) fn of(instance: &Instance, overview: &Overview) -> Self {
        let figures = &overview.figures;
        let queues = figures.queues.iter().map(|queue| QueueView {
            queue: queue.queue.clone(),
            depth: match queue.depth {
                depth if depth >= COUNTED => Count::AtLeast(depth).into(),
                depth => Count::Exact(depth).into(),
            },
            lag_seconds: queue.lag_seconds,
        });
        let states = overview.states.iter();
        let done = overview.throughput;
        Self {
            instance: InstanceView { name: instance.name.clone(), colour: instance.colour.as_str() },
            queues: queues.collect(),
            states: states
                .map(|one| StateView { state: one.state.as_str(), jobs: one.count.into() })
                .collect(),
            throughput: ThroughputView {
                window_seconds: done.window.as_secs_f64(),
                claimed: done.claimed,
                completed: done.completed,
                retried: done.retried,
                failed: done.failed,
            },
            open_dead_letters: overview.open_letters.into(),
            poison: overview.poison.into(),
            pauses: figures.pauses,
            outbox_oldest_seconds: figures.outbox_oldest_seconds,
            horizon_lag_seconds: figures.horizon_lag_seconds,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkerList {
    pub(crate) workers: Vec<WorkerView>,
}

/// A worker that has not said that it stopped.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkerView {
    pub(crate) id: Uuid,
    pub(crate) grpc_address: String,
    /// Jobs that it takes at a time.
    pub(crate) concurrency: i32,
    /// Jobs that it holds.
    pub(crate) held: i64,
    /// What its process holds in memory, as it told with its last heartbeat.
    pub(crate) memory_bytes: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) started_at: OffsetDateTime,
    /// How long ago its last heartbeat was; a worker that lives tells every 10 seconds or so.
    pub(crate) heartbeat_age_seconds: f64,
}

impl From<WorkerLine> for WorkerView {
    fn from(line: WorkerLine) -> Self {
        Self {
            id: line.id.0,
            grpc_address: line.grpc_address,
            concurrency: line.concurrency,
            held: line.held,
            memory_bytes: line.memory_bytes,
            started_at: line.started_at,
            heartbeat_age_seconds: line.silent.as_secs_f64(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeaseList {
    pub(crate) leases: Vec<LeaseView>,
}

/// A worker's time-limited claim on a job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeaseView {
    pub(crate) job_id: Uuid,
    pub(crate) kind: String,
    pub(crate) queue: String,
    pub(crate) tenant_id: Uuid,
    pub(crate) migration_id: Option<Uuid>,
    pub(crate) worker_id: Uuid,
    /// The token that fences the holder's writes: it grows with every claim.
    pub(crate) epoch: i64,
    pub(crate) phase: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) claimed_at: OffsetDateTime,
    pub(crate) heartbeat_age_seconds: f64,
    /// Null if it has run out and nobody has swept it yet.
    pub(crate) expires_in_seconds: Option<f64>,
}

impl From<LeaseLine> for LeaseView {
    fn from(line: LeaseLine) -> Self {
        Self {
            job_id: line.job.0,
            kind: line.kind,
            queue: line.queue,
            tenant_id: line.tenant.0,
            migration_id: line.migration.map(|id| id.0),
            worker_id: line.worker.0,
            epoch: line.epoch.0,
            phase: line.phase.map(super::name),
            claimed_at: line.claimed_at,
            heartbeat_age_seconds: line.silent.as_secs_f64(),
            expires_in_seconds: line.left.map(|left| left.as_secs_f64()),
        }
    }
}
