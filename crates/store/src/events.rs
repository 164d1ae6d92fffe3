//! The public history of migrations.

use crate::{Result, Store};
use domain::{MigrationId, TenantId, event::Event};
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
        let _ = (tenant, id, since, limit);
        todo!()
    }

    /// Where the history ends; `None` if this tenant has no such migration (each has at least one event).
    pub async fn event_tail(&self, tenant: TenantId, id: MigrationId) -> Result<Option<Tail>> {
        let _ = (tenant, id);
        todo!()
    }

    /// Which history this is: changed by a restore.
    pub async fn log_incarnation(&self) -> Result<Uuid> {
        todo!()
    }
}
