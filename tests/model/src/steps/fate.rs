//! What befalls processes and servers, and what is left of them.

use crate::{
    terms::MOST_HINTS,
    worker::{Slot, Worker},
    world::World,
};

impl World {
    pub(super) fn die(&mut self, worker: usize) {
        let dead = std::mem::replace(&mut self.workers[worker], Worker::dead());
        if dead.hint {
            self.hint(); // the broker gives it to somebody else
        }
        if let Some(lease) = self.record.lease.as_mut().filter(|lease| lease.holder == Some(worker)) {
            lease.holder = None;
        }
        self.leave_row(worker);
    }

    pub(super) fn postgres_stops(&mut self) {
        self.record.up = false;
        for worker in &mut self.workers {
            worker.beat = None;
            if matches!(worker.slot, Slot::Claimed { .. }) {
                worker.slot = Slot::InDoubt;
            }
        }
    }

    /// One more of the same adds nothing.
    pub(super) fn hint(&mut self) -> bool {
        self.broker.queued = (self.broker.queued + 1).min(MOST_HINTS);
        true
    }
}
