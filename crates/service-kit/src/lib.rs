//! What every service needs to run: start and stop, configuration, secrets, the admin port, exit codes.
//!
//! Knows nothing of the domain. Start at [`Lifecycle`]: it owns every task of a process, and it is the only
//! place that may spawn one.
#![warn(missing_docs)]

pub mod admin;
pub mod config;
pub mod cors;
pub mod exit;
pub mod grpc;
pub mod http;
mod lifecycle;
pub mod objects;
pub mod problem;
pub mod program;
mod secret;
mod signals;

pub use lifecycle::{Fatal, Lifecycle};
pub use secret::Secret;
pub use signals::Signals;

/// Any error that a task may end with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
