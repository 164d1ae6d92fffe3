//! Jobs under leases: one file per command of their state machine.
//!
//! PENDING → PREPARING (`claim`) → RUNNING (`begin`, or the claim itself) → COMPLETED (`complete`); a failed or lost attempt goes
//! to WAITING_RETRY, FAILED or CANCELLED (`fail`, `rescue`), from where `promote` brings it back; `hand_back`
//! `park` and `cancel` say what they do. `heartbeat` keeps the leases alive meanwhile. Every write under a lease
//! passes the `fence` first, and every move goes through `moves`, but those of many at once (`claim`, `promote`, `batch`).

mod batch;
mod begin;
mod cancel;
mod claim;
mod complete;
mod ended;
mod enqueue;
mod fail;
pub(crate) mod fence;
mod hand_back;
mod heartbeat;
mod leased;
pub(crate) mod moves;
mod park;
pub(crate) mod phase;
mod promote;
mod read;
mod rescue;
mod settle;
mod stop;
mod survey;
pub(crate) mod together;
pub(crate) mod turns;

pub use batch::MAX_AT_ONCE;
pub use begin::Told;
pub use claim::{ClaimRequest, Claimed, Taken};
pub use complete::Completion;
pub use enqueue::{EARLIEST, EnqueueOutcome, EnqueueRequest, Enqueued, LATEST, MAX_BATCH, NewTask};
pub use fail::FailedAttempt;
pub use heartbeat::Kept;
pub use phase::PhaseStart;
pub use read::{JobPage, JobRecord, JobsFound, MovesPage};
pub use rescue::{RescueRequest, Rescued};
pub use stop::{StopOutcome, StopRequest};

use crate::{Error, Result, jsonb, tx::Columns};
use domain::{Epoch, JobId, MigrationId, TenantId, WorkerId, trace::TraceContext};
use tokio_postgres::Row;
use uuid::Uuid;

/// A worker's claim on a job: what every fenced write names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token.
    pub epoch: Epoch,
    /// The process that holds it.
    pub worker: WorkerId,
    /// The job's tenant.
    pub tenant: TenantId,
    /// What it carries out of a migration; none: the job is of another kind.
    pub carries: Option<MigrationRun>,
    /// The trace context that what is written under this lease carries: the enqueuing request's until the
    /// holder puts its own span's there (see [`Lease::traced`]).
    pub trace: TraceContext,
}

/// One run of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationRun {
    /// Which migration.
    pub migration: MigrationId,
    /// Its run, from 1.
    pub run: i32,
}

impl Lease {
    /// The same lease, writing in another span.
    #[must_use]
    pub fn traced(&self, trace: TraceContext) -> Self {
        Self { trace, ..self.clone() }
    }

    /// The run that it carries out, for what only such a job may write.
    pub(crate) fn migration_run(&self) -> Result<MigrationRun> {
        self.carries.ok_or_else(|| Error::corrupt(format!("job {} belongs to no migration", self.job)))
    }
}

/// The result of a write under a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fenced<T> {
    /// Written.
    Done(T),
    /// Nothing was written: the lease is no longer the job's.
    Stale,
}

impl<T> Fenced<T> {
    /// The same answer, with something else written.
    pub fn map<U>(self, written: impl FnOnce(T) -> U) -> Fenced<U> {
        match self {
            Self::Done(value) => Fenced::Done(written(value)),
            Self::Stale => Fenced::Stale,
        }
    }
}

/// A lease for `worker` out of a job's columns `id`, `epoch`, `tenant_id`, `migration_id`, `run` and `trace`.
fn read_lease(row: &Row, worker: WorkerId) -> Result<Lease> {
    let id: Uuid = row.column("id")?;
    let carries = match (row.column::<Option<Uuid>>("migration_id")?, row.column("run")?) {
        (Some(migration), Some(run)) => Some(MigrationRun { migration: MigrationId(migration), run }),
        (None, None) => None,
        _ => return Err(Error::corrupt(format!("job {id} is of half a run"))),
    };
    Ok(Lease {
        job: JobId(id),
        epoch: Epoch(row.column("epoch")?),
        worker,
        tenant: TenantId(row.column("tenant_id")?),
        carries,
        trace: jsonb::read_trace(row.column("trace")?),
    })
}
