//! Who waits: the lanes of a queue with something to run, found by leaps over the index that holds them.
//!
//! No lock and no table of lanes: a leap costs one descent of the index, and there are as many leaps as tenants are to be
//! dealt to, not as many as wait. What it tells may be out of date by the time it is read; the claim proves each row.

use super::turns::Turns;
use crate::{
    Result,
    tx::{Columns, Tx},
};
use domain::{TenantId, turn::Lane};
use tokio_postgres::Row;
use uuid::Uuid;

/// Lanes that are looked at in one go, those that are shut included.
const MOST_LANES: i32 = 500;
/// Open lanes of one tenant that are looked at by name; and so many more of those behind them, a claim further on each
/// time, so that a job behind them waits for its rank and not for its destination's name.
const MOST_OF_A_TENANT: i32 = 250;
/// Tenants of one look whose lanes behind those are looked at.
const MOST_LONG: usize = 4;

/// Where to look.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) queue: &'a str,
    pub(crate) slots: u32,
    /// What no job may begin for now.
    pub(crate) shut_tenants: &'a [Uuid],
    pub(crate) shut_destinations: &'a [String],
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) lanes: Vec<Lane>,
    /// The last tenant that was looked at, where there may be others behind it.
    pub(crate) cut_at: Option<TenantId>,
    /// Something waits where nothing may begin.
    pub(crate) shut: bool,
    /// Tenants that have more lanes than were looked at, with the last destination that was.
    pub(crate) long: Vec<(TenantId, String)>,
}

/// A step goes to the tenant's next destination, or, when enough of its lanes were seen, to the next tenant. It ends with
/// one tenant more than there are slots.
///
/// `least` is where the lane's first row was found. What stood before it is gone, and stays in the index for as long as
/// somebody holds a snapshot in which it waited: the ranks are read from there on, and so is the claim, lest each of them
/// pass over all of it again.
const SURVEY: &str = "-- job.survey
    WITH RECURSIVE lanes AS (
        (SELECT tenant_id, destination, job_rank(run_at, priority) AS least, 1 AS steps, 0 AS tenants, 0 AS lanes,
                tenant_id = ANY ($6) OR destination = ANY ($7) AS shut
         FROM jobs
         WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND tenant_id >= $2 AND tenant_id < $3
         ORDER BY tenant_id, destination, job_rank(run_at, priority) LIMIT 1)
        UNION ALL
        SELECT next.tenant_id, next.destination, next.least, lanes.steps + 1,
               lanes.tenants + (next.tenant_id <> lanes.tenant_id AND lanes.lanes + (NOT lanes.shut)::integer > 0)::integer,
               CASE WHEN next.tenant_id = lanes.tenant_id THEN lanes.lanes + (NOT lanes.shut)::integer ELSE 0 END,
               next.tenant_id = ANY ($6) OR next.destination = ANY ($7)
        FROM lanes CROSS JOIN LATERAL (
            (SELECT tenant_id, destination, job_rank(run_at, priority) AS least FROM jobs
             WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled
               AND (tenant_id, destination) > (lanes.tenant_id, lanes.destination) AND tenant_id < $3
               AND lanes.lanes < $5 - 1 AND NOT lanes.tenant_id = ANY ($6)
             ORDER BY tenant_id, destination, job_rank(run_at, priority) LIMIT 1)
            UNION ALL
            (SELECT tenant_id, destination, job_rank(run_at, priority) FROM jobs
             WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled
               AND tenant_id > lanes.tenant_id AND tenant_id < $3
               AND (lanes.lanes >= $5 - 1 OR lanes.tenant_id = ANY ($6))
             ORDER BY tenant_id, destination, job_rank(run_at, priority) LIMIT 1)
        ) AS next
        WHERE lanes.steps < $8 AND lanes.tenants <= $4::bigint
    )
    SELECT tenant_id, destination, shut, steps = $8 OR tenants > $4::bigint AS cut, lanes >= $5 - 1 AS more,
           ARRAY(SELECT (date_part('epoch', job_rank(run_at, priority)) * 1000000)::bigint FROM jobs
                 WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND NOT shut
                   AND jobs.tenant_id = lanes.tenant_id AND jobs.destination = lanes.destination
                   AND job_rank(run_at, priority) >= lanes.least
                 ORDER BY job_rank(run_at, priority), id LIMIT $4::bigint) AS ranks
    FROM lanes ORDER BY steps";

