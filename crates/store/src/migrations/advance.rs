//! Moves a migration's record along with its job. Only called with the job's row locked.

use crate::{Result, jobs::moves::failure_json, tx::Tx};
use domain::{Failure, MigrationId, TenantId, migration::MigrationState, phase::Phase};
use time::OffsetDateTime;
use uuid::Uuid;

/// Which record.
#[derive(Clone, Copy)]
pub(crate) struct Record {
    pub(crate) tenant: TenantId,
    pub(crate) id: MigrationId,
}

/// How a migration ends.
pub(crate) enum End<'a> {
    Completed(Uuid),
    Failed(&'a Failure),
    Cancelled,
}

/// Ends it.
pub(crate) async fn end(tx: &Tx<'_>, record: Record, how: &End<'_>) -> Result<()> {
    let (state, project, error) = match how {
        End::Completed(project) => (MigrationState::Completed, Some(project), None),
        End::Failed(failure) => (MigrationState::Failed, None, Some(failure_json(failure))),
        End::Cancelled => (MigrationState::Cancelled, None, None),
    };
    let sql = "-- migration.end
        UPDATE migrations SET
            state = $3, finished_at = clock_timestamp(), retry_at = NULL,
            project_id = coalesce($4, project_id), error = $5,
            progress = CASE WHEN $3 = 'completed' THEN 100 ELSE progress END
        WHERE id = $1 AND tenant_id = $2 AND state NOT IN ('completed', 'failed', 'cancelled')";
    tx.execute_one(sql, &[&record.id.0, &record.tenant.0, &state.as_str(), &project, &error]).await
}

/// A phase of it begins.
pub(crate) async fn enter_phase(tx: &Tx<'_>, record: Record, phase: Phase) -> Result<()> {
    let sql = "-- migration.enter_phase
        UPDATE migrations SET state = $3, phase = $4
        WHERE id = $1 AND tenant_id = $2 AND state NOT IN ('completed', 'failed', 'cancelled')";
    let state = phase.migration_state().as_str();
    tx.execute_one(sql, &[&record.id.0, &record.tenant.0, &state, &phase.as_str()]).await
}

/// It waits for another attempt.
pub(crate) async fn await_retry(tx: &Tx<'_>, record: Record, at: OffsetDateTime) -> Result<()> {
    let sql = "-- migration.await_retry
        UPDATE migrations SET retry_count = retry_count + 1, retry_at = $3
        WHERE id = $1 AND tenant_id = $2 AND state NOT IN ('completed', 'failed', 'cancelled')";
    tx.execute_one(sql, &[&record.id.0, &record.tenant.0, &at]).await
}

/// The attempt that it waited for runs.
pub(crate) async fn stop_waiting(tx: &Tx<'_>, record: Record) -> Result<()> {
    let sql = "-- migration.stop_waiting
        UPDATE migrations SET retry_at = NULL WHERE id = $1 AND tenant_id = $2 AND retry_at IS NOT NULL";
    tx.execute(sql, &[&record.id.0, &record.tenant.0]).await.map(drop)
}
