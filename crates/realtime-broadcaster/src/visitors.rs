//! Clients that say who they are, and how often they come back: one that reconnects again and again has something
//! wrong with it, or with what lies between, that nobody sees in the number of open streams.

use crate::topics::lock;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;
use uuid::Uuid;

/// Connections within the window that are still in order: the first, and three more.
const IN_ORDER: usize = 4;
const WINDOW: Duration = Duration::from_secs(600);
/// Names that are remembered; more are not counted until others are forgotten.
const MOST: usize = 20_000;
/// The longest name of a client.
const LONGEST: usize = 64;

/// Who comes, and for what: a person's client, by the name that it gave, to one stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Visitor {
    pub(crate) user: Uuid,
    pub(crate) client: Name,
    /// The migration, or the tenant of a feed.
    pub(crate) stream: Uuid,
}

/// What a client calls itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(Box<str>);

impl Name {
    /// Letters, digits and `-_.:`, so that it can stand in any log.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let fits = (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.into()))
    }
}

/// The last connections of each; a cheap clone is the same table.
#[derive(Clone, Default)]
pub(crate) struct Visitors {
    known: Arc<Mutex<HashMap<Visitor, Visits>>>,
}

/// The times of the last connections, the latest last.
#[derive(Default)]
struct Visits {
    last: [Option<Instant>; IN_ORDER + 1],
}

impl Visits {
    fn add(&mut self, now: Instant) {
        self.last.rotate_left(1);
        if let Some(latest) = self.last.last_mut() {
            *latest = Some(now);
        }
    }

    fn within(&self, now: Instant) -> usize {
        self.last.iter().flatten().filter(|at| now.duration_since(**at) < WINDOW).count()
    }

    fn are_too_many(&self, now: Instant) -> bool {
        self.within(now) > IN_ORDER
    }
}

impl Visitors {
    /// A connection was opened.
    pub(crate) fn came(&self, visitor: Visitor, now: Instant) {
        let mut known = lock(&self.known);
        if known.len() >= MOST && !known.contains_key(&visitor) {
            known.retain(|_, visits| visits.within(now) > 0);
            if known.len() >= MOST {
                return;
            }
        }
        let visits = known.entry(visitor.clone()).or_default();
        let before = visits.are_too_many(now);
        visits.add(now);
        if !before && visits.are_too_many(now) {
            let (client, stream) = (&visitor.client.0, visitor.stream);
            tracing::info!(%client, %stream, "a client reconnected more than 3 times in 10 minutes");
        }
    }

    /// Clients that reconnected more than three times in the last ten minutes.
    pub(crate) fn restless(&self, now: Instant) -> usize {
        lock(&self.known).values().filter(|visits| visits.are_too_many(now)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_any_log() {
        for good in ["tab-1", "ios:4.2_x", &"x".repeat(LONGEST)] {
            assert!(Name::parse(good).is_some(), "{good:?}");
        }
        for bad in ["", "a b", "é", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert!(Name::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn whoever_comes_back_more_than_three_times_in_ten_minutes_shows_for_that_long() {
        let (visitors, begin) = (Visitors::default(), Instant::now());
        let at = |minutes: u64| begin + Duration::from_secs(minutes * 60);
        let visitor = |name: &str, stream| Visitor {
            user: Uuid::from_u128(1),
            client: Name::parse(name).expect("a name"),
            stream: Uuid::from_u128(stream),
        };
        // Five tabs on five streams are no reconnects, nor is one that is rotated every eight minutes.
        for stream in 0..5 {
            visitors.came(visitor("tabs", stream), at(0));
        }
        let rotated = Visitors::default();
        for minute in [0, 8, 16, 24, 32, 40] {
            rotated.came(visitor("rotated", 1), at(minute));
        }
        assert_eq!(rotated.restless(at(40)), 0);
        for minute in [1, 3, 5, 7] {
            visitors.came(visitor("restless", 1), at(minute));
        }
        assert_eq!(visitors.restless(at(8)), 0);
        visitors.came(visitor("restless", 1), at(9));
        assert_eq!(visitors.restless(at(10)), 1);
        assert_eq!(visitors.restless(at(11)), 0, "the first of them is longer ago");
        visitors.came(visitor("restless", 1), at(12));
        assert_eq!(visitors.restless(at(12)), 1);
    }

    #[test]
    fn only_so_many_are_remembered_and_those_of_long_ago_make_room() {
        let (visitors, begin) = (Visitors::default(), Instant::now());
        let visitor = |number: usize| Visitor {
            user: Uuid::from_u128(number as u128),
            client: Name::parse("x").expect("a name"),
            stream: Uuid::nil(),
        };
        for number in 0..MOST + 10 {
            visitors.came(visitor(number), begin);
        }
        assert_eq!(lock(&visitors.known).len(), MOST);
        visitors.came(visitor(MOST + 1), begin + WINDOW);
        assert_eq!(lock(&visitors.known).len(), 1);
    }
}
