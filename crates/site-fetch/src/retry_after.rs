//! Whether and when a request is sent again.

use std::time::{Duration, SystemTime};

/// Statuses that mean "not now" rather than "no".
pub(crate) fn may_pass(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// The pause that a Retry-After header asks for: seconds, or a date in any of HTTP's three spellings.
pub(crate) fn pause(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for us is still a very long pause.
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let at = httpdate::parse_http_date(header).ok()?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

/// The pause before try number `attempt` (0 = the first repeat): doubling, within a bound.
pub(crate) fn backoff(first: Duration, attempt: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(5);
    first.saturating_mul(1 << attempt.min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{backoff, pause};

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // 1994-11-06 08:49:37
        assert_eq!(pause(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:40 GMT", now), Some(Duration::from_secs(3)));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:30 GMT", now), Some(Duration::ZERO));
        assert_eq!(pause("Sunday, 06-Nov-94 08:49:41 GMT", now), Some(Duration::from_secs(4)));
        assert_eq!(pause("Sun Nov  6 08:49:42 1994", now), Some(Duration::from_secs(5)));
        assert_eq!(pause("99999999999999999999999", now), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(pause("-1", now), None);
        assert_eq!(pause("", now), None);
        assert_eq!(pause("soon", now), None);
    }

    #[test]
    fn backoff_doubles_within_its_bound() {
        let first = Duration::from_millis(200);
        assert_eq!(backoff(first, 0), first);
        assert_eq!(backoff(first, 2), first * 4);
        assert_eq!(backoff(first, 40), Duration::from_secs(5));
    }
}
