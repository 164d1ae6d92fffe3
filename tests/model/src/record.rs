//! The statements of `store` on one job, each a transaction: what it proves, what it changes, what it answers.
//!
//! Each is the model of one file of `crates/store/src/jobs` or of the outbox; a guard that is changed there is changed
//! here. Every move goes through the domain's table, and a refusal of the table is a breach: no statement may even try
//! a move that does not exist.

use crate::{
    terms::{BACKOFF, Flaw, HOLD, MAX_ATTEMPTS, TTL, Terms},
    worker::{Beat, Ending},
    world::{Lease, Row, World},
};
use domain::job::JobState;

/// What a write under a lease came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fenced<T> {
    /// Written.
    Done(T),
    /// Nothing was written: the lease is no longer the job's.
    Stale,
}

impl World {
    /// The best-ranked runnable job, if it is this one: its new epoch.
    pub fn claim(&mut self, terms: &Terms, worker: usize) -> Option<u8> {
        if self.record.job.state != JobState::Pending || self.record.job.wait > 0 {
            return None;
        }
        self.move_to(JobState::Preparing);
        if terms.begins {
            self.move_to(JobState::Running);
        }
        self.record.job.epoch += 1;
        let epoch = self.record.job.epoch;
        self.record.lease = Some(Lease { holder: Some(worker), epoch, left: TTL });
        Some(epoch)
    }

    /// Renews a lease that nobody took, even when its time is up.
    pub fn renew(&mut self, worker: usize, epoch: u8) -> Beat {
        let job = &self.record.job;
        let mut kept = false;
        if let Some(lease) = &mut self.record.lease
            && lease.holder == Some(worker)
            && lease.epoch == epoch
        {
            lease.left = TTL;
            kept = job.epoch == epoch && job.state.is_leased();
        }
        Beat { age: 0, kept, cancel_requested: job.cancel_requested }
    }

    /// PREPARING → RUNNING; said again, it changes nothing.
    pub fn begin(&mut self, terms: &Terms, epoch: u8) -> Fenced<()> {
        if !self.prove(terms, epoch) {
            return Fenced::Stale;
        }
        if self.record.job.state == JobState::Preparing {
            self.move_to(JobState::Running);
        }
        Fenced::Done(())
    }

    /// Is the phase complete already?
    pub fn enter_phase(&mut self, terms: &Terms, epoch: u8) -> Fenced<bool> {
        if self.prove(terms, epoch) { Fenced::Done(self.record.result_kept) } else { Fenced::Stale }
    }

    /// Keeps the phase's result; the first one stays.
    pub fn keep_result(&mut self, terms: &Terms, epoch: u8) -> Fenced<()> {
        if !self.prove(terms, epoch) {
            return Fenced::Stale;
        }
        self.record.result_kept = true;
        Fenced::Done(())
    }

    /// Ends an attempt by its holder's word. `written` is what the transitions say: did this worker end this epoch
    /// like this before, without hearing of it?
    pub fn end(&mut self, terms: &Terms, epoch: u8, ending: Ending, written: bool) -> Fenced<()> {
        if !self.prove(terms, epoch) {
            let completed = self.record.job.state == JobState::Completed && ending == Ending::Complete;
            let mistaken = terms.has(Flaw::RepeatsOfAnybody) && completed;
            return if written || mistaken { self.tell(epoch, ending) } else { Fenced::Stale };
        }
        let cancel_requested = self.record.job.cancel_requested;
        match ending {
            Ending::Complete => self.move_to(JobState::Completed),
            Ending::Fail => self.settle(),
            Ending::HandBack if cancel_requested => self.move_to(JobState::Cancelled),
            Ending::HandBack => {
                self.move_to(JobState::Pending);
                self.announce();
            }
            Ending::Cancel => self.move_to(JobState::Cancelled),
        }
        self.record.lease = None;
        self.tell(epoch, ending)
    }

    /// Hands back what a worker holds without knowing of it.
    pub(crate) fn hand_back_unknown(&mut self, terms: &Terms, worker: usize) {
        let unknown = self.record.lease.as_ref().filter(|lease| lease.holder == Some(worker));
        if let Some(epoch) = unknown.map(|lease| lease.epoch) {
            // Taken meanwhile or not: nobody waits for the answer.
            let _answer = self.end(terms, epoch, Ending::HandBack, false);
        }
    }

