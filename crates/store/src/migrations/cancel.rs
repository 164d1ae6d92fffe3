//! Calls a migration off: at once where its job waits, by a flag that the holder sees where it is leased.

use crate::{Result, Store};
use domain::{MigrationId, TenantId, UserId, event::NewEvent, migration::MigrationState, trace::TraceContext};

/// A wish to call a migration off.
#[derive(Clone, Debug)]
pub struct CancelRequest {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which one.
    pub migration: MigrationId,
    /// The request's trace context.
    pub trace: TraceContext,
    /// The `done` event to write if it ends at once (`NewEvent::cancelled`).
    pub event: NewEvent,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// This tenant has no such migration.
    NotFound,
    /// It waited, and is cancelled now.
    Cancelled,
    /// A worker holds it and will see the wish with its next heartbeat.
    Requested,
    /// It was over before.
    AlreadyOver(MigrationState),
}

impl Store {
    /// Cancels a migration or asks its holder to.
    pub async fn request_cancel(&self, request: &CancelRequest) -> Result<CancelOutcome> {
        let _ = request;
        todo!()
    }
}
