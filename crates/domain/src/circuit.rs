//! A circuit per host: after failures in a row nobody asks a host for a while; then one job tries, and what comes of it
//! decides for all. Jobs that find it open are snoozed, which counts no attempt.

use std::time::Duration;

/// So many failures in a row open a circuit.
pub const OPENS_AT: u32 = 5;
/// How long one job has to try a host, before another may.
pub const PROBE: Duration = Duration::from_secs(120);
/// Failures that lie further back say nothing any more.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(900);

/// How long a circuit stays open after so many failures in a row; none: it stays closed. Doubles with each further
/// failure, up to a quarter of an hour.
pub fn open_for(failures: u32) -> Option<Duration> {
    let further = failures.checked_sub(OPENS_AT)?;
    Some(FIRST.saturating_mul(1 << further.min(10)).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_opens_after_failures_in_a_row_for_longer_each_time() {
        let seconds = [1, 4, 5, 6, 7, 9, 10, 1000].map(|n| open_for(n).map(|time| time.as_secs()));
        assert_eq!(seconds, [None, None, Some(30), Some(60), Some(120), Some(480), Some(900), Some(900)]);
    }
}
