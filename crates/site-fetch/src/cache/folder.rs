//! Answers in a folder: one file that holds bodies under their own hash, and an entry for each address.
//!
//! A body that does not have its hash, or an entry that cannot be read, counts as not there. What was replaced stays in
//! the file until that is larger than its bound; then it is written anew with the latest answers, beside the old one, and
//! takes its place whole. One process has it open at a time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Cache, Stored};
use crate::disk::{Pack, Place};

/// The file's name, and what it is called while it is written anew.
const NAME: &str = "answers";
const DRAFT: &str = "answers.draft";
/// After the oldest are forgotten the file is this much of its bound, so that it is not done each time.
const KEPT_PERCENT: u64 = 80;
/// A body of so many bytes is read or written in less time than it takes to wake a thread for it.
const LITTLE: u64 = 96 * 1024;
/// The last byte of a record's key tells what it holds.
const BODY: u8 = 0;
const ENTRY: u8 = 1;

/// A cache that stays.
#[derive(Clone)]
pub struct FolderCache {
    folder: Arc<Folder>,
}

struct Folder {
    root: PathBuf,
    max_bytes: u64,
    pack: Mutex<Pack>,
}

/// What is kept of an address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Two addresses with one hash would otherwise be taken for one another.
    url: Url,
    body: String,
    answer: Stored,
}

impl FolderCache {
    /// Opens a folder, made if it is missing, whose file may grow to `max_bytes`. Fails with `WouldBlock` while another
    /// process has it open.
    pub fn open(root: impl Into<PathBuf>, max_bytes: u64) -> io::Result<Self> {
        let root = root.into();
        std::fs::create_dir_all(&root)?;
        let pack = Mutex::new(Pack::open(&root.join(NAME))?);
        Ok(Self { folder: Arc::new(Folder { root, max_bytes, pack }) })
    }

    async fn in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || work(&folder)).await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl Cache for FolderCache {
    async fn get(&self, url: &Url) -> io::Result<Option<Stored>> {
        let Some((entry, place)) = self.folder.entry(url)? else { return Ok(None) };
        if place.length <= LITTLE {
            return self.folder.whole(entry, place);
        }
        self.in_background(move |folder| folder.whole(entry, place)).await
    }

    async fn put(&self, url: &Url, stored: Stored) -> io::Result<()> {
        let url = url.clone();
        let full = if stored.body.len() as u64 <= LITTLE {
            self.folder.put(url, stored)?
        } else {
            self.in_background(move |folder| folder.put(url, stored)).await?
        };
        if full { self.in_background(Folder::forget_oldest).await } else { Ok(()) }
    }
}

impl Folder {
    fn pack(&self) -> MutexGuard<'_, Pack> {
        self.pack.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Most bytes after the oldest were forgotten.
    fn goal(&self) -> u64 {
        self.max_bytes / 100 * KEPT_PERCENT
    }

    /// What is kept of an address, and where its body is.
    fn entry(&self, url: &Url) -> io::Result<Option<(Entry, Place)>> {
        let pack = self.pack();
        let Some(place) = pack.find(&entry_key(url))? else { return Ok(None) };
        let Ok(entry) = serde_json::from_slice::<Entry>(&pack.read(place)?) else {
            tracing::warn!(%url, "a cache entry cannot be read and counts as absent");
            return Ok(None);
        };
        let Some(key) = body_key(&entry.body).filter(|_| entry.url == *url) else { return Ok(None) };
        Ok(pack.find(&key)?.map(|place| (entry, place)))
    }

    fn whole(&self, entry: Entry, place: Place) -> io::Result<Option<Stored>> {
        let Entry { url, body, mut answer } = entry;
        let mut pack = self.pack();
        answer.body = pack.read(place)?.into();
        if answer.body_hash() == body {
            return Ok(Some(answer));
        }
        tracing::warn!(%url, "a cached body is damaged and counts as absent");
        // An empty one in its place: the next body of this length is written, not taken for the damaged one.
        if let Some(key) = body_key(&body) {
            pack.put(&key, b"")?;
        }
        Ok(None)
    }

    /// Keeps an answer; `true` when there is more than should be.
    fn put(&self, url: Url, answer: Stored) -> io::Result<bool> {
        if answer.body.len() as u64 > self.goal() {
            return Ok(false);
        }
        let body = answer.body_hash();
        let key = body_key(&body).ok_or_else(|| io::Error::other("a hash has 64 digits"))?;
        let bytes = answer.body.clone();
        let entry_key = entry_key(&url);
        let entry = serde_json::to_vec(&Entry { url, body, answer }).map_err(io::Error::other)?;
        let mut pack = self.pack();
        if pack.find(&key)?.is_none_or(|place| place.length != bytes.len() as u64) {
            pack.put(&key, &bytes)?;
        }
        pack.put(&entry_key, &entry)?;
        Ok(pack.size() > self.max_bytes)
    }

    /// Writes the file anew, with the entries that were written last and their bodies.
    fn forget_oldest(&self) -> io::Result<()> {
        let mut pack = self.pack();
        let mut left = 0;
        let mut records = pack.records();
        while let Some((_, _, cost)) = next_answer(&pack, &mut records)? {
            left += cost;
        }
        let draft = self.root.join(DRAFT);
        remove(&draft)?;
        let mut fresh = Pack::open(&draft)?;
        let mut records = pack.records();
        while let Some((entry, body, cost)) = next_answer(&pack, &mut records)? {
            // Of several entries with one body it counts for each, so that this forgets too much rather than too little.
            left -= cost;
            if left + cost > self.goal() {
                continue;
            }
            for (key, place) in [body, entry] {
                if key[31] == ENTRY || fresh.find(&key)?.is_none() {
                    fresh.put(&key, &pack.read(place)?)?;
                }
            }
        }
        std::fs::rename(&draft, self.root.join(NAME))?;
        *pack = fresh;
        Ok(())
    }
}

/// A record's key and its place.
type Record = ([u8; 32], Place);

/// The next entry that was not replaced by a later one, its body, and the bytes that both take.
fn next_answer(pack: &Pack, records: &mut crate::disk::Records) -> io::Result<Option<(Record, Record, u64)>> {
    while let Some((key, place)) = pack.next(records)? {
        if key[31] != ENTRY || pack.find(&key)? != Some(place) {
            continue;
        }
        let Ok(entry) = serde_json::from_slice::<Entry>(&pack.read(place)?) else { continue };
        let Some(body_key) = body_key(&entry.body) else { continue };
        let Some(body) = pack.find(&body_key)? else { continue };
        return Ok(Some(((key, place), (body_key, body), place.whole() + body.whole())));
    }
    Ok(None)
}

fn entry_key(url: &Url) -> [u8; 32] {
    let mut key = *blake3::hash(url.as_str().as_bytes()).as_bytes();
    key[31] = ENTRY;
    key
}

fn body_key(hash: &str) -> Option<[u8; 32]> {
    let mut key = *blake3::Hash::from_hex(hash).ok()?.as_bytes();
    key[31] = BODY;
    Some(key)
}

fn remove(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
