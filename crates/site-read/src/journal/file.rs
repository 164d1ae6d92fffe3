//! A journal in one file that only grows.
//!
//! Each record is a frame: length, checksum, JSON. A frame that the dying process left unfinished is cut
//! off at the next start. Where each key is found is in a table, of many on disk; no visit stays in memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use site_fetch::disk::{Key, Table};

use crate::shelf::{joined, parted};

use super::{Journal, Visit, VisitKey};

/// The first bytes of the file: what it is, and the shape of its frames.
const MAGIC: &[u8] = b"resettle journal 1\n";
/// Length and checksum before each frame's JSON.
const HEAD: usize = 4 + 8;
/// So many visits are written without another thread.
const FEW: usize = 8;
/// No visit is longer: a page's references are bounded.
const MAX_FRAME: u32 = 256 * 1024 * 1024;

/// A journal in a file.
#[derive(Debug, Clone)]
pub struct FileJournal {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Where the next frame goes.
    end: u64,
    /// Where each key's latest frame is: offset of its JSON and its length.
    frames: Table<12>,
}

#[derive(Serialize)]
struct Written<'a> {
    key: &'a VisitKey,
    visit: &'a Visit,
}

#[derive(Deserialize)]
struct Kept {
    key: VisitKey,
    visit: Visit,
}

#[derive(Deserialize)]
struct KeptKey {
    key: VisitKey,
}

impl FileJournal {
    /// Opens the journal at this path, or begins one. Locked until it is dropped: a second one on the same
    /// file is refused with `WouldBlock`, a file that is something else with `InvalidData`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock().map_err(|_| {
            let message = format!("the journal {} is in use by another crawl", path.display());
            io::Error::new(io::ErrorKind::WouldBlock, message)
        })?;
        let (end, frames) = index(&mut file, path)?;
        // Behind the last whole frame is what a death left.
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        if end == 0 {
            file.write_all(MAGIC)?;
        }
        let end = end.max(MAGIC.len() as u64);
        Ok(Self { inner: Arc::new(Mutex::new(Inner { file, end, frames })) })
    }

    fn knows_any(&self, keys: &[VisitKey]) -> io::Result<bool> {
        let inner = self.inner();
        for key in keys {
            if inner.frames.get(&key.fingerprint())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.map_err(io::Error::other)?
    }
}

