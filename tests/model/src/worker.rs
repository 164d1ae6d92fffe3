//! A worker as a process: what it remembers, and what it does between two statements.
//!
//! It holds nothing that survives it. Whatever it is told by Postgres may be old when it hears it: answers are on
//! their way for as long as they like.

use crate::terms::{Half, MARGIN, TTL, Terms};

/// A process, or the place of one that died.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Worker {
    /// Does the process live?
    pub alive: bool,
    /// Its one slot.
    pub slot: Slot,
    /// A hint that it has not acknowledged.
    pub hint: bool,
    /// Does it have a reason of its own to look for work?
    pub look: bool,
    /// A heartbeat's answer on its way.
    pub beat: Option<Beat>,
    /// What its relay is doing.
    pub relay: Relay,
}

/// What a slot is used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Slot {
    /// Free.
    Idle,
    /// A claim has been committed; its answer is on its way.
    Claimed {
        /// The epoch that the answer brings.
        epoch: u8,
        /// Ticks since the question.
        age: u8,
    },
    /// A claim's answer was lost: there may be a lease that this worker knows nothing of.
    InDoubt,
    /// A job is held.
    Holding(Hold),
}

/// A held job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hold {
    /// The epoch of the lease.
    pub epoch: u8,
    /// Ticks for which the lease is still trusted.
    pub trust: u8,
    /// What is done or said next.
    pub stage: Stage,
    /// The end has been committed, and its answer lost: what the transition of this epoch says.
    pub end_written: bool,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// PREPARING: says that it begins.
    Begin,
    /// Asks whether the phase is complete already.
    EnterPhase,
    /// Does the work, up to the effect.
    Work,
    /// The effect has been asked for.
    Awaits,
    /// Says the phase's result.
    KeepResult,
    /// Says how the attempt ended.
    End(Ending),
}

/// How an attempt ends by its holder's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    /// It succeeded.
    Complete,
    /// It failed, and may pass when tried again.
    Fail,
    /// The process stops in order.
    HandBack,
    /// Somebody called it off.
    Cancel,
}

/// A heartbeat's answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Beat {
    /// Ticks since the question.
    pub age: u8,
    /// Was the lease renewed?
    pub kept: bool,
    /// Did somebody ask to cancel the job?
    pub cancel_requested: bool,
}

/// What a relay is doing with the row that it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relay {
    /// It has none.
    Idle,
    /// It took one and has not published it.
    Taken,
    /// The broker confirmed it; the row is not marked yet.
    Confirmed,
}

impl Worker {
    /// A fresh process, which looks once without being told.
    pub fn starting() -> Self {
        Self { alive: true, slot: Slot::Idle, hint: false, look: true, beat: None, relay: Relay::Idle }
    }

    /// No process.
    pub fn dead() -> Self {
        Self { alive: false, look: false, ..Self::starting() }
    }

    /// The job that it holds, if it does.
    pub fn hold(&self) -> Option<&Hold> {
        match &self.slot {
            Slot::Holding(hold) => Some(hold),
            Slot::Idle | Slot::Claimed { .. } | Slot::InDoubt => None,
        }
    }

    pub(crate) fn hold_mut(&mut self) -> Option<&mut Hold> {
        match &mut self.slot {
            Slot::Holding(hold) => Some(hold),
            Slot::Idle | Slot::Claimed { .. } | Slot::InDoubt => None,
        }
    }

    /// The job is over for this worker, or lost.
    pub(crate) fn drop_job(&mut self) {
        self.slot = Slot::Idle;
        self.beat = None;
    }

    /// Trust is asked for before the effect only; a heartbeat that found the lease gone is as true later; who is ending
    /// does not listen.
    pub(crate) fn forget_what_cannot_matter(&mut self, terms: &Terms) {
        let Slot::Holding(hold) = &mut self.slot else { return };
        if matches!(hold.stage, Stage::Awaits | Stage::KeepResult | Stage::End(_)) {
            hold.trust = 0;
        } else if terms.half == Half::Bell {
            hold.trust = TTL; // the other half is about trust
        }
        if matches!(hold.stage, Stage::End(_)) {
            self.beat = None;
        }
        if let Some(beat) = self.beat.as_mut().filter(|beat| !beat.kept) {
            (beat.age, beat.cancel_requested) = (0, false);
        }
    }

    pub(crate) fn tick(&mut self) {
        match &mut self.slot {
            Slot::Claimed { age, .. } => *age = (*age + 1).min(TTL - MARGIN),
            Slot::Holding(hold) => hold.trust = hold.trust.saturating_sub(1),
            Slot::Idle | Slot::InDoubt => {}
        }
        if let Some(beat) = &mut self.beat {
            beat.age = (beat.age + 1).min(TTL - MARGIN); // older is no worse
        }
    }
}

impl Hold {
    pub(crate) fn new(terms: &Terms, epoch: u8, trust: u8) -> Self {
        let stage = if terms.begins { Stage::EnterPhase } else { Stage::Begin };
        Self { epoch, trust, stage, end_written: false }
    }
}

/// Ticks for which an answer may be trusted that was asked for `age` ticks ago.
pub(crate) fn trust_after(age: u8) -> u8 {
    (TTL - MARGIN).saturating_sub(age)
}
