//! The numbers that metrics and scaling read.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, job::MIGRATION_QUEUE};
use tokio_postgres::Row;

/// How full and how late a queue is.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueFigures {
    /// Its name.
    pub queue: String,
    /// Jobs that could run now, counted up to 10000.
    pub depth: i64,
    /// How long the oldest of those that are first in their lanes has been runnable.
    pub lag_seconds: f64,
}

/// All figures, of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Per queue; the migration queue is always among them.
    pub queues: Vec<QueueFigures>,
    /// The age of the oldest unpublished announcement; 0 if there is none.
    pub outbox_oldest_seconds: f64,
    /// How long the oldest event has waited to fall below the snapshot horizon.
    pub horizon_lag_seconds: f64,
    /// Pauses that somebody has not ended.
    pub pauses: i64,
}

impl Store {
    /// Reads the figures.
    pub async fn figures(&self) -> Result<Figures> {
        self.run(&Read).await
    }
}

/// The most jobs of a queue that are looked at. Scaling knows what to do long before.
const COUNTED: i64 = 10_000;

/// Lanes whose first jobs are looked at for the oldest.
const LANES: i32 = 1000;

/// Runnable jobs, and those whose time has come and that are only not promoted yet, up to a bound. Queues and lanes are
/// found by leaps over an index, since nobody keeps a list of them. The oldest is sought among the first of each lane;
/// a job that was handed back keeps its `run_at`, and with it its rank; it has waited since its row changed.
const QUEUES: &str = "-- figures.queues
    WITH RECURSIVE lanes AS (
        (SELECT queue, tenant_id, destination, 1 AS steps FROM jobs WHERE state = 'PENDING' AND NOT scheduled
         ORDER BY queue, tenant_id, destination LIMIT 1)
        UNION ALL
        SELECT next.queue, next.tenant_id, next.destination, lanes.steps + 1
        FROM lanes CROSS JOIN LATERAL (
            SELECT queue, tenant_id, destination FROM jobs
            WHERE state = 'PENDING' AND NOT scheduled
              AND (queue, tenant_id, destination) > (lanes.queue, lanes.tenant_id, lanes.destination)
            ORDER BY queue, tenant_id, destination LIMIT 1
        ) AS next WHERE lanes.steps < $3
    ), queues AS (
        (SELECT queue FROM jobs WHERE state = 'PENDING' AND NOT scheduled ORDER BY queue LIMIT 1)
        UNION ALL
        SELECT (SELECT next.queue FROM jobs AS next
                WHERE next.state = 'PENDING' AND NOT next.scheduled AND next.queue > queues.queue
                ORDER BY next.queue LIMIT 1)
        FROM queues WHERE queues.queue IS NOT NULL
    ), due AS (
        (SELECT queue, run_at FROM jobs WHERE state = 'WAITING_RETRY' AND run_at <= (SELECT clock_timestamp())
         ORDER BY run_at LIMIT $2)
        UNION ALL
        (SELECT queue, run_at FROM jobs
         WHERE state = 'PENDING' AND scheduled AND run_at <= (SELECT clock_timestamp()) ORDER BY run_at LIMIT $2)
    ), waiting AS (
        SELECT queue, (SELECT count(*) FROM (
            SELECT FROM jobs WHERE jobs.queue = queues.queue AND state = 'PENDING' AND NOT scheduled LIMIT $2
        ) AS counted) AS jobs, NULL::timestamptz AS since
        FROM queues WHERE queue IS NOT NULL
        UNION ALL
        SELECT queue, 0, (
            SELECT greatest(run_at, updated_at) FROM jobs
            WHERE jobs.queue = lanes.queue AND jobs.tenant_id = lanes.tenant_id
              AND jobs.destination = lanes.destination AND state = 'PENDING' AND NOT scheduled
            ORDER BY job_rank(run_at, priority), id LIMIT 1
        ) FROM lanes
        UNION ALL
        SELECT queue, 1, run_at FROM due
        UNION ALL
        SELECT $1, 0, NULL
    )
    SELECT queue, least(sum(jobs), $2)::bigint AS depth,
           greatest(coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0), 0)::double precision AS lag
    FROM waiting GROUP BY queue ORDER BY queue";

const AGES: &str = "-- figures.ages
    SELECT event_horizon_lag_seconds() AS horizon,
           (SELECT count(*) FROM gates WHERE paused_at IS NOT NULL) AS pauses,
           coalesce((SELECT greatest(extract(epoch FROM clock_timestamp() - created_at), 0)
                     FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 1), 0)::double precision AS outbox";

struct Read;

impl Work for Read {
    type Out = Figures;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Figures> {
        read(tx).await
    }
}

/// The figures, for whoever may read the queue of all tenants.
pub(crate) async fn read(tx: &Tx<'_>) -> Result<Figures> {
    let queues = tx.query(QUEUES, &[&MIGRATION_QUEUE, &COUNTED, &LANES]).await?;
    let ages = tx.query_one(AGES, &[]).await?;
    Ok(Figures {
        queues: queues.iter().map(read_queue).collect::<Result<_>>()?,
        outbox_oldest_seconds: ages.column("outbox")?,
        horizon_lag_seconds: ages.column("horizon")?,
        pauses: ages.column("pauses")?,
    })
}

fn read_queue(row: &Row) -> Result<QueueFigures> {
    Ok(QueueFigures {
        queue: row.column("queue")?,
        depth: row.column("depth")?,
        lag_seconds: row.column("lag")?,
    })
}
