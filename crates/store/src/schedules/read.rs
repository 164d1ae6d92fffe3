//! What a tenant has scheduled, and which jobs came of it.

use crate::{
    Result, Store, jsonb,
    schedules::MAX_SCHEDULES,
    tx::{Columns, Tx, Work},
};
use domain::{JobId, TenantId, schedule::Missed, task::Needs};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

/// Firings that are told of one schedule.
const FIRINGS: i64 = 20;

/// A schedule as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRecord {
    /// Its id: another schedule of the same name, after this one was removed, has another.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// The cron expression.
    pub cron: String,
    /// The zone that it is meant in.
    pub time_zone: String,
    /// What becomes of missed times.
    pub missed: Missed,
    /// The kind of its jobs.
    pub kind: String,
    /// What their work is.
    pub payload: Value,
    /// −100 to 100.
    pub priority: i16,
    /// What they ask of the world outside.
    pub destination: Option<String>,
    /// What they need of their worker's machine, beyond what their kind needs.
    pub needs: Needs,
    /// Attempts at each.
    pub max_attempts: u32,
    /// It does not fire at anybody's wish.
    pub paused: bool,
    /// Why it cannot be fired any more, until it is written again.
    pub stopped: Option<String>,
    /// When it fires next; none while it is paused or stopped.
    pub next_at: Option<OffsetDateTime>,
    /// When it was written first.
    pub created_at: OffsetDateTime,
    /// When it was written last.
    pub changed_at: OffsetDateTime,
}

/// A time of a schedule, and the job that it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The time.
    pub slot: OffsetDateTime,
    /// The job.
    pub job: JobId,
}

impl Store {
    /// A tenant's schedules by name: all of them, at most [`MAX_SCHEDULES`].
    pub async fn schedules(&self, tenant: TenantId) -> Result<Vec<ScheduleRecord>> {
        self.run(&List { tenant }).await
    }

    /// A schedule, and its last firings, the newest first.
    pub async fn schedule(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<(ScheduleRecord, Vec<Firing>)>> {
        self.run(&One { tenant, name }).await
    }
}

struct List {
    tenant: TenantId,
}

impl Work for List {
    type Out = Vec<ScheduleRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        records(tx, self.tenant, None).await
    }
}

struct One<'a> {
    tenant: TenantId,
    name: &'a str,
}

impl Work for One<'_> {
    type Out = Option<(ScheduleRecord, Vec<Firing>)>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Some(found) = records(tx, self.tenant, Some(self.name)).await?.pop() else { return Ok(None) };
        let sql = "-- firing.last
            SELECT slot, job_id FROM firings WHERE schedule_id = $1 ORDER BY slot DESC LIMIT $2";
        let rows = tx.query(sql, &[&found.id, &FIRINGS]).await?;
        let firing = |row: &Row| Ok(Firing { slot: row.column("slot")?, job: JobId(row.column("job_id")?) });
        let firings: Result<Vec<Firing>> = rows.iter().map(firing).collect();
        Ok(Some((found, firings?)))
    }
}

/// A tenant's schedules by name: all, or the one of this name.
pub(super) async fn records(
    tx: &Tx<'_>,
    tenant: TenantId,
    name: Option<&str>,
) -> Result<Vec<ScheduleRecord>> {
    let sql = "-- schedule.read
        SELECT id, name, cron, time_zone, missed, kind, payload, priority, destination, needs, max_attempts, paused,
               stopped, next_at, created_at, changed_at
        FROM schedules WHERE tenant_id = $1 AND ($2::text IS NULL OR name = $2) ORDER BY name LIMIT $3";
    tx.query(sql, &[&tenant.0, &name, &MAX_SCHEDULES]).await?.iter().map(record).collect()
}

fn record(row: &Row) -> Result<ScheduleRecord> {
    let destination: String = row.column("destination")?;
    Ok(ScheduleRecord {
        id: row.column("id")?,
        name: row.column("name")?,
        cron: row.column("cron")?,
        time_zone: row.column("time_zone")?,
        missed: row.word("missed")?,
        kind: row.column("kind")?,
        payload: row.column("payload")?,
        priority: row.column("priority")?,
        destination: Some(destination).filter(|destination| !destination.is_empty()),
        needs: jsonb::read_needs(row.column("needs")?),
        max_attempts: u32::try_from(row.column::<i32>("max_attempts")?).unwrap_or(1), // the CHECK has the bounds
        paused: row.column("paused")?,
        stopped: row.column("stopped")?,
        next_at: row.column("next_at")?,
        created_at: row.column("created_at")?,
        changed_at: row.column("changed_at")?,
    })
}
