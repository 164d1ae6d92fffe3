//! The worker's only source of chance: injected, so that a test can load the dice.

use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Draws uniformly from `0.0..1.0`.
pub(crate) type Dice = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Dice from the random bits of a fresh v4 UUID: good enough to spread waits, which is all that they are for.
pub(crate) fn dice() -> Dice {
    Arc::new(|| {
        let bits = Uuid::new_v4().as_u64_pair().1 & ((1 << 53) - 1);
        bits as f64 / (1u64 << 53) as f64
    })
}

/// A wait between three quarters of `interval` and all of it, so that workers that started together do not
/// poll together.
pub(crate) fn spread(interval: Duration, draw: f64) -> Duration {
    interval.mul_f64(0.75 + 0.25 * draw.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_within_their_bounds_and_differ() {
        let dice = dice();
        let draws: Vec<f64> = (0..1000).map(|_| dice()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }

    #[test]
    fn a_spread_wait_is_never_longer_than_asked() {
        let second = Duration::from_secs(1);
        assert_eq!(spread(second, 0.0), Duration::from_millis(750));
        assert_eq!(spread(second, 1.0), second);
    }
}
