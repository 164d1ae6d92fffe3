//! How much of what is over is kept, as configured, and the sweep that takes the rest away: a few rows at a time, with
//! room for everybody else in between, and never at the cost of a job.

use crate::worker::Workshop;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use store::{Forgettable, Retention};

/// Rows in one transaction.
const MOST: u32 = 500;
/// Transactions per sort in one turn.
const TURNS: u32 = 200;
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// [`Retention`], as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How often to look for what can go.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// Jobs per kind that completed, and as many that were cancelled: the newest.
    pub done_jobs: u32,
    /// Jobs per kind that failed: the newest. One that can still be replayed goes never.
    pub failed_jobs: u32,
    /// No job goes that ended less than this ago, however many there are.
    #[serde(with = "humantime_serde")]
    pub jobs_at_least: Duration,
    /// Every job goes that ended longer ago than this, however few there are.
    #[serde(with = "humantime_serde")]
    pub jobs_at_most: Duration,
    /// So long after its end a migration's history is cut down to its last event.
    #[serde(with = "humantime_serde")]
    pub events: Duration,
    /// So long after its last word a worker's row goes.
    #[serde(with = "humantime_serde")]
    pub workers: Duration,
    /// So long messages that could not be read are kept.
    #[serde(with = "humantime_serde")]
    pub poison: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            done_jobs: 1000,
            failed_jobs: 5000,
            jobs_at_least: HOUR,
            jobs_at_most: DAY * 90,
            events: DAY * 90,
            workers: DAY * 7,
            poison: DAY * 30,
        }
    }
}

impl Options {
    /// Do they make sense?
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { every, jobs_at_least, jobs_at_most, events, workers, poison, .. } = self;
        if !(Duration::from_millis(10)..=DAY).contains(every) {
            return Err("retention.every has to be between 10 ms and a day".into());
        }
        if jobs_at_least > jobs_at_most {
            return Err("retention.jobs_at_least is longer than retention.jobs_at_most".into());
        }
        let ages = [("jobs_at_most", jobs_at_most), ("events", events), ("poison", poison)];
        if let Some((name, _)) = ages.iter().find(|(_, age)| !(HOUR..=DAY * 36_500).contains(*age)) {
            return Err(format!("retention.{name} has to be between 1 hour and 100 years"));
        }
        // Others may still ask where the work went that it had.
        if !(DAY..=DAY * 36_500).contains(workers) {
            return Err("retention.workers has to be between 1 day and 100 years".into());
        }
        Ok(())
    }

    fn policy(&self) -> Retention {
        let Self { done_jobs, failed_jobs, jobs_at_least, jobs_at_most, events, workers, poison, .. } = *self;
        Retention { done_jobs, failed_jobs, jobs_at_least, jobs_at_most, events, workers, poison }
    }
}

/// One turn: of each sort, until there is no more, the turn's bound is reached, or the process stops.
pub(crate) async fn sweep(shop: Arc<Workshop>) -> store::Result<()> {
    let policy = shop.config.retention.policy();
    for what in Forgettable::ALL {
        for _ in 0..TURNS {
            if shop.lifecycle.stopping().is_cancelled() {
                return Ok(());
            }
            let gone = shop.store.forget(what, &policy, MOST).await?;
            shop.metrics.forgotten(what, gone);
            if gone < u64::from(MOST) {
                break;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_that_make_no_sense_are_named() {
        assert_eq!(Options::default().check(), Ok(()));
        let refused = |change: fn(&mut Options)| {
            let mut options = Options::default();
            change(&mut options);
            options.check().expect_err("must be refused")
        };
        assert!(refused(|o| o.every = Duration::ZERO).contains("retention.every"));
        assert!(refused(|o| o.jobs_at_least = o.jobs_at_most * 2).contains("retention.jobs_at_least"));
        assert!(refused(|o| o.events = Duration::ZERO).contains("retention.events"));
        assert!(refused(|o| o.poison = DAY * 40_000).contains("retention.poison"));
        assert!(refused(|o| o.workers = HOUR).contains("retention.workers"));
    }
}
