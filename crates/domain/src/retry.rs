//! When a failed attempt is tried again.

use crate::Failure;
use std::time::Duration;

/// How often a job is attempted and how long it waits between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts in all, the first included. At least 1.
    pub max_attempts: u32,
    /// The upper bound of the wait after the first failed attempt.
    pub base: Duration,
    /// No wait is longer than this.
    pub cap: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_attempts: 3, base: Duration::from_secs(5), cap: Duration::from_secs(600) }
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
    /// Judges attempt number `attempt` (1 for the first). `jitter` is a uniform draw from `0.0..1.0`: the wait
    /// is a "full jitter" one, uniform between nothing and an exponentially growing bound, so that jobs that
    /// failed together do not come back together.
    pub fn judge(&self, failure: &Failure, attempt: u32, jitter: f64) -> Verdict {
        if !failure.retryable || attempt >= self.max_attempts {
            return Verdict::GiveUp;
        }
        Verdict::RetryAfter(self.bound(attempt).mul_f64(jitter.clamp(0.0, 1.0)))
    }

    /// The longest wait after failed attempt number `attempt`: `base`, then twice that, … up to `cap`.
    pub fn bound(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(1, 5)]
    #[case(2, 10)]
    #[case(3, 20)]
    #[case(40, 600)]
    fn the_bound_doubles_up_to_the_cap(#[case] attempt: u32, #[case] seconds: u64) {
        assert_eq!(Policy::default().bound(attempt), Duration::from_secs(seconds));
    }

    #[test]
    fn jitter_spreads_the_wait_over_the_whole_bound() {
        let failure = Failure::may_pass("network", "gone");
        let policy = Policy::default();
        assert_eq!(policy.judge(&failure, 1, 0.0), Verdict::RetryAfter(Duration::ZERO));
        assert_eq!(policy.judge(&failure, 2, 0.5), Verdict::RetryAfter(Duration::from_secs(5)));
    }

    #[test]
    fn the_third_attempt_is_the_last_and_hopeless_failures_get_no_second() {
        let policy = Policy::default();
        assert_eq!(policy.judge(&Failure::may_pass("network", "gone"), 3, 0.1), Verdict::GiveUp);
        assert_eq!(policy.judge(&Failure::cannot_pass("not_html", "no"), 1, 0.1), Verdict::GiveUp);
    }
}
