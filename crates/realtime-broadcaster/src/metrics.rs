//! What this crate measures. Names stand here as Prometheus shows them; `docs/` lists them.

use crate::{
    limits::{Limits, Sort},
    visitors::Visitors,
};
use domain::event::Event;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use std::sync::atomic::{AtomicU64, Ordering};
use time::OffsetDateTime;
use tokio::time::Instant;

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
    // What an instrument holds cannot be read back from it.
    delivered_so_far: AtomicU64,
    closed_so_far: AtomicU64,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter, limits: &Limits, visitors: &Visitors) -> Self {
        let (limits, visitors) = (limits.clone(), visitors.clone());
        meter
            .u64_observable_gauge("resettle_event_streams")
            .with_description("Streams that are open, by sort")
            .with_callback(move |gauge| {
                for sort in Sort::ALL {
                    gauge.observe(limits.open_of(sort) as u64, &[KeyValue::new("sort", sort.as_str())]);
                }
            })
            .build();
        meter
            .u64_observable_gauge("resettle_event_restless_clients")
            .with_description("Clients that reconnected more than 3 times in the last 10 minutes")
            .with_callback(move |gauge| gauge.observe(visitors.restless(Instant::now()) as u64, &[]))
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
            delivered_so_far: AtomicU64::new(0),
            closed_so_far: AtomicU64::new(0),
        }
    }

    pub(crate) fn delivered(&self, events: usize) {
        self.delivered.add(events as u64, &[]);
        self.delivered_so_far.fetch_add(events as u64, Ordering::Relaxed);
    }

    pub(crate) fn resync(&self, cause: Resync) {
        self.resyncs.add(1, &[KeyValue::new("cause", cause.as_str())]);
    }

    pub(crate) fn closed(&self, reason: &'static str) {
        self.closed.add(1, &[KeyValue::new("reason", reason)]);
        self.closed_so_far.fetch_add(1, Ordering::Relaxed);
    }

    /// Events handed to connections, and streams that ended, since the start.
    pub(crate) fn so_far(&self) -> (u64, u64) {
        (self.delivered_so_far.load(Ordering::Relaxed), self.closed_so_far.load(Ordering::Relaxed))
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
