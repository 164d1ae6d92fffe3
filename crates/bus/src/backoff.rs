//! Growing waits between attempts to reconnect: from a tenth of a second to five, with jitter, so that all
//! processes do not knock at a restarted server in the same moment.

use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Waits; `false` when `stop` came first.
    pub(crate) async fn wait(&mut self, stop: &CancellationToken) -> bool {
        // The tail of a UUID is random: enough of a die for spreading reconnects.
        let die = Uuid::new_v4().as_bytes()[15];
        let delay = delay(self.attempts, die);
        self.attempts = self.attempts.saturating_add(1);
        stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some()
    }
}

/// Half of the exponential step, plus up to the other half by the die.
fn delay(attempts: u32, die: u8) -> Duration {
    let step = FIRST.saturating_mul(2_u32.saturating_pow(attempts.min(16))).min(LONGEST);
    step / 2 + step / 2 * u32::from(die) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_twentieth_of_a_second_to_five_and_stay_there() {
        assert_eq!(delay(0, 0), Duration::from_millis(50));
        assert_eq!(delay(0, 255), Duration::from_millis(100));
        assert_eq!(delay(1, 255), Duration::from_millis(200));
        assert_eq!(delay(40, 255), LONGEST);
        assert!(delay(u32::MAX, 7) < LONGEST);
    }
}
