//! One website's move, as the gateway writes and reads it. Each call names its tenant, and its transaction
//! carries it, so that somebody else's migration does not exist here.

pub(crate) mod advance;
mod cancel;
mod read;
mod start;

pub use cancel::{CancelOutcome, CancelRequest};
pub use read::{Holder, MigrationRecord, PageRequest, PhaseRecord};
pub use start::{IdempotentWrite, StartMigration, StartOutcome};
