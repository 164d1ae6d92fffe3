//! Why the work on a job ends before its end.

use domain::Failure;
use std::time::Duration;

/// What ended the work. Only [`Stop::Failed`] counts as an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The lease is no longer ours, or cannot be proved any more: drop the job without a word.
    Lost,
    /// A person called the job off.
    Cancelled,
    /// The process stops, or the work could not go on here: give the job back.
    HandBack,
    /// What the work needs cannot be had for so long: put the job off.
    Snooze(Duration),
    /// The plan is made, and its owner wants to see it first: end the job, another one goes on.
    Park,
    /// The attempt failed.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
