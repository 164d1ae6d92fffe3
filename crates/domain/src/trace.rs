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

impl TraceContext {
    /// The trace's id, 32 hexadecimal digits, if there is a well-formed `traceparent`.
    pub fn trace_id(&self) -> Option<&str> {
        let id = self.traceparent.as_deref()?.split('-').nth(1)?;
        (id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_id_is_the_second_part_of_a_well_formed_traceparent() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let with =
            |traceparent: &str| TraceContext { traceparent: Some(traceparent.to_owned()), tracestate: None };
        assert_eq!(with(&format!("00-{id}-00f067aa0ba902b7-01")).trace_id(), Some(id));
        assert_eq!(with("00-short-00f067aa0ba902b7-01").trace_id(), None);
        assert_eq!(with("nonsense").trace_id(), None);
        assert_eq!(TraceContext::default().trace_id(), None);
    }
}
