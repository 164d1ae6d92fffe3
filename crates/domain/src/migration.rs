//! The life of one website's move.

use crate::job::UnknownState;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Where a migration stands. Stored and printed in lower snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MigrationState {
    /// Accepted; its job waits for a worker.
    Queued,
    /// The site is being read.
    Analyzing,
    /// Waits for the proof that the site is the user's. No lease, no job.
    AwaitingOwnership,
    /// Waits for an answer of the user's. No lease, no job.
    Questionnaire,
    /// The project is being planned, written, checked and stored.
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
