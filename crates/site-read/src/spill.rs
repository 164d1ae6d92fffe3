//! A sorted map that is first written and then read, in order: in memory while it is small, beyond that in a
//! file without a name that is gone when this process is.
//!
//! That is what lets a crawl of any size keep to the same memory. Writes and reads are short and go through
//! the system's cache, so they are made where the caller runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes held in memory before a sorted run is written.
const MAX_HELD: usize = 1024 * 1024;
/// Bytes of a run that are read at once.
const WINDOW: usize = 16 * 1024;

/// Entries by their key; of two with the same key the first stays.
#[derive(Debug)]
pub(crate) struct Spill<T> {
    held: BTreeMap<String, T>,
    held_bytes: usize,
    file: Option<Arc<File>>,
    end: u64,
    runs: Vec<(u64, u64)>,
    len: usize,
}

impl<T> Default for Spill<T> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), held_bytes: 0, file: None, end: 0, runs: Vec::new(), len: 0 }
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Spill<T> {
    /// Entries taken, those with a key that was there before included once they are on disk.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Takes an entry whose size is about `bytes` besides its key.
    pub(crate) fn insert(&mut self, key: String, value: T, bytes: usize) -> io::Result<()> {
        let size = key.len() + bytes + 64;
        if let std::collections::btree_map::Entry::Vacant(place) = self.held.entry(key) {
            place.insert(value);
            self.held_bytes += size;
            self.len += 1;
        }
        if self.held_bytes > MAX_HELD { self.write_run() } else { Ok(()) }
    }

    fn write_run(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => self.file.insert(Arc::new(tempfile::tempfile()?)).clone(),
        };
        let mut bytes = Vec::with_capacity(self.held_bytes);
        for entry in std::mem::take(&mut self.held) {
            let at = bytes.len();
            bytes.extend_from_slice(&[0; 4]);
            serde_json::to_writer(&mut bytes, &entry)?;
            let length = u32::try_from(bytes.len() - at - 4).map_err(io::Error::other)?;
            bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        }
        file.write_all_at(&bytes, self.end)?;
        let end = self.end + bytes.len() as u64;
        self.runs.push((self.end, end));
        (self.end, self.held_bytes) = (end, 0);
        Ok(())
    }

    /// All entries in the order of their keys.
    pub(crate) fn sorted(&mut self) -> io::Result<Sorted<T>> {
        let Some(file) = self.file.clone() else {
            return Ok(Sorted {
                runs: Vec::new(),
                held: self.held.clone().into_iter().peekable(),
                left: self.len,
            });
        };
        if !self.held.is_empty() {
            self.write_run()?;
        }
        let run = |&(at, end)| Run { file: file.clone(), at, end, window: Vec::new(), read: 0, next: None };
        let mut runs: Vec<Run<T>> = self.runs.iter().map(run).collect();
        for run in &mut runs {
            run.advance()?;
        }
        Ok(Sorted { runs, held: BTreeMap::new().into_iter().peekable(), left: self.len })
    }
}

/// The entries of a [`Spill`] in the order of their keys.
#[derive(Debug)]
pub(crate) struct Sorted<T> {
    runs: Vec<Run<T>>,
    held: std::iter::Peekable<std::collections::btree_map::IntoIter<String, T>>,
    left: usize,
}

impl<T: DeserializeOwned> Sorted<T> {
    /// Entries still to come, at most.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<(String, T)>> {
        let held = self.held.peek().map(|(key, _)| key);
        let keys = self.runs.iter().map(|run| run.next.as_ref().map(|(key, _)| key)).chain([held]);
        // Of equal keys the first run's is the oldest.
        let first = keys.enumerate().filter_map(|(at, key)| Some((key?.clone(), at))).min();
        let Some((key, at)) = first else { return Ok(None) };
        let entry = match self.runs.get_mut(at) {
            Some(run) => run.advance()?,
            None => self.held.next(),
        };
        for run in &mut self.runs {
            while run.next.as_ref().is_some_and(|(other, _)| *other == key) {
                run.advance()?;
                self.left = self.left.saturating_sub(1);
            }
        }
        while self.held.next_if(|(other, _)| *other == key).is_some() {
            self.left = self.left.saturating_sub(1);
        }
        self.left = self.left.saturating_sub(1);
        Ok(entry)
    }
}

#[derive(Debug)]
struct Run<T> {
    file: Arc<File>,
    /// Where the window ends in the file, and where the run does.
    at: u64,
    end: u64,
    window: Vec<u8>,
    /// Bytes of the window that were used.
    read: usize,
    next: Option<(String, T)>,
}

impl<T: DeserializeOwned> Run<T> {
    /// The next entry, with the one after it made ready.
    fn advance(&mut self) -> io::Result<Option<(String, T)>> {
        let after = match self.take(4)? {
            Some(range) => {
                let mut length = [0; 4];
                length.copy_from_slice(&self.window[range]);
                let length = u32::from_le_bytes(length) as usize;
                let range = self.take(length)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                Some(serde_json::from_slice(&self.window[range])?)
            }
            None => None,
        };
        Ok(std::mem::replace(&mut self.next, after))
    }

    /// Where the next bytes are in the window; `None` at the end of the run.
    fn take(&mut self, count: usize) -> io::Result<Option<std::ops::Range<usize>>> {
        if self.window.len() - self.read < count {
            self.window.drain(..self.read);
            self.read = 0;
            let missing = count - self.window.len();
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            if left < missing {
                return Ok(None);
            }
            let old = self.window.len();
            self.window.resize(old + missing.max(WINDOW).min(left), 0);
            self.file.read_exact_at(&mut self.window[old..], self.at)?;
            self.at += (self.window.len() - old) as u64;
        }
        self.read += count;
        Ok(Some(self.read - count..self.read))
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
        assert!(spill.runs.len() > 3, "it was written out");
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
        assert!(spill.file.is_none());
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
}
