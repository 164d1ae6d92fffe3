//! The reader of one tenant's events: encodes each event once, and hands it to all who listen.

use super::{Sweep, Told, sweep::Step};
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
    pub(crate) topic: Arc<Topic<Told>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Watch for Reader {
    type Frame = Told;

    fn topic(&self) -> &Arc<Topic<Told>> {
        &self.topic
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

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
}

impl Reader {
    fn hand_out(&self, placed: &PlacedEvent) {
        let listeners = self.topic.frames.receiver_count();
        delivery(&placed.event, &self.topic.noted, &placed.trace, listeners).in_scope(|| {
            let told = Told::event(placed, self.history, self.sweep.at());
            self.metrics.live(&placed.event);
            let _listeners = self.topic.frames.send(Arc::new(told));
        });
    }
}
