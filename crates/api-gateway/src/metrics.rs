//! The gateway's figures.

use opentelemetry::{KeyValue, global, metrics::Counter};

/// Instruments, made once.
pub(crate) struct Metrics {
    started: Counter<u64>,
    live: Counter<u64>,
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
        }
    }

    pub(crate) fn start(&self, outcome: &'static str) {
        self.started.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn live(&self, outcome: &'static str) {
        self.live.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}
