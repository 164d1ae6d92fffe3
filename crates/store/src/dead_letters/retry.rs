//! A person has a job tried again that failed and carries out no migration: its dead letter is replayed.

use super::replay::{ReplayOutcome, is_double, replay};
use crate::{
    Error, IdempotentWrite, Result, Store, StoredAnswer, idempotency,
    tx::{Columns, Tx, Work},
};
use domain::{
    JobId, MigrationId, TenantId, UserId, dead_letter::LetterState, idempotency::Verdict, job::JobState,
    trace::TraceContext,
};
use uuid::Uuid;

/// A wish to have a failed job tried again.
#[derive(Clone, Debug)]
pub struct JobRetry {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which one.
    pub job: JobId,
    /// The request's trace context.
    pub trace: TraceContext,
    /// What to keep if the request carried an Idempotency-Key.
    pub idempotency: Option<IdempotentWrite>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum JobRetryOutcome {
    /// It waits for a worker, with all its attempts before it again.
    Retried,
    /// Nothing was written: this request was answered before.
    Replayed(StoredAnswer),
    /// Nothing was written: the key was used with another body.
    KeyMismatch,
    /// Nothing was written: another request with this key is being carried out right now.
    KeyInFlight,
    /// This tenant has no such job.
    NotFound,
    /// It carries out this migration, which is retried as a whole.
    OfMigration(MigrationId),
    /// It has not failed.
    NotFailed(JobState),
    /// Its dead letter was settled in this way.
    Settled(LetterState),
    /// Another job of the kind is not over and has the same unique key.
    UniqueTaken(JobId),
}

impl Store {
    /// FAILED → PENDING, at a person's wish.
    pub async fn retry_job(&self, wish: &JobRetry) -> Result<JobRetryOutcome> {
        match self.run(wish).await {
            // Somebody enqueued another job with the same key in this very moment: the second look finds it.
            Err(error) if is_double(&error) => self.run(wish).await,
            decided => decided,
        }
    }
}

impl Work for JobRetry {
    type Out = JobRetryOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<JobRetryOutcome> {
        if let Some(write) = &self.idempotency {
            match idempotency::enter(tx, self.tenant, write).await? {
                Verdict::Fresh => {}
                Verdict::Replay(answer) => return Ok(JobRetryOutcome::Replayed(answer)),
                Verdict::Mismatch => return Ok(JobRetryOutcome::KeyMismatch),
                Verdict::InFlight => return Ok(JobRetryOutcome::KeyInFlight),
            }
        }
        let sql = "-- job.lock_to_retry
            SELECT state, migration_id FROM jobs WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
        let Some(row) = tx.query_opt(sql, &[&self.job.0, &self.tenant.0]).await? else {
            return Ok(JobRetryOutcome::NotFound);
        };
        if let Some(migration) = row.column::<Option<Uuid>>("migration_id")? {
            return Ok(JobRetryOutcome::OfMigration(MigrationId(migration)));
        }
        let state: JobState = row.word("state")?;
        if state != JobState::Failed {
            return Ok(JobRetryOutcome::NotFailed(state));
        }
        let sql = "-- dead_letter.last_of_job
            SELECT id FROM dead_letters WHERE job_id = $1 AND tenant_id = $2 ORDER BY epoch DESC LIMIT 1";
        let letter: Uuid = tx.query_one(sql, &[&self.job.0, &self.tenant.0]).await?.column("id")?;
        match replay(tx, self.tenant, self.user, letter, &self.trace).await? {
            ReplayOutcome::Replayed(_) => {}
            ReplayOutcome::Settled(settled) => return Ok(JobRetryOutcome::Settled(settled)),
            ReplayOutcome::UniqueTaken(other) => return Ok(JobRetryOutcome::UniqueTaken(other)),
            other => {
                return Err(Error::corrupt(format!("job {} failed and its letter is {other:?}", self.job)));
            }
        }
        if let Some(write) = &self.idempotency {
            idempotency::keep(tx, self.tenant, write).await?;
        }
        Ok(JobRetryOutcome::Retried)
    }
}
