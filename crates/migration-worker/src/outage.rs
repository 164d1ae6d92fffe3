//! Says once that something is away and once that it is back, instead of once per try.

use std::{error::Error, time::Duration};
use tokio::time::Instant;

/// What one loop knows about the thing it needs.
pub(crate) struct Outage {
    doing: &'static str,
    since: Option<Instant>,
}

impl Outage {
    pub(crate) fn of(doing: &'static str) -> Self {
        Self { doing, since: None }
    }

    pub(crate) fn failed(&mut self, error: &(dyn Error + 'static)) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            let error = service_kit::exit::chain(error);
            tracing::warn!(doing = self.doing, error, "failed; it is tried again until it succeeds");
        }
    }

    pub(crate) fn succeeded(&mut self) {
        if let Some(since) = self.since.take() {
            let seconds = since.elapsed().as_secs_f64();
            tracing::info!(doing = self.doing, outage_seconds = seconds, "works again");
        }
    }
}

/// The waits between tries: twice as long each time, up to a bound.
pub(crate) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.most);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_bound() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let waits: Vec<u128> = (0..4).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
    }
}
