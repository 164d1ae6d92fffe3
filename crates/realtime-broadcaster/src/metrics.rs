//! What this crate measures. Names stand here as Prometheus shows them; `docs/` lists them.

use crate::limits::Limits;
use domain::event::Event;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use time::OffsetDateTime;

/// From a fast path on one machine to a lost note and a slow database.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Why listeners, or a reader, had to read the database again or sooner than a note told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resync {
    /// A listener fell behind the shared buffer.
    Lagged,
    /// A listener saw a number that does not follow the one before.
    Gap,
    /// The subscription to notes was broken.
    Resubscribed,
    /// The tail check found what no note had told.
    TailCheck,
}

impl Resync {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lagged => "lagged",
            Self::Gap => "gap",
            Self::Resubscribed => "resubscribed",
            Self::TailCheck => "tail_check",
        }
    }
}

/// All instruments of a broadcaster.
pub(crate) struct Metrics {
    delivered: Counter<u64>,
    resyncs: Counter<u64>,
    closed: Counter<u64>,
    lag: Histogram<f64>,
    horizon_lag: Gauge<f64>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter, limits: &Limits) -> Self {
        let limits = limits.clone();
        meter
            .u64_observable_gauge("resettle_event_streams")
            .with_description("Streams that are open")
            .with_callback(move |gauge| gauge.observe(limits.open() as u64, &[]))
            .build();
        let counter =
            |name: &'static str, told: &'static str| meter.u64_counter(name).with_description(told).build();
        Self {
            delivered: counter("resettle_events_delivered_total", "Events handed to connections"),
            resyncs: counter("resettle_event_resyncs_total", "Times that events were read anew, by cause"),
            closed: counter("resettle_event_streams_closed_total", "Streams that ended, by reason"),
            lag: meter
                .f64_histogram("resettle_event_delivery_lag_seconds")
                .with_unit("s")
                .with_description("From an event's writing to its being handed to listeners")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            horizon_lag: meter
                .f64_gauge("resettle_event_horizon_lag_seconds")
                .with_unit("s")
                .with_description("How long the oldest event above the snapshot horizon has waited")
                .build(),
        }
    }

    pub(crate) fn delivered(&self, events: usize) {
        self.delivered.add(events as u64, &[]);
    }

    pub(crate) fn resync(&self, cause: Resync) {
        self.resyncs.add(1, &[KeyValue::new("cause", cause.as_str())]);
    }

    pub(crate) fn closed(&self, reason: &'static str) {
        self.closed.add(1, &[KeyValue::new("reason", reason)]);
    }

    /// The event is about to be handed to all who listen.
    pub(crate) fn live(&self, event: &Event) {
        let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        // Two machines' clocks: a negative difference is none.
        self.lag.record((now - i128::from(event.ts)).max(0) as f64 / 1000.0, &[]);
    }

    pub(crate) fn horizon(&self, seconds: f64) {
        self.horizon_lag.record(seconds, &[]);
    }
}
