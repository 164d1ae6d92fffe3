//! Kinds of work besides a website's move: what workers offer, for those who enqueue. A kind is offered by whoever is
//! configured to carry it out, and forgotten by the gateway when no worker has offered it for [`REMEMBERED`].

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, WorkerId};
use serde_json::Value;
use std::time::Duration;
use tokio_postgres::Row;
use uuid::Uuid;

/// So long a kind that nobody offers is still accepted: its workers may be away, and its jobs wait.
pub const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
/// More kinds than any installation has.
const MOST: i64 = 1000;

/// A kind of work.
#[derive(Clone, Debug, PartialEq)]
pub struct JobKind {
    /// Its name, which is also that of the queue in which its jobs wait: `[a-z][a-z0-9_-]{0,62}`.
    pub name: String,
    /// `http`, `subprocess` or `container`.
    pub executor: String,
    /// The JSON Schema that payloads have to fit; none: any payload does.
    pub payload_schema: Option<Value>,
    /// The longest payload, in bytes of JSON text; 2 to 1048576.
    pub max_payload_bytes: u32,
    /// Attempts in all, for jobs that ask for no fewer; 1 to 100.
    pub max_attempts: u32,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Whose jobs it takes; none: everybody's.
    pub tenants: Option<Vec<TenantId>>,
}

impl Store {
    /// Says what a worker carries out. A kind that was offered before is from now on what this worker says.
    pub async fn offer_job_kinds(&self, worker: WorkerId, kinds: &[JobKind]) -> Result<()> {
        if kinds.is_empty() {
            return Ok(());
        }
        self.run(&Offer { worker, kinds }).await
    }

    /// Says that a worker still offers them; changes nothing else of them.
    pub async fn keep_job_kinds(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        self.run(&Keep { names }).await
    }

    /// The kinds of which a tenant may enqueue jobs, by name.
    pub async fn job_kinds(&self, tenant: TenantId) -> Result<Vec<JobKind>> {
        self.run(&Kinds { tenant }).await
    }
}

struct Offer<'a> {
    worker: WorkerId,
    kinds: &'a [JobKind],
}

impl Work for Offer<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- job_kind.offer
            INSERT INTO job_kinds (name, executor, payload_schema, max_payload_bytes, max_attempts, timeout_ms, tenants,
                                   offered_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (name) DO UPDATE SET
                executor = excluded.executor, payload_schema = excluded.payload_schema,
                max_payload_bytes = excluded.max_payload_bytes, max_attempts = excluded.max_attempts,
                timeout_ms = excluded.timeout_ms, tenants = excluded.tenants, offered_by = excluded.offered_by,
                offered_at = clock_timestamp(), seen_at = clock_timestamp()";
        // In one order, so that two workers that start together cannot block each other.
        let mut kinds: Vec<&JobKind> = self.kinds.iter().collect();
        kinds.sort_by(|one, other| one.name.cmp(&other.name));
        for kind in kinds {
            let tenants: Option<Vec<Uuid>> =
                kind.tenants.as_ref().map(|tenants| tenants.iter().map(|tenant| tenant.0).collect());
            tx.execute_one(
                sql,
                &[
                    &kind.name,
                    &kind.executor,
                    &kind.payload_schema,
                    // The CHECKs have the bounds.
                    &i32::try_from(kind.max_payload_bytes).unwrap_or(i32::MAX),
                    &i32::try_from(kind.max_attempts).unwrap_or(i32::MAX),
                    &i64::try_from(kind.timeout.as_millis()).unwrap_or(i64::MAX),
                    &tenants,
                    &self.worker.0,
                ],
            )
            .await?;
        }
        Ok(())
    }
}

struct Keep<'a> {
    names: &'a [String],
}

impl Work for Keep<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- job_kind.keep
            WITH mine AS (SELECT name FROM job_kinds WHERE name = ANY ($1) ORDER BY name FOR UPDATE)
            UPDATE job_kinds SET seen_at = clock_timestamp() FROM mine WHERE job_kinds.name = mine.name";
        tx.execute(sql, &[&self.names]).await.map(drop)
    }
}

struct Kinds {
    tenant: TenantId,
}

impl Work for Kinds {
    type Out = Vec<JobKind>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- job_kind.of_tenant
            SELECT name, executor, payload_schema, max_payload_bytes, max_attempts, timeout_ms, tenants
            FROM job_kinds
            WHERE (tenants IS NULL OR $1 = ANY (tenants))
              AND seen_at > (SELECT clock_timestamp()) - make_interval(secs => $2::float8)
            ORDER BY name LIMIT $3";
        let rows = tx.query(sql, &[&self.tenant.0, &REMEMBERED.as_secs_f64(), &MOST]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<JobKind> {
    let count = |column| row.column::<i32>(column).map(i32::unsigned_abs); // the CHECKs keep them above 0
    let tenants: Option<Vec<Uuid>> = row.column("tenants")?;
    Ok(JobKind {
        name: row.column("name")?,
        executor: row.column("executor")?,
        payload_schema: row.column("payload_schema")?,
        max_payload_bytes: count("max_payload_bytes")?,
        max_attempts: count("max_attempts")?,
        timeout: Duration::from_millis(row.column::<i64>("timeout_ms")?.unsigned_abs()),
        tenants: tenants.map(|tenants| tenants.into_iter().map(TenantId).collect()),
    })
}
