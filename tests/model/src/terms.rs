//! What a check is about: how many workers, how many faults, and which guard is taken away.

/// Ticks that a lease lasts without a heartbeat.
pub const TTL: u8 = 2;
/// Ticks by which a holder's trust ends earlier than the lease.
pub const MARGIN: u8 = 1;
/// Ticks that other relays leave a taken outbox row alone.
pub const HOLD: u8 = 1;
/// Ticks between a failed attempt and the next.
pub const BACKOFF: u8 = 1;
/// Attempts in all.
pub const MAX_ATTEMPTS: u8 = 2;
/// Hints that the broker keeps of one job; one more would change nothing.
pub const MOST_HINTS: u8 = 2;

/// Which half of the protocol is looked at closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Leases: a worker may look for work at any moment, so that no hint could add to what happens; answers and
    /// requests are on their way for as long as they like.
    Leases,
    /// The bell: a worker looks for work only when a hint or a reason of its own tells it to, so that a hint that is
    /// missing shows; answers come at once.
    Bell,
}

/// The bounds of one check.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The half of it.
    pub half: Half,
    /// Does a claim begin what it takes, in the same write? So it is with jobs for which nothing is to be set up.
    pub begins: bool,
    /// Processes that take the job.
    pub workers: usize,
    /// Faults of any kind, at any step, in any mixture: a crash, a stop of Postgres, an answer or a confirm lost, a
    /// hint doubled, a failure of the work, a phase that hangs, an orderly stop.
    pub faults: u8,
    /// May somebody ask to cancel the job?
    pub cancel: bool,
    /// How often somebody may replay it after it failed.
    pub replays: u8,
    /// The guard that is missing.
    pub flaw: Option<Flaw>,
}

impl Terms {
    /// Every guard in its place.
    pub const fn sound(half: Half, workers: usize, faults: u8) -> Self {
        Self { half, begins: false, workers, faults, cancel: false, replays: 0, flaw: None }
    }

    /// Claims begin what they take.
    #[must_use]
    pub const fn begun_by_claims(self) -> Self {
        Self { begins: true, ..self }
    }

    /// People may interfere: one call-off, one replay.
    #[must_use]
    pub const fn with_people(self) -> Self {
        Self { cancel: true, replays: 1, ..self }
    }

    /// Without one guard.
    #[must_use]
    pub const fn flawed(self, flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..self }
    }

    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

/// A guard taken away: what other queues do, or what we once might have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A write proves the job's state, not whose attempt it is.
    NoFence,
    /// A hint is acknowledged when it comes, before the claim's commit.
    AcknowledgeBeforeClaim,
    /// An outbox row is marked as published before the broker has confirmed it.
    MarkBeforeConfirm,
    /// Leases are swept as soon as Postgres is back.
    SweepAtOnce,
    /// A holder counts its trust from the answer's arrival instead of from its question.
    TrustFromTheAnswer,
    /// A command that is said again is known by what it says, not by whose attempt it ended.
    RepeatsOfAnybody,
    /// An effect is keyed by the attempt that asks for it.
    EffectsKeyedByAttempt,
    /// A worker whose claim's answer was lost just claims again.
    ForgetClaimsInDoubt,
}
