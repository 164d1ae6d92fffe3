//! The life of a job: its states and the only moves between them.
//!
//! The table in [`JobState::allows`] is the single source: the database refuses every other move by a trigger
//! whose list a test compares with this one.

use crate::IllegalMove;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where a job stands. Stored and printed in upper snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    /// Runnable as soon as `run_at` has come.
    Pending,
    /// Claimed: a worker holds the lease and is setting up.
    Preparing,
    /// The worker does the work.
    Running,
    /// An attempt failed; waits for `run_at`.
    WaitingRetry,
    /// Done.
    Completed,
    /// Cannot pass, or attempts used up: there is a dead letter.
    Failed,
    /// A person called it off.
    Cancelled,
}

/// A text that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a known state")]
pub struct UnknownState(pub String);

impl JobState {
    /// Every state, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Preparing,
        Self::Running,
        Self::WaitingRetry,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in the database, in events and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Preparing => "PREPARING",
            Self::Running => "RUNNING",
            Self::WaitingRetry => "WAITING_RETRY",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The whole table of moves.
    pub const fn allows(self, to: Self) -> bool {
        use JobState as S;
        match self {
            S::Pending => matches!(to, S::Preparing | S::Cancelled),
            S::Preparing => {
                matches!(to, S::Running | S::WaitingRetry | S::Pending | S::Failed | S::Cancelled)
            }
            S::Running => {
                matches!(to, S::Completed | S::WaitingRetry | S::Pending | S::Failed | S::Cancelled)
            }
            S::WaitingRetry => matches!(to, S::Pending | S::Cancelled),
            S::Failed => matches!(to, S::Pending),
            S::Completed | S::Cancelled => false,
        }
    }

    /// `to`, if the table allows it.
    pub fn to(self, to: Self) -> Result<Self, IllegalMove> {
        let refused = IllegalMove { what: "job", from: self.as_str(), to: to.as_str() };
        if self.allows(to) { Ok(to) } else { Err(refused) }
    }

    /// Does a worker hold a lease on a job in this state?
    pub const fn is_leased(self) -> bool {
        matches!(self, Self::Preparing | Self::Running)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

/// Why a job moved; stored with each transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Written for the first time.
    Enqueued,
    /// A worker claimed it.
    Claimed,
    /// The worker began its work.
    Started,
    /// The work is done.
    Completed,
    /// The work is done as far as it can be without a person's answer; another job goes on from there.
    Parked,
    /// The attempt failed and may pass later.
    AttemptFailed,
    /// The attempt failed and no other will be made.
    GaveUp,
    /// The lease ran out: the worker stopped its heartbeats.
    LeaseExpired,
    /// The phase took longer than it may, although its worker kept the lease.
    PhaseOverdue,
    /// The attempt took longer than it may, although its worker kept the lease.
    JobOverdue,
    /// The worker gave it back unfinished, on its own shutdown; no attempt counted.
    HandedBack,
    /// The worker put it off, because what it needs cannot be had now; no attempt counted.
    Snoozed,
    /// The wait after a failed attempt is over.
    RetryDue,
    /// A person called it off.
    CancelRequested,
    /// A person took it out of the dead letters.
    Replayed,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 15] = [
        Self::Enqueued,
        Self::Claimed,
        Self::Started,
        Self::Completed,
        Self::Parked,
        Self::AttemptFailed,
        Self::GaveUp,
        Self::LeaseExpired,
        Self::PhaseOverdue,
        Self::JobOverdue,
        Self::HandedBack,
        Self::Snoozed,
        Self::RetryDue,
        Self::CancelRequested,
        Self::Replayed,
    ];

    /// The name in the database and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enqueued => "enqueued",
            Self::Claimed => "claimed",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Parked => "parked",
            Self::AttemptFailed => "attempt_failed",
            Self::GaveUp => "gave_up",
            Self::LeaseExpired => "lease_expired",
            Self::PhaseOverdue => "phase_overdue",
            Self::JobOverdue => "job_overdue",
            Self::HandedBack => "handed_back",
            Self::Snoozed => "snoozed",
            Self::RetryDue => "retry_due",
            Self::CancelRequested => "cancel_requested",
            Self::Replayed => "replayed",
        }
    }
}

/// The queue that website migrations wait in.
pub const MIGRATION_QUEUE: &str = "migrations";
/// The kind of the job that carries out one run of a website migration.
pub const MIGRATE_WEBSITE: &str = "migrate_website";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_moves_is_exactly_the_designed_one() {
        use JobState::*;
        let designed = [
            (Pending, Preparing),
            (Pending, Cancelled),
            (Preparing, Running),
            (Preparing, WaitingRetry),
            (Preparing, Pending),
            (Preparing, Failed),
            (Preparing, Cancelled),
            (Running, Completed),
            (Running, WaitingRetry),
            (Running, Pending),
            (Running, Failed),
            (Running, Cancelled),
            (WaitingRetry, Pending),
            (WaitingRetry, Cancelled),
            (Failed, Pending),
        ];
        for from in JobState::ALL {
            for to in JobState::ALL {
                assert_eq!(from.to(to).is_ok(), designed.contains(&(from, to)), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn an_illegal_move_names_both_states() {
        let refused = JobState::Completed.to(JobState::Running).expect_err("a finished job stays finished");
        assert_eq!(refused.to_string(), "a job cannot move from COMPLETED to RUNNING");
    }

    #[test]
    fn names_read_back() {
        for state in JobState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("pending".parse::<JobState>().is_err());
    }
}
