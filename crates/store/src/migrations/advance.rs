//! Moves a migration's record along with its job. Only called with the job's row locked, if there is one.
//!
//! The table in `domain` is asked first, the guard in the WHERE second, the trigger last.

use crate::{
    Error, Result,
    jobs::moves::failure_json,
    tx::{Columns, Tx},
};
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
    let mut from = locked(tx, record).await?;
    if from == MigrationState::Queued && state == MigrationState::Completed {
        // Every result was taken over from an earlier run, so that no phase was begun.
        enter_phase(tx, record, Phase::Deploy).await?;
        from = MigrationState::Processing;
    }
    moves(from, state)?;
    let sql = "-- migration.end
        UPDATE migrations SET
            state = $3, finished_at = clock_timestamp(), retry_at = NULL,
            project_id = coalesce($4, project_id), error = $5,
            progress = CASE WHEN $3 = 'completed' THEN 100 ELSE progress END
        WHERE id = $1 AND tenant_id = $2 AND state = $6";
    let (id, tenant, state, from) = (record.id.0, record.tenant.0, state.as_str(), from.as_str());
    tx.execute_one(sql, &[&id, &tenant, &state, &project, &error, &from]).await
}

/// A phase of it begins.
pub(crate) async fn enter_phase(tx: &Tx<'_>, record: Record, phase: Phase) -> Result<()> {
    let from = locked(tx, record).await?;
    let mut state = phase.migration_state();
    // A release before this one planned while processing: such a run does not go back.
    if from == MigrationState::Processing {
        state = from;
    }
    if from != state {
        moves(from, state)?;
    }
    let sql = "-- migration.enter_phase
        UPDATE migrations SET state = $3, phase = $4 WHERE id = $1 AND tenant_id = $2 AND state = $5";
    let (id, tenant, from) = (record.id.0, record.tenant.0, from.as_str());
    tx.execute_one(sql, &[&id, &tenant, &state.as_str(), &phase.as_str(), &from]).await
}

/// Its state, which stays so to the end of the transaction.
async fn locked(tx: &Tx<'_>, record: Record) -> Result<MigrationState> {
    let sql = "-- migration.lock_state
        SELECT state FROM migrations WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
    tx.query_one(sql, &[&record.id.0, &record.tenant.0]).await?.word("state")
}

fn moves(from: MigrationState, to: MigrationState) -> Result<()> {
    from.to(to).map(drop).map_err(|source| Error::Illegal { doing: "migration.move", source })
}

/// It waits for its owner's word on the plan. Its job is over.
pub(crate) async fn await_answer(tx: &Tx<'_>, record: Record) -> Result<()> {
    to(tx, record, MigrationState::Questionnaire).await
}

/// The word was given: it is worked at again.
pub(crate) async fn go_on(tx: &Tx<'_>, record: Record) -> Result<()> {
    to(tx, record, MigrationState::Processing).await
}

async fn to(tx: &Tx<'_>, record: Record, state: MigrationState) -> Result<()> {
    let from = locked(tx, record).await?;
    moves(from, state)?;
    let sql = "-- migration.move
        UPDATE migrations SET state = $3 WHERE id = $1 AND tenant_id = $2 AND state = $4";
    tx.execute_one(sql, &[&record.id.0, &record.tenant.0, &state.as_str(), &from.as_str()]).await
}

/// Its dead job was put back: the same run goes on.
pub(crate) async fn queue_again(tx: &Tx<'_>, record: Record) -> Result<()> {
    let from = locked(tx, record).await?;
    moves(from, MigrationState::Queued)?;
    let sql = "-- migration.replay
        UPDATE migrations SET
            state = 'queued', finished_at = NULL, error = NULL, retry_at = NULL, cancel_requested_at = NULL
        WHERE id = $1 AND tenant_id = $2 AND state = $3";
    tx.execute_one(sql, &[&record.id.0, &record.tenant.0, &from.as_str()]).await
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
