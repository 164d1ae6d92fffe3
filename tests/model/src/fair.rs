//! What happens from a state onwards when nothing goes wrong any more: every process that lives does what it can, one
//! after the other, before each tick.
//!
//! stateright's own `eventually` is blind on paths that go round in circles, and with a clock that ticks every path
//! does. So each state is asked directly: does the job end from here, within a bound, once faults cease? That covers
//! dead ends (no step could help), circles (steps that lead nowhere) and waits for news that never come.

use crate::{Step, Terms, World, terms::TTL, worker::Slot};

/// Ticks within which a job ends from any state: two attempts with their waits, a lease that has to run out, one ttl
/// of Postgres's, a hold of the outbox, and one tick for each thing that is heard in between.
const BOUND: usize = 16;

impl World {
    /// Does the job end, once faults cease?
    pub fn comes_to_an_end(&self, terms: &Terms) -> bool {
        let mut world = self.clone();
        for _ in 0..BOUND {
            if world.is_over() {
                return true;
            }
            world.round(terms);
            world.step(terms, Step::Tick);
        }
        false
    }

    /// Does a lease that its living holder knows nothing of end without a counted attempt, once faults cease? Asked only
    /// while nobody else may take it.
    pub fn gives_back_unknown_claims(&self, terms: &Terms) -> bool {
        let Some(lease) = &self.record.lease else { return true };
        let unknown = lease
            .holder
            .is_some_and(|holder| matches!(self.workers[holder].slot, Slot::Idle | Slot::InDoubt));
        let may_be_taken = self.record.up && self.record.uptime == TTL && lease.left == 0;
        if !unknown || may_be_taken {
            return true;
        }
        let mut world = self.clone();
        for _ in 0..BOUND {
            world.round(terms);
            if world.record.lease.as_ref() != Some(lease)
                && world.record.job.attempts != self.record.job.attempts
            {
                return false;
            }
            world.step(terms, Step::Tick);
        }
        true
    }

    fn round(&mut self, terms: &Terms) {
        use Step as S;
        self.step(terms, S::PostgresStarts);
        // Nobody is started in a dead one's place while others live: they have to manage alone.
        if self.workers.iter().all(|worker| !worker.alive) {
            self.step(terms, S::Start(0));
        }
        let own: [fn(usize) -> Step; 17] = [
            S::Rescue,
            S::Promote,
            S::TakeRow,
            S::Publish,
            S::Mark,
            S::HearClaim,
            S::GiveBackUnknown,
            S::Deliver,
            S::Claim,
            S::Acknowledge,
            S::Renew,
            S::HearRenewal,
            S::Write,
            S::Ask,
            S::Write,
            S::Write,
            S::Write,
        ];
        for worker in 0..self.workers.len() {
            for step in own {
                self.step(terms, step(worker));
            }
            for epoch in 1..=self.record.job.epoch {
                self.step(terms, S::Arrive(epoch));
            }
        }
    }
}
