//! Sessions in which AI time is spent: opened with a phase, closed in the transaction that ends it, however it ends.
//!
//! What they cost is the ledger's affair and comes later; here they are bounded in time.

use crate::job::Cause;

/// What a session is for, as long as phases are what is paid for.
pub const PHASE_PURPOSE: &str = "phase";

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The phase's result is stored.
    Completed,
    /// The attempt failed.
    Failed,
    /// The worker stopped answering, or its work hung.
    Lost,
    /// Somebody called the job off.
    Cancelled,
    /// The worker gave the job back.
    HandedBack,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Completed, Self::Failed, Self::Lost, Self::Cancelled, Self::HandedBack];

    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
            Self::HandedBack => "handed_back",
        }
    }

    /// How a session ends with a job that leaves its worker for this cause; none if no worker had it.
    pub const fn of(cause: Cause) -> Option<Self> {
        match cause {
            Cause::Completed | Cause::Parked => Some(Self::Completed),
            Cause::AttemptFailed | Cause::GaveUp => Some(Self::Failed),
            Cause::LeaseExpired | Cause::PhaseOverdue | Cause::JobOverdue => Some(Self::Lost),
            Cause::CancelRequested => Some(Self::Cancelled),
            Cause::HandedBack | Cause::Snoozed => Some(Self::HandedBack),
            Cause::Enqueued | Cause::Claimed | Cause::Started | Cause::RetryDue | Cause::Replayed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_that_of_a_cause() {
        for outcome in Outcome::ALL {
            assert!(Cause::ALL.into_iter().any(|cause| Outcome::of(cause) == Some(outcome)), "{outcome:?}");
        }
    }
}
