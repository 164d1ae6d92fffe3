//! The one statement that moves a job from state to state, and writes the transition with it.
//!
//! Every command goes through here but those that move many jobs at once (claim, promote, finish_many), which carry
//! their own. The table in `domain` is asked first, the guard in the WHERE second, the trigger last.

use crate::{
    Error, Result, jsonb,
    tx::{Columns, Tx},
};
use domain::{
    Failure, JobId, MigrationId, TenantId, UserId, WorkerId,
    job::{Cause, JobState},
    trace::TraceContext,
};
use serde_json::Value;
use std::{fmt, time::Duration};
use time::OffsetDateTime;

/// Who moves a job.
#[derive(Clone, Copy)]
pub(crate) enum Actor {
    Worker(WorkerId),
    User(UserId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(id) => write!(f, "worker:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

/// A job's row, locked by this transaction.
pub(crate) struct Locked {
    pub(crate) job: JobId,
    pub(crate) epoch: i64,
    pub(crate) state: JobState,
    pub(crate) attempts: i32,
}

impl Locked {
    /// The number of the attempt that runs, or of the last one that ran.
    fn attempt(&self) -> i32 {
        if self.state.is_leased() { self.attempts + 1 } else { self.attempts }
    }
}

/// The last job of a migration's last run, locked.
pub(crate) async fn lock_last(
    tx: &Tx<'_>,
    tenant: TenantId,
    migration: MigrationId,
) -> Result<Option<Locked>> {
    let sql = "-- job.lock_of_migration
        SELECT id, epoch, state, attempts FROM jobs
        WHERE migration_id = $1 AND tenant_id = $2 ORDER BY run DESC, created_at DESC LIMIT 1
        FOR UPDATE";
    let Some(row) = tx.query_opt(sql, &[&migration.0, &tenant.0]).await? else { return Ok(None) };
    Ok(Some(Locked {
        job: JobId(row.column("id")?),
        epoch: row.column("epoch")?,
        state: row.word("state")?,
        attempts: row.column("attempts")?,
    }))
}

/// A move, and what it changes besides the state.
pub(crate) struct Move<'a> {
    pub(crate) to: JobState,
    pub(crate) cause: Cause,
    pub(crate) actor: Actor,
    pub(crate) trace: &'a TraceContext,
    /// The failure of the attempt that ends with this move, which is counted.
    pub(crate) failure: Option<&'a Failure>,
    /// How long the job waits before it may run.
    pub(crate) wait: Option<Duration>,
}

/// Moves a locked job; answers when it may run.
pub(crate) async fn apply(tx: &Tx<'_>, job: &Locked, step: &Move<'_>) -> Result<OffsetDateTime> {
    apply_with(tx, job, step, None).await
}

/// The same, with the result of a job that is done.
pub(crate) async fn apply_with(
    tx: &Tx<'_>,
    job: &Locked,
    step: &Move<'_>,
    result: Option<&Value>,
) -> Result<OffsetDateTime> {
    let to = job.state.to(step.to).map_err(|source| Error::Illegal { doing: "job.move", source })?;
    let sql = "-- job.move
        WITH moved AS (
            UPDATE jobs SET
                state = $4,
                attempts = $5,
                last_error = coalesce($6, last_error),
                result = $12,
                run_at = coalesce(clock_timestamp() + make_interval(secs => $7::float8), run_at),
                scheduled = $4 = 'PENDING'
                    AND coalesce(clock_timestamp() + make_interval(secs => $7::float8), run_at) > clock_timestamp(),
                updated_at = clock_timestamp(),
                cancel_requested_at = CASE WHEN $8 = 'replayed' THEN NULL ELSE cancel_requested_at END,
                finished_at = CASE WHEN $4 IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN clock_timestamp() END
            WHERE id = $1 AND epoch = $2 AND state = $3
            RETURNING id, tenant_id, epoch, run_at
        ), logged AS (
            INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id,
                                     failure)
            SELECT id, tenant_id, $3, $4, $8, $9, epoch, $10, $11, $6 FROM moved
        )
        SELECT run_at FROM moved";
    let failure = step.failure.map(failure_json);
    let row = tx
        .query_one(
            sql,
            &[
                &job.job.0,
                &job.epoch,
                &job.state.as_str(),
                &to.as_str(),
                &(job.attempts + i32::from(step.failure.is_some())),
                &failure,
                &step.wait.map(|wait| wait.as_secs_f64()),
                &step.cause.as_str(),
                &step.actor.to_string(),
                &job.attempt(),
                &step.trace.trace_id(),
                &result.map(jsonb::storable),
            ],
        )
        .await?;
    row.column("run_at")
}

/// A failure as it is stored.
pub(crate) fn failure_json(failure: &Failure) -> Value {
    jsonb::storable(&serde_json::to_value(failure).expect("strings and a boolean always serialise"))
}
