//! How long a lease may be trusted. Arithmetic only: it never asks a clock, it is told the time.
//!
//! The database's clock decides when a lease ends (law 5). A holder cannot read that clock, so it counts on its
//! own monotonic one from the moment *before* it asked, and stops a margin early: whatever the round trip took,
//! the holder's trust ends first.

use serde::{Deserialize, Serialize};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;

use domain::{Epoch, JobId};
use store::Kept;

/// The terms of all leases of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How long a lease lasts without a heartbeat, by the database's clock.
    #[serde(with = "humantime_serde")]
    pub ttl: Duration,
    /// How often all leases are renewed.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How much earlier than the database the holder stops trusting a lease.
    #[serde(with = "humantime_serde")]
    pub margin: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30),
            // More often than the ttl asks for: a wish to cancel travels with the heartbeat's answer.
            heartbeat: Duration::from_secs(5),
            margin: Duration::from_secs(5),
        }
    }
}

impl Options {
    /// Until when a lease is trusted that was asked for, or renewed, at `asked_at`.
    pub(crate) fn trusted_until(&self, asked_at: Instant) -> Instant {
        asked_at + self.ttl.saturating_sub(self.margin)
    }

    /// Do the three fit together?
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.heartbeat.is_zero() || self.heartbeat * 3 > self.ttl {
            return Err("lease.heartbeat has to be more than nothing and at most a third of lease.ttl".into());
        }
        if self.ttl > Duration::from_secs(60) {
            return Err("lease.ttl has to be a minute at most: a lost worker's jobs wait that long".into());
        }
        // Two heartbeats must fit into the trusted time, or one slow answer pauses healthy work.
        if self.margin.is_zero() || self.margin + self.heartbeat * 2 > self.ttl {
            return Err(
                "lease.margin has to be more than nothing and leave two heartbeats within lease.ttl".into()
            );
        }
        Ok(())
    }
}

/// The leases that a heartbeat asked to renew and did not.
pub(crate) fn not_kept(asked: &[(JobId, Epoch)], kept: &[Kept]) -> Vec<(JobId, Epoch)> {
    let kept: HashSet<_> = kept.iter().map(|one| (one.job, one.epoch)).collect();
    asked.iter().copied().filter(|one| !kept.contains(one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn terms(ttl: u64, heartbeat: u64, margin: u64) -> Options {
        let seconds = Duration::from_secs;
        Options { ttl: seconds(ttl), heartbeat: seconds(heartbeat), margin: seconds(margin) }
    }

    #[test]
    fn trust_counts_from_the_question_and_ends_a_margin_early() {
        let asked_at = Instant::now();
        assert_eq!(terms(30, 5, 5).trusted_until(asked_at), asked_at + Duration::from_secs(25));
        assert_eq!(terms(5, 1, 30).trusted_until(asked_at), asked_at);
    }

    #[test]
    fn terms_that_cannot_work_are_refused() {
        for (ttl, heartbeat, margin, fits) in [
            (30, 10, 5, true),
            (30, 11, 5, false), // fewer than three heartbeats in a ttl
            (30, 0, 5, false),
            (61, 5, 5, false),
            (30, 5, 0, false),
            (30, 5, 20, true),
            (30, 5, 21, false),
        ] {
            assert_eq!(terms(ttl, heartbeat, margin).check().is_ok(), fits, "{ttl} {heartbeat} {margin}");
        }
        assert_eq!(Options::default().check(), Ok(()));
    }

    #[test]
    fn a_lease_of_another_epoch_was_not_kept() {
        let job = JobId(Uuid::now_v7());
        let other = JobId(Uuid::now_v7());
        let kept = [Kept { job, epoch: Epoch(2), cancel_requested: false }];
        assert_eq!(not_kept(&[(job, Epoch(2)), (other, Epoch(2))], &kept), [(other, Epoch(2))]);
        assert_eq!(not_kept(&[(job, Epoch(1))], &kept), [(job, Epoch(1))]);
        assert_eq!(not_kept(&[], &kept), []);
    }
}
