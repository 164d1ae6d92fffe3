//! Who works, and on what.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{Epoch, JobId, MigrationId, TenantId, WorkerId, phase::Phase};
use std::time::Duration;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

/// Far more than a page can hold.
const MOST: i64 = 500;

/// A worker that has not said that it stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerLine {
    /// The process.
    pub id: WorkerId,
    /// Where it answers what it is doing.
    pub grpc_address: String,
    /// Jobs that it takes at a time.
    pub concurrency: i32,
    /// Jobs that it holds.
    pub held: i64,
    /// What its process holds in memory, as it told with its last heartbeat.
    pub memory_bytes: Option<i64>,
    /// When it started.
    pub started_at: OffsetDateTime,
    /// How long it has said nothing.
    pub silent: Duration,
}

/// A job that somebody holds.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaseLine {
    /// The job.
    pub job: JobId,
    /// Its kind.
    pub kind: String,
    /// Its queue.
    pub queue: String,
    /// Whose job it is.
    pub tenant: TenantId,
    /// The migration that it carries out.
    pub migration: Option<MigrationId>,
    /// Who holds it.
    pub worker: WorkerId,
    /// The token that fences its writes.
    pub epoch: Epoch,
    /// What it is in.
    pub phase: Option<Phase>,
    /// Since when.
    pub claimed_at: OffsetDateTime,
    /// How long the holder has said nothing.
    pub silent: Duration,
    /// How long the lease still lasts; nothing if it has run out and nobody has swept it yet.
    pub left: Option<Duration>,
}

impl Store {
    /// The workers, the newest first. On the operators' connection.
    pub async fn worker_lines(&self) -> Result<Vec<WorkerLine>> {
        self.run(&Workers).await
    }

    /// The jobs that are held, the oldest claim first. On the operators' connection.
    pub async fn lease_lines(&self) -> Result<Vec<LeaseLine>> {
        self.run(&Leases).await
    }
}

struct Workers;

impl Work for Workers {
    type Out = Vec<WorkerLine>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- operations.workers
            SELECT here.id, here.grpc_address, here.concurrency, here.memory_bytes, here.started_at,
                   coalesce(held.jobs, 0) AS held,
                   extract(epoch FROM clock_timestamp() - here.heartbeat_at)::float8 AS silent
            FROM (SELECT * FROM workers WHERE stopped_at IS NULL ORDER BY started_at DESC LIMIT $1) AS here
            LEFT JOIN (SELECT worker_id, count(*) AS jobs FROM leases GROUP BY worker_id) AS held
                ON held.worker_id = here.id
            ORDER BY here.started_at DESC";
        tx.query(sql, &[&MOST]).await?.iter().map(worker).collect()
    }
}

fn worker(row: &Row) -> Result<WorkerLine> {
    Ok(WorkerLine {
        id: WorkerId(row.column("id")?),
        grpc_address: row.column("grpc_address")?,
        concurrency: row.column("concurrency")?,
        held: row.column("held")?,
        memory_bytes: row.column("memory_bytes")?,
        started_at: row.column("started_at")?,
        silent: seconds(row.column("silent")?),
    })
}

struct Leases;

impl Work for Leases {
    type Out = Vec<LeaseLine>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- operations.leases
            SELECT held.job_id, jobs.kind, jobs.queue, held.tenant_id, jobs.migration_id, held.worker_id, held.epoch,
                   held.phase, held.claimed_at,
                   extract(epoch FROM clock_timestamp() - held.heartbeat_at)::float8 AS silent,
                   extract(epoch FROM held.expires_at - clock_timestamp())::float8 AS remaining
            FROM (SELECT * FROM leases ORDER BY claimed_at LIMIT $1) AS held JOIN jobs ON jobs.id = held.job_id
            ORDER BY held.claimed_at";
        tx.query(sql, &[&MOST]).await?.iter().map(lease).collect()
    }
}

fn lease(row: &Row) -> Result<LeaseLine> {
    let remaining: f64 = row.column("remaining")?;
    Ok(LeaseLine {
        job: JobId(row.column("job_id")?),
        kind: row.column("kind")?,
        queue: row.column("queue")?,
        tenant: TenantId(row.column("tenant_id")?),
        migration: row.column::<Option<Uuid>>("migration_id")?.map(MigrationId),
        worker: WorkerId(row.column("worker_id")?),
        epoch: Epoch(row.column("epoch")?),
        phase: row.optional_word("phase")?,
        claimed_at: row.column("claimed_at")?,
        silent: seconds(row.column("silent")?),
        left: (remaining > 0.0).then(|| seconds(remaining)),
    })
}

/// A difference of the database's clock, which may be a hair below nothing.
pub(super) fn seconds(difference: f64) -> Duration {
    Duration::try_from_secs_f64(difference.max(0.0)).unwrap_or_default()
}
