//! WAITING_RETRY → PENDING when the wait is over; and jobs that waited for their time come into the lanes.

use super::{Lease, fence, settle};
use crate::{
    Error, Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    TenantId, WorkerId,
    job::{Cause, JobState},
};

impl Store {
    /// WAITING_RETRY → PENDING for jobs whose wait is over, and PENDING jobs whose time has come are put where claims
    /// look; answers how many of both, each at most `limit`. Those that somebody asked to cancel meanwhile are
    /// cancelled in its stead.
    pub async fn promote_due(&self, actor: WorkerId, limit: u32) -> Result<u32> {
        let promoted = self.run(&Promote { actor, limit }).await? + self.run(&ComeDue { limit }).await?;
        // Few if any: a wish to cancel ends a waiting job at once, so one is left only where it came in the
        // very moment in which the attempt failed.
        for lease in self.run(&CalledOff { actor, limit }).await? {
            if let Err(error) = self.run(&Cancel { lease: &lease }).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(job = %lease.job, error, "a job that was called off cannot be cancelled");
            }
        }
        Ok(promoted)
    }
}

struct Promote {
    actor: WorkerId,
    limit: u32,
}

/// As in the claim: ranked in a CTE, passed on as an array, states as literals for the partial index.
const PROMOTE: &str = "-- job.promote
    WITH due AS (
        SELECT id FROM jobs
        WHERE state = 'WAITING_RETRY' AND run_at <= (SELECT clock_timestamp()) AND cancel_requested_at IS NULL
        ORDER BY run_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE jobs SET state = 'PENDING', updated_at = clock_timestamp()
        WHERE id = ANY (ARRAY(SELECT id FROM due)) AND state = 'WAITING_RETRY'
        RETURNING id, tenant_id, queue, epoch, attempts, trace
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, tenant_id, $2, $3, $4, 'worker:' || $5::uuid, epoch, attempts,
               nullif(split_part(trace->>'traceparent', '-', 2), '')
        FROM moved
    )
    INSERT INTO outbox (tenant_id, topic, body, trace)
    SELECT tenant_id, 'job', jsonb_build_object('queue', queue, 'job', id), trace FROM moved";

impl Work for Promote {
    type Out = u32;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u32> {
        let from = JobState::WaitingRetry;
        let to =
            from.to(JobState::Pending).map_err(|source| Error::Illegal { doing: "job.promote", source })?;
        let (from, to, cause) = (from.as_str(), to.as_str(), Cause::RetryDue.as_str());
        let moved = tx.execute(PROMOTE, &[&i64::from(self.limit), &from, &to, &cause, &self.actor.0]).await?;
        if moved > 0 {
            tx.announces();
        }
        Ok(u32::try_from(moved).unwrap_or(u32::MAX)) // the limit was a u32
    }
}

struct ComeDue {
    limit: u32,
}

/// No move: the state stays. Of many for one queue a few are announced: whoever hears of one takes as many as it can.
const COME_DUE: &str = "-- job.come_due
    WITH due AS (
        SELECT id FROM jobs
        WHERE state = 'PENDING' AND scheduled AND run_at <= (SELECT clock_timestamp())
        ORDER BY run_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE jobs SET scheduled = false, updated_at = clock_timestamp()
        WHERE id = ANY (ARRAY(SELECT id FROM due)) AND state = 'PENDING'
        RETURNING id, tenant_id, queue, trace
    ), announced AS (
        INSERT INTO outbox (tenant_id, topic, body, trace)
        SELECT tenant_id, 'job', jsonb_build_object('queue', queue, 'job', id), trace
        FROM (SELECT *, row_number() OVER (PARTITION BY queue) AS place FROM moved) AS moved WHERE place <= 16
    )
    SELECT count(*)::integer AS moved FROM moved";

impl Work for ComeDue {
    type Out = u32;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u32> {
        let moved: i32 = tx.query_one(COME_DUE, &[&i64::from(self.limit)]).await?.column("moved")?;
        if moved > 0 {
            tx.announces();
        }
        Ok(u32::try_from(moved).unwrap_or(u32::MAX)) // the limit was a u32
    }
}

struct CalledOff {
    actor: WorkerId,
    limit: u32,
}

impl Work for CalledOff {
    type Out = Vec<Lease>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- job.called_off
            SELECT id, epoch, tenant_id, migration_id, run, trace FROM jobs
            WHERE state = 'WAITING_RETRY' AND run_at <= (SELECT clock_timestamp())
              AND cancel_requested_at IS NOT NULL
            ORDER BY run_at LIMIT $1";
        let rows = tx.query(sql, &[&i64::from(self.limit)]).await?;
        rows.iter().map(|row| super::read_lease(row, self.actor)).collect()
    }
}

struct Cancel<'a> {
    lease: &'a Lease,
}

impl Work for Cancel<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- job.lock_called_off
            SELECT id FROM jobs
            WHERE id = $1 AND epoch = $2 AND state = 'WAITING_RETRY' AND cancel_requested_at IS NOT NULL
            FOR UPDATE SKIP LOCKED";
        if tx.query_opt(sql, &[&self.lease.job.0, &self.lease.epoch.0]).await?.is_some() {
            let held = fence::read(tx, self.lease).await?;
            settle::cancel(tx, self.lease, &held, None, &[]).await?;
        }
        Ok(())
    }
}
