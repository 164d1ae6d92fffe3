//! Logs, traces and metrics, and the trace context's way through HTTP and gRPC.
//!
//! Knows nothing of the domain. [`init`] once per process, [`Telemetry::shutdown`] at its end.
//!
//! **Which service does a span belong to?** Three services may run in one process, and each has a tracer
//! provider of its own, so that a trace looks the same as from three processes. A span belongs to the service
//! of its parent span in this process. A span without such a parent belongs to the service named by its field
//! `service` (names as given to [`init`]), otherwise to the one whose crate opened it, otherwise to the first.
#![warn(missing_docs)]

mod context;
pub mod grpc;
pub mod http;
mod init;
mod log;
mod metrics;
mod service;

pub use context::{add_link, current_context, set_parent, trace_id};
pub use init::{Error, Telemetry, init};
pub use log::Format;

use serde::Deserialize;

/// What is written and where to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where spans are sent by OTLP over gRPC, such as `http://collector:4317`; nowhere if absent.
    pub otlp_endpoint: Option<String>,
    /// How log lines look.
    pub log: Format,
    /// Which log lines and spans there are, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { otlp_endpoint: None, log: Format::Auto, filter: "info".to_owned() }
    }
}
