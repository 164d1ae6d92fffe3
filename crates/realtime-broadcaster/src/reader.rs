//! The reader of one migration: reads new events from Postgres, encodes each once, and hands it to all who listen.

use crate::{
    cursor::History,
    metrics::Metrics,
    page::Page,
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
    pub(crate) page: u32,
    pub(crate) metrics: Arc<Metrics>,
}

impl Watch for Reader {
    type Frame = Page;

    async fn catch_up(&mut self, topic: &Topic<Self>) -> Result<usize, store::Error> {
        let mut found = 0;
        loop {
            let events =
                self.store.traced_events_after(self.tenant, self.migration, self.at, self.page).await?;
            let count = events.len();
            self.hand_out(events, topic);
            found += count;
            if count < self.page as usize {
                return Ok(found);
            }
        }
    }

    fn at(&self) -> i64 {
        self.at
    }
}

impl Reader {
    fn hand_out(&mut self, events: Vec<(Event, TraceContext)>, topic: &Topic<Self>) {
        let listeners = topic.frames.receiver_count();
        // Open until all were handed over.
        let _spans: Vec<_> =
            events.iter().map(|(event, written)| delivery(event, &topic.noted, written, listeners)).collect();
        let events: Vec<Event> = events.into_iter().map(|(event, _)| event).collect();
        for event in &events {
            self.metrics.live(event);
        }
        let history = self.history;
        let page = Page::new(events, |event| history.cursor(event.seq));
        let Some(last) = page.last() else { return };
        self.at = last;
        // An error says that the last listener has just left: `over` follows.
        let _listeners = topic.frames.send(Arc::new(page));
    }
}
