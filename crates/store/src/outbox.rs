//! What is to be announced: claimed by a column, published by the caller, marked in a second transaction.

use crate::{Result, Store};
use domain::{JobId, MigrationId, TenantId, WorkerId, trace::TraceContext};
use std::time::Duration;

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
        let _ = (relay, limit, hold);
        todo!()
    }

    /// Marks rows that the broker confirmed; answers how many were still this relay's.
    pub async fn mark_published(&self, relay: WorkerId, ids: &[i64]) -> Result<u64> {
        let _ = (relay, ids);
        todo!()
    }

    /// Deletes published rows that are older than this.
    pub async fn purge_published(&self, older_than: Duration, limit: u32) -> Result<u64> {
        let _ = (older_than, limit);
        todo!()
    }
}
