//! The public history of migrations: appended in commit order (law 11), read by sequence number.

mod across;
pub(crate) mod append;
mod grown;

pub use across::{Horizon, PlacedEvent, Tip, Touched, TouchedPage};

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, MigrationId, TenantId,
    event::{Event, EventType},
    trace::TraceContext,
};
use serde_json::{Map, Value};
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

/// Where a history ends right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The sequence number of the last event.
    pub last_seq: i64,
    /// Is the last event a `done`?
    pub over: bool,
}

impl Store {
    /// The events after `since`, in order.
    pub async fn events_after(
        &self,
        tenant: TenantId,
        id: MigrationId,
        since: i64,
        limit: u32,
    ) -> Result<Vec<Event>> {
        let events = self.run(&After { tenant, id, since, limit }).await?;
        Ok(events.into_iter().map(|(event, _)| event).collect())
    }

    /// The events after `since`, in order, each with the trace context that it was written in.
    pub async fn traced_events_after(
        &self,
        tenant: TenantId,
        id: MigrationId,
        since: i64,
        limit: u32,
    ) -> Result<Vec<(Event, TraceContext)>> {
        self.run(&After { tenant, id, since, limit }).await
    }

    /// Seconds that the oldest event not yet below the snapshot horizon has waited, over all tenants.
    pub async fn event_horizon_lag(&self) -> Result<f64> {
        self.run(&HorizonLag).await
    }

    /// Where the history ends; `None` if this tenant has no such migration (each has at least one event).
    pub async fn event_tail(&self, tenant: TenantId, id: MigrationId) -> Result<Option<Tail>> {
        self.run(&Last { tenant, id }).await
    }

    /// Which history this is: changed by a restore.
    pub async fn log_incarnation(&self) -> Result<Uuid> {
        self.run(&Incarnation).await
    }
}

struct After {
    tenant: TenantId,
    id: MigrationId,
    since: i64,
    limit: u32,
}

impl Work for After {
    type Out = Vec<(Event, TraceContext)>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- event.after
            SELECT seq, (extract(epoch FROM at) * 1000)::bigint AS ts, type, migration_id, run, phase, progress,
                   correlation_id, detail, trace
            FROM events WHERE migration_id = $1 AND tenant_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";
        let rows = tx.query(sql, &[&self.id.0, &self.tenant.0, &self.since, &i64::from(self.limit)]).await?;
        rows.iter().map(|row| Ok((read(row)?, row.column::<Json<TraceContext>>("trace")?.0))).collect()
    }
}

fn read(row: &Row) -> Result<Event> {
    let Json(detail): Json<Map<String, Value>> = row.column("detail")?;
    Ok(Event {
        seq: row.column("seq")?,
        ts: row.column("ts")?,
        event_type: row.word("type")?,
        migration_id: MigrationId(row.column("migration_id")?),
        run: row.column("run")?,
        phase: row.optional_word("phase")?,
        progress: row.column("progress")?,
        correlation_id: CorrelationId(row.column("correlation_id")?),
        detail,
    })
}

struct Last {
    tenant: TenantId,
    id: MigrationId,
}

impl Work for Last {
    type Out = Option<Tail>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- event.tail
            SELECT seq, type FROM events WHERE migration_id = $1 AND tenant_id = $2 ORDER BY seq DESC LIMIT 1";
        let Some(row) = tx.query_opt(sql, &[&self.id.0, &self.tenant.0]).await? else { return Ok(None) };
        let last: EventType = row.word("type")?;
        Ok(Some(Tail { last_seq: row.column("seq")?, over: last == EventType::Done }))
    }
}

struct Incarnation;

impl Work for Incarnation {
    type Out = Uuid;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Uuid> {
        tx.query_one("-- event.incarnation\nSELECT id FROM log_incarnation", &[]).await?.column("id")
    }
}

struct HorizonLag;

impl Work for HorizonLag {
    type Out = f64;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<f64> {
        let sql = "-- event.horizon_lag\nSELECT event_horizon_lag_seconds() AS seconds";
        tx.query_one(sql, &[]).await?.column("seconds")
    }
}
