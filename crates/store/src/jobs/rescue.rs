//! Takes jobs from workers whose leases ran out, whose work hangs, or who do not heed a wish to cancel; any worker may.
//!
//! Two clocks tell: heartbeats that stopped find dead workers, deadlines find attempts that take too long although
//! their worker lives. The first that is past names the cause.
//!
//! Nothing is swept until Postgres itself has been up for one ttl: while it was away, nobody could renew. The
//! postmaster's start tells of an orderly restart; it outlives the crash of another process, after which the
//! server recovers and starts its statistics anew: their reset tells of that. A tenant's jobs are taken in one
//! transaction; if that fails, each in one of its own, so that one bad row cannot hold up the others.

use super::{
    Lease,
    fence::{self, Held},
    settle::{self, Attempt, settle},
};
use crate::{
    Error, Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    Failure, JobId, Kind, MigrationId, TenantId, WorkerId,
    deadline::Deadlines,
    job::{Cause, JobState},
    phase::Phase,
    retry,
};
use serde_json::{Value, json};
use std::{error::Error as StdError, time::Duration};
use tokio_postgres::types::ToSql;

/// A sweep of leases that ran out and of attempts that hang.
#[derive(Clone, Copy, Debug)]
pub struct RescueRequest<'a> {
    /// Who sweeps.
    pub worker: WorkerId,
    /// The leases' ttl: nothing is swept until Postgres has been up that long.
    pub ttl: Duration,
    /// How long phases and attempts may take.
    pub deadlines: &'a Deadlines,
    /// How long the holder of a job that was called off has to let go of it.
    pub cancel_grace: Duration,
    /// At most so many jobs.
    pub limit: u32,
    /// What follows a lost attempt; the job's own `max_attempts` overrules the policy's.
    pub policy: &'a retry::Policy,
    /// A uniform draw from `0.0..1.0`; each job's own is derived from it and the job's id.
    pub jitter: f64,
}

/// A job that was taken from its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The job.
    pub job: JobId,
    /// The migration that it carries out.
    pub migration: Option<MigrationId>,
    /// Where it went: WAITING_RETRY, FAILED or CANCELLED.
    pub to: JobState,
    /// Which clock told: the lease ran out, the phase or the attempt took too long, or nobody heeded a wish to cancel.
    pub cause: Cause,
}

impl Store {
    /// Takes jobs from workers whose leases ran out or whose work hangs. A lost attempt counts; a job whose cancellation was
    /// requested is cancelled; one that used up its attempts gets its dead letter and its last events here.
    pub async fn rescue_expired(&self, request: &RescueRequest<'_>) -> Result<Vec<Rescued>> {
        let mut expired = self.run(&Expired { request }).await?;
        // In this order every sweep and heartbeat locks, so that none waits for another in a circle.
        expired.sort_by_key(|lease| (lease.tenant, lease.job));
        let mut rescued = Vec::new();
        for batch in expired.chunk_by(|one, other| one.tenant == other.tenant) {
            match self.run(&Rescue { request, batch }).await {
                Ok(taken) => rescued.extend(taken),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn StdError,
                        "a batch of rescues failed; taking each alone"
                    );
                    rescued.extend(self.rescue_one_by_one(request, batch).await?);
                }
            }
        }
        Ok(rescued)
    }

    async fn rescue_one_by_one(&self, request: &RescueRequest<'_>, batch: &[Lease]) -> Result<Vec<Rescued>> {
        let mut rescued = Vec::new();
        for lease in batch {
            match self.run(&Rescue { request, batch: std::slice::from_ref(lease) }).await {
                Ok(taken) => rescued.extend(taken),
                // Without a database the next row fares no better; what was taken is committed and found
                // by whoever looks.
                Err(error) if error.kind() == Kind::Unavailable && !error.is_lost_race() => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::error!(job = %lease.job, error = &error as &dyn StdError, "a job cannot be rescued");
                }
            }
        }
        Ok(rescued)
    }
}

