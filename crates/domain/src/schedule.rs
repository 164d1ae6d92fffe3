//! When repeated jobs fire: a cron expression in a time zone, and what becomes of times that nobody was there for.
//!
//! Five fields (minute, hour, day of the month, month, day of the week) with `*`, lists, ranges, steps, names, `L`, `W` and
//! `#`; a day matches if it is right by either of its two fields where both are given. When clocks are put forward, a fixed
//! time that does not exist fires at the first moment after the gap, and what repeats within the hour passes it over. When
//! they are put back, a fixed time fires once, at its first coming, and what repeats fires in both hours.
//! The zones' rules are compiled in: an update of the machine's own changes nothing here.

use croner::{
    Cron,
    errors::CronError,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Timestamp, Zoned, tz::TimeZone};
use std::{fmt, iter, str::FromStr, time::Duration};
use time::OffsetDateTime;

/// The longest expression and the longest name of a zone, in bytes.
pub const MAX_EXPRESSION: usize = 100;
/// A time that is not longer ago than this is late, not missed.
pub const LATE: Duration = Duration::from_secs(300);
/// The most missed times that are made up for; earlier ones are dropped.
pub const MOST_MISSED: usize = 100;

/// No zone puts its clocks back by more than this in all.
const STEPS: u32 = 48;
const STEP: Duration = Duration::from_secs(900);

/// What becomes of times that nobody was there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// They are over.
    Skip,
    /// One job stands for all of them, at the last of them.
    Once,
    /// A job for each, up to [`MOST_MISSED`].
    All,
}

/// A text that names no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} says not what becomes of missed times; it is skip, once or all")]
pub struct UnknownPolicy(pub String);

impl Missed {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Once, Self::All];

    /// The name in the database and in requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Missed {
    type Err = UnknownPolicy;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or_else(|| UnknownPolicy(text.into()))
    }
}

/// Why an expression or a zone is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Over [`MAX_EXPRESSION`].
    #[error("a cron expression and a time zone have at most {MAX_EXPRESSION} bytes each")]
    TooLong,
    /// Not such an expression.
    #[error("{expression:?} is no cron expression of five fields, minute to day of the week: {why}")]
    Expression {
        /// What was given.
        expression: String,
        /// What the parser minds.
        why: String,
    },
    /// Not a zone of the IANA database.
    #[error("{0:?} is no time zone; it is a name like Europe/Berlin or UTC")]
    Zone(String),
    /// It is well-formed, and no such day will come.
    #[error("{0:?} never fires: no such day exists")]
    NeverFires(String),
}

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// What is to be fired now, and what comes then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The times to fire for, in their order.
    pub slots: Vec<OffsetDateTime>,
    /// The first one after now; none: there is no other.
    pub next: Option<OffsetDateTime>,
}

impl Timetable {
    /// Reads an expression; `now` is what "never" counts from.
    pub fn parse(expression: &str, zone: &str, now: OffsetDateTime) -> Result<Self, Refused> {
        if expression.len() > MAX_EXPRESSION || zone.len() > MAX_EXPRESSION {
            return Err(Refused::TooLong);
        }
        let refused =
            |why: CronError| Refused::Expression { expression: expression.to_owned(), why: why.to_string() };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(refused)?;
        let zone =
            jiff::tz::TimeZoneDatabase::bundled().get(zone).map_err(|_| Refused::Zone(zone.to_owned()))?;
        let timetable = Self { cron, zone };
        match timetable.next_after(now) {
            Some(_) => Ok(timetable),
            None => Err(Refused::NeverFires(expression.to_owned())),
        }
    }

    /// The first time after a moment.
    pub fn next_after(&self, moment: OffsetDateTime) -> Option<OffsetDateTime> {
        // A search from within an hour that comes twice may lead back: then from further on, until it does not.
        let tries = (0..=STEPS).map(|step| moment + STEP * step);
        tries.map_while(|from| self.search(from)).find(|next| *next > moment)
    }

    /// One of its times, and those that come after it: at most so many.
    pub fn from(&self, first: OffsetDateTime, most: usize) -> Vec<OffsetDateTime> {
        iter::successors(Some(first), |last| self.next_after(*last)).take(most).collect()
    }

    fn search(&self, from: OffsetDateTime) -> Option<OffsetDateTime> {
        back(&self.cron.find_next_occurrence(&self.zoned(from)?, false).ok()?)
    }

    /// The last time before a moment.
    fn last_before(&self, moment: OffsetDateTime) -> Option<OffsetDateTime> {
        let last = self.cron.find_previous_occurrence(&self.zoned(moment)?, false).ok()?;
        back(&last).filter(|last| *last < moment)
    }

    /// What is due at `now`, where `first` was the next time, and what of it is fired.
    pub fn due(&self, first: OffsetDateTime, now: OffsetDateTime, missed: Missed) -> Due {
        let next = self.next_after(now);
        let most = if missed == Missed::All { MOST_MISSED } else { 1 };
        // Backwards: however long nobody was there, only so many are looked at. From a second on: a search may start at
        // whole seconds alone, and would pass over the one that has just begun.
        let mut slots = Vec::new();
        let mut until = now + Duration::from_secs(1);
        while slots.len() < most {
            let Some(slot) = self.last_before(until).filter(|slot| *slot >= first) else { break };
            slots.extend((slot <= now).then_some(slot));
            until = slot;
        }
        // What was next is due, whatever a search says from the other side.
        if slots.is_empty() && first <= now {
            slots.push(first);
        }
        if missed == Missed::Skip {
            slots.retain(|slot| now - *slot <= LATE);
        }
        slots.reverse();
        Due { slots, next }
    }

