//! How long work may take, as configured: [`domain::deadline::Deadlines`] in the form that people write.

use domain::{deadline::Deadlines, phase::Phase};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whoever sweeps takes away what needs longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// One attempt at a job as a whole.
    #[serde(with = "humantime_serde")]
    pub job: Duration,
    /// Reading the site.
    #[serde(with = "humantime_serde")]
    pub analyze: Duration,
    /// Deciding routes and parts.
    #[serde(with = "humantime_serde")]
    pub plan: Duration,
    /// Writing the project.
    #[serde(with = "humantime_serde")]
    pub transform: Duration,
    /// Checking the project.
    #[serde(with = "humantime_serde")]
    pub verify: Duration,
    /// Storing the project.
    #[serde(with = "humantime_serde")]
    pub deploy: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let Deadlines { job, analyze, plan, transform, verify, deploy } = Deadlines::default();
        Self { job, analyze, plan, transform, verify, deploy }
    }
}

impl From<Options> for Deadlines {
    fn from(options: Options) -> Self {
        let Options { job, analyze, plan, transform, verify, deploy } = options;
        Self { job, analyze, plan, transform, verify, deploy }
    }
}

impl Options {
    /// Do they fit together, and with the longest crawl?
    pub(crate) fn check(&self, crawl: Duration) -> Result<(), String> {
        let deadlines = Deadlines::from(*self);
        if Phase::ALL.into_iter().any(|phase| deadlines.of(phase).is_zero() || deadlines.of(phase) > self.job)
        {
            return Err(
                "each of deadlines has to be more than nothing, and none longer than deadlines.job".into()
            );
        }
        if self.analyze <= crawl {
            return Err("deadlines.analyze has to be longer than crawl.max_time: a crawl that stops there is no failure".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_that_cannot_be_kept_are_refused() {
        let half_an_hour = Duration::from_secs(1800);
        let options = Options::default();
        assert_eq!(options.check(half_an_hour), Ok(()));
        for (wrong, told) in [
            (Options { plan: Duration::ZERO, ..options }, "more than nothing"),
            (Options { verify: options.job * 2, ..options }, "none longer than deadlines.job"),
            (Options { analyze: half_an_hour, ..options }, "crawl.max_time"),
        ] {
            let refused = wrong.check(half_an_hour).expect_err("must be refused");
            assert!(refused.contains(told), "{refused}");
        }
    }
}