/// The leases with a time that is up, as leases of the sweeper.
struct Expired<'a> {
    request: &'a RescueRequest<'a>,
}

impl Work for Expired<'_> {
    type Out = Vec<Lease>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- lease.expired
            WITH suspects AS (
                SELECT job_id, epoch, expires_at FROM leases
                WHERE least(expires_at, coalesce(overdue_at, claimed_at + make_interval(secs => $3::float8)),
                            phase_began_at + make_interval(secs => ($4::jsonb->>phase)::float8))
                      <= (SELECT clock_timestamp())
                UNION
                SELECT jobs.id, jobs.epoch, leases.expires_at
                FROM jobs JOIN leases ON leases.job_id = jobs.id AND leases.epoch = jobs.epoch
                WHERE jobs.state IN ('PREPARING', 'RUNNING')
                  AND jobs.cancel_requested_at <= (SELECT clock_timestamp()) - make_interval(secs => $5::float8)
            )
            SELECT jobs.id, jobs.epoch, jobs.tenant_id, jobs.migration_id, jobs.run, jobs.trace
            FROM suspects JOIN jobs ON jobs.id = suspects.job_id AND jobs.epoch = suspects.epoch
            WHERE clock_timestamp() >= make_interval(secs => $1::float8)
                  + greatest(pg_postmaster_start_time(), (SELECT stats_reset FROM pg_stat_bgwriter))
              AND jobs.state IN ('PREPARING', 'RUNNING')
            ORDER BY suspects.expires_at LIMIT $2";
        let (job, phases) = limits(self.request.deadlines);
        let (ttl, most) = (self.request.ttl.as_secs_f64(), i64::from(self.request.limit));
        let grace = self.request.cancel_grace.as_secs_f64();
        let rows = tx.query(sql, &[&ttl, &most, &job, &phases, &grace]).await?;
        rows.iter().map(|row| super::read_lease(row, self.request.worker)).collect()
    }
}

/// Some lost leases of one tenant.
struct Rescue<'a> {
    request: &'a RescueRequest<'a>,
    batch: &'a [Lease],
}

impl Work for Rescue<'_> {
    type Out = Vec<Rescued>;

    fn tenant(&self) -> Option<TenantId> {
        self.batch.first().map(|lease| lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let mut rescued = Vec::new();
        for lease in self.batch {
            if let Some((held, lost)) = prove_lost(tx, lease, self.request).await? {
                let to = self.settle(tx, lease, &held, &lost).await?;
                rescued.push(Rescued {
                    job: lease.job,
                    migration: lease.carries.map(|of| of.migration),
                    to,
                    cause: lost.cause,
                });
            }
        }
        Ok(rescued)
    }
}

impl Rescue<'_> {
    async fn settle(&self, tx: &Tx<'_>, lease: &Lease, held: &Held, lost: &Lost) -> Result<JobState> {
        let Some(failure) = &lost.failure else {
            settle::cancel(tx, lease, held, None, &[]).await?;
            return Ok(JobState::Cancelled);
        };
        let attempt = u32::try_from(held.row.attempts + 1)
            .map_err(|_| Error::corrupt(format!("job {} has {} attempts", lease.job, held.row.attempts)))?;
        let max_attempts = u32::try_from(held.max_attempts).unwrap_or(1); // the column is at least 1
        let policy = retry::Policy { max_attempts, ..*self.request.policy };
        let draw = jitter_of(self.request.jitter, lease.job);
        let verdict = match lease.carries {
            Some(_) => policy.judge(failure, attempt, draw),
            None => policy.judge_task(failure, attempt, draw),
        };
        settle(tx, &Attempt { lease, held, failure, verdict, cause: lost.cause, events: &[] }).await
    }
}

