//! The trace context that rides on rows and messages, so that a job found by polling has it too.

use serde::{Deserialize, Serialize};

/// A W3C trace context (<https://www.w3.org/TR/trace-context/>), kept as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// The `traceparent` header, if the request was traced.
    pub traceparent: Option<String>,
    /// The `tracestate` header, if there was one.
    pub tracestate: Option<String>,
}