/// The lanes of the tenants from `from` on and before `until`.
pub(crate) async fn survey(tx: &Tx<'_>, look: &Look<'_>, from: Uuid, until: Uuid) -> Result<Seen> {
    let slots = i64::from(look.slots);
    let rows = tx
        .query(
            SURVEY,
            &[
                &look.queue,
                &from,
                &until,
                &slots,
                &MOST_OF_A_TENANT,
                &look.shut_tenants,
                &look.shut_destinations,
                &MOST_LANES,
            ],
        )
        .await?;
    let mut seen = Seen::default();
    for row in &rows {
        let lane = read(row)?;
        if row.column("cut")? {
            seen.cut_at = Some(lane.tenant);
        }
        if row.column("more")? {
            seen.long.push((lane.tenant, lane.destination.clone()));
        }
        let shut: bool = row.column("shut")?;
        seen.shut |= shut;
        if !shut && !lane.ranks.is_empty() {
            seen.lanes.push(lane);
        }
    }
    Ok(seen)
}

const FURTHER: &str = "-- job.survey_further
    WITH RECURSIVE lanes AS (
        (SELECT destination, job_rank(run_at, priority) AS least, 1 AS steps FROM jobs
         WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND tenant_id = $2 AND destination > $3
         ORDER BY tenant_id, destination, job_rank(run_at, priority) LIMIT 1)
        UNION ALL
        SELECT next.destination, next.least, lanes.steps + 1
        FROM lanes CROSS JOIN LATERAL (
            SELECT destination, job_rank(run_at, priority) AS least FROM jobs
            WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND tenant_id = $2
              AND destination > lanes.destination
            ORDER BY tenant_id, destination, job_rank(run_at, priority) LIMIT 1
        ) AS next
        WHERE lanes.steps < $5
    )
    SELECT $2::uuid AS tenant_id, destination,
           ARRAY(SELECT (date_part('epoch', job_rank(run_at, priority)) * 1000000)::bigint FROM jobs
                 WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND NOT lanes.destination = ANY ($6)
                   AND jobs.tenant_id = $2 AND jobs.destination = lanes.destination
                   AND job_rank(run_at, priority) >= lanes.least
                 ORDER BY job_rank(run_at, priority), id LIMIT $4::bigint) AS ranks
    FROM lanes ORDER BY steps";

/// Adds lanes behind those that were looked at, of the first tenants that have some: from where the look before ended, or
/// from the first of them again.
pub(crate) async fn look_further(tx: &Tx<'_>, look: &Look<'_>, seen: &mut Seen, turns: &Turns) -> Result<()> {
    for (tenant, last) in seen.long.iter().take(MOST_LONG) {
        let from = turns.looked_at(look.queue, *tenant).filter(|behind| behind > last);
        let from = from.as_ref().unwrap_or(last);
        let slots = i64::from(look.slots);
        let rows = tx
            .query(
                FURTHER,
                &[&look.queue, &tenant.0, from, &slots, &MOST_OF_A_TENANT, &look.shut_destinations],
            )
            .await?;
        let lanes: Vec<Lane> = rows.iter().map(read).collect::<Result<_>>()?;
        let ended = lanes.len() < MOST_OF_A_TENANT.unsigned_abs() as usize;
        let behind = lanes.last().filter(|_| !ended).map(|lane| lane.destination.clone());
        turns.look_from(look.queue, *tenant, behind);
        // All lanes of a tenant stay together.
        let place = seen.lanes.iter().rposition(|lane| lane.tenant == *tenant);
        let place = place.map_or(seen.lanes.len(), |place| place + 1);
        let waiting = lanes.into_iter().filter(|lane| !lane.ranks.is_empty());
        drop(seen.lanes.splice(place..place, waiting));
    }
    Ok(())
}

fn read(row: &Row) -> Result<Lane> {
    Ok(Lane {
        tenant: TenantId(row.column("tenant_id")?),
        destination: row.column("destination")?,
        ranks: row.column("ranks")?,
    })
}
