//! Sorted runs in a file, and the merge of several: of equal keys the oldest run's is taken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes of a run that are read at once.
const WINDOW: usize = 8 * 1024;
/// Bytes of a run that are written at once.
const WRITTEN: usize = 32 * 1024;
/// Lengths of key and value before each entry.
const HEAD: usize = 8;

/// Runs in one file, the oldest first.
#[derive(Debug)]
pub(super) struct Tier {
    /// Shared with those who read from it: it may be replaced meanwhile.
    file: Arc<File>,
    end: u64,
    runs: Vec<(u64, u64)>,
}

impl Tier {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: Arc::new(tempfile::tempfile()?), end: 0, runs: Vec::new() })
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// A new run, which counts when it is finished.
    pub(super) fn begin(&mut self) -> Writer<'_> {
        Writer { at: self.end, tier: self, bytes: Vec::with_capacity(WRITTEN) }
    }
}

/// Writes a run whose keys come in their order.
pub(super) struct Writer<'a> {
    tier: &'a mut Tier,
    at: u64,
    bytes: Vec<u8>,
}

impl Writer<'_> {
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        for length in [key.len(), value.len()] {
            let length = u32::try_from(length).map_err(io::Error::other)?;
            self.bytes.extend_from_slice(&length.to_le_bytes());
        }
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        if self.bytes.len() >= WRITTEN { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        self.tier.file.write_all_at(&self.bytes, self.at)?;
        self.at += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write()?;
        self.tier.runs.push((self.tier.end, self.at));
        self.tier.end = self.at;
        Ok(())
    }
}

/// Bytes of a key and of its value.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// The entries of several runs in the order of their keys, each key once.
#[derive(Debug)]
pub(super) struct Merge {
    /// The oldest first.
    runs: Vec<Run>,
    /// The next key of each run that has one. Of equal keys the oldest run's comes first.
    next: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    passed_over: usize,
}

impl Merge {
    /// Tiers come with the newest first.
    pub(super) fn of(tiers: &[Tier]) -> io::Result<Self> {
        let runs =
            tiers.iter().rev().flat_map(|tier| tier.runs.iter().map(|range| Run::of(&tier.file, *range)));
        let mut merge = Self { runs: runs.collect(), next: BinaryHeap::new(), passed_over: 0 };
        for at in 0..merge.runs.len() {
            merge.advance(at)?;
        }
        Ok(merge)
    }

    /// Entries that were left out so far, because an older one had their key.
    pub(super) fn passed_over(&self) -> usize {
        self.passed_over
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let Some(Reverse((key, at))) = self.next.pop() else { return Ok(None) };
        let value = std::mem::take(&mut self.runs[at].value);
        self.advance(at)?;
        while let Some(Reverse((other, _))) = self.next.peek()
            && *other == key
        {
            if let Some(Reverse((_, at))) = self.next.pop() {
                self.passed_over += 1;
                self.advance(at)?;
            }
        }
        Ok(Some((key, value)))
    }

    fn advance(&mut self, at: usize) -> io::Result<()> {
        if let Some(key) = self.runs[at].advance()? {
            self.next.push(Reverse((key, at)));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Run {
    file: Arc<File>,
    /// Where the window ends in the file, and where the run does.
    at: u64,
    end: u64,
    window: Vec<u8>,
    /// Bytes of the window that were used.
    read: usize,
    /// The value of the key that was handed out last.
    value: Vec<u8>,
}

impl Run {
    fn of(file: &Arc<File>, (at, end): (u64, u64)) -> Self {
        Self { file: file.clone(), at, end, window: Vec::new(), read: 0, value: Vec::new() }
    }

    /// The next key; its value lies ready.
    fn advance(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(head) = self.take(HEAD)? else { return Ok(None) };
        let length =
            |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let (key, value) = self.window[head].split_at(HEAD / 2);
        let (key, value) = (length(key), length(value));
        let entry = self.take(key + value)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (key, value) = self.window[entry].split_at(key);
        self.value = value.to_vec();
        Ok(Some(key.to_vec()))
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
