//! A sorted map that is first written and then read, in order: in memory while it is small, beyond that in
//! files without a name that are gone when this process is.
//!
//! That is what lets a crawl of any size keep to the same memory. What is held is written as a sorted run; sixteen runs
//! are merged into one of the next tier, so that few have to be read at once. Writes and reads are short and go through
//! the system's cache, so they are made where the caller runs.

mod run;

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, IntoIter};
use std::io;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use run::{Merge, Tier};

/// Bytes held in memory before a sorted run is written.
const MAX_HELD: usize = 128 * 1024;
/// Runs of one tier before they are merged.
const MAX_RUNS: usize = 16;

/// Entries by their key; of two with the same key the first stays.
#[derive(Debug)]
pub(crate) struct Spill<T> {
    held: BTreeMap<String, T>,
    held_bytes: usize,
    /// The newest first.
    tiers: Vec<Tier>,
    len: usize,
}

impl<T> Default for Spill<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), held_bytes: 0, tiers: Vec::new(), len: 0 }
    }
}

impl<T> Spill<T> {
    /// Entries taken, those with a key that was there before included once they are on disk.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Spill<T> {
    /// Takes an entry whose size is about `bytes` besides its key.
    pub(crate) fn insert(&mut self, key: String, value: T, bytes: usize) -> io::Result<()> {
        let size = key.len() + bytes + 64;
        if let Entry::Vacant(place) = self.held.entry(key) {
            place.insert(value);
            self.held_bytes += size;
            self.len += 1;
        }
        if self.held_bytes > MAX_HELD { self.write_run() } else { Ok(()) }
    }

    fn write_run(&mut self) -> io::Result<()> {
        if self.tiers.is_empty() {
            self.tiers.push(Tier::new()?);
        }
        let mut run = self.tiers[0].begin();
        let mut json = Vec::new();
        for (key, value) in std::mem::take(&mut self.held) {
            json.clear();
            serde_json::to_writer(&mut json, &value)?;
            run.push(key.as_bytes(), &json)?;
        }
        run.finish()?;
        self.held_bytes = 0;
        self.merge_tiers()
    }

    fn merge_tiers(&mut self) -> io::Result<()> {
        let mut at = 0;
        while self.tiers[at].runs() >= MAX_RUNS {
            if self.tiers.len() == at + 1 {
                self.tiers.push(Tier::new()?);
            }
            let full = std::mem::replace(&mut self.tiers[at], Tier::new()?);
            let mut merge = Merge::of(std::slice::from_ref(&full))?;
            let mut run = self.tiers[at + 1].begin();
            while let Some((key, json)) = merge.next()? {
                run.push(&key, &json)?;
            }
            run.finish()?;
            self.len = self.len.saturating_sub(merge.passed_over());
            at += 1;
        }
        Ok(())
    }

    /// All entries in the order of their keys.
    pub(crate) fn sorted(&mut self) -> io::Result<Sorted<T>> {
        let entries = if self.tiers.is_empty() {
            Entries::Held(self.held.clone().into_iter())
        } else {
            if !self.held.is_empty() {
                self.write_run()?;
            }
            Entries::Written(Merge::of(&self.tiers)?)
        };
        Ok(Sorted { entries, len: self.len, given: 0, value: PhantomData })
    }
}

/// The entries of a [`Spill`] in the order of their keys.
#[derive(Debug)]
pub(crate) struct Sorted<T> {
    entries: Entries<T>,
    len: usize,
    given: usize,
    value: PhantomData<fn() -> T>,
}

#[derive(Debug)]
enum Entries<T> {
    Held(IntoIter<String, T>),
    Written(Merge),
}

impl<T: DeserializeOwned> Sorted<T> {
    /// Entries still to come, at most.
    pub(crate) fn left(&self) -> usize {
        let passed_over = match &self.entries {
            Entries::Held(_) => 0,
            Entries::Written(merge) => merge.passed_over(),
        };
        self.len.saturating_sub(self.given + passed_over)
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<(String, T)>> {
        let next = match &mut self.entries {
            Entries::Held(held) => held.next(),
            Entries::Written(merge) => match merge.next()? {
                Some((key, json)) => {
                    let key = String::from_utf8(key).map_err(io::Error::other)?;
                    Some((key, serde_json::from_slice(&json)?))
                }
                None => None,
            },
        };
        self.given += usize::from(next.is_some());
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn all<T: DeserializeOwned>(mut sorted: Sorted<T>) -> Vec<(String, T)> {
        let mut found = Vec::new();
        while let Some(entry) = sorted.next().expect("read") {
            found.push(entry);
        }
        assert_eq!(sorted.left(), 0);
        found
    }

    #[test]
    fn many_entries_come_back_in_order_and_each_key_once_as_often_as_asked() {
        let mut spill = Spill::default();
        let mut expected = BTreeMap::new();
        for n in 0..30_000_u64 {
            // Keys in no order, some of them again and again.
            let key = format!("{:05}", n * 7919 % 25_000);
            spill.insert(key.clone(), format!("{n} {}", "x".repeat(n as usize % 300)), 200).expect("taken");
            expected.entry(key).or_insert_with(|| format!("{n} {}", "x".repeat(n as usize % 300)));
        }
        assert!(spill.tiers.len() > 1, "runs were merged");
        assert!(spill.tiers.iter().all(|tier| tier.runs() < MAX_RUNS));
        assert!(spill.held_bytes <= MAX_HELD);
        let expected: Vec<_> = expected.into_iter().collect();
        for _ in 0..2 {
            assert_eq!(all(spill.sorted().expect("sorted")), expected);
        }
    }

    #[test]
    fn few_entries_never_see_the_disk() {
        let mut spill = Spill::default();
        for key in ["b", "a", "b"] {
            spill.insert(key.to_owned(), 1, 8).expect("taken");
        }
        assert!(spill.tiers.is_empty());
        assert_eq!(spill.len(), 2);
        assert_eq!(all(spill.sorted().expect("sorted")), [("a".to_owned(), 1), ("b".to_owned(), 1)]);
        assert_eq!(all(Spill::<u8>::default().sorted().expect("sorted")), []);
    }

    #[test]
    fn entries_larger_than_the_window_are_whole() {
        let mut spill = Spill::default();
        for n in 0..4 {
            spill.insert(n.to_string(), "y".repeat(800_000), 800_000).expect("taken");
        }
        let found = all(spill.sorted().expect("sorted"));
        assert!(found.len() == 4 && found.iter().all(|(_, text)| text.len() == 800_000));
    }

    #[test]
    fn what_is_being_read_stays_although_more_comes() {
        let mut spill = Spill::default();
        for n in 0..40 {
            spill.insert(format!("{n:02}"), n, MAX_HELD).expect("taken");
        }
        let mut sorted = spill.sorted().expect("sorted");
        assert_eq!(sorted.next().expect("read"), Some(("00".to_owned(), 0)));
        for n in 40..80 {
            spill.insert(format!("{n:02}"), n, MAX_HELD).expect("taken");
        }
        assert_eq!(all(sorted).len(), 39);
        assert_eq!(all(spill.sorted().expect("sorted")).len(), 80);
    }
}
