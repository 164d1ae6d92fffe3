//! Addresses that never end: growing paths, and families of addresses whose pages are all alike.
//!
//! A family is what is left of an address when numbers and values are taken out: the days of a
//! calendar, the pages of a list, the filters of a shop. A family may be as large as it likes while its
//! pages say something new; it is followed no further once too many of them said the same.

mod family;

use std::collections::HashMap;
use std::io;

use site_fetch::disk::Table;
use url::Url;

use crate::fingerprints::key;
use crate::shelf::Shelf;
use family::Family;

/// A segment this often in one path means that relative links lead ever deeper into themselves.
const MAX_REPEATS: usize = 3;
const MAX_SEGMENTS: usize = 40;
const MAX_LENGTH: usize = 2000;
/// Pages of a calendar or a list that may be alike: a year of empty months.
const MAX_ALIKE_IN_ROW: u32 = 12;
/// Sets of parameters remembered for one path.
const MAX_SETS: usize = 64;

/// Why an address is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    /// The path repeats itself or is too long.
    GrowingPath,
    /// A calendar goes on without entries.
    Calendar,
    /// A list goes on beyond its end.
    Pagination,
    /// Filters are combined with one another.
    Facets,
    /// Addresses that differ in numbers or values lead to the same content.
    Alike,
}

impl Trap {
    /// Stable name, as in findings.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::GrowingPath => "growing-path",
            Self::Calendar => "calendar",
            Self::Pagination => "pagination",
            Self::Facets => "facets",
            Self::Alike => "query-variants",
        }
    }

    /// What a person should know.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::GrowingPath => "the path repeats itself; not followed",
            Self::Calendar => "a calendar whose pages are all alike; the rest is not followed",
            Self::Pagination => "pages of a list that are all alike; the rest is not followed",
            Self::Facets => "filters combined with one another; the rest is not followed",
            Self::Alike => {
                "addresses that lead to the same content again and again; the rest is not followed"
            }
        }
    }
}

/// What to do with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is to be asked, and is counted as under way.
    Ask,
    /// Others of its family have to be answered first.
    Wait,
    /// It is not to be asked.
    Leave(Trap),
}

/// What came of an address that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It says this, or leads there.
    Says {
        /// Equal where nothing differs.
        exact: u64,
        /// Equal where only numbers differ.
        gist: u64,
    },
    /// There is nothing.
    Nothing,
}

impl Answer {
    /// An answer that is known by this alone.
    pub(crate) fn says(what: &impl std::hash::Hash) -> Self {
        let exact = family::hash(what);
        Self::Says { exact, gist: exact }
    }

    /// A page of these bytes, with this gist if it was taken.
    pub(crate) fn page(body: &impl std::hash::Hash, gist: Option<u64>) -> Self {
        let exact = family::hash(body);
        Self::Says { exact, gist: gist.unwrap_or(exact) }
    }
}