impl Inner {
    fn read(&mut self, key: &VisitKey) -> io::Result<Option<Arc<Visit>>> {
        let Some(place) = self.frames.get(&key.fingerprint())? else { return Ok(None) };
        let (offset, length) = parted(place);
        let mut json = vec![0; length as usize];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut json)?;
        let kept: Kept = serde_json::from_slice(&json).map_err(io::Error::from)?;
        // Two keys with one fingerprint do not happen; a file that was tampered with may.
        Ok((kept.key == *key).then(|| Arc::new(kept.visit)))
    }

    /// One write for all frames. After a failed one the end stays where it was, and the next write covers it.
    fn append(&mut self, frames: &[(Key, Vec<u8>)]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(frames.iter().map(|(_, json)| HEAD + json.len()).sum());
        let mut places = Vec::with_capacity(frames.len());
        for (key, json) in frames {
            let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_FRAME);
            let length = length.ok_or_else(|| io::Error::other("a visit is too large for the journal"))?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&checksum(json));
            places.push((*key, joined(self.end + bytes.len() as u64, length)));
            bytes.extend_from_slice(json);
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&bytes)?;
        self.end += bytes.len() as u64;
        for (key, place) in places {
            self.frames.insert(key, place)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Journal for FileJournal {
    async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>> {
        // A crawl that is new to all of them does not leave its thread.
        if !self.knows_any(keys)? {
            return Ok(vec![None; keys.len()]);
        }
        let keys = keys.to_vec();
        self.in_background(move |this| {
            let mut inner = this.inner();
            keys.iter().map(|key| inner.read(key)).collect()
        })
        .await
    }

    async fn record(&self, visits: &[(VisitKey, Arc<Visit>)]) -> io::Result<()> {
        // Written in less time than it takes to wake a thread for it.
        if visits.len() <= FEW {
            return self.inner().append(&frames(visits)?);
        }
        let visits = visits.to_vec();
        self.in_background(move |this| this.inner().append(&frames(&visits)?)).await
    }
}

fn frames(visits: &[(VisitKey, Arc<Visit>)]) -> serde_json::Result<Vec<(Key, Vec<u8>)>> {
    let frame = |(key, visit): &(VisitKey, Arc<Visit>)| {
        Ok((key.fingerprint(), serde_json::to_vec(&Written { key, visit })?))
    };
    visits.iter().map(frame).collect()
}

/// Reads the file up to its first frame that is not whole.
fn index(file: &mut File, path: &Path) -> io::Result<(u64, Table<12>)> {
    let mut frames = Table::beside(path.parent().unwrap_or(Path::new(".")));
    let mut reader = BufReader::new(&mut *file);
    let mut magic = Vec::new();
    reader.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if magic != MAGIC {
        if MAGIC.starts_with(&magic) {
            return Ok((0, frames));
        }
        let message = format!("{} is not a journal that this version can read", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let mut end = MAGIC.len() as u64;
    while let Some(json) = frame(&mut reader)? {
        let Ok(kept) = serde_json::from_slice::<KeptKey>(&json) else { break };
        // `frame` bounds the length.
        let length = u32::try_from(json.len()).unwrap_or(MAX_FRAME);
        frames.insert(kept.key.fingerprint(), joined(end + HEAD as u64, length))?;
        end += HEAD as u64 + u64::from(length);
    }
    Ok((end, frames))
}

/// The next frame's JSON, if it is whole.
fn frame(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(HEAD);
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let Some((length, sum)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length);
    if sum.len() < HEAD - 4 || length > MAX_FRAME {
        return Ok(None);
    }
    let mut json = Vec::new();
    reader.by_ref().take(u64::from(length)).read_to_end(&mut json)?;
    let whole = json.len() == length as usize && checksum(&json) == sum;
    Ok(whole.then_some(json))
}

fn checksum(json: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(json).as_bytes()[..8]);
    sum
}

#[cfg(test)]
mod tests {
    use super::super::Purpose;
    use super::*;

    fn key(n: usize) -> VisitKey {
        VisitKey { purpose: Purpose::Asset, url: format!("http://e.com/{n}") }
    }

    fn left(note: &str) -> Arc<Visit> {
        Arc::new(Visit::Left { code: "x".into(), note: note.to_owned() })
    }

    async fn notes(journal: &FileJournal, count: usize) -> Vec<Option<String>> {
        let keys: Vec<_> = (0..count).map(key).collect();
        let found = journal.recall(&keys).await.expect("recalled");
        let note = |visit: Arc<Visit>| match &*visit {
            Visit::Left { note, .. } => note.clone(),
            other => panic!("not what was recorded: {other:?}"),
        };
        found.into_iter().map(|visit| visit.map(note)).collect()
    }

    #[tokio::test]
    async fn what_was_recorded_is_there_after_a_new_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let journal = FileJournal::open(&path).expect("opened");
        journal.record(&[(key(0), left("a")), (key(1), left("b"))]).await.expect("recorded");
        journal.record(&[(key(0), left("c"))]).await.expect("recorded");
        assert_eq!(notes(&journal, 3).await, [Some("c".into()), Some("b".into()), None]);
        let busy = FileJournal::open(&path).expect_err("in use");
        assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
        drop(journal);
        let journal = FileJournal::open(&path).expect("opened");
        assert_eq!(notes(&journal, 3).await, [Some("c".into()), Some("b".into()), None]);
    }

    #[tokio::test]
    async fn a_torn_tail_is_cut_wherever_it_was_torn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let journal = FileJournal::open(&path).expect("opened");
        journal.record(&[(key(0), left("first"))]).await.expect("recorded");
        let whole = std::fs::metadata(&path).expect("there").len();
        journal.record(&[(key(1), left("second"))]).await.expect("recorded");
        drop(journal);
        let bytes = std::fs::read(&path).expect("read");
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).expect("written");
            let journal = FileJournal::open(&path).expect("opened");
            let first = (cut as u64 >= whole).then(|| "first".to_owned());
            assert_eq!(notes(&journal, 2).await, [first, None], "cut at {cut}");
            journal.record(&[(key(1), left("again"))]).await.expect("recorded");
            assert_eq!(notes(&journal, 2).await[1].as_deref(), Some("again"));
        }
        let mut flipped = bytes.clone();
        *flipped.last_mut().expect("not empty") ^= 1;
        std::fs::write(&path, flipped).expect("written");
        let journal = FileJournal::open(&path).expect("opened");
        assert_eq!(notes(&journal, 2).await, [Some("first".to_owned()), None]);
    }

    #[test]
    fn another_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("letter");
        std::fs::write(&path, "Dear reader, this is no journal.").expect("written");
        let error = FileJournal::open(&path).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(std::fs::read_to_string(&path).expect("read").starts_with("Dear"));
    }
}
