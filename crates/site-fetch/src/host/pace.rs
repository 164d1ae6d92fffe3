//! How many requests one host gets at once: a little more while it answers as quickly as it can, half
//! when it says that it has too much to do, a quarter less when it becomes slow.
//!
//! Additive increase and multiplicative decrease, as congestion control does it. Pure arithmetic: time
//! comes in as arguments.

use tokio::time::Instant;

/// Requests at once before anything is known of a host.
const START: f64 = 2.0;
/// Weight of one answer in the smoothed latency.
const WEIGHT: f64 = 0.2;
/// A host is slow when its smoothed latency is this many times its best one, …
const SLOW_FACTOR: f64 = 3.0;
/// … and this many seconds more: pages differ in what they cost.
const SLOW_MARGIN: f64 = 0.25;
/// How fast the best latency is forgotten, per answer: a site may move to a slower machine.
const FORGET: f64 = 1.002;

#[derive(Debug)]
pub(super) struct Pace {
    most: f64,
    adapt: bool,
    allowed: f64,
    smoothed: Option<f64>,
    best: f64,
    cut_at: Option<Instant>,
}

impl Pace {
    pub(super) fn new(most: usize, adapt: bool) -> Self {
        let most = u32::try_from(most.max(1)).map_or(f64::from(u32::MAX), f64::from);
        let allowed = if adapt { START.min(most) } else { most };
        Self { most, adapt, allowed, smoothed: None, best: f64::INFINITY, cut_at: None }
    }

    /// Requests at once that the host gets now: at least one.
    pub(super) fn allowed(&self) -> usize {
        // Between 1 and `most`, so the conversion is exact.
        self.allowed.floor() as usize
    }

    /// The host answered with what was asked for at `now` to a request sent at `sent`.
    pub(super) fn answered(&mut self, sent: Instant, now: Instant) {
        if !self.adapt {
            return;
        }
        let latency = (now - sent).as_secs_f64();
        let smoothed = self.smoothed.map_or(latency, |old| old + WEIGHT * (latency - old));
        self.smoothed = Some(smoothed);
        self.best = (self.best * FORGET).min(latency);
        if smoothed > self.best * SLOW_FACTOR && smoothed > self.best + SLOW_MARGIN {
            self.cut(sent, now, 0.75);
        } else {
            // One more for each round of as many answers as are allowed at once.
            self.allowed = (self.allowed + 1.0 / self.allowed).min(self.most);
        }
    }

    /// The host said 429 or 503, or had not answered by `now`, to a request sent at `sent`.
    pub(super) fn overloaded(&mut self, sent: Instant, now: Instant) {
        if self.adapt {
            self.cut(sent, now, 0.5);
        }
    }

    /// Requests that were sent before the last cut tell of the time before it, and cut nothing more.
    fn cut(&mut self, sent: Instant, now: Instant, factor: f64) {
        if self.cut_at.is_some_and(|cut| sent <= cut) {
            return;
        }
        self.cut_at = Some(now);
        self.allowed = (self.allowed * factor).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Answers of one latency, each to a request sent when the one before was answered.
    fn answers(pace: &mut Pace, clock: &mut Instant, count: usize, latency: Duration) {
        for _ in 0..count {
            let sent = *clock;
            *clock += latency;
            pace.answered(sent, *clock);
        }
    }

    #[test]
    fn it_grows_by_one_a_round_up_to_the_most() {
        let (mut pace, mut clock) = (Pace::new(6, true), Instant::now());
        let mut seen = vec![pace.allowed()];
        for _ in 0..30 {
            answers(&mut pace, &mut clock, 1, Duration::from_millis(20));
            if seen.last() != Some(&pace.allowed()) {
                seen.push(pace.allowed());
            }
        }
        assert_eq!(seen, [2, 3, 4, 5, 6]);
        assert_eq!(Pace::new(1, true).allowed(), 1);
        assert_eq!(Pace::new(0, true).allowed(), 1);
    }

    #[test]
    fn overload_halves_it_once_for_all_that_were_under_way() {
        let (mut pace, mut clock) = (Pace::new(8, true), Instant::now());
        answers(&mut pace, &mut clock, 100, Duration::from_millis(20));
        assert_eq!(pace.allowed(), 8);
        for _ in 0..8 {
            pace.overloaded(clock, clock + SECOND);
        }
        assert_eq!(pace.allowed(), 4);
        for left in [2, 1, 1] {
            clock += 2 * SECOND;
            pace.overloaded(clock, clock + SECOND);
            assert_eq!(pace.allowed(), left);
        }
    }

    #[test]
    fn a_slow_host_gets_less_and_more_again() {
        let (mut pace, mut clock) = (Pace::new(8, true), Instant::now());
        answers(&mut pace, &mut clock, 100, Duration::from_millis(50));
        answers(&mut pace, &mut clock, 20, 2 * SECOND);
        assert_eq!(pace.allowed(), 1);
        answers(&mut pace, &mut clock, 100, Duration::from_millis(50));
        assert_eq!(pace.allowed(), 8);
        // Latencies that only differ by a little are no sign of load.
        answers(&mut pace, &mut clock, 100, Duration::from_millis(200));
        assert_eq!(pace.allowed(), 8);
    }

    #[test]
    fn without_adapting_it_stays() {
        let (mut pace, mut clock) = (Pace::new(8, false), Instant::now());
        pace.overloaded(clock, clock + SECOND);
        answers(&mut pace, &mut clock, 5, 9 * SECOND);
        assert_eq!(pace.allowed(), 8);
    }
}