    fn zoned(&self, moment: OffsetDateTime) -> Option<Zoned> {
        let timestamp = Timestamp::from_nanosecond(moment.unix_timestamp_nanos()).ok()?;
        Some(timestamp.to_zoned(self.zone.clone()))
    }
}

fn back(moment: &Zoned) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(moment.timestamp().as_nanosecond()).ok()
}

/// What holds for every text that is taken as an expression; for tests and fuzzing.
///
/// # Panics
/// If it does not hold.
pub fn hold(expression: &str, zone: &str, seconds: u32) {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    let Ok(timetable) = Timetable::parse(expression, zone, now) else { return };
    let mut last = now;
    for _ in 0..5 {
        let Some(next) = timetable.next_after(last) else { break };
        assert!(next > last, "{expression} in {zone}: after {last} comes {next}");
        assert_eq!(next.unix_timestamp_nanos() % 1_000_000_000, 0, "whole seconds");
        last = next;
    }
    for missed in Missed::ALL {
        let due = timetable.due(now, last, missed);
        assert!(due.slots.len() <= MOST_MISSED && due.slots.iter().all(|slot| (now..=last).contains(slot)));
        assert!(due.slots.is_sorted() && due.next.is_none_or(|next| next > last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::format_description::well_known::Rfc3339;

    fn at(text: &str) -> OffsetDateTime {
        OffsetDateTime::parse(text, &Rfc3339).expect("a time")
    }

    fn table(expression: &str, zone: &str) -> Timetable {
        Timetable::parse(expression, zone, at("2026-01-01T00:00:00Z")).expect("an expression")
    }

    fn firings(expression: &str, zone: &str, from: &str, many: usize) -> Vec<OffsetDateTime> {
        let table = table(expression, zone);
        let mut fired = vec![];
        let mut last = at(from);
        while fired.len() < many {
            last = table.next_after(last).expect("it goes on");
            fired.push(last);
        }
        fired
    }

    #[test]
    fn the_hour_that_is_left_out_fires_a_fixed_time_right_after_it() {
        // Berlin, 29 March 2026: 02:00 is 03:00.
        let daily = firings("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2);
        assert_eq!(daily, [at("2026-03-29T01:00:00Z"), at("2026-03-30T00:30:00Z")]);
        let half_hours = firings("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 2);
        assert_eq!(half_hours, [at("2026-03-29T01:00:00Z"), at("2026-03-29T01:30:00Z")]);
    }

    #[test]
    fn the_hour_that_comes_twice_fires_a_fixed_time_once() {
        // Berlin, 25 October 2026: 03:00 is 02:00 again.
        let daily = firings("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
        assert_eq!(daily, [at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")]);
        let half_hours = firings("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4);
        let expected = ["00:30", "01:00", "01:30", "02:00"].map(|time| at(&format!("2026-10-25T{time}:00Z")));
        assert_eq!(half_hours, expected);
    }

    #[test]
    fn what_never_comes_or_says_nothing_is_refused_with_what_is_allowed() {
        let refused = |expression: &str, zone: &str| {
            let refused = Timetable::parse(expression, zone, at("2026-01-01T00:00:00Z"));
            refused.expect_err(expression).to_string()
        };
        assert!(refused("0 0 30 2 *", "UTC").contains("never fires"));
        assert!(refused("0 0 31 4,6 *", "UTC").contains("never fires"));
        for expression in ["", "* * * *", "* * * * * *", "61 * * * *", "@often", "0 0 1 1 * 2020"] {
            assert!(refused(expression, "UTC").contains("five fields"), "{expression}");
        }
        assert!(refused("* * * * *", "Mars/Olympus").contains("Europe/Berlin"));
        assert!(refused(&"1,".repeat(60), "UTC").contains("100 bytes"));
        assert!(
            Timetable::parse("0 0 29 2 *", "UTC", at("2026-01-01T00:00:00Z")).is_ok(),
            "a leap year comes"
        );
    }

    #[test]
    fn missed_times_are_skipped_stood_for_or_made_up_for() {
        let hourly = table("0 * * * *", "UTC");
        let (first, now) = (at("2026-05-01T01:00:00Z"), at("2026-05-01T04:20:00Z"));
        let due = |missed| hourly.due(first, now, missed);
        assert!(due(Missed::Skip).slots.is_empty());
        assert_eq!(due(Missed::Once).slots, [at("2026-05-01T04:00:00Z")]);
        let all = [1, 2, 3, 4].map(|hour| at(&format!("2026-05-01T0{hour}:00:00Z")));
        assert_eq!(due(Missed::All).slots, all);
        assert_eq!(due(Missed::All).next, Some(at("2026-05-01T05:00:00Z")));
        let late = hourly.due(first, at("2026-05-01T01:00:02Z"), Missed::Skip);
        assert_eq!(late.slots, [first], "late is not missed");
        let just_now = hourly.due(first, at("2026-05-01T03:00:00.3Z"), Missed::All);
        assert_eq!(
            (just_now.slots.len(), just_now.next),
            (3, Some(all[3])),
            "the one that has just begun is due"
        );
        let years = hourly.due(at("2020-01-01T00:00:00Z"), now, Missed::All);
        assert_eq!((years.slots.len(), years.slots[MOST_MISSED - 1]), (MOST_MISSED, all[3]));
    }
}
