//! The life of one website's move: its states and the only moves between them.
//!
//! The table in [`MigrationState::allows`] is the single source: the database refuses every other move by a trigger
//! whose list a test compares with this one.

use crate::{IllegalMove, job::UnknownState};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where a migration stands. Stored and printed in lower snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MigrationState {
    /// Accepted; its job waits for a worker.
    Queued,
    /// The site is being read, and its move planned.
    Analyzing,
    /// Waits for the proof that the site is the user's. No lease, no job.
    AwaitingOwnership,
    /// Waits for an answer of the user's. No lease, no job.
    Questionnaire,
    /// The project is being written, checked and stored.
    Processing,
    /// Waits for a budget. No lease, no job.
    Paused,
    /// The project is there.
    Completed,
    /// It could not be done; its `error` says why.
    Failed,
    /// The user called it off.
    Cancelled,
}

impl MigrationState {
    /// Every state, in the order of a migration's life.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Analyzing,
        Self::AwaitingOwnership,
        Self::Questionnaire,
        Self::Processing,
        Self::Paused,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in the database, in the API and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Analyzing => "analyzing",
            Self::AwaitingOwnership => "awaiting_ownership",
            Self::Questionnaire => "questionnaire",
            Self::Processing => "processing",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The whole table of moves. Stages that a migration does not need are passed over; who works may be paused and
    /// comes back; a new run of what is over, at a user's wish, is queued again.
    pub const fn allows(self, to: Self) -> bool {
        use MigrationState as S;
        let ends = matches!(to, S::Failed | S::Cancelled);
        match self {
            S::Queued => ends || matches!(to, S::Analyzing | S::Processing | S::Paused),
            S::Analyzing => {
                let onwards = matches!(to, S::AwaitingOwnership | S::Questionnaire | S::Processing);
                ends || onwards || matches!(to, S::Paused)
            }
            S::AwaitingOwnership => ends || matches!(to, S::Questionnaire | S::Processing),
            S::Questionnaire => ends || matches!(to, S::Processing),
            S::Processing => ends || matches!(to, S::Completed | S::Paused),
            S::Paused => ends || matches!(to, S::Queued | S::Analyzing | S::Processing),
            S::Completed | S::Failed => matches!(to, S::Queued),
            S::Cancelled => false,
        }
    }

    /// `to`, if the table allows it.
    pub fn to(self, to: Self) -> Result<Self, IllegalMove> {
        let refused = IllegalMove { what: "migration", from: self.as_str(), to: to.as_str() };
        if self.allows(to) { Ok(to) } else { Err(refused) }
    }

    /// Does it wait for a person or a budget? Then it holds no job, and so no lease.
    pub const fn waits(self) -> bool {
        matches!(self, Self::AwaitingOwnership | Self::Questionnaire | Self::Paused)
    }

    /// Can its owner change its plan? Only while nobody works by it: it waits for that, or is over and can be run again.
    pub const fn leaves_its_plan(self) -> bool {
        matches!(self, Self::Questionnaire | Self::Completed | Self::Failed)
    }

    /// Active ones count against "one per tenant, user and normalised URL"; the last three do not.
    pub const fn is_active(self) -> bool {
        !matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for MigrationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MigrationState {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MigrationState::*;

    #[test]
    fn what_works_can_be_paused_and_comes_back_and_what_waits_for_a_person_goes_on() {
        for state in [Queued, Analyzing, Processing] {
            assert!(state.allows(Paused) && Paused.allows(state), "{state}");
            assert!(!state.waits());
        }
        for state in [AwaitingOwnership, Questionnaire] {
            assert!(state.waits() && state.allows(Processing) && !state.allows(Paused), "{state}");
        }
    }

    #[test]
    fn whatever_is_active_can_fail_or_be_called_off_and_only_work_completes() {
        for state in MigrationState::ALL {
            let (fails, is_cancelled) = (state.allows(Failed), state.allows(Cancelled));
            assert_eq!((fails, is_cancelled), (state.is_active(), state.is_active()), "{state}");
            assert_eq!(state.allows(Completed), state == Processing, "{state}");
            assert!(!state.allows(state), "{state}");
        }
    }

    #[test]
    fn what_is_over_is_only_queued_again_and_what_was_called_off_stays_so() {
        for to in MigrationState::ALL {
            assert_eq!(Completed.allows(to), to == Queued, "{to}");
            assert_eq!(Failed.allows(to), to == Queued, "{to}");
            assert!(!Cancelled.allows(to), "{to}");
        }
    }

    #[test]
    fn an_illegal_move_names_both_states() {
        let refused = Queued.to(Completed).expect_err("nothing was done");
        assert_eq!(refused.to_string(), "a migration cannot move from queued to completed");
    }
}
