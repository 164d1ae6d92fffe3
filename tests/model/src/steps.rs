//! Every step that the world can take, one at a time, in any order that its guards allow.

mod claim;
mod fate;
mod held;
mod service;

use crate::{
    terms::{Flaw, Half, MARGIN, TTL, Terms},
    worker::{Hold, Relay, Stage, Worker, trust_after},
    world::World,
};

/// A step; the number is the worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time passes.
    Tick,
    /// Fault: kill -9.
    Crash(usize),
    /// A process is started in a dead one's place.
    Start(usize),
    /// Fault: Postgres goes away, and with it every answer on its way.
    PostgresStops,
    /// Postgres is back.
    PostgresStarts,
    /// Fault: the broker delivers a hint twice.
    DoubleHint,
    /// A person calls the job off.
    Cancel,
    /// A person takes the job out of the dead letters.
    Replay,
    /// A hint reaches a worker with a free slot.
    Deliver(usize),
    /// The worker claims.
    Claim(usize),
    /// It hears the claim's answer.
    HearClaim(usize),
    /// Fault: it claims, and the answer is lost.
    ClaimUnheard(usize),
    /// It gives back what it may hold without knowing of it.
    GiveBackUnknown(usize),
    /// It acknowledges its hint.
    Acknowledge(usize),
    /// It asks for its lease to be renewed.
    Renew(usize),
    /// It hears the answer.
    HearRenewal(usize),
    /// It says the next thing that it has to say, and hears the answer.
    Write(usize),
    /// Fault: it says it, and the answer is lost.
    WriteUnheard(usize),
    /// It asks for the effect.
    Ask(usize),
    /// The request of an epoch arrives outside.
    Arrive(u8),
    /// Fault: the work fails.
    Fail(usize),
    /// Fault: the process is asked to stop.
    Stop(usize),
    /// Its sweeper takes a lease that ran out.
    Rescue(usize),
    /// Fault: its sweeper takes an attempt that is past a deadline, whether its holder lives or not.
    TakeOverdue(usize),
    /// Its sweeper ends a job whose holder has not heeded the wish to cancel it. How long the grace is does not matter.
    TakeCalledOff(usize),
    /// It promotes the job when its wait is over.
    Promote(usize),
    /// Its relay takes an outbox row.
    TakeRow(usize),
    /// Its relay publishes the row, and the broker confirms.
    Publish(usize),
    /// Fault: the broker refuses, or its confirm is lost.
    Refuse(usize),
    /// Its relay marks the row.
    Mark(usize),
}

impl Step {
    /// Everything that might be possible in a world of so many workers.
    pub(crate) fn candidates(world: &World, steps: &mut Vec<Self>) {
        use Step as S;
        steps.extend([S::Tick, S::PostgresStops, S::PostgresStarts, S::DoubleHint]);
        steps.extend([S::Cancel, S::Replay]);
        steps.extend((1..=world.record.job.epoch).map(S::Arrive));
        let own: [fn(usize) -> Self; 23] = [
            S::Crash,
            S::Start,
            S::Deliver,
            S::Claim,
            S::HearClaim,
            S::ClaimUnheard,
            S::GiveBackUnknown,
            S::Acknowledge,
            S::Renew,
            S::HearRenewal,
            S::Write,
            S::WriteUnheard,
            S::Ask,
            S::Fail,
            S::Stop,
            S::Rescue,
            S::TakeOverdue,
            S::TakeCalledOff,
            S::Promote,
            S::TakeRow,
            S::Publish,
            S::Refuse,
            S::Mark,
        ];
        for worker in 0..world.workers.len() {
            steps.extend(own.iter().map(|step| step(worker)));
        }
    }

    /// Does it draw on the budget of faults?
    fn is_fault(self) -> bool {
        use Step as S;
        match self {
            S::Crash(_) | S::PostgresStops | S::DoubleHint | S::ClaimUnheard(_) => true,
            S::WriteUnheard(_) | S::Fail(_) | S::Stop(_) | S::TakeOverdue(_) | S::Refuse(_) => true,
            S::Tick | S::Start(_) | S::PostgresStarts | S::Cancel | S::Replay | S::Deliver(_) => false,
            S::Claim(_) | S::HearClaim(_) | S::GiveBackUnknown(_) | S::Acknowledge(_) => false,
            S::Renew(_) | S::HearRenewal(_) | S::Write(_) | S::Ask(_) | S::Arrive(_) => false,
            S::Rescue(_)
            | S::TakeCalledOff(_)
            | S::Promote(_)
            | S::TakeRow(_)
            | S::Publish(_)
            | S::Mark(_) => false,
        }
    }

    /// Whose step it is, if a living process takes it.
    fn actor(self) -> Option<usize> {
        use Step as S;
        match self {
            S::Crash(w) | S::Deliver(w) | S::Claim(w) | S::HearClaim(w) | S::ClaimUnheard(w) => Some(w),
            S::GiveBackUnknown(w) | S::Acknowledge(w) | S::Renew(w) | S::HearRenewal(w) => Some(w),
            S::Write(w) | S::WriteUnheard(w) | S::Ask(w) | S::Fail(w) | S::Stop(w) => Some(w),
            S::Rescue(w) | S::TakeOverdue(w) | S::TakeCalledOff(w) | S::Promote(w) => Some(w),
            S::TakeRow(w) | S::Publish(w) | S::Refuse(w) | S::Mark(w) => Some(w),
            S::Tick | S::Start(_) | S::PostgresStops | S::PostgresStarts => None,
            S::DoubleHint | S::Cancel | S::Replay | S::Arrive(_) => None,
        }
    }

