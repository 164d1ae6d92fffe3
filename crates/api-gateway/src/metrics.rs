//! The gateway's figures.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};
use std::time::Duration;

/// From a look-up by key to a slow database.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// Instruments, made once.
pub(crate) struct Metrics {
    started: Counter<u64>,
    live: Counter<u64>,
    cancels: Counter<u64>,
    requests: Histogram<f64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("api-gateway");
        Self {
            started: meter
                .u64_counter("resettle_migration_starts")
                .with_description("Requests to start a migration, by what came of them")
                .build(),
            live: meter
                .u64_counter("resettle_live_status_lookups")
                .with_description("Questions to workers about what they are doing, by what came of them")
                .build(),
            cancels: meter
                .u64_counter("resettle_cancel_calls")
                .with_description("Calls to workers whose job was called off, by what came of them")
                .build(),
            requests: meter
                .f64_histogram("resettle_http_request_seconds")
                .with_unit("s")
                .with_description("From a request's head to its answer's head, by route, method and status")
                .with_boundaries(SECONDS.to_vec())
                .build(),
        }
    }

    pub(crate) fn start(&self, outcome: &'static str) {
        self.started.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    /// `route` is the pattern, never the path: each value is a time series of its own.
    pub(crate) fn request(&self, route: String, method: &'static str, status: u16, took: Duration) {
        let labels = [
            KeyValue::new("route", route),
            KeyValue::new("method", method),
            KeyValue::new("status", i64::from(status)),
        ];
        self.requests.record(took.as_secs_f64(), &labels);
    }

    /// A holder was told that its job is called off.
    pub(crate) fn told_to_cancel(&self, outcome: &'static str) {
        self.cancels.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn live(&self, outcome: &'static str) {
        self.live.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}
