//! A person calls a job off that carries out no migration: at once where it waits, by a flag that the holder sees where
//! it is leased.

use crate::{
    Result, Store,
    jobs::moves::{self, Actor, Locked, Move},
    tx::{Columns, Tx, Work},
};
use domain::{
    JobId, MigrationId, TenantId, UserId,
    job::{Cause, JobState},
    trace::TraceContext,
};
use uuid::Uuid;

/// A wish to call a job off.
#[derive(Clone, Debug)]
pub struct StopRequest {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which one.
    pub job: JobId,
    /// The request's trace context.
    pub trace: TraceContext,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOutcome {
    /// This tenant has no such job.
    NotFound,
    /// It carries out this migration, which is called off as a whole or not at all.
    OfMigration(MigrationId),
    /// It waited, and is cancelled now.
    Cancelled,
    /// A worker holds it and will see the wish with its next heartbeat, or when it is told to look.
    Requested,
    /// It was over before.
    AlreadyOver(JobState),
}

impl Store {
    /// Cancels a job or asks its holder to.
    pub async fn stop_job(&self, request: &StopRequest) -> Result<StopOutcome> {
        self.run(request).await
    }
}

impl Work for StopRequest {
    type Out = StopOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<StopOutcome> {
        let sql = "-- job.lock_to_stop
            SELECT id, epoch, state, attempts, migration_id FROM jobs WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
        let Some(row) = tx.query_opt(sql, &[&self.job.0, &self.tenant.0]).await? else {
            return Ok(StopOutcome::NotFound);
        };
        if let Some(migration) = row.column::<Option<Uuid>>("migration_id")? {
            return Ok(StopOutcome::OfMigration(MigrationId(migration)));
        }
        let job = Locked {
            job: self.job,
            epoch: row.column("epoch")?,
            state: row.word("state")?,
            attempts: row.column("attempts")?,
        };
        if job.state.is_leased() {
            let sql = "-- job.request_stop
                UPDATE jobs SET cancel_requested_at = clock_timestamp(), updated_at = clock_timestamp()
                WHERE id = $1 AND state IN ('PREPARING', 'RUNNING') AND cancel_requested_at IS NULL";
            tx.execute(sql, &[&self.job.0]).await?;
            return Ok(StopOutcome::Requested);
        }
        if !job.state.allows(JobState::Cancelled) {
            return Ok(StopOutcome::AlreadyOver(job.state));
        }
        let step = Move {
            to: JobState::Cancelled,
            cause: Cause::CancelRequested,
            actor: Actor::User(self.user),
            trace: &self.trace,
            failure: None,
            wait: None,
        };
        moves::apply(tx, &job, &step).await?;
        Ok(StopOutcome::Cancelled)
    }
}
