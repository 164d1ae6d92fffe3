//! The statement of a claim: of each lane the best-ranked jobs, as many as were dealt to it, become this worker's.

use super::{ClaimRequest, Claimed};
use crate::{
    Error, Result,
    jobs::read_lease,
    jsonb,
    tx::{Columns, Tx},
};
use domain::{
    CorrelationId, WorkerId,
    job::{Cause, JobState},
    turn::Lane,
};
use std::time::Duration;
use tokio_postgres::Row;
use uuid::Uuid;

/// Claims so many jobs of each lane.
pub(super) async fn claim(
    tx: &Tx<'_>,
    request: &ClaimRequest<'_>,
    lanes: &[Lane],
    picks: &[u32],
) -> Result<Vec<Claimed>> {
    let dealt = || lanes.iter().zip(picks).filter(|(_, picks)| **picks > 0);
    let tenants: Vec<Uuid> = dealt().map(|(lane, _)| lane.tenant.0).collect();
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let destinations: Vec<&str> = dealt().map(|(lane, _)| lane.destination.as_str()).collect();
    let most: Vec<i64> = dealt().map(|(_, picks)| i64::from(*picks)).collect();
    // What came meanwhile and ranks better is for the next claim. Of a lane that was dealt to, something was seen.
    let least: Vec<i64> = dealt().map(|(lane, _)| lane.ranks.first().copied().unwrap_or_default()).collect();
    let ClaimRequest { queue, worker, ttl, begin, .. } = *request;
    let Moves { into, from, to, causes } = Moves::of(begin.is_some())?;
    let (worker_id, ttl, limit) = (worker.0, ttl.as_secs_f64(), begin.map(|limit| limit.as_secs_f64()));
    let rows = tx
        .query(
            CLAIM,
            &[
                &queue,
                &tenants,
                &destinations,
                &most,
                &least,
                &worker_id,
                &ttl,
                &limit,
                &into,
                &from,
                &to,
                &causes,
            ],
        )
        .await?;
    let mut claimed = rows.iter().map(|row| read(row, worker)).collect::<Result<Vec<_>>>()?;
    count_runs(tx, &mut claimed).await?;
    Ok(claimed)
}

/// What was never claimed before was never replayed. The others are counted by a statement of its own: the claim itself may
/// see a row that is newer than everything else it sees.
async fn count_runs(tx: &Tx<'_>, claimed: &mut [Claimed]) -> Result<()> {
    let again = || claimed.iter().filter(|job| job.lease.epoch.0 > 1);
    let ids: Vec<Uuid> = again().map(|job| job.lease.job.0).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "-- job.replays
        SELECT job_id, count(*)::integer AS replays FROM transitions
        WHERE job_id = ANY ($1) AND cause = 'replayed' GROUP BY job_id";
    for row in tx.query(sql, &[&ids]).await? {
        let (id, replays): (Uuid, u32) = (row.column("job_id")?, count(&row, "replays")?);
        claimed.iter_mut().filter(|job| job.lease.job.0 == id).for_each(|job| job.run += replays);
    }
    Ok(())
}

/// The moves that a claim makes, each as the log has it.
struct Moves {
    /// Where the last of them leads.
    into: &'static str,
    from: Vec<&'static str>,
    to: Vec<&'static str>,
    causes: Vec<&'static str>,
}

impl Moves {
    fn of(begins: bool) -> Result<Self> {
        let claimed = (JobState::Preparing, Cause::Claimed);
        let begun = begins.then_some((JobState::Running, Cause::Started));
        let mut state = JobState::Pending;
        let (mut from, mut to, mut causes) = (vec![], vec![], vec![]);
        for (next, cause) in std::iter::once(claimed).chain(begun) {
            from.push(state.as_str());
            state = state.to(next).map_err(|source| Error::Illegal { doing: "job.claim", source })?;
            to.push(state.as_str());
            causes.push(cause.as_str());
        }
        Ok(Self { into: state.as_str(), from, to, causes })
    }
}

