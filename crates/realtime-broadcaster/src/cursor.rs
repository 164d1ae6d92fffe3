//! The cursor: where in which history a listener stopped. Opaque to clients: text that they give back.
//!
//! It is bound to the migration (or, in a feed, to the tenant) and to the log's incarnation, which a restore changes: the same number in
//! another history names another event, and going on from there would lose or repeat some without a word.
//!
//! A feed's cursor is a horizon of transactions, below which everything was told. In the middle of a look at what lies
//! above it, it also says how far the look has come: otherwise whoever never stays until a look is over would be told
//! the same again at each return.

use domain::MigrationId;
use store::{Horizon, Tail, Tip};
use uuid::Uuid;

/// Hexadecimal digits of a history's id.
const HISTORY_DIGITS: usize = 32;
/// No cursor of ours is longer; what a client sends is not read further.
const MAX_LENGTH: usize = HISTORY_DIGITS + 16 + (1 + 16) + (1 + 32) + (1 + 16);

/// Which history cursors speak about: one migration's or one tenant's, since the last restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History(u128);

impl History {
    /// Both ids in one. Only equality matters, and two different pairs do not meet by chance.
    pub(crate) fn new(incarnation: Uuid, whose: Uuid) -> Self {
        Self(incarnation.as_u128() ^ whose.as_u128().rotate_left(64))
    }

    /// The cursor after the event `at`, 0 being the beginning; in a feed, at the horizon `at`.
    pub(crate) fn cursor(self, at: i64) -> String {
        format!("{:032x}{at:x}", self.0)
    }

    /// The cursor of a feed's client that stands there.
    pub(crate) fn mark(self, mark: Mark) -> String {
        let below = self.cursor(mark.below.0);
        match mark.within {
            None => below,
            Some(Within { look, migration, seq }) => {
                format!("{below}.{:x}.{:032x}.{seq:x}", look.0, migration.0.as_u128())
            }
        }
    }

    /// The history, and what is said of the place in it.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'.';
        if !text.bytes().all(plain) || text.len() > MAX_LENGTH {
            return None;
        }
        let (history, place) = text.split_at_checked(HISTORY_DIGITS)?;
        Some((Self(u128::from_str_radix(history, 16).ok()?), place))
    }
}

/// Where a feed's client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Everything below was told.
    pub(crate) below: Horizon,
    /// What lies above was told in part.
    pub(crate) within: Option<Within>,
}

/// How far a look at what lies above a horizon has come; it goes through migrations in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within {
    /// Where the horizon stood when the look began: what lies above is not known to have been seen.
    pub(crate) look: Horizon,
    /// Those before it were told.
    pub(crate) migration: MigrationId,
    /// Of itself, events up to this one.
    pub(crate) seq: i64,
}

impl Mark {
    /// At a horizon, and no further.
    pub(crate) fn at(below: Horizon) -> Self {
        Self { below, within: None }
    }

    fn parse(place: &str) -> Option<Self> {
        let mut parts = place.split('.');
        let below = Horizon(number(parts.next()?)?);
        let within = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (None, ..) => None,
            (Some(look), Some(migration), Some(seq), None) => {
                let migration = u128::from_str_radix(migration, 16).ok()?;
                let migration = MigrationId(Uuid::from_u128(migration));
                Some(Within { look: Horizon(number(look)?), migration, seq: number(seq)? })
            }
            _ => return None,
        };
        let whole = within.is_none_or(|within| within.look >= below);
        whole.then_some(Self { below, within })
    }
}

/// Hexadecimal and not negative.
fn number(digits: &str) -> Option<i64> {
    i64::from_str_radix(digits, 16).ok()
}

/// What became of the cursor that a listener came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There was none: the history is told from its beginning, a feed from now on.
    Started,
    /// It goes on after this event, a feed from this horizon.
    Resumed(i64),
    /// It could not be used, for this reason: the same as without one.
    Gap(&'static str),
    /// It is the end of a history that is over: there is nothing to tell.
    Over,
}

impl Verdict {
    /// Judges a cursor against the history as it is now.
    pub(crate) fn of(cursor: Option<&str>, history: History, tail: Tail) -> Self {
        let Some(cursor) = cursor.map(str::trim).filter(|text| !text.is_empty()) else {
            return Self::Started;
        };
        match History::parse(cursor).and_then(|(whose, place)| Some((whose, number(place)?))) {
            None => Self::Gap("malformed"),
            Some((other, _)) if other != history => Self::Gap("other_history"),
            Some((_, seq)) if seq > tail.last_seq => Self::Gap("future"),
            Some((_, seq)) if seq == tail.last_seq && tail.over => Self::Over,
            Some((_, seq)) => Self::Resumed(seq),
        }
    }

    /// Judges a feed's cursor against the log as it is now, and says where the feed begins: without a usable cursor,
    /// now.
    pub(crate) fn across(cursor: Option<&str>, history: History, tip: Tip) -> (Self, Mark) {
        let now = Mark::at(tip.horizon);
        let Some(cursor) = cursor.map(str::trim).filter(|text| !text.is_empty()) else {
            return (Self::Started, now);
        };
        match History::parse(cursor).and_then(|(whose, place)| Some((whose, Mark::parse(place)?))) {
            None => (Self::Gap("malformed"), now),
            Some((other, _)) if other != history => (Self::Gap("other_history"), now),
            Some((_, mark)) if mark.within.map_or(mark.below, |within| within.look) > tip.next => {
                (Self::Gap("future"), now)
            }
            Some((_, mark)) => (Self::Resumed(mark.below.0), mark),
        }
    }

