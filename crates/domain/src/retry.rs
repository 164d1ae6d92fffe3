//! When a failed attempt is tried again: one table of terms by the sort of the failure, and the bounds that a job and
//! its worker put around them.
//!
//! Only failed and lost attempts are judged here. A job that is handed back or snoozed counts no attempt.

use crate::{Failure, failure::Reason};
use std::time::Duration;

/// How the wait is drawn below its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Anywhere between nothing and the bound, so that jobs that failed together do not come back together.
    Full,
    /// In the bound's upper half: where coming back at once is sure to be in vain.
    UpperHalf,
}

/// The terms on which failures of one sort are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Attempts in all, the first included, whatever the others failed of. 1: it cannot pass.
    pub attempts: u32,
    /// The bound of the wait after the first failed attempt; it doubles with each further one.
    pub base: Duration,
    /// No wait is longer. A pause that the other side asks for and that is longer is not waited for: the job fails.
    pub cap: Duration,
    /// How the wait is drawn.
    pub jitter: Jitter,
}

impl Terms {
    const NEVER: Self = Self { attempts: 1, base: Duration::ZERO, cap: Duration::ZERO, jitter: Jitter::Full };

    /// May the same work pass when tried again?
    pub const fn may_pass(&self) -> bool {
        self.attempts > 1
    }

    /// The longest wait after failed attempt number `attempt`: `base`, then twice that, … up to `cap`.
    pub fn bound(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    fn wait(&self, attempt: u32, draw: f64) -> Duration {
        let bound = self.bound(attempt);
        match self.jitter {
            Jitter::Full => bound.mul_f64(draw),
            Jitter::UpperHalf => bound.mul_f64(0.5 + draw / 2.0),
        }
    }
}

impl Reason {
    /// The whole table.
    pub const fn terms(self) -> Terms {
        use Jitter::{Full, UpperHalf};
        let (attempts, base, cap, jitter) = match self {
            // It is likely to take as long again: one more try, on another worker perhaps.
            Self::ToolTimeout => (2, 10, 120, UpperHalf),
            Self::DeploymentError => (3, 15, 600, Full),
            Self::Network | Self::Internal => (3, 5, 600, Full),
            Self::Upstream5xx => (3, 20, 900, UpperHalf),
            Self::RateLimited => (3, 60, 3600, UpperHalf),
            // The work may be what brought the worker down, so that it counts; but nobody has to be spared.
            Self::LostWorker => (3, 5, 60, Full),
            Self::OwnershipFailed
            | Self::BudgetExceeded
            | Self::BuilderIncompatibility
            | Self::InvalidInput => return Terms::NEVER,
        };
        Terms { attempts, base: Duration::from_secs(base), cap: Duration::from_secs(cap), jitter }
    }
}

/// What a job and its worker allow at most, whatever the failure's own terms are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts in all, the first included. At least 1.
    pub max_attempts: u32,
    /// The bound of the wait after the first failed attempt is not longer.
    pub base: Duration,
    /// No wait is longer, but for a pause that the other side asked for.
    pub cap: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_attempts: 3, base: Duration::from_secs(60), cap: Duration::from_secs(3600) }
    }
}

/// What happens after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this wait.
    RetryAfter(Duration),
    /// It cannot pass, or the attempts are used up: the job fails and becomes a dead letter.
    GiveUp,
}

impl Policy {
    /// Judges attempt number `attempt` (1 for the first). `draw` is a uniform draw from `0.0..1.0`.
    pub fn judge(&self, failure: &Failure, attempt: u32, draw: f64) -> Verdict {
        let attempts = self.max_attempts.min(failure.reason.terms().attempts);
        self.judge_within(attempts, failure, attempt, draw)
    }

    /// The same for a job whose kind says how often it is tried: that goes before the terms' own number, wherever those
    /// allow a second attempt at all.
    pub fn judge_task(&self, failure: &Failure, attempt: u32, draw: f64) -> Verdict {
        let attempts = if failure.reason.terms().may_pass() { self.max_attempts } else { 1 };
        self.judge_within(attempts, failure, attempt, draw)
    }