/// Each lane is read from where the survey found its first job: see there.
///
/// The CTE that ranks is a fence for the planner: without it the limit may be applied again and again. Its ids go
/// on as an array: a plan for any limit expects a tenth of all waiting jobs, and would read every job to join
/// them. The arrays hide their length: a plan for just that number looks cheaper than the one for any, which is
/// the same, and would be made anew for every claim. The states are literals, so that the partial index fits. Rows that
/// somebody else is claiming are passed over for the next ones of the lane. A lease row that somebody's repair by hand
/// left behind is taken over: else it would stop every claim that meets this job. Where a claim begins what it takes, it
/// passes over what carries out a migration, which can stand there by somebody's hand only.
///
/// A job that was handed back keeps its `run_at`, and with it its rank; it has waited since its row changed.
const CLAIM: &str = "-- job.claim
    WITH ranked AS MATERIALIZED (
        SELECT first.id, first.since
        FROM unnest((SELECT $2::uuid[]), (SELECT $3::text[]), (SELECT $4::bigint[]), (SELECT $5::bigint[]))
             AS lane (tenant_id, destination, most, least)
        CROSS JOIN LATERAL (
            SELECT id, greatest(run_at, updated_at) AS since FROM jobs
            WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled
              AND tenant_id = lane.tenant_id AND destination = lane.destination
              AND job_rank(run_at, priority) >= timestamp 'epoch' + lane.least * interval '1 microsecond'
              AND ($8::float8 IS NULL OR migration_id IS NULL)
            ORDER BY job_rank(run_at, priority), id
            LIMIT lane.most
            FOR UPDATE SKIP LOCKED
        ) AS first
    ), claimed AS (
        UPDATE jobs SET state = $9, epoch = epoch + 1, last_attempt_at = clock_timestamp(),
                        updated_at = clock_timestamp()
        WHERE id = ANY (ARRAY(SELECT id FROM ranked)) AND state = 'PENDING'
        RETURNING id, tenant_id, migration_id, run, kind, payload, epoch, attempts, max_attempts, correlation_id,
                  trace, destination, needs, priority, run_at, last_attempt_at
    ), leased AS (
        INSERT INTO leases (job_id, tenant_id, worker_id, epoch, queue, destination, claimed_at, heartbeat_at,
                            expires_at, overdue_at)
        SELECT id, tenant_id, $6, epoch, $1, destination, now.at, now.at,
               now.at + make_interval(secs => $7::float8), now.at + make_interval(secs => $8::float8)
        FROM claimed, (SELECT clock_timestamp() AS at) AS now
        ON CONFLICT (job_id) DO UPDATE SET
            worker_id = excluded.worker_id, epoch = excluded.epoch, claimed_at = excluded.claimed_at,
            heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at, last_batch = 0,
            phase = NULL, phase_began_at = NULL, overdue_at = excluded.overdue_at
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, tenant_id, from_state, to_state, cause, 'worker:' || $6::uuid, epoch, attempts + 1,
               nullif(split_part(trace->>'traceparent', '-', 2), '')
        FROM claimed, unnest((SELECT $10::text[]), (SELECT $11::text[]), (SELECT $12::text[])) WITH ORDINALITY
                      AS made (from_state, to_state, cause, place)
        ORDER BY id, place
    )
    SELECT claimed.*, extract(epoch FROM last_attempt_at - since)::double precision AS waited
    FROM claimed JOIN ranked USING (id) ORDER BY job_rank(run_at, priority), id";

fn read(row: &Row, worker: WorkerId) -> Result<Claimed> {
    let lease = read_lease(row, worker)?;
    let waited: f64 = row.column("waited")?;
    Ok(Claimed {
        kind: row.column("kind")?,
        destination: row.column("destination")?,
        payload: row.column("payload")?,
        needs: jsonb::read_needs(row.column("needs")?),
        attempt: count(row, "attempts")? + 1,
        run: 1,
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
