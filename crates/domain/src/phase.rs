//! The five phases of a migration and the share of its progress that each is worth.

use crate::{job::UnknownState, migration::MigrationState};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One of the five steps of a migration, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// Read the site: pages, assets, redirects.
    Analyze,
    /// Decide routes, shared parts and assets.
    Plan,
    /// Write the project.
    Transform,
    /// Check the project against what was read.
    Verify,
    /// Store the project as an artefact.
    Deploy,
}

impl Phase {
    /// All phases, in the order in which they run.
    pub const ALL: [Self; 5] = [Self::Analyze, Self::Plan, Self::Transform, Self::Verify, Self::Deploy];

    /// The name in the database, in the API and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analyze => "ANALYZE",
            Self::Plan => "PLAN",
            Self::Transform => "TRANSFORM",
            Self::Verify => "VERIFY",
            Self::Deploy => "DEPLOY",
        }
    }

    /// Its place in the order, from 0.
    pub const fn ordinal(self) -> i16 {
        self as i16
    }

    /// The migration's state while this phase runs.
    pub const fn migration_state(self) -> MigrationState {
        match self {
            Self::Analyze | Self::Plan => MigrationState::Analyzing,
            Self::Transform | Self::Verify | Self::Deploy => MigrationState::Processing,
        }
    }

    /// The migration's progress, 0 to 100, when `done` of `known` units of this phase are done.
    ///
    /// The phases' shares are fixed, so progress within a run never falls: when more units become known
    /// while reading, the caller keeps the maximum. With nothing known the phase counts as just begun.
    pub fn progress(self, done: u64, known: u64) -> i16 {
        let (from, to) = match self {
            Self::Analyze => (0, 40),
            Self::Plan => (40, 45),
            Self::Transform => (45, 75),
            Self::Verify => (75, 95),
            Self::Deploy => (95, 100),
        };
        let done = done.min(known);
        let gained = (u64::from((to - from) as u16) * done).checked_div(known).unwrap_or(0);
        from + gained as i16
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_phase_begins_where_the_one_before_it_ended() {
        for pair in Phase::ALL.windows(2) {
            assert_eq!(pair[0].progress(1, 1), pair[1].progress(0, 1));
        }
        assert_eq!(Phase::Analyze.progress(0, 0), 0);
        assert_eq!(Phase::Deploy.progress(7, 7), 100);
    }

    proptest! {
        #[test]
        fn progress_stays_within_bounds_and_grows(known in 1u64..10_000, done in 0u64..20_000) {
            for phase in Phase::ALL {
                let now = phase.progress(done, known);
                prop_assert!((0..=100).contains(&now));
                prop_assert!(now <= phase.progress(done + 1, known));
            }
        }
    }
}
