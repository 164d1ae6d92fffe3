//! PENDING → PREPARING: takes the best-ranked runnable jobs, as many as the worker has slots.

use super::Lease;
use crate::{
    Error, Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, TenantId, WorkerId,
    job::{Cause, JobState},
    trace::TraceContext,
};
use serde_json::Value;
use std::time::Duration;
use tokio_postgres::Row;

/// A wish for work.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The queue to take from.
    pub queue: &'a str,
    /// Who asks.
    pub worker: WorkerId,
    /// At most so many jobs.
    pub slots: u32,
    /// How long the leases last without a heartbeat.
    pub ttl: Duration,
}

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The lease on it.
    pub lease: Lease,
    /// What kind of work it is.
    pub kind: String,
    /// What the work is.
    pub payload: Value,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// What ties the run's traces together.
    pub correlation: CorrelationId,
    /// The trace context of the request that enqueued it.
    pub trace: TraceContext,
    /// How long it was runnable before this claim, by the database's clock.
    pub waited: Duration,
}

impl Store {
    /// Claims the best-ranked runnable jobs of a queue.
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>> {
        if request.slots == 0 {
            return Ok(Vec::new());
        }
        self.run(request).await
    }
}

/// The CTE that ranks is a fence for the planner: without it the limit may be applied again and again. Its ids go
/// on as an array: a plan for any limit expects a tenth of all waiting jobs, and would read every job to join
/// them. The states are literals, so that the partial index fits. A lease row that somebody's repair by hand left behind
/// is taken over: else it would stop every claim that meets this job.
///
/// A job that was handed back keeps its `run_at`, and with it its rank; it has waited since its row changed.
const CLAIM: &str = "-- job.claim
    WITH ranked AS (
        SELECT id, greatest(run_at, updated_at) AS since FROM jobs
        WHERE queue = $1 AND state = 'PENDING' AND run_at <= (SELECT clock_timestamp())
        ORDER BY priority DESC, run_at, id
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE jobs SET state = 'PREPARING', epoch = epoch + 1, last_attempt_at = clock_timestamp()
        WHERE id = ANY (ARRAY(SELECT id FROM ranked)) AND state = 'PENDING'
        RETURNING id, tenant_id, migration_id, run, kind, payload, epoch, attempts, max_attempts, correlation_id,
                  trace, priority, run_at, last_attempt_at
    ), leased AS (
        INSERT INTO leases (job_id, tenant_id, worker_id, epoch, claimed_at, heartbeat_at, expires_at)
        SELECT id, tenant_id, $3, epoch, now.at, now.at, now.at + make_interval(secs => $4::float8)
        FROM claimed, (SELECT clock_timestamp() AS at) AS now
        ON CONFLICT (job_id) DO UPDATE SET
            worker_id = excluded.worker_id, epoch = excluded.epoch, claimed_at = excluded.claimed_at,
            heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at, last_batch = 0,
            phase = NULL, phase_began_at = NULL, overdue_at = NULL
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, tenant_id, $5, $6, $7, 'worker:' || $3::uuid, epoch, attempts + 1,
               nullif(split_part(trace->>'traceparent', '-', 2), '')
        FROM claimed
    )
    SELECT claimed.*, extract(epoch FROM last_attempt_at - since)::double precision AS waited
    FROM claimed JOIN ranked USING (id) ORDER BY priority DESC, run_at, id";

impl Work for ClaimRequest<'_> {
    type Out = Vec<Claimed>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let from = JobState::Pending;
        let to =
            from.to(JobState::Preparing).map_err(|source| Error::Illegal { doing: "job.claim", source })?;
        let (from, to, cause) = (from.as_str(), to.as_str(), Cause::Claimed.as_str());
        let (slots, ttl) = (i64::from(self.slots), self.ttl.as_secs_f64());
        let rows = tx.query(CLAIM, &[&self.queue, &slots, &self.worker.0, &ttl, &from, &to, &cause]).await?;
        rows.iter().map(|row| read(row, self.worker)).collect()
    }
}

fn read(row: &Row, worker: WorkerId) -> Result<Claimed> {
    let lease = super::read_lease(row, worker)?;
    let waited: f64 = row.column("waited")?;
    Ok(Claimed {
        kind: row.column("kind")?,
        payload: row.column("payload")?,
        attempt: count(row, "attempts")? + 1,
        max_attempts: count(row, "max_attempts")?,
        correlation: CorrelationId(row.column("correlation_id")?),
        trace: lease.trace.clone(),
        waited: Duration::from_secs_f64(waited.max(0.0)),
        lease,
    })
}

fn count(row: &Row, column: &str) -> Result<u32> {
    let value: i32 = row.column(column)?;
    u32::try_from(value).map_err(|_| Error::corrupt(format!("column {column} is {value}")))
}
