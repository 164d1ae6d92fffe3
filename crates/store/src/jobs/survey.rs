//! Who waits: the lanes of a queue with something to run, found by leaps over the index that holds them.
//!
//! No lock and no table of lanes: a leap costs one descent of the index, and there are as many leaps as tenants are to be
//! dealt to, not as many as wait. What it tells may be out of date by the time it is read; the claim proves each row.

use crate::{
    Result,
    tx::{Columns, Tx},
};
use domain::{TenantId, turn::Lane};
use tokio_postgres::Row;
use uuid::Uuid;

/// Lanes that are looked at in one go, those that are shut included.
const MOST_LANES: i32 = 500;
/// Open lanes of one tenant: its best-ranked jobs are sought among so many destinations, by name.
const MOST_OF_A_TENANT: i32 = 250;

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
    /// A tenant has more lanes than were looked at.
    pub(crate) more: bool,
}

/// A step goes to the tenant's next destination, or, when enough of its lanes were seen, to the next tenant. It ends with
/// one tenant more than there are slots.
const SURVEY: &str = "-- job.survey
    WITH RECURSIVE lanes AS (
        (SELECT tenant_id, destination, 1 AS steps, 0 AS tenants, 0 AS lanes,
                tenant_id = ANY ($6) OR destination = ANY ($7) AS shut
         FROM jobs
         WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND tenant_id >= $2 AND tenant_id < $3
         ORDER BY tenant_id, destination LIMIT 1)
        UNION ALL
        SELECT next.tenant_id, next.destination, lanes.steps + 1,
               lanes.tenants + (next.tenant_id <> lanes.tenant_id AND lanes.lanes + (NOT lanes.shut)::integer > 0)::integer,
               CASE WHEN next.tenant_id = lanes.tenant_id THEN lanes.lanes + (NOT lanes.shut)::integer ELSE 0 END,
               next.tenant_id = ANY ($6) OR next.destination = ANY ($7)
        FROM lanes CROSS JOIN LATERAL (
            (SELECT tenant_id, destination FROM jobs
             WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled
               AND (tenant_id, destination) > (lanes.tenant_id, lanes.destination) AND tenant_id < $3
               AND lanes.lanes < $5 - 1 AND NOT lanes.tenant_id = ANY ($6)
             ORDER BY tenant_id, destination LIMIT 1)
            UNION ALL
            (SELECT tenant_id, destination FROM jobs
             WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled
               AND tenant_id > lanes.tenant_id AND tenant_id < $3
               AND (lanes.lanes >= $5 - 1 OR lanes.tenant_id = ANY ($6))
             ORDER BY tenant_id, destination LIMIT 1)
        ) AS next
        WHERE lanes.steps < $8 AND lanes.tenants <= $4::bigint
    )
    SELECT tenant_id, destination, shut, steps = $8 OR tenants > $4::bigint AS cut, lanes >= $5 - 1 AS more,
           ARRAY(SELECT (date_part('epoch', job_rank(run_at, priority)) * 1000000)::bigint FROM jobs
                 WHERE queue = $1 AND state = 'PENDING' AND NOT scheduled AND NOT shut
                   AND jobs.tenant_id = lanes.tenant_id AND jobs.destination = lanes.destination
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
        seen.more |= row.column::<bool>("more")?;
        let shut: bool = row.column("shut")?;
        seen.shut |= shut;
        if !shut && !lane.ranks.is_empty() {
            seen.lanes.push(lane);
        }
    }
    Ok(seen)
}

fn read(row: &Row) -> Result<Lane> {
    Ok(Lane {
        tenant: TenantId(row.column("tenant_id")?),
        destination: row.column("destination")?,
        ranks: row.column("ranks")?,
    })
}
