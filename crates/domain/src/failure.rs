//! Why work failed, in a form that is stored, shown to the user and judged for a retry.
//!
//! [`Reason`] is the taxonomy: a small closed set, each with its own terms of retry ([`crate::retry`]). A failure's
//! `code` says more exactly what happened and may grow; its reason may not be guessed from it.

use crate::{job::UnknownState, phase::Phase};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// The sort of a failure. Stored and printed in lower snake case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A tool or a phase took longer than it may.
    ToolTimeout,
    /// The proof that the site is the user's did not come.
    OwnershipFailed,
    /// The AI time that was granted is used up.
    BudgetExceeded,
    /// The project is one that a builder would refuse.
    BuilderIncompatibility,
    /// The project could not be stored or handed over.
    DeploymentError,
    /// The other side cannot be reached: its name, its port, its certificate's server.
    Network,
    /// The other side answers, with a fault of its own.
    #[serde(rename = "upstream_5xx")]
    Upstream5xx,
    /// The other side asks for a pause.
    RateLimited,
    /// What was given cannot be worked with.
    InvalidInput,
    /// The worker stopped answering.
    LostWorker,
    /// A fault of ours, or a part of ours that is away. What was stored before there were reasons reads as this.
    #[default]
    Internal,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::ToolTimeout,
        Self::OwnershipFailed,
        Self::BudgetExceeded,
        Self::BuilderIncompatibility,
        Self::DeploymentError,
        Self::Network,
        Self::Upstream5xx,
        Self::RateLimited,
        Self::InvalidInput,
        Self::LostWorker,
        Self::Internal,
    ];

    /// The name in the database, in events and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ToolTimeout => "tool_timeout",
            Self::OwnershipFailed => "ownership_failed",
            Self::BudgetExceeded => "budget_exceeded",
            Self::BuilderIncompatibility => "builder_incompatibility",
            Self::DeploymentError => "deployment_error",
            Self::Network => "network",
            Self::Upstream5xx => "upstream_5xx",
            Self::RateLimited => "rate_limited",
            Self::InvalidInput => "invalid_input",
            Self::LostWorker => "lost_worker",
            Self::Internal => "internal",
        }
    }

    /// Does it speak of the site's host rather than of us or of what was asked?
    pub const fn blames_the_host(self) -> bool {
        matches!(self, Self::Network | Self::Upstream5xx | Self::RateLimited)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|r| r.as_str() == text).ok_or_else(|| UnknownState(text.into()))
    }
}

/// A failure of an attempt: its sort, a stable code, what happened, and whether trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure it is; decides how it is tried again.
    #[serde(default)]
    pub reason: Reason,
    /// Stable, snake case, for programs: `site_unreachable`, `address_forbidden`, …
    pub code: String,
    /// One or two sentences for people: what happened and what to do. Never holds secrets or internals.
    pub message: String,
    /// May the same work pass when tried again? Never true where the reason's terms allow one attempt only.
    pub retryable: bool,
    /// How long the other side asks to be left alone, in milliseconds, with [`Reason::RateLimited`].
    #[serde(default, rename = "retryAfterMs", skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure of this sort, retryable if the sort is.
    pub fn of(reason: Reason, code: &str, message: impl Into<String>) -> Self {
        let retryable = reason.terms().may_pass();
        Self { reason, code: code.into(), message: message.into(), retryable, retry_after_ms: None }
    }

    /// A failure that may pass: a part of ours that was away.
    pub fn may_pass(code: &str, message: impl Into<String>) -> Self {
        Self::of(Reason::Internal, code, message)
    }

    /// A failure that no further attempt can change: invalid input, a refusal, a site that is not HTML.
    pub fn cannot_pass(code: &str, message: impl Into<String>) -> Self {
        Self::of(Reason::InvalidInput, code, message)
    }

    /// The same, of a sort that might pass in other cases and cannot in this one.
    #[must_use]
    pub fn for_good(self) -> Self {
        Self { retryable: false, ..self }
    }

    /// The same, as a failure of another sort: retryable only if it was and that sort is.
    #[must_use]
    pub fn because(self, reason: Reason) -> Self {
        Self { reason, retryable: self.retryable && reason.terms().may_pass(), ..self }
    }

    /// The other side asks to be left alone for so long.
    pub fn rate_limited(code: &str, message: impl Into<String>, pause: Duration) -> Self {
        let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        Self { retry_after_ms: Some(pause), ..Self::of(Reason::RateLimited, code, message) }
    }

    /// The pause that was asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }

    /// The failure of an attempt whose worker stopped answering.
    pub fn lost_worker() -> Self {
        let told = "The worker that held this job stopped sending heartbeats.";
        Self::of(Reason::LostWorker, "lost_worker", told)
    }

    /// The failure of an attempt that hung in a phase, or between two.
    pub fn phase_overdue(phase: Option<Phase>) -> Self {
        let phase = phase.map_or("A phase", |phase| phase.as_str());
        let told = format!("{phase} took longer than it may and was given up.");
        Self::of(Reason::ToolTimeout, "phase_overdue", told)
    }

    /// The failure of an attempt that took too long as a whole.
    pub fn job_overdue() -> Self {
        let told = "This attempt took longer than it may and was given up.";
        Self::of(Reason::ToolTimeout, "job_overdue", told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_read_back_and_are_those_that_are_stored() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(json!(reason), reason.as_str());
        }
        assert!("Network".parse::<Reason>().is_err());
    }

    #[test]
    fn what_was_stored_before_there_were_reasons_still_reads() {
        let stored = json!({"code": "not_html", "message": "No page.", "retryable": false});
        let read: Failure = serde_json::from_value(stored).expect("it reads");
        assert_eq!((read.reason, read.retry_after()), (Reason::Internal, None));
    }

    #[test]
    fn another_reason_never_makes_a_failure_more_hopeful() {
        let failure = Failure::may_pass("storage_unavailable", "Away.");
        assert!(failure.clone().because(Reason::DeploymentError).retryable);
        assert!(!failure.clone().because(Reason::InvalidInput).retryable);
        assert!(!failure.for_good().because(Reason::DeploymentError).retryable);
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept() {
        let failure = Failure::rate_limited("site_busy", "Later.", Duration::from_secs(7));
        let stored = serde_json::to_value(&failure).expect("it serialises");
        assert_eq!((&stored["reason"], &stored["retryAfterMs"]), (&json!("rate_limited"), &json!(7000)));
        let read: Failure = serde_json::from_value(stored).expect("it reads");
        assert_eq!(read.retry_after(), Some(Duration::from_secs(7)));
    }
}
