//! The broadcaster: live progress of migrations over server-sent events, and over gRPC for services.
//!
//! Reads events and nothing else. The bus only says "look": what is sent was read from Postgres after its
//! commit, so a lost note costs latency and never an event. It must never send an event twice or out of order
//! on one connection, never hold more than a bounded number of bytes for a slow listener, and never leave a
//! listener in doubt about whether its cursor was understood.
//!
//! Start at [`Broadcaster`]. `route` and `grpc` answer requests; `session` carries a connection to one migration,
//! `feed` one to all of a tenant's; `line` is any connection's way out, through a `pipe`, in the words of its `wire`;
//! `hub` shares one reader per migration and per tenant among all who listen.
#![warn(missing_docs)]

mod access;
mod address;
mod broadcaster;
mod config;
mod cursor;
mod feed;
mod frame;
mod grpc;
mod hub;
mod limits;
mod line;
mod metrics;
mod noted;
mod page;
mod pipe;
mod problem;
mod process;
mod reader;
mod route;
mod session;
mod topics;
mod visitors;
mod watch;
mod wire;

pub use broadcaster::Broadcaster;
pub use config::{Config, Options};
pub use problem::Code;
pub use process::start;

/// The name under which this service is configured, traced and logged.
pub const SERVICE: &str = "realtime-broadcaster";
