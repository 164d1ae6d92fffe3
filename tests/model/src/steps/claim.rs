//! From a hint to a hold.

use super::trust;
use crate::{
    terms::{Flaw, Half, Terms},
    worker::{Hold, Slot},
    world::World,
};

impl World {
    pub(super) fn deliver(&mut self, terms: &Terms, worker: usize) -> bool {
        let one = &mut self.workers[worker];
        if self.broker.queued == 0 || one.hint || one.slot != Slot::Idle {
            return false;
        }
        self.broker.queued -= 1;
        if terms.has(Flaw::AcknowledgeBeforeClaim) {
            one.look = true;
        } else {
            one.hint = true;
        }
        true
    }

    pub(super) fn look_for_work(&mut self, terms: &Terms, worker: usize) -> bool {
        let one = &mut self.workers[worker];
        if one.slot != Slot::Idle || !(one.hint || one.look || terms.half == Half::Leases) {
            return false;
        }
        one.look = false;
        match self.claim(terms, worker) {
            Some(epoch) => self.workers[worker].slot = Slot::Claimed { epoch, age: 0 },
            None => self.workers[worker].hint = false, // nothing there: acknowledged all the same
        }
        if terms.half == Half::Bell && self.hear_claim(terms, worker) {
            if !terms.begins {
                self.write(terms, worker, true); // begins the job
            }
            self.write(terms, worker, true); // enters the phase
        }
        true
    }

    pub(super) fn hear_claim(&mut self, terms: &Terms, worker: usize) -> bool {
        let one = &mut self.workers[worker];
        let Slot::Claimed { epoch, age } = one.slot else { return false };
        one.slot = Slot::Holding(Hold::new(terms, epoch, trust(terms, age)));
        true
    }

    pub(super) fn claim_unheard(&mut self, terms: &Terms, worker: usize) -> bool {
        if !self.look_for_work(terms, worker) || self.workers[worker].slot == Slot::Idle {
            return false;
        }
        let careless = terms.has(Flaw::ForgetClaimsInDoubt);
        let one = &mut self.workers[worker];
        (one.slot, one.look) = (if careless { Slot::Idle } else { Slot::InDoubt }, true);
        true
    }

    pub(super) fn give_back_unknown(&mut self, terms: &Terms, worker: usize) -> bool {
        if self.workers[worker].slot != Slot::InDoubt {
            return false;
        }
        self.hand_back_unknown(terms, worker);
        (self.workers[worker].slot, self.workers[worker].look) = (Slot::Idle, true);
        true
    }

    pub(super) fn acknowledge(&mut self, worker: usize) -> bool {
        let one = &mut self.workers[worker];
        let claimed = matches!(one.slot, Slot::Holding(_));
        claimed && std::mem::take(&mut one.hint)
    }
}
