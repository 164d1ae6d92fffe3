//! The names of what happens to a migration, for programs that wait for one thing: they stand in `detail.event`.
//!
//! The API's document has a schema for each (`components.schemas`), with a version.

use crate::failure::{Failure, Reason};
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DomainEvent {
    /// A worker began to work on a run: its first attempt, and the first one after it had waited for a person.
    MigrationStarted,
    /// A phase began.
    PhaseStarted,
    /// A phase ended well; its results are in the same event.
    PhaseCompleted,
    /// Little is left of the AI time that was granted. Nobody writes it yet: there are no accounts of that time.
    BudgetNearLimit,
    /// A run is over without a project.
    MigrationFailed,
    /// A run was called off.
    MigrationCancelled,
    /// A run is over, and its project is there.
    ProjectCreated,
    /// The project could not be stored or handed over; it may be tried again.
    DeploymentFailed,
    /// The project is one that a builder would refuse.
    BuilderIncompatibilityDetected,
}

impl DomainEvent {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::MigrationStarted,
        Self::PhaseStarted,
        Self::PhaseCompleted,
        Self::BudgetNearLimit,
        Self::MigrationFailed,
        Self::MigrationCancelled,
        Self::ProjectCreated,
        Self::DeploymentFailed,
        Self::BuilderIncompatibilityDetected,
    ];

    /// The name in an event's detail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MigrationStarted => "MIGRATION_STARTED",
            Self::PhaseStarted => "PHASE_STARTED",
            Self::PhaseCompleted => "PHASE_COMPLETED",
            Self::BudgetNearLimit => "BUDGET_NEAR_LIMIT",
            Self::MigrationFailed => "MIGRATION_FAILED",
            Self::MigrationCancelled => "MIGRATION_CANCELLED",
            Self::ProjectCreated => "PROJECT_CREATED",
            Self::DeploymentFailed => "DEPLOYMENT_FAILED",
            Self::BuilderIncompatibilityDetected => "BUILDER_INCOMPATIBILITY_DETECTED",
        }
    }

    /// What an attempt's failure is called, if it has a name of its own.
    pub const fn of_failure(failure: &Failure) -> Option<Self> {
        match failure.reason {
            Reason::DeploymentError => Some(Self::DeploymentFailed),
            Reason::BuilderIncompatibility => Some(Self::BuilderIncompatibilityDetected),
            Reason::ToolTimeout
            | Reason::OwnershipFailed
            | Reason::BudgetExceeded
            | Reason::Network
            | Reason::Upstream5xx
            | Reason::RateLimited
            | Reason::InvalidInput
            | Reason::LostWorker
            | Reason::Internal => None,
        }
    }
}