    /// The event after which the stream begins.
    pub(crate) fn from(self) -> i64 {
        match self {
            Self::Resumed(seq) => seq,
            Self::Started | Self::Gap(_) | Self::Over => 0,
        }
    }

    /// The word in the first frame.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Resumed(_) | Self::Over => "resumed",
            Self::Gap(_) => "resumed_with_gap",
        }
    }

    /// Why the cursor could not be used.
    pub(crate) fn why(self) -> Option<&'static str> {
        match self {
            Self::Gap(why) => Some(why),
            Self::Started | Self::Resumed(_) | Self::Over => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: Tail = Tail { last_seq: 9, over: false };

    fn history() -> History {
        History::new(Uuid::from_u128(7), Uuid::from_u128(11))
    }

    #[test]
    fn each_cursor_gets_its_verdict() {
        let ours = history();
        let other = History::new(Uuid::from_u128(8), Uuid::from_u128(11));
        let foreign = History::new(Uuid::from_u128(7), Uuid::from_u128(12));
        let judged = |cursor: &str| Verdict::of(Some(cursor), ours, RUNNING);
        assert_eq!(Verdict::of(None, ours, RUNNING), Verdict::Started);
        assert_eq!(judged(" "), Verdict::Started);
        assert_eq!(judged(&ours.cursor(0)), Verdict::Resumed(0));
        assert_eq!(judged(&ours.cursor(9)), Verdict::Resumed(9));
        assert_eq!(judged(&ours.cursor(10)), Verdict::Gap("future"));
        assert_eq!(judged(&other.cursor(3)), Verdict::Gap("other_history"));
        assert_eq!(judged(&foreign.cursor(3)), Verdict::Gap("other_history"));
        let negative = format!("{}-1", &ours.cursor(0)[..32]);
        let endless = "f".repeat(100_000);
        let feeds = ours.mark(within(1, 2));
        for bad in
            ["-1", "9", "é", "0x10", &ours.cursor(0)[..32], &negative, &endless, &"f".repeat(48), &feeds]
        {
            assert_eq!(judged(bad), Verdict::Gap("malformed"), "{bad:.60}");
        }
    }

    #[test]
    fn only_the_end_of_a_finished_history_is_over() {
        let over = Tail { last_seq: 9, over: true };
        assert_eq!(Verdict::of(Some(&history().cursor(9)), history(), over), Verdict::Over);
        assert_eq!(Verdict::of(Some(&history().cursor(8)), history(), over), Verdict::Resumed(8));
        assert_eq!(Verdict::of(None, history(), over), Verdict::Started);
    }

    #[test]
    fn a_feeds_cursor_is_its_tenants_and_not_ahead_of_the_log() {
        let tip = Tip { horizon: Horizon(40), next: Horizon(50) };
        let judged = |cursor: &str| Verdict::across(Some(cursor), history(), tip);
        // What cannot be used begins now, and floods nobody.
        let now = Mark::at(Horizon(40));
        let other = History::new(Uuid::from_u128(7), Uuid::from_u128(12));
        assert_eq!(Verdict::across(None, history(), tip), (Verdict::Started, now));
        assert_eq!(judged(&history().cursor(45)), (Verdict::Resumed(45), Mark::at(Horizon(45))));
        assert_eq!(judged(&history().cursor(51)), (Verdict::Gap("future"), now));
        assert_eq!(judged(&other.cursor(1)), (Verdict::Gap("other_history"), now));
        assert_eq!(judged("-1"), (Verdict::Gap("malformed"), now));
        assert_eq!(judged(&history().mark(within(3, 45))), (Verdict::Resumed(3), within(3, 45)));
        assert_eq!(judged(&history().mark(within(3, 51))), (Verdict::Gap("future"), now));
    }

    #[test]
    fn a_place_within_a_look_is_whole_or_malformed() {
        let most = Horizon(i64::MAX);
        let widest = Mark {
            below: most,
            within: Some(Within { look: most, migration: MigrationId(Uuid::max()), seq: i64::MAX }),
        };
        for mark in [within(0, 0), within(3, 9), widest] {
            let text = history().mark(mark);
            assert!(text.len() <= MAX_LENGTH, "{text}");
            assert_eq!(History::parse(&text).and_then(|(_, place)| Mark::parse(place)), Some(mark));
        }
        for bad in ["", ".", "1.", "1.2", "1.2.3", "1.2.3.4.5", "1.2..4", "9.2.3.4", "1.2.3.ffffffffffffffff"]
        {
            assert_eq!(Mark::parse(bad), None, "{bad}");
        }
    }

    fn within(below: i64, look: i64) -> Mark {
        let migration = MigrationId(Uuid::from_u128(5));
        Mark { below: Horizon(below), within: Some(Within { look: Horizon(look), migration, seq: 6 }) }
    }
}
