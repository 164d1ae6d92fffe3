//! The words of Resettle, their states and their policies.
//!
//! Pure: no I/O, no clock, no randomness, no SQL, no async. What needs the time or a die gets it as an
//! argument. A type enters this crate when a second service needs it; until then it stays with its owner.
//!
//! Start at [`job`] (the unit of durable work), [`migration`] (one website's move) and [`event`] (what the
//! public history is made of).
#![warn(missing_docs)]

pub mod analysis;
pub mod brief;
pub mod circuit;
pub mod dead_letter;
pub mod deadline;
pub mod event;
pub mod failure;
pub mod gate;
pub mod id;
pub mod idempotency;
mod illegal_move;
pub mod job;
pub mod kind;
pub mod migration;
pub mod phase;
pub mod rerun;
pub mod retry;
pub mod schedule;
pub mod source_url;
pub mod task;
pub mod trace;
pub mod tracking;
pub mod turn;

pub use failure::Failure;
pub use id::{ApiKeyId, CorrelationId, Epoch, JobId, MigrationId, SessionId, TenantId, UserId, WorkerId};
pub use illegal_move::IllegalMove;
pub use kind::Kind;
