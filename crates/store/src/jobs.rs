//! Jobs under leases: one file per command of their state machine.
//!
//! PENDING → PREPARING (`claim`) → RUNNING (`begin`) → COMPLETED (`complete`); a failed or lost attempt goes
//! to WAITING_RETRY, FAILED or CANCELLED (`fail`, `rescue`), from where `promote` brings it back; `hand_back`
//! and `cancel` say what they do. `heartbeat` keeps the leases alive meanwhile. Every write under a lease
//! passes the `fence` first, and every move goes through `moves`.

mod begin;
mod cancel;
mod claim;
mod complete;
mod ended;
mod fail;
pub(crate) mod fence;
mod hand_back;
mod heartbeat;
mod leased;
pub(crate) mod moves;
pub(crate) mod phase;
mod promote;
mod rescue;
mod settle;

pub use begin::Told;
pub use claim::{ClaimRequest, Claimed};
pub use complete::Completion;
pub use fail::FailedAttempt;
pub use heartbeat::Kept;
pub use phase::PhaseStart;
pub use rescue::{RescueRequest, Rescued};

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
    /// The migration that the job carries out.
    pub migration: MigrationId,
    /// The run that it carries out.
    pub run: i32,
    /// The trace context that what is written under this lease carries: the enqueuing request's until the
    /// holder puts its own span's there (see [`Lease::traced`]).
    pub trace: TraceContext,
}

impl Lease {
    /// The same lease, writing in another span.
    #[must_use]
    pub fn traced(&self, trace: TraceContext) -> Self {
        Self { trace, ..self.clone() }
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
    let orphan = || Error::corrupt(format!("job {id} belongs to no migration"));
    Ok(Lease {
        job: JobId(id),
        epoch: Epoch(row.column("epoch")?),
        worker,
        tenant: TenantId(row.column("tenant_id")?),
        migration: MigrationId(row.column::<Option<Uuid>>("migration_id")?.ok_or_else(orphan)?),
        run: row.column::<Option<i32>>("run")?.ok_or_else(orphan)?,
        trace: jsonb::read_trace(row.column("trace")?),
    })
}