    /// May leases be swept? Nobody could renew while Postgres was away.
    pub(crate) fn may_sweep(&self, terms: &Terms) -> bool {
        self.record.up && (self.record.uptime == TTL || terms.has(Flaw::SweepAtOnce))
    }

    /// Takes the job from its holder: the attempt counts.
    pub fn take_away(&mut self) {
        self.breaches.swept_too_early |= self.record.uptime < TTL;
        self.record.lease = None;
        self.settle();
    }

    /// Ends a job whose holder did not heed the wish to cancel it within its grace, whatever the lease says.
    pub fn take_called_off(&mut self) {
        self.record.lease = None;
        self.move_to(JobState::Cancelled);
    }

    /// What follows a failed or lost attempt. The wish to cancel, which was answered, weighs more than that none is left.
    fn settle(&mut self) {
        let job = &mut self.record.job;
        job.attempts += 1;
        if job.cancel_requested {
            self.move_to(JobState::Cancelled);
        } else if job.attempts >= MAX_ATTEMPTS {
            self.move_to(JobState::Failed);
        } else {
            job.wait = BACKOFF;
            self.move_to(JobState::WaitingRetry);
        }
    }

    /// WAITING_RETRY → PENDING when the wait is over, or to its end when somebody called it off meanwhile.
    pub fn promote(&mut self) -> bool {
        let job = &self.record.job;
        if job.state != JobState::WaitingRetry || job.wait > 0 {
            return false;
        }
        if job.cancel_requested {
            self.move_to(JobState::Cancelled);
        } else {
            self.move_to(JobState::Pending);
            self.announce();
        }
        true
    }

    /// A person's wish: at once where the job waits, by a flag where it is held.
    pub fn cancel(&mut self) -> bool {
        let job = &mut self.record.job;
        if job.state.is_leased() {
            job.cancel_requested = true;
        } else if job.state.allows(JobState::Cancelled) {
            self.move_to(JobState::Cancelled);
        } else {
            return false;
        }
        true
    }

    /// FAILED → PENDING by a person: attempts are counted anew, epochs never.
    pub(crate) fn replay(&mut self) -> bool {
        if self.record.job.state != JobState::Failed {
            return false;
        }
        self.move_to(JobState::Pending);
        (self.record.job.attempts, self.record.job.cancel_requested) = (0, false);
        self.announce();
        true
    }

    /// Takes the oldest free row for a relay.
    pub(crate) fn take_row(&mut self, terms: &Terms, relay: usize) -> bool {
        let Some(oldest) = self.record.outbox.iter().position(|row| row.hold == 0) else { return false };
        if terms.has(Flaw::MarkBeforeConfirm) {
            self.record.outbox.remove(oldest);
        } else {
            self.record.outbox[oldest] = Row { relay: Some(relay), hold: HOLD };
        }
        true
    }

    /// Marks a relay's row as published, if it is still that relay's.
    pub(crate) fn mark_row(&mut self, relay: usize) {
        self.record.outbox.retain(|row| row.relay != Some(relay));
    }

    fn announce(&mut self) {
        self.record.outbox.push(Row { relay: None, hold: 0 });
    }

    /// The fence.
    fn prove(&mut self, terms: &Terms, epoch: u8) -> bool {
        let job = &self.record.job;
        let proved = job.state.is_leased() && (job.epoch == epoch || terms.has(Flaw::NoFence));
        self.breaches.old_epoch |= proved && job.epoch != epoch;
        proved
    }

    /// The answer to an end that is written.
    fn tell(&mut self, epoch: u8, ending: Ending) -> Fenced<()> {
        self.breaches.second_completion |= ending == Ending::Complete && epoch != self.record.job.epoch;
        Fenced::Done(())
    }

    fn move_to(&mut self, to: JobState) {
        match self.record.job.state.to(to) {
            Ok(moved) => self.record.job.state = moved,
            Err(_) => self.breaches.illegal_move = true,
        }
    }
}

impl<T> Fenced<T> {
    pub(crate) fn map<U>(self, written: impl FnOnce(T) -> U) -> Fenced<U> {
        match self {
            Self::Done(value) => Fenced::Done(written(value)),
            Self::Stale => Fenced::Stale,
        }
    }
}