/// Whether the path grows by repeating itself.
pub(crate) fn is_growing(url: &Url) -> bool {
    if url.as_str().len() > MAX_LENGTH {
        return true;
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    let segments = url.path_segments().into_iter().flatten();
    for (count, segment) in segments.filter(|segment| !segment.is_empty()).enumerate() {
        let seen = times.entry(segment).or_default();
        *seen += 1;
        if *seen > MAX_REPEATS || count >= MAX_SEGMENTS {
            return true;
        }
    }
    false
}

/// Whether there may be many addresses like this one.
pub(crate) fn may_be_one_of_many(url: &Url) -> bool {
    family::has_numbers(url.path()) || url.query().is_some_and(|query| !query.is_empty())
}

/// Keeps count of each family: of many, on disk.
#[derive(Debug, Default)]
pub(crate) struct Families {
    tallies: Table<{ Tally::BYTES }>,
    /// Hashes of a family together with what a page of it says.
    said: Table<0>,
    /// Which parameters came together under each path.
    sets: Shelf<Vec<Vec<u64>>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    under_way: u32,
    new: u32,
    alike: u32,
}

impl Tally {
    const BYTES: usize = 12;

    fn of(bytes: [u8; Self::BYTES]) -> Self {
        let (numbers, _) = bytes.as_chunks::<4>();
        let number = |at: usize| numbers.get(at).copied().map_or(0, u32::from_le_bytes);
        Self { under_way: number(0), new: number(1), alike: number(2) }
    }

    fn bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let numbers = [self.under_way, self.new, self.alike];
        for (into, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            into.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

impl Families {
    /// Judges an address of which no more than `cap` may be alike.
    pub(crate) fn judge(&mut self, url: &Url, cap: usize) -> io::Result<Verdict> {
        if is_growing(url) {
            return Ok(Verdict::Leave(Trap::GrowingPath));
        }
        let Some(family) = Family::of(url) else { return Ok(Verdict::Ask) };
        let trap = self.trap(&family)?;
        let cap = u32::try_from(cap).unwrap_or(u32::MAX);
        let cap =
            if matches!(trap, Trap::Calendar | Trap::Pagination) { cap.min(MAX_ALIKE_IN_ROW) } else { cap };
        let mut tally = self.tally(&family)?;
        // Who says much that is new may repeat himself a little.
        let room = if trap == Trap::Facets { cap } else { cap.max(tally.new / 2) };
        let spent = if trap == Trap::Facets { tally.alike + tally.new } else { tally.alike };
        Ok(if spent >= room {
            Verdict::Leave(trap)
        } else if spent + tally.under_way >= room {
            Verdict::Wait
        } else {
            tally.under_way += 1;
            self.tallies.insert(key(family.key), tally.bytes())?;
            Verdict::Ask
        })
    }

    fn tally(&self, family: &Family) -> io::Result<Tally> {
        Ok(self.tallies.get(&key(family.key))?.map_or_else(Tally::default, Tally::of))
    }

    /// Notes what came of an address that was to be asked.
    pub(crate) fn settle(&mut self, url: &Url, answer: Answer) -> io::Result<()> {
        let Some(family) = Family::of(url) else { return Ok(()) };
        let mut tally = self.tally(&family)?;
        tally.under_way = tally.under_way.saturating_sub(1);
        if let Answer::Says { exact, gist } = answer {
            // Numbers are all that tells two months without entries apart; two articles differ in words, and
            // two tables may well differ in numbers alone.
            let counts_up = matches!(family.trap, Trap::Calendar | Trap::Pagination);
            let what = if counts_up { gist } else { exact };
            let said = key(family::hash(&(family.key, what)));
            if self.said.insert(said, [])?.is_none() {
                tally.new += 1;
            } else {
                tally.alike += 1;
            }
        }
        self.tallies.insert(key(family.key), tally.bytes()).map(drop)
    }

    /// What this family would be if it were a trap.
    fn trap(&mut self, family: &Family) -> io::Result<Trap> {
        if family.parameters.is_empty() {
            return Ok(family.trap);
        }
        let path = key(family.path);
        let mut sets = self.sets.get(&path)?.unwrap_or_default();
        let combines = combines(&family.parameters, &sets);
        if !sets.contains(&family.parameters) && sets.len() < MAX_SETS {
            sets.push(family.parameters.clone());
            let bytes = sets.iter().map(|set| 32 + 8 * set.len()).sum();
            self.sets.insert(path, sets, bytes)?;
        }
        Ok(if family.arranges || combines { Trap::Facets } else { family.trap })
    }
}

/// Whether this set of parameters is made of smaller sets that were seen by themselves.
fn combines(parameters: &[u64], sets: &[Vec<u64>]) -> bool {
    if parameters.len() < 2 {
        return false;
    }
    let within = |set: &&Vec<u64>| {
        set.len() < parameters.len() && set.iter().all(|parameter| parameters.contains(parameter))
    };
    let smaller: Vec<&Vec<u64>> = sets.iter().filter(within).collect();
    smaller.len() > 1 && parameters.iter().all(|parameter| smaller.iter().any(|set| set.contains(parameter)))
}

#[cfg(test)]
mod tests;
