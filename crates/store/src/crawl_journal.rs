//! The journal of a crawl: what came of each request, so that a second attempt asks only what the first did not.
//!
//! What is written here is the engine's own bytes under the hash of its own key: nothing here reads them. A journal
//! is closed in the transaction that keeps what came of it (law 12), and removed later, in small steps.

use crate::{
    Error, Result, Store,
    jobs::{Fenced, Lease, fence},
    jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{MigrationId, TenantId};
use tokio_postgres::Row;

/// The most bytes of one visit; the engine makes none that is larger.
pub const MAX_VISIT: usize = 16 * 1024 * 1024;
/// The most visits of a run.
pub const MAX_VISITS: usize = 1_000_000;
/// Keys read by one statement.
const KEYS: i64 = 10_000;
/// Characters of a key that are kept for people.
const KEY_CHARACTERS: usize = 2048;

/// The hash of what was asked.
pub type KeyHash = [u8; 16];

/// What came of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVisit {
    /// The hash of what was asked.
    pub hash: KeyHash,
    /// What was asked, for people.
    pub key: String,
    /// What came of it, of at most [`MAX_VISIT`] bytes.
    pub visit: Vec<u8>,
}

/// A journal that nobody needs any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldJournal {
    /// Whose it is.
    pub tenant: TenantId,
    /// The migration that it belongs to.
    pub migration: MigrationId,
    /// The run.
    pub run: i32,
}

impl Store {
    /// Records visits, each key at most once in a call. A key recorded again takes the new value.
    pub async fn record_visits(&self, lease: &Lease, visits: &[NewVisit]) -> Result<Fenced<()>> {
        self.run(&Record { lease, visits }).await
    }

    /// What was recorded for this run under these keys, as far as it was, in no order.
    pub async fn recall_visits(&self, lease: &Lease, hashes: &[KeyHash]) -> Result<Vec<(KeyHash, Vec<u8>)>> {
        self.run(&Recall { lease, hashes }).await
    }

    /// The hashes of what was recorded for this run, in order: the first of them, or those behind `after`. None are left
    /// when none come.
    pub async fn recorded_keys(&self, lease: &Lease, after: Option<KeyHash>) -> Result<Vec<KeyHash>> {
        let after = after.as_ref().map_or(&[][..], KeyHash::as_slice);
        self.run(&Keys { lease, after }).await
    }

    /// Journals whose run is over, or that were closed: to be removed by [`Store::remove_journal`].
    pub async fn old_journals(&self, limit: u32) -> Result<Vec<OldJournal>> {
        self.run(&Old { limit }).await
    }

    /// Removes at most `limit` visits of an old journal, and with the last of them the journal. True when it is gone.
    pub async fn remove_journal(&self, journal: &OldJournal, limit: u32) -> Result<bool> {
        self.run(&Remove { journal, limit }).await
    }
}

struct Record<'a> {
    lease: &'a Lease,
    visits: &'a [NewVisit],
}

impl Work for Record<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        if fence::prove(tx, lease).await?.is_none() {
            return Ok(Fenced::Stale);
        }
        let sql = "-- journal.open
            INSERT INTO crawl_journals (migration_id, run, tenant_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let of = lease.migration_run()?;
        tx.execute(sql, &[&of.migration.0, &of.run, &lease.tenant.0]).await?;
        let sql = "-- journal.record
            WITH written AS (
                INSERT INTO crawl_visits (migration_id, run, tenant_id, epoch, key_hash, key, visit)
                SELECT $1, $2, $3, $4, new.hash, new.key, new.visit
                FROM unnest($5::bytea[], $6::text[], $7::bytea[]) AS new (hash, key, visit)
                ON CONFLICT (migration_id, run, key_hash) DO UPDATE
                SET visit = excluded.visit, epoch = excluded.epoch, recorded_at = clock_timestamp()
                RETURNING length(visit) AS bytes, (xmax = 0)::integer AS inserted
            )
            UPDATE crawl_journals SET visits = crawl_journals.visits + new.visits, bytes = crawl_journals.bytes + new.bytes
            FROM (SELECT coalesce(sum(inserted), 0)::integer AS visits, coalesce(sum(bytes), 0)::bigint AS bytes
                  FROM written) AS new
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3";
        let hashes: Vec<&[u8]> = self.visits.iter().map(|visit| visit.hash.as_slice()).collect();
        let keys: Vec<String> = self
            .visits
            .iter()
            .map(|visit| jsonb::text_storable(&visit.key).chars().take(KEY_CHARACTERS).collect())
            .collect();
        let bytes: Vec<&[u8]> = self.visits.iter().map(|visit| visit.visit.as_slice()).collect();
        tx.execute_one(
            sql,
            &[&of.migration.0, &of.run, &lease.tenant.0, &lease.epoch.0, &hashes, &keys, &bytes],
        )
        .await?;
        Ok(Fenced::Done(()))
    }
}

