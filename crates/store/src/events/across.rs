//! A tenant's events across all its migrations, for readers that go on from where they stopped.
//!
//! Within one migration, events are in the order of their sequence numbers (law 11). Across migrations there is
//! no such number: transactions commit in another order than they began, so a reader that remembered the last
//! event it saw would skip whatever commits late. What it remembers instead is a [`Horizon`], under which nothing
//! can appear any more.

use super::read;
use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{MigrationId, TenantId, event::Event, trace::TraceContext};
use tokio_postgres::types::Json;

/// A transaction number: every transaction below it has ended. Comparable within one database cluster's life only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Horizon(pub i64);

/// Where the log stands across migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Nothing can appear below it any more.
    pub horizon: Horizon,
    /// No transaction has this number yet, or a higher one: whoever names one above it was not told so by this log.
    pub next: Horizon,
}

/// A migration with events at or above a horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub migration: MigrationId,
    /// The first such event's sequence number; none of the migration's later ones is below it.
    pub first: i64,
    /// The last event's.
    pub last: i64,
}

/// One page of the migrations that have events at or above a horizon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedPage {
    /// By migration id.
    pub touched: Vec<Touched>,
    /// Where the horizon stood when the page was read: whoever has read all pages, and of each migration all
    /// events, may go on from the first page's.
    pub horizon: Horizon,
}

/// An event, and what it takes to place it across migrations.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedEvent {
    /// The event.
    pub event: Event,
    /// The context that it was written in.
    pub trace: TraceContext,
    /// The transaction that wrote it.
    pub written_by: Horizon,
}

impl Store {
    /// Where the log stands now.
    pub async fn event_tip(&self) -> Result<Tip> {
        self.run(&Now).await
    }

    /// The tenant's migrations with events at or above `since`, by id, after `after`.
    pub async fn events_touched(
        &self,
        tenant: TenantId,
        since: Horizon,
        after: Option<MigrationId>,
        limit: u32,
    ) -> Result<TouchedPage> {
        self.run(&TouchedSince { tenant, since, after, limit }).await
    }

    /// How many events the tenant has at or above `since`; counts no further than `most`.
    pub async fn events_since(&self, tenant: TenantId, since: Horizon, most: u32) -> Result<u32> {
        self.run(&CountSince { tenant, since, most }).await
    }

    /// The events of one migration after `since`, in order, with their places.
    pub async fn placed_events_after(
        &self,
        tenant: TenantId,
        id: MigrationId,
        since: i64,
        limit: u32,
    ) -> Result<Vec<PlacedEvent>> {
        self.run(&PlacedAfter { tenant, id, since, limit }).await
    }

    /// Which of these migrations the tenant has: each migration has a first event.
    pub async fn migrations_with_events(
        &self,
        tenant: TenantId,
        ids: &[MigrationId],
    ) -> Result<Vec<MigrationId>> {
        self.run(&Known { tenant, ids }).await
    }
}

struct Now;

impl Work for Now {
    type Out = Tip;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Tip> {
        let sql = "-- event.tip
            SELECT pg_snapshot_xmin(now)::text::bigint AS horizon, pg_snapshot_xmax(now)::text::bigint AS next
            FROM pg_current_snapshot() AS now";
        let row = tx.query_one(sql, &[]).await?;
        Ok(Tip { horizon: Horizon(row.column("horizon")?), next: Horizon(row.column("next")?) })
    }
}

struct TouchedSince {
    tenant: TenantId,
    since: Horizon,
    after: Option<MigrationId>,
    limit: u32,
}

impl Work for TouchedSince {
    type Out = TouchedPage;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<TouchedPage> {
        // Horizon and rows are of one statement, hence of one snapshot.
        let sql = "-- event.touched
            SELECT now.horizon, page.migration_id, page.first, page.last
            FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon) AS now
            LEFT JOIN LATERAL (
                SELECT migration_id, min(seq) AS first, max(seq) AS last
                FROM events
                WHERE tenant_id = $1 AND xact >= $2::bigint::text::xid8
                  AND ($3::uuid IS NULL OR migration_id > $3)
                GROUP BY migration_id ORDER BY migration_id LIMIT $4
            ) AS page ON true";
        let after = self.after.map(|id| id.0);
        let rows = tx.query(sql, &[&self.tenant.0, &self.since.0, &after, &i64::from(self.limit)]).await?;
        let mut page = TouchedPage { touched: Vec::with_capacity(rows.len()), horizon: self.since };
        for row in &rows {
            page.horizon = Horizon(row.column("horizon")?);
            if let Some(id) = row.column("migration_id")? {
                let (first, last) = (row.column("first")?, row.column("last")?);
                page.touched.push(Touched { migration: MigrationId(id), first, last });
            }
        }
        Ok(page)
    }
}

struct CountSince {
    tenant: TenantId,
    since: Horizon,
    most: u32,
}

impl Work for CountSince {
    type Out = u32;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u32> {
        let sql = "-- event.count_since
            SELECT count(*)::integer AS count FROM (
                SELECT FROM events WHERE tenant_id = $1 AND xact >= $2::bigint::text::xid8 LIMIT $3
            ) AS first";
        let row = tx.query_one(sql, &[&self.tenant.0, &self.since.0, &i64::from(self.most)]).await?;
        let count: i32 = row.column("count")?;
        Ok(count.unsigned_abs())
    }
}

struct PlacedAfter {
    tenant: TenantId,
    id: MigrationId,
    since: i64,
    limit: u32,
}

impl Work for PlacedAfter {
    type Out = Vec<PlacedEvent>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- event.placed_after
            SELECT seq, (extract(epoch FROM at) * 1000)::bigint AS ts, type, migration_id, run, phase, progress,
                   correlation_id, detail, trace, xact::text::bigint AS xact
            FROM events WHERE migration_id = $1 AND tenant_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";
        let rows = tx.query(sql, &[&self.id.0, &self.tenant.0, &self.since, &i64::from(self.limit)]).await?;
        rows.iter()
            .map(|row| {
                let Json(trace) = row.column("trace")?;
                Ok(PlacedEvent { event: read(row)?, trace, written_by: Horizon(row.column("xact")?) })
            })
            .collect()
    }
}

struct Known<'a> {
    tenant: TenantId,
    ids: &'a [MigrationId],
}

impl Work for Known<'_> {
    type Out = Vec<MigrationId>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- event.known
            SELECT migration_id FROM events WHERE tenant_id = $1 AND migration_id = ANY($2) AND seq = 1";
        let ids: Vec<_> = self.ids.iter().map(|id| id.0).collect();
        let rows = tx.query(sql, &[&self.tenant.0, &ids]).await?;
        rows.iter().map(|row| Ok(MigrationId(row.column("migration_id")?))).collect()
    }
}
