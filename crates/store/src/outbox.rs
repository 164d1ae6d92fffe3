//! What is to be announced: claimed by a column, published by the caller, marked in a second transaction.

use crate::{
    Error, Result, Store, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{JobId, MigrationId, TenantId, WorkerId, trace::TraceContext};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_postgres::Row;

/// What a row announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxTopic {
    /// A job became runnable.
    Job {
        /// Its queue.
        queue: String,
        /// Which one, for tracing.
        job: JobId,
    },
    /// Events were written.
    Event {
        /// Whose history.
        migration: MigrationId,
        /// Whose migration.
        tenant: TenantId,
        /// The last sequence number written.
        seq: i64,
    },
}

/// An announcement to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its place in the outbox.
    pub id: i64,
    /// What it announces.
    pub topic: OutboxTopic,
    /// The trace context of whoever wrote it.
    pub trace: TraceContext,
}

impl Store {
    /// Takes unpublished rows for this relay, oldest first; another may take them when `hold` is over.
    pub async fn claim_outbox(&self, relay: WorkerId, limit: u32, hold: Duration) -> Result<Vec<OutboxRow>> {
        self.run(&Claim { relay, limit, hold }).await
    }

    /// Marks rows that the broker confirmed; answers how many were still this relay's.
    pub async fn mark_published(&self, relay: WorkerId, ids: &[i64]) -> Result<u64> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.run(&Mark { relay, ids }).await
    }

    /// Deletes published rows that are older than this.
    pub async fn purge_published(&self, older_than: Duration, limit: u32) -> Result<u64> {
        self.run(&Purge { older_than, limit }).await
    }
}

/// Announces that a job is runnable, with the change that made it so.
pub(crate) async fn announce_job(
    tx: &Tx<'_>,
    tenant: TenantId,
    queue: &str,
    job: JobId,
    trace: &TraceContext,
) -> Result<()> {
    tx.announces();
    let sql = "-- outbox.announce_job\nINSERT INTO outbox (tenant_id, topic, body, trace) VALUES ($1, 'job', $2, $3)";
    tx.execute_one(sql, &[&tenant.0, &json!({"queue": queue, "job": job}), &jsonb::trace(trace)]).await
}

struct Claim {
    relay: WorkerId,
    limit: u32,
    hold: Duration,
}

impl Work for Claim {
    type Out = Vec<OutboxRow>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    /// Then another relay takes the rows, and what they announce is announced twice.
    fn may_be_forgotten(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- outbox.claim
            WITH oldest AS (
                SELECT id FROM outbox
                WHERE published_at IS NULL
                  AND (claimed_until IS NULL OR claimed_until <= (SELECT clock_timestamp()))
                ORDER BY id LIMIT $2
                FOR UPDATE SKIP LOCKED
            ), claimed AS (
                UPDATE outbox SET
                    claimed_by = $1, claimed_until = clock_timestamp() + make_interval(secs => $3::float8)
                WHERE id = ANY (ARRAY(SELECT id FROM oldest))
                RETURNING id, topic, body, trace
            )
            SELECT id, topic, body, trace FROM claimed ORDER BY id";
        let rows =
            tx.query_last(sql, &[&self.relay.0, &i64::from(self.limit), &self.hold.as_secs_f64()]).await?;
        Ok(rows.iter().filter_map(readable).collect())
    }
}

/// A row that cannot be read must not hold up the others: it stays, and the age of the oldest tells.
fn readable(row: &Row) -> Option<OutboxRow> {
    let read = read(row);
    if let Err(error) = &read {
        tracing::error!(error = error as &dyn std::error::Error, "an outbox row cannot be read");
    }
    read.ok()
}

#[derive(Deserialize)]
struct JobBody {
    queue: String,
    job: JobId,
}

#[derive(Deserialize)]
struct EventBody {
    migration: MigrationId,
    tenant: TenantId,
    seq: i64,
}

fn read(row: &Row) -> Result<OutboxRow> {
    let id: i64 = row.column("id")?;
    let (topic, body): (&str, Value) = (row.column("topic")?, row.column("body")?);
    let fault = |error: serde_json::Error| Error::corrupt(format!("outbox row {id}: {error}"));
    let topic = match topic {
        "job" => {
            let JobBody { queue, job } = serde_json::from_value(body).map_err(fault)?;
            OutboxTopic::Job { queue, job }
        }
        "event" => {
            let EventBody { migration, tenant, seq } = serde_json::from_value(body).map_err(fault)?;
            OutboxTopic::Event { migration, tenant, seq }
        }
        other => return Err(Error::corrupt(format!("outbox row {id} has the topic {other:?}"))),
    };
    Ok(OutboxRow { id, topic, trace: jsonb::read_trace(row.column("trace")?) })
}

struct Mark<'a> {
    relay: WorkerId,
    ids: &'a [i64],
}

impl Work for Mark<'_> {
    type Out = u64;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    /// Then the rows are published once more, when the claim has run out.
    fn may_be_forgotten(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u64> {
        let sql = "-- outbox.mark_published
            UPDATE outbox SET published_at = clock_timestamp()
            WHERE id = ANY($2) AND claimed_by = $1 AND published_at IS NULL";
        tx.execute_last(sql, &[&self.relay.0, &self.ids]).await
    }
}

struct Purge {
    older_than: Duration,
    limit: u32,
}

impl Work for Purge {
    type Out = u64;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u64> {
        let sql = "-- outbox.purge
            WITH old AS (
                SELECT id FROM outbox
                WHERE published_at <= (SELECT clock_timestamp()) - make_interval(secs => $1::float8)
                ORDER BY published_at LIMIT $2
                FOR UPDATE SKIP LOCKED
            )
            DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM old))";
        tx.execute(sql, &[&self.older_than.as_secs_f64(), &i64::from(self.limit)]).await
    }
}
