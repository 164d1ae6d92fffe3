//! The reader of one tenant's events: looks when told to, and now and then unasked; encodes each event once, and
//! hands it to all who listen.

use super::{Sweep, Told, sweep::Step};
use crate::{
    cursor::History,
    metrics::{Metrics, Resync},
    topics::Topic,
};
use std::{sync::Arc, time::Duration};
use store::PlacedEvent;
use tokio::time::timeout;

/// The first wait after the database did not answer; it doubles up to the tail check's interval.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Reader {
    pub(crate) sweep: Sweep,
    pub(crate) history: History,
    pub(crate) topic: Arc<Topic<Told>>,
    pub(crate) tail_check: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

impl Reader {
    /// Until nobody listens any more.
    pub(crate) async fn run(mut self) {
        let topic = Arc::clone(&self.topic);
        let mut told = true;
        let mut pause = FIRST_PAUSE;
        loop {
            let wait = match self.catch_up().await {
                Ok(found) => {
                    if found > 0 && !told {
                        self.metrics.resync(Resync::TailCheck);
                    }
                    pause = FIRST_PAUSE;
                    self.tail_check
                }
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    let tenant = self.sweep.tenant();
                    tracing::warn!(%tenant, error, "events cannot be read; trying again");
                    pause = (pause * 2).min(self.tail_check);
                    pause
                }
            };
            match topic.over.run_until_cancelled(timeout(wait, topic.bell.notified())).await {
                None => return,
                Some(rung) => told = rung.is_ok(),
            }
        }
    }

    /// Hands out all that is new; how many events that was.
    async fn catch_up(&mut self) -> Result<usize, store::Error> {
        let mut found = 0;
        loop {
            match self.sweep.step().await? {
                Step::Events(events) => {
                    found += events.len();
                    for placed in &events {
                        self.hand_out(placed);
                    }
                }
                Step::Reached(horizon) => {
                    if found > 0 {
                        // An error says that the last listener has just left: `over` follows.
                        let _listeners = self.topic.frames.send(Arc::new(Told::Reached(horizon)));
                    }
                    return Ok(found);
                }
            }
        }
    }

    fn hand_out(&self, placed: &PlacedEvent) {
        let event = &placed.event;
        let span = tracing::info_span!(
            parent: None,
            "sse.deliver",
            otel.kind = "consumer",
            migration = %event.migration_id,
            seq = event.seq,
            listeners = self.topic.frames.receiver_count(),
        );
        let noted = self.topic.noted.take(event.migration_id, event.seq);
        let noted = noted.filter(|trace| trace.traceparent.is_some());
        let trace = noted.as_ref().unwrap_or(&placed.trace);
        telemetry::set_parent(&span, trace.traceparent.as_deref(), trace.tracestate.as_deref());
        span.in_scope(|| {
            let told = Told::event(placed, self.history, self.sweep.at());
            self.metrics.live(event);
            let _listeners = self.topic.frames.send(Arc::new(told));
        });
    }
}