/// Locks the job, then proves the premise again where it counts: the lease is deleted only if it is still of
/// this epoch and still past one of its times. A heartbeat that came first has renewed it, a next phase has begun;
/// who comes now finds nothing.
async fn prove_lost(tx: &Tx<'_>, lease: &Lease, request: &RescueRequest<'_>) -> Result<Option<(Held, Lost)>> {
    let lock = "-- job.lock_expired
        SELECT coalesce(cancel_requested_at + make_interval(secs => $3::float8) <= clock_timestamp(), false)
               AS called_off
        FROM jobs WHERE id = $1 AND epoch = $2 AND state IN ('PREPARING', 'RUNNING')
        FOR UPDATE SKIP LOCKED";
    let grace = request.cancel_grace.as_secs_f64();
    // Locked by somebody else: its holder is writing just now, so it is not lost.
    let Some(row) = tx.query_opt(lock, &[&lease.job.0, &lease.epoch.0, &grace]).await? else {
        return Ok(None);
    };
    let called_off: bool = row.column("called_off")?;
    let premise = "-- lease.take
        DELETE FROM leases
        WHERE job_id = $1 AND epoch = $2
          AND ($5 OR least(expires_at, coalesce(overdue_at, claimed_at + make_interval(secs => $3::float8)),
                    phase_began_at + make_interval(secs => ($4::jsonb->>phase)::float8)) <= clock_timestamp())
        RETURNING expires_at <= clock_timestamp() AS expired, phase,
                  coalesce(phase_began_at + make_interval(secs => ($4::jsonb->>phase)::float8)
                           <= clock_timestamp(), false) AS phase_overdue";
    let (job, phases) = limits(request.deadlines);
    let key: [&(dyn ToSql + Sync); 5] = [&lease.job.0, &lease.epoch.0, &job, &phases, &called_off];
    let Some(row) = tx.query_opt(premise, &key).await? else { return Ok(None) };
    let lost = match (row.column("expired")?, called_off) {
        // Whoever wished it gets it, whatever else is the matter with a worker that does not heed.
        (false, true) => Lost { cause: Cause::CancelRequested, failure: None },
        (expired, _) => Lost::of(expired, row.column("phase_overdue")?, row.optional_word("phase")?),
    };
    Ok(fence::prove(tx, lease).await?.map(|held| (held, lost)))
}

/// The deadlines as the statements take them, in seconds.
fn limits(deadlines: &Deadlines) -> (f64, Value) {
    let phases = Phase::ALL.map(|phase| (phase.to_string(), json!(deadlines.of(phase).as_secs_f64())));
    (deadlines.job.as_secs_f64(), Value::Object(phases.into_iter().collect()))
}

/// Why a job is taken away.
struct Lost {
    cause: Cause,
    /// The failure of the attempt; none where nothing failed but a wish was not heeded.
    failure: Option<Failure>,
}

impl Lost {
    /// A worker that stopped answering explains all the rest; a phase that hangs, that the whole takes too long.
    fn of(expired: bool, phase_overdue: bool, phase: Option<Phase>) -> Self {
        let (cause, failure) = match (expired, phase_overdue) {
            (true, _) => (Cause::LeaseExpired, Failure::lost_worker()),
            (false, true) => (Cause::PhaseOverdue, Failure::phase_overdue(phase)),
            (false, false) => (Cause::JobOverdue, Failure::job_overdue()),
        };
        Self { cause, failure: Some(failure) }
    }
}

/// One draw serves a whole sweep, but jobs that were lost together must not come back together.
fn jitter_of(draw: f64, job: JobId) -> f64 {
    const STEPS: u32 = 1 << 20;
    let own = u32::try_from(job.0.as_u128() % u128::from(STEPS)).unwrap_or(0); // under 2^20 by the modulus
    (draw + f64::from(own) / f64::from(STEPS)).fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn each_job_draws_its_own_jitter() {
        let (one, other) = (JobId(Uuid::from_u128(1 << 18)), JobId(Uuid::from_u128(1 << 19)));
        assert_eq!(jitter_of(0.5, one), 0.75);
        assert_eq!(jitter_of(0.5, other), 0.0);
    }
}
