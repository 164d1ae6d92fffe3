//! Why work failed, in a form that is stored, shown to the user and judged for a retry.

use crate::phase::Phase;
use serde::{Deserialize, Serialize};

/// A failure of an attempt: a stable code, what happened, and whether trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, snake case, for programs: `site_unreachable`, `address_forbidden`, …
    pub code: String,
    /// One or two sentences for people: what happened and what to do. Never holds secrets or internals.
    pub message: String,
    /// May the same work pass when tried again?
    pub retryable: bool,
}

impl Failure {
    /// A failure that may pass: the network, an upstream's 5xx, a part of ours that was away.
    pub fn may_pass(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: true }
    }

    /// A failure that no further attempt can change: invalid input, a refusal, a site that is not HTML.
    pub fn cannot_pass(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), retryable: false }
    }

    /// The failure of an attempt whose worker stopped answering.
    pub fn lost_worker() -> Self {
        Self::may_pass("lost_worker", "The worker that held this job stopped sending heartbeats.")
    }

    /// The failure of an attempt that hung in a phase, or between two.
    pub fn phase_overdue(phase: Option<Phase>) -> Self {
        let phase = phase.map_or("A phase", |phase| phase.as_str());
        Self::may_pass("phase_overdue", format!("{phase} took longer than it may and was given up."))
    }

    /// The failure of an attempt that took too long as a whole.
    pub fn job_overdue() -> Self {
        Self::may_pass("job_overdue", "This attempt took longer than it may and was given up.")
    }
}
