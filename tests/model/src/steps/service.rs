//! What any worker does for all: sweeps and relays.

use crate::{
    terms::{Flaw, Terms},
    worker::Relay,
    world::World,
};

impl World {
    pub(super) fn rescue(&mut self, terms: &Terms, worker: usize) -> bool {
        let Some(lease) = &self.record.lease else { return false };
        // A sweeper renews what it holds itself before it sweeps.
        let own = lease.holder == Some(worker) && self.workers[worker].hold().is_some();
        if own || lease.left > 0 || !self.may_sweep(terms) {
            return false;
        }
        self.take_away();
        true
    }

    pub(super) fn take_overdue(&mut self, terms: &Terms) -> bool {
        if self.record.lease.is_none() || !self.may_sweep(terms) {
            return false;
        }
        self.hung |= 1 << self.record.job.epoch;
        self.take_away();
        true
    }

    pub(super) fn end_called_off(&mut self, terms: &Terms) -> bool {
        if !self.record.job.cancel_requested || self.record.lease.is_none() || !self.may_sweep(terms) {
            return false;
        }
        self.hung |= 1 << self.record.job.epoch;
        self.take_called_off();
        true
    }

    pub(super) fn relay_takes(&mut self, terms: &Terms, worker: usize) -> bool {
        if self.workers[worker].relay != Relay::Idle || !self.take_row(terms, worker) {
            return false;
        }
        self.workers[worker].relay = Relay::Taken;
        true
    }

    pub(super) fn relay_publishes(&mut self, terms: &Terms, worker: usize) -> bool {
        if self.workers[worker].relay != Relay::Taken {
            return false;
        }
        let marked = terms.has(Flaw::MarkBeforeConfirm);
        self.workers[worker].relay = if marked { Relay::Idle } else { Relay::Confirmed };
        self.hint()
    }

    pub(super) fn relay_is_refused(&mut self, worker: usize) -> bool {
        if self.workers[worker].relay != Relay::Taken {
            return false;
        }
        self.workers[worker].relay = Relay::Idle;
        self.leave_row(worker);
        true
    }

    pub(super) fn relay_marks(&mut self, worker: usize) -> bool {
        if self.workers[worker].relay != Relay::Confirmed {
            return false;
        }
        self.workers[worker].relay = Relay::Idle;
        self.mark_row(worker);
        true
    }

    /// The row stays, and is free when its hold is over.
    pub(super) fn leave_row(&mut self, worker: usize) {
        for row in self.record.outbox.iter_mut().filter(|row| row.relay == Some(worker)) {
            row.relay = None;
        }
    }
}
