//! The cursor: where in which history a listener stopped. Opaque to clients: text that they give back.
//!
//! It is bound to the migration (or, in a feed, to the tenant) and to the log's incarnation, which a restore changes: the same number in
//! another history names another event, and going on from there would lose or repeat some without a word.

use store::{Horizon, Tail, Tip};
use uuid::Uuid;

/// Hexadecimal digits of a history's id.
const HISTORY_DIGITS: usize = 32;
/// No cursor of ours is longer; what a client sends is not read further.
const MAX_LENGTH: usize = HISTORY_DIGITS + 16;

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

    fn parse(text: &str) -> Option<(Self, i64)> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if !plain || text.len() <= HISTORY_DIGITS || text.len() > MAX_LENGTH {
            return None;
        }
        let (history, seq) = text.split_at(HISTORY_DIGITS);
        Some((Self(u128::from_str_radix(history, 16).ok()?), i64::from_str_radix(seq, 16).ok()?))
    }
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
        match History::parse(cursor) {
            None => Self::Gap("malformed"),
            Some((other, _)) if other != history => Self::Gap("other_history"),
            Some((_, seq)) if seq > tail.last_seq => Self::Gap("future"),
            Some((_, seq)) if seq == tail.last_seq && tail.over => Self::Over,
            Some((_, seq)) => Self::Resumed(seq),
        }
    }

    /// Judges a feed's cursor against the log as it is now.
    pub(crate) fn across(cursor: Option<&str>, history: History, tip: Tip) -> Self {
        let Some(cursor) = cursor.map(str::trim).filter(|text| !text.is_empty()) else {
            return Self::Started;
        };
        match History::parse(cursor) {
            None => Self::Gap("malformed"),
            Some((other, _)) if other != history => Self::Gap("other_history"),
            Some((_, at)) if Horizon(at) > tip.next => Self::Gap("future"),
            Some((_, at)) => Self::Resumed(at),
        }
    }

    /// The horizon at which a feed begins: without a usable cursor, now.
    pub(crate) fn horizon(self, tip: Tip) -> Horizon {
        match self {
            Self::Resumed(at) => Horizon(at),
            Self::Started | Self::Gap(_) | Self::Over => tip.horizon,
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
        for bad in ["-1", "9", "é", "0x10", &ours.cursor(0)[..32], &negative, &endless, &"f".repeat(48)] {
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
        let other = History::new(Uuid::from_u128(7), Uuid::from_u128(12));
        assert_eq!(Verdict::across(None, history(), tip), Verdict::Started);
        assert_eq!(judged(&history().cursor(45)), Verdict::Resumed(45));
        assert_eq!(judged(&history().cursor(51)), Verdict::Gap("future"));
        assert_eq!(judged(&other.cursor(1)), Verdict::Gap("other_history"));
        assert_eq!(judged("-1"), Verdict::Gap("malformed"));
        assert_eq!(judged(&history().cursor(3)).horizon(tip), Horizon(3));
        assert_eq!(
            judged("-1").horizon(tip),
            Horizon(40),
            "what cannot be used begins now, and floods nobody"
        );
    }
}