    fn judge_within(&self, attempts: u32, failure: &Failure, attempt: u32, draw: f64) -> Verdict {
        let terms = failure.reason.terms();
        let bounded = Terms { base: terms.base.min(self.base), cap: terms.cap.min(self.cap), ..terms };
        if !failure.retryable || attempt >= attempts {
            return Verdict::GiveUp;
        }
        let draw = draw.clamp(0.0, 1.0);
        match failure.retry_after() {
            Some(pause) if pause > terms.cap => Verdict::GiveUp,
            // Never before the pause is over, and not all at its very end.
            Some(pause) => Verdict::RetryAfter(pause.mul_f64(1.0 + draw / 10.0)),
            None => Verdict::RetryAfter(bounded.wait(attempt, draw)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// Reason, attempts, the bounds of the first two waits and the cap in seconds, and the least of a wait by its bound.
    #[rstest]
    #[case(Reason::ToolTimeout, 2, 10, 20, 120, 0.5)]
    #[case(Reason::DeploymentError, 3, 15, 30, 600, 0.0)]
    #[case(Reason::Network, 3, 5, 10, 600, 0.0)]
    #[case(Reason::Upstream5xx, 3, 20, 40, 900, 0.5)]
    #[case(Reason::RateLimited, 3, 60, 120, 3600, 0.5)]
    #[case(Reason::LostWorker, 3, 5, 10, 60, 0.0)]
    #[case(Reason::Internal, 3, 5, 10, 600, 0.0)]
    #[case(Reason::OwnershipFailed, 1, 0, 0, 0, 0.0)]
    #[case(Reason::BudgetExceeded, 1, 0, 0, 0, 0.0)]
    #[case(Reason::BuilderIncompatibility, 1, 0, 0, 0, 0.0)]
    #[case(Reason::InvalidInput, 1, 0, 0, 0, 0.0)]
    fn the_table_of_terms_is_exactly_the_designed_one(
        #[case] reason: Reason,
        #[case] attempts: u32,
        #[case] first: u64,
        #[case] second: u64,
        #[case] cap: u64,
        #[case] least: f64,
    ) {
        let terms = reason.terms();
        let bounds = [terms.bound(1), terms.bound(2), terms.bound(40)].map(|bound| bound.as_secs());
        assert_eq!((terms.attempts, bounds), (attempts, [first, second, cap]));
        let policy = Policy { max_attempts: 100, ..Policy::default() };
        let failure = Failure::of(reason, "code", "Told.");
        assert_eq!(failure.retryable, attempts > 1);
        assert_eq!(policy.judge(&failure, attempts, 0.0), Verdict::GiveUp);
        if attempts > 1 {
            let wait = Verdict::RetryAfter(Duration::from_secs(first).mul_f64(least));
            assert_eq!(policy.judge(&failure, 1, 0.0), wait);
            let wait = Verdict::RetryAfter(Duration::from_secs(first));
            assert_eq!(policy.judge(&failure, 1, 1.0), wait);
        }
    }

    #[test]
    fn a_job_has_no_more_attempts_than_it_says_and_a_worker_no_longer_waits() {
        let failure = Failure::of(Reason::RateLimited, "site_busy", "Later.");
        let policy =
            Policy { max_attempts: 2, base: Duration::from_secs(1), cap: Duration::from_millis(1500) };
        assert_eq!(policy.judge(&failure, 1, 1.0), Verdict::RetryAfter(Duration::from_secs(1)));
        assert_eq!(policy.judge(&failure, 2, 1.0), Verdict::GiveUp);
        let patient = Policy { max_attempts: 3, ..policy };
        assert_eq!(patient.judge(&failure, 2, 1.0), Verdict::RetryAfter(Duration::from_millis(1500)));
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_and_one_that_is_too_long_not_waited_for() {
        let asked = |seconds| Failure::rate_limited("site_busy", "Later.", Duration::from_secs(seconds));
        let policy = Policy { cap: Duration::from_secs(1), ..Policy::default() };
        assert_eq!(policy.judge(&asked(100), 1, 0.0), Verdict::RetryAfter(Duration::from_secs(100)));
        assert_eq!(policy.judge(&asked(100), 1, 1.0), Verdict::RetryAfter(Duration::from_secs(110)));
        assert_eq!(policy.judge(&asked(3601), 1, 0.5), Verdict::GiveUp);
    }

    #[test]
    fn a_kinds_own_number_of_attempts_goes_before_the_terms_but_not_for_what_cannot_pass() {
        let policy = Policy { max_attempts: 9, ..Policy::default() };
        let of = |reason| Failure::of(reason, "code", "Told.");
        assert_eq!(policy.judge(&of(Reason::Network), 3, 1.0), Verdict::GiveUp);
        let wait = Duration::from_secs(20);
        assert_eq!(policy.judge_task(&of(Reason::Network), 3, 1.0), Verdict::RetryAfter(wait));
        assert_eq!(policy.judge_task(&of(Reason::Network), 9, 1.0), Verdict::GiveUp);
        assert_eq!(policy.judge_task(&of(Reason::InvalidInput), 1, 1.0), Verdict::GiveUp);
        assert_eq!(policy.judge_task(&of(Reason::Network).for_good(), 1, 1.0), Verdict::GiveUp);
    }

    #[test]
    fn what_cannot_pass_in_this_case_gets_no_second_attempt() {
        let failure = Failure::of(Reason::Internal, "internal", "Unreadable.").for_good();
        assert_eq!(Policy::default().judge(&failure, 1, 0.5), Verdict::GiveUp);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_bounds_and_every_job_ends(
            which in 0..Reason::ALL.len(), attempt in 1u32..10, max in 1u32..10, draw in -1.0f64..2.0,
            base in 0u64..100_000, cap in 0u64..100_000,
        ) {
            let policy = Policy {
                max_attempts: max, base: Duration::from_millis(base), cap: Duration::from_millis(cap),
            };
            let failure = Failure::of(Reason::ALL[which], "code", "Told.");
            match policy.judge(&failure, attempt, draw) {
                Verdict::GiveUp => {}
                Verdict::RetryAfter(wait) => {
                    prop_assert!(attempt < max);
                    prop_assert!(wait <= policy.cap && wait <= failure.reason.terms().bound(attempt));
                }
            }
        }
    }
}
