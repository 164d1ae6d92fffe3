//! The fence: no write under a lease happens unless the job's row still carries its epoch (law 3).
//!
//! The row is locked here first, before the lease and the event head (law 13), and stays locked to the end of
//! the transaction, so that what was proved holds until the commit. Whether the lease's time is up does not
//! matter here: as long as nobody took the job, its holder may finish what it does.

use super::{
    Lease, MigrationRun,
    moves::{Actor, Locked},
};
use crate::{
    Result,
    events::append::{History, append},
    tracking,
    tx::{Columns, Tx},
};
use domain::{CorrelationId, event::NewEvent, job::Cause, tracking::Outcome};
use tokio_postgres::types::ToSql;

/// A job's row under a lease that was proved.
pub(crate) struct Held {
    pub(crate) row: Locked,
    pub(crate) max_attempts: i32,
    pub(crate) cancel_requested: bool,
    pub(crate) queue: String,
    correlation: CorrelationId,
}

impl Held {
    /// Tells the history of the migration that the job carries out; a job of another kind has none.
    pub(crate) async fn tell(&self, tx: &Tx<'_>, lease: &Lease, events: &[NewEvent]) -> Result<()> {
        let Some(MigrationRun { migration, run }) = lease.carries else { return Ok(()) };
        let (tenant, correlation, trace) = (lease.tenant, self.correlation, &lease.trace);
        append(tx, &History { tenant, migration, run, correlation, trace }, events).await
    }
}

impl Lease {
    pub(crate) fn actor(&self) -> Actor {
        Actor::Worker(self.worker)
    }
}

/// Locks and proves. `None`: the lease is no longer the job's.
pub(crate) async fn prove(tx: &Tx<'_>, lease: &Lease) -> Result<Option<Held>> {
    let sql = "-- job.fence
        SELECT id FROM jobs
        WHERE id = $1 AND epoch = $2 AND tenant_id = $3 AND migration_id IS NOT DISTINCT FROM $4
          AND run IS NOT DISTINCT FROM $5
          AND state IN ('PREPARING', 'RUNNING')
        FOR UPDATE";
    let (migration, run) = lease.carries.map(|of| (of.migration.0, of.run)).unzip();
    let key: [&(dyn ToSql + Sync); 5] = [&lease.job.0, &lease.epoch.0, &lease.tenant.0, &migration, &run];
    match tx.query_opt(sql, &key).await? {
        Some(_) => read(tx, lease).await.map(Some),
        None => Ok(None),
    }
}

/// Reads a job's row that this transaction has locked.
pub(crate) async fn read(tx: &Tx<'_>, lease: &Lease) -> Result<Held> {
    let sql = "-- job.held
        SELECT state, attempts, max_attempts, cancel_requested_at IS NOT NULL AS cancel_requested, queue,
               correlation_id
        FROM jobs WHERE id = $1";
    let row = tx.query_one(sql, &[&lease.job.0]).await?;
    Ok(Held {
        row: Locked {
            job: lease.job,
            epoch: lease.epoch.0,
            state: row.word("state")?,
            attempts: row.column("attempts")?,
        },
        max_attempts: row.column("max_attempts")?,
        cancel_requested: row.column("cancel_requested")?,
        queue: row.column("queue")?,
        correlation: CorrelationId(row.column("correlation_id")?),
    })
}

/// Deletes the lease's row, and closes what was tracked under it: the job has left, for this cause, the states in which
/// somebody holds it.
pub(crate) async fn release(tx: &Tx<'_>, lease: &Lease, cause: Cause) -> Result<()> {
    // Only phases are tracked.
    if let Some(outcome) = Outcome::of(cause).filter(|_| lease.carries.is_some()) {
        tracking::close(tx, lease, None, outcome).await?;
    }
    let sql = "-- lease.release\nDELETE FROM leases WHERE job_id = $1 AND epoch = $2";
    tx.execute(sql, &[&lease.job.0, &lease.epoch.0]).await.map(drop)
}
