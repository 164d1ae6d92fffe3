//! What is known of one origin's robots.txt, and how long it holds. Pure: time comes in as an argument.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::robots::{Robots, Standing};

/// Longest that a file is kept, whatever its server says.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Shortest: a server that says "do not keep" is not asked before every page.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// What a failing server said is asked again soon.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// After this long without an answer the file counts as absent, as the standard allows.
const GIVEN_UP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What came of asking for the file.
pub(super) enum Outcome {
    /// The server told its rules, or that there are none, for this long by its own word.
    Told(Robots, Option<Duration>),
    /// It did not, and this is how it stands.
    Failed(Standing),
}

pub(super) struct Known {
    pub(super) robots: Arc<Robots>,
    until: Instant,
    /// Since when no asking had an answer.
    failing_since: Option<Instant>,
}

impl Known {
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.until
    }

    /// While the server fails, its last word holds on; without one everything is forbidden, until it has
    /// failed for so long that the file counts as absent.
    pub(super) fn after(before: Option<Self>, outcome: Outcome, now: Instant) -> Self {
        match outcome {
            Outcome::Told(robots, lifetime) => Self {
                robots: Arc::new(robots),
                until: now + lifetime.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST),
                failing_since: None,
            },
            Outcome::Failed(standing) => {
                let since = before.as_ref().and_then(|known| known.failing_since).unwrap_or(now);
                let last_word = before.map(|known| known.robots).filter(|robots| robots.is_told());
                let robots = if now - since >= GIVEN_UP {
                    Arc::new(Robots::without_rules(Standing::Absent))
                } else {
                    last_word.unwrap_or_else(|| Arc::new(Robots::without_rules(standing)))
                };
                Self { robots, until: now + AFTER_FAILURE, failing_since: Some(since) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORBIDS: &[u8] = b"User-agent: *\nDisallow: /\n";

    fn told(lifetime: Option<Duration>) -> Outcome {
        Outcome::Told(Robots::parse(FORBIDS, "x"), lifetime)
    }

    fn failed() -> Outcome {
        Outcome::Failed(Standing::ServerError { status: 503 })
    }

    #[test]
    fn the_server_says_how_long_within_a_day() {
        let now = Instant::now();
        let hour = Duration::from_secs(3600);
        for (said, held) in [
            (None, LONGEST),
            (Some(hour), hour),
            (Some(Duration::ZERO), SHORTEST),
            (Some(Duration::MAX), LONGEST),
        ] {
            let known = Known::after(None, told(said), now);
            assert!(known.is_fresh(now + held - Duration::from_secs(1)), "{said:?}");
            assert!(!known.is_fresh(now + held), "{said:?}");
        }
    }

    #[test]
    fn a_failing_server_forbids_all_and_is_asked_again_soon() {
        let now = Instant::now();
        let known = Known::after(None, failed(), now);
        assert_eq!(known.robots.standing(), Standing::ServerError { status: 503 });
        assert!(known.is_fresh(now + AFTER_FAILURE / 2) && !known.is_fresh(now + AFTER_FAILURE));
        let later = now + AFTER_FAILURE;
        let known = Known::after(Some(known), told(None), later);
        assert_eq!(known.robots.standing(), Standing::Read);
        assert!(known.is_fresh(later + LONGEST / 2));
    }

    #[test]
    fn the_last_word_holds_while_the_server_fails() {
        let now = Instant::now();
        let known = Known::after(None, told(None), now);
        let known = Known::after(Some(known), failed(), now + LONGEST);
        assert_eq!(known.robots.standing(), Standing::Read, "as it was told");
        assert!(!known.is_fresh(now + LONGEST + AFTER_FAILURE), "but asked again");
    }

    #[test]
    fn after_thirty_days_of_failing_the_file_counts_as_absent() {
        for first in [told(None), failed()] {
            let start = Instant::now();
            let known = Known::after(None, first, start);
            let known = Known::after(Some(known), failed(), start);
            let known = Known::after(Some(known), failed(), start + GIVEN_UP - Duration::from_secs(1));
            assert_ne!(known.robots.standing(), Standing::Absent);
            let known = Known::after(Some(known), failed(), start + GIVEN_UP);
            assert_eq!(known.robots.standing(), Standing::Absent);
            let known = Known::after(Some(known), told(None), start + GIVEN_UP * 2);
            assert_eq!(known.robots.standing(), Standing::Read);
        }
    }
}
