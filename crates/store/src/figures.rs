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
    /// How long the oldest of those that were counted has been runnable.
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
}

impl Store {
    /// Reads the figures.
    pub async fn figures(&self) -> Result<Figures> {
        self.run(&Read).await
    }
}

/// The most jobs of a queue that are looked at. Scaling knows what to do long before.
const COUNTED: i64 = 10_000;

/// Runnable jobs, and those whose retry is due and only not promoted yet, up to a bound: the first that would be
/// claimed. Queues are found by leaps over an index, since nobody keeps a list of them. A job that was handed back keeps
/// its `run_at`, and with it its rank; it has waited since its row changed.
const QUEUES: &str = "-- figures.queues
    WITH RECURSIVE queues AS (
        (SELECT queue FROM jobs WHERE state = 'PENDING' ORDER BY queue LIMIT 1)
        UNION ALL
        SELECT (SELECT next.queue FROM jobs AS next
                WHERE next.state = 'PENDING' AND next.queue > queues.queue ORDER BY next.queue LIMIT 1)
        FROM queues WHERE queues.queue IS NOT NULL
    ), runnable AS (
        SELECT queues.queue, first.since
        FROM queues CROSS JOIN LATERAL (
            SELECT greatest(run_at, updated_at) AS since FROM jobs
            WHERE jobs.queue = queues.queue AND state = 'PENDING' AND run_at <= (SELECT clock_timestamp())
            ORDER BY priority DESC, run_at, id LIMIT $2
        ) AS first
        UNION ALL
        (SELECT queue, run_at FROM jobs WHERE state = 'WAITING_RETRY' AND run_at <= (SELECT clock_timestamp())
         ORDER BY run_at LIMIT $2)
        UNION ALL
        SELECT $1, NULL
    )
    SELECT queue, least(count(since), $2) AS depth,
           greatest(coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0), 0)::double precision AS lag
    FROM runnable GROUP BY queue ORDER BY queue";

const AGES: &str = "-- figures.ages
    SELECT event_horizon_lag_seconds() AS horizon,
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
    let queues = tx.query(QUEUES, &[&MIGRATION_QUEUE, &COUNTED]).await?;
    let ages = tx.query_one(AGES, &[]).await?;
    Ok(Figures {
        queues: queues.iter().map(read_queue).collect::<Result<_>>()?,
        outbox_oldest_seconds: ages.column("outbox")?,
        horizon_lag_seconds: ages.column("horizon")?,
    })
}

fn read_queue(row: &Row) -> Result<QueueFigures> {
    Ok(QueueFigures {
        queue: row.column("queue")?,
        depth: row.column("depth")?,
        lag_seconds: row.column("lag")?,
    })
}
