//! The reader of one migration: reads new events from Postgres when told to look, and now and then unasked;
//! encodes each once, and hands it to all who listen.

use crate::{
    cursor::History,
    frame::Frame,
    metrics::{Metrics, Resync},
    topics::Topic,
};
use domain::{MigrationId, TenantId, event::Event, trace::TraceContext};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::time::timeout;

/// The first wait after the database did not answer; it doubles up to the tail check's interval.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Reader {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) migration: MigrationId,
    pub(crate) history: History,
    /// The last event that was handed out.
    pub(crate) at: i64,
    pub(crate) topic: Arc<Topic<Frame>>,
    pub(crate) page: u32,
    pub(crate) tail_check: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

impl Reader {
    /// Until nobody listens any more.
    pub(crate) async fn run(mut self) {
        let over = self.topic.over.clone();
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
                    tracing::warn!(migration = %self.migration, error, "events cannot be read; trying again");
                    pause = (pause * 2).min(self.tail_check);
                    pause
                }
            };
            match over.run_until_cancelled(timeout(wait, topic.bell.notified())).await {
                None => return,
                Some(rung) => told = rung.is_ok(),
            }
        }
    }

    /// Hands out all that is new; how many events that was.
    async fn catch_up(&mut self) -> Result<usize, store::Error> {
        let mut found = 0;
        loop {
            let page =
                self.store.traced_events_after(self.tenant, self.migration, self.at, self.page).await?;
            for (event, trace) in &page {
                self.hand_out(event, trace);
            }
            found += page.len();
            if page.len() < self.page as usize {
                return Ok(found);
            }
        }
    }

    fn hand_out(&mut self, event: &Event, written: &TraceContext) {
        let span = tracing::info_span!(
            parent: None,
            "sse.deliver",
            otel.kind = "consumer",
            migration = %self.migration,
            seq = event.seq,
            listeners = self.topic.frames.receiver_count(),
        );
        let noted =
            self.topic.noted.take(self.migration, event.seq).filter(|trace| trace.traceparent.is_some());
        let trace = noted.as_ref().unwrap_or(written);
        telemetry::set_parent(&span, trace.traceparent.as_deref(), trace.tracestate.as_deref());
        span.in_scope(|| {
            let frame = Arc::new(Frame::new(event, self.history));
            self.at = event.seq;
            self.metrics.live(event);
            // An error says that the last listener has just left: `over` follows.
            let _listeners = self.topic.frames.send(frame);
        });
    }
}