struct Recall<'a> {
    lease: &'a Lease,
    hashes: &'a [KeyHash],
}

impl Work for Recall<'_> {
    type Out = Vec<(KeyHash, Vec<u8>)>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- journal.recall
            SELECT key_hash, visit FROM crawl_visits
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND key_hash = ANY ($4::bytea[])";
        let lease = self.lease;
        let hashes: Vec<&[u8]> = self.hashes.iter().map(KeyHash::as_slice).collect();
        let of = lease.migration_run()?;
        let rows = tx.query(sql, &[&of.migration.0, &of.run, &lease.tenant.0, &hashes]).await?;
        rows.iter().map(|row| Ok((read_hash(row)?, row.column("visit")?))).collect()
    }
}

struct Keys<'a> {
    lease: &'a Lease,
    after: &'a [u8],
}

impl Work for Keys<'_> {
    type Out = Vec<KeyHash>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- journal.keys
            SELECT key_hash FROM crawl_visits
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND key_hash > $4
            ORDER BY key_hash LIMIT $5";
        let lease = self.lease;
        let of = lease.migration_run()?;
        let rows = tx.query(sql, &[&of.migration.0, &of.run, &lease.tenant.0, &self.after, &KEYS]).await?;
        rows.iter().map(read_hash).collect()
    }
}

fn read_hash(row: &Row) -> Result<KeyHash> {
    let hash: &[u8] = row.column("key_hash")?;
    hash.try_into().map_err(|_| Error::corrupt("a key's hash is not 16 bytes long"))
}

struct Old {
    limit: u32,
}

impl Work for Old {
    type Out = Vec<OldJournal>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- journal.old
            SELECT tenant_id, migration_id, run FROM crawl_journals journal
            WHERE closed_at IS NOT NULL
               OR EXISTS (SELECT 1 FROM jobs
                          WHERE jobs.migration_id = journal.migration_id AND jobs.run = journal.run
                            AND jobs.state IN ('COMPLETED', 'FAILED', 'CANCELLED'))
            ORDER BY migration_id, run LIMIT $1";
        let rows = tx.query(sql, &[&i64::from(self.limit)]).await?;
        rows.iter()
            .map(|row| {
                Ok(OldJournal {
                    tenant: TenantId(row.column("tenant_id")?),
                    migration: MigrationId(row.column("migration_id")?),
                    run: row.column("run")?,
                })
            })
            .collect()
    }
}

struct Remove<'a> {
    journal: &'a OldJournal,
    limit: u32,
}

impl Work for Remove<'_> {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.journal.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let OldJournal { tenant, migration, run } = self.journal;
        let sql = "-- journal.remove_visits
            DELETE FROM crawl_visits
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND key_hash IN (
                SELECT key_hash FROM crawl_visits
                WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 ORDER BY key_hash LIMIT $4)";
        let limit = i64::from(self.limit);
        let removed = tx.execute(sql, &[&migration.0, run, &tenant.0, &limit]).await?;
        if removed >= u64::from(self.limit) {
            return Ok(false);
        }
        let sql = "-- journal.remove
            DELETE FROM crawl_journals WHERE migration_id = $1 AND run = $2 AND tenant_id = $3";
        tx.execute(sql, &[&migration.0, run, &tenant.0]).await?;
        Ok(true)
    }
}
