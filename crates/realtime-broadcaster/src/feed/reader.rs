//! The reader of one tenant's events: encodes each event once, and hands it to all who listen.

use super::{Placed, Sweep, Told, sweep::Step};
use crate::{
    cursor::History,
    metrics::Metrics,
    topics::Topic,
    watch::{Watch, delivery},
};
use std::sync::Arc;
use store::PlacedEvent;

pub(crate) struct Reader {
    pub(crate) sweep: Sweep,
    pub(crate) history: History,
    pub(crate) metrics: Arc<Metrics>,
}

impl Watch for Reader {
    type Frame = Told;

    async fn catch_up(&mut self, topic: &Topic<Self>) -> Result<usize, store::Error> {
        let mut found = 0;
        loop {
            match self.sweep.step().await? {
                Step::Events(events) => {
                    found += events.len();
                    self.hand_out(events, topic);
                }
                Step::Reached(horizon) => {
                    if found > 0 {
                        // An error says that the last listener has just left: `over` follows.
                        let _listeners = topic.frames.send(Arc::new(Told::Reached(horizon)));
                    }
                    return Ok(found);
                }
            }
        }
    }

    fn at(&self) -> i64 {
        self.sweep.at().0
    }
}

impl Reader {
    fn hand_out(&self, events: Vec<PlacedEvent>, topic: &Topic<Self>) {
        let listeners = topic.frames.receiver_count();
        // Open until all were handed over.
        let _spans: Vec<_> = events
            .iter()
            .map(|placed| delivery(&placed.event, &topic.noted, &placed.trace, listeners))
            .collect();
        for placed in &events {
            self.metrics.live(&placed.event);
        }
        // Where all who listen are at least: how far this look has come is the reader's own affair.
        let cursor = self.history.cursor(self.at());
        if let Some(placed) = Placed::new(events, |_| cursor.clone()) {
            let _listeners = topic.frames.send(Arc::new(Told::Events(placed)));
        }
    }
}
