//! One website's move, as the gateway writes and reads it. Each call names its tenant, and its transaction
//! carries it, so that somebody else's migration does not exist here.

pub(crate) mod advance;
mod cancel;
pub(crate) mod enqueue;
mod plan;
mod read;
mod retry;
pub(crate) mod start;
mod taken;

pub use cancel::{CancelOutcome, CancelRequest};
pub use plan::{AmendOutcome, AmendPlan, Amended, Approval, PlanEdit, PlanRecord};
pub(crate) use read::read_holder;
pub use read::{Holder, MigrationRecord, PageRequest, PhaseRecord};
pub use retry::{NewBrief, Retried, RetryMigration, RetryOutcome};
pub use start::{IdempotentWrite, StartMigration, StartOutcome};