    /// Is it a transaction?
    fn needs_postgres(self) -> bool {
        use Step as S;
        matches!(
            self,
            S::PostgresStops
                | S::Cancel
                | S::Replay
                | S::Claim(_)
                | S::GiveBackUnknown(_)
                | S::Renew(_)
                | S::ClaimUnheard(_)
                | S::Write(_)
                | S::WriteUnheard(_)
                | S::Rescue(_)
                | S::TakeOverdue(_)
                | S::TakeCalledOff(_)
                | S::Promote(_)
                | S::TakeRow(_)
                | S::Mark(_)
        )
    }
}

impl World {
    /// The world after a step; `None` where the step is not possible or changes nothing.
    pub fn after(&self, terms: &Terms, step: Step) -> Option<Self> {
        if !self.allows(step) {
            return None;
        }
        let mut next = self.clone();
        (next.step(terms, step) && next != *self).then_some(next)
    }

    /// Takes a step where it stands. `false`: it was not possible, and what it left behind is of no use.
    pub(crate) fn step(&mut self, terms: &Terms, step: Step) -> bool {
        if !self.allows(step) {
            return false;
        }
        self.faults -= u8::from(step.is_fault());
        let taken = self.take(terms, step);
        if taken {
            self.forget_what_cannot_matter(terms);
        }
        taken
    }

    fn allows(&self, step: Step) -> bool {
        let asleep = step.actor().is_some_and(|worker| !self.workers[worker].alive);
        let absent = step.needs_postgres() && !self.record.up;
        let spent = step.is_fault() && self.faults == 0;
        !(asleep || absent || spent)
    }

    /// Takes a step; `false` where it is not possible.
    fn take(&mut self, terms: &Terms, step: Step) -> bool {
        match step {
            Step::Tick => self.tick(),
            Step::Crash(worker) => self.die(worker),
            Step::Start(worker) if self.workers[worker].alive => return false,
            Step::Start(worker) => self.workers[worker] = Worker::starting(),
            Step::PostgresStops => self.postgres_stops(),
            Step::PostgresStarts if self.record.up => return false,
            Step::PostgresStarts => (self.record.up, self.record.uptime) = (true, 0),
            Step::DoubleHint => return self.broker.queued > 0 && self.hint(),
            Step::Cancel => return std::mem::take(&mut self.may_cancel) && self.cancel(),
            Step::Replay if self.replays == 0 => return false,
            Step::Replay => {
                self.replays -= 1;
                return self.replay();
            }
            Step::Deliver(worker) => return self.deliver(terms, worker),
            Step::Claim(worker) => return self.look_for_work(terms, worker),
            Step::HearClaim(worker) => return self.hear_claim(terms, worker),
            Step::ClaimUnheard(worker) => return self.claim_unheard(terms, worker),
            Step::GiveBackUnknown(worker) => return self.give_back_unknown(terms, worker),
            Step::Acknowledge(worker) => return self.acknowledge(worker),
            Step::Renew(worker) => return self.ask_to_renew(terms, worker),
            Step::HearRenewal(worker) => return self.hear_renewal(terms, worker),
            Step::Write(worker) => return self.write(terms, worker, true),
            Step::WriteUnheard(worker) => return self.write(terms, worker, false),
            Step::Ask(worker) => return self.ask(terms, worker),
            Step::Arrive(epoch) => return self.arrive(terms, epoch),
            Step::Fail(worker) => return self.fail(worker),
            Step::Stop(worker) => return self.stop(worker),
            Step::Rescue(worker) => return self.rescue(terms, worker),
            Step::TakeOverdue(_) => return self.take_overdue(terms),
            Step::TakeCalledOff(_) => return self.end_called_off(terms),
            Step::Promote(worker) => {
                let promoted = self.promote();
                self.workers[worker].look |= promoted;
                return promoted;
            }
            Step::TakeRow(worker) => return self.relay_takes(terms, worker),
            Step::Publish(worker) => return self.relay_publishes(terms, worker),
            Step::Refuse(worker) => return self.relay_is_refused(worker),
            Step::Mark(worker) => return self.relay_marks(worker),
        }
        true
    }
}

impl World {
    /// Puts states that differ only in what nobody will ever look at again into one.
    fn forget_what_cannot_matter(&mut self, terms: &Terms) {
        if terms.half == Half::Leases {
            self.record.outbox.clear();
        }
        if self.is_over() && self.replays == 0 {
            self.record.outbox.clear();
            self.broker.queued = 0;
            for worker in &mut self.workers {
                (worker.hint, worker.look, worker.relay) = (false, false, Relay::Idle);
            }
        }
        for worker in &mut self.workers {
            worker.look &= terms.half == Half::Bell;
            worker.forget_what_cannot_matter(terms);
        }
        // Under one key a second request does nothing, except for whoever waits for its answer.
        if self.outside.keys != 0 && !terms.has(Flaw::EffectsKeyedByAttempt) {
            let awaits = |hold: &&Hold| hold.stage == Stage::Awaits;
            let awaited = self.workers.iter().filter_map(Worker::hold).filter(awaits);
            self.outside.on_the_way &= awaited.fold(0, |bits, hold| bits | 1 << hold.epoch);
        }
    }
}

/// Ticks for which an answer is trusted that was asked for `age` ticks ago.
fn trust(terms: &Terms, age: u8) -> u8 {
    if terms.has(Flaw::TrustFromTheAnswer) { TTL - MARGIN } else { trust_after(age) }
}
