//! Calls a migration off: at once where its job waits, by a flag that the holder sees where it is leased.

use super::advance::{self, End, Record};
use crate::{
    Result, Store,
    events::append::{History, append},
    jobs::moves::{self, Actor, Move},
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, MigrationId, TenantId, UserId,
    event::NewEvent,
    job::{Cause, JobState},
    migration::MigrationState,
    phase::Phase,
    trace::TraceContext,
};

/// A wish to call a migration off.
#[derive(Clone, Debug)]
pub struct CancelRequest {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which one.
    pub migration: MigrationId,
    /// The request's trace context.
    pub trace: TraceContext,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// This tenant has no such migration.
    NotFound,
    /// It waited, and is cancelled now.
    Cancelled,
    /// A worker holds it and will see the wish with its next heartbeat, or when it is told to look.
    Requested,
    /// It was over before.
    AlreadyOver(MigrationState),
}

impl Store {
    /// Cancels a migration or asks its holder to.
    pub async fn request_cancel(&self, request: &CancelRequest) -> Result<CancelOutcome> {
        self.run(request).await
    }
}

impl Work for CancelRequest {
    type Out = CancelOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<CancelOutcome> {
        let job = moves::lock_last(tx, self.tenant, self.migration).await?;
        let Some(found) = self.find(tx).await? else { return Ok(CancelOutcome::NotFound) };
        if !found.state.is_active() {
            return Ok(CancelOutcome::AlreadyOver(found.state));
        }
        if job.as_ref().is_some_and(|job| job.state.is_leased()) {
            self.ask_holder(tx).await?;
            return Ok(CancelOutcome::Requested);
        }
        // A migration that waits for a person has no job that could still be cancelled.
        if let Some(waiting) = job.filter(|job| job.state.allows(JobState::Cancelled)) {
            let step = Move {
                to: JobState::Cancelled,
                cause: Cause::CancelRequested,
                actor: Actor::User(self.user),
                trace: &self.trace,
                failure: None,
                wait: None,
            };
            moves::apply(tx, &waiting, &step).await?;
        }
        self.mark(tx).await?;
        advance::end(tx, Record { tenant: self.tenant, id: self.migration }, &End::Cancelled).await?;
        let told = NewEvent::cancelled(found.phase, found.progress);
        append(tx, &self.history(&found), &told).await?;
        Ok(CancelOutcome::Cancelled)
    }
}

/// What a migration's record says about it, read under its job's lock.
struct Found {
    state: MigrationState,
    run: i32,
    phase: Option<Phase>,
    progress: i16,
    correlation: CorrelationId,
}

impl CancelRequest {
    async fn find(&self, tx: &Tx<'_>) -> Result<Option<Found>> {
        let sql = "-- migration.find_to_cancel
            SELECT state, run, phase, progress, correlation_id FROM migrations WHERE id = $1 AND tenant_id = $2";
        let Some(row) = tx.query_opt(sql, &[&self.migration.0, &self.tenant.0]).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            state: row.word("state")?,
            run: row.column("run")?,
            phase: row.optional_word("phase")?,
            progress: row.column("progress")?,
            correlation: CorrelationId(row.column("correlation_id")?),
        }))
    }

    /// Sets the flag that the next heartbeat brings to the holder.
    async fn ask_holder(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- job.request_cancel
            UPDATE jobs SET cancel_requested_at = clock_timestamp(), updated_at = clock_timestamp()
            WHERE migration_id = $1 AND tenant_id = $2 AND state IN ('PREPARING', 'RUNNING')
              AND cancel_requested_at IS NULL";
        tx.execute(sql, &[&self.migration.0, &self.tenant.0]).await?;
        self.mark(tx).await
    }

    async fn mark(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- migration.request_cancel
            UPDATE migrations SET cancel_requested_at = clock_timestamp()
            WHERE id = $1 AND tenant_id = $2 AND cancel_requested_at IS NULL";
        tx.execute(sql, &[&self.migration.0, &self.tenant.0]).await.map(drop)
    }

    fn history(&self, found: &Found) -> History<'_> {
        History {
            tenant: self.tenant,
            migration: self.migration,
            run: found.run,
            correlation: found.correlation,
            trace: &self.trace,
        }
    }
}
