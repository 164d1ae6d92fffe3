//! The reader of one migration: reads new events from Postgres, encodes each once, and hands it to all who listen.

use crate::{
    cursor::History,
    frame::Frame,
    metrics::Metrics,
    topics::Topic,
    watch::{Watch, delivery},
};
use domain::{MigrationId, TenantId, event::Event, trace::TraceContext};
use std::sync::Arc;
use store::Store;

pub(crate) struct Reader {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) migration: MigrationId,
    pub(crate) history: History,
    /// The last event that was handed out.
    pub(crate) at: i64,
    pub(crate) topic: Arc<Topic<Frame>>,
    pub(crate) page: u32,
    pub(crate) metrics: Arc<Metrics>,
}

impl Watch for Reader {
    type Frame = Frame;

    fn topic(&self) -> &Arc<Topic<Frame>> {
        &self.topic
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

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
}

impl Reader {
    fn hand_out(&mut self, event: &Event, written: &TraceContext) {
        let listeners = self.topic.frames.receiver_count();
        delivery(event, &self.topic.noted, written, listeners).in_scope(|| {
            let frame = Arc::new(Frame::new(event, self.history));
            self.at = event.seq;
            self.metrics.live(event);
            // An error says that the last listener has just left: `over` follows.
            let _listeners = self.topic.frames.send(frame);
        });
    }
}
