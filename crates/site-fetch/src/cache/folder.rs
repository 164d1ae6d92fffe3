//! Answers in a folder: bodies under their own hash, and beside them one small file for each address.
//!
//! Files are written whole and then moved into place, so that a reader never sees half of one; a body
//! that does not have its hash, or an entry that cannot be read, counts as not there. One process writes
//! at a time; others may read.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Cache, Stored};

/// After the oldest are forgotten the folder is this much of its bound, so that it is not done each time.
const KEPT_PERCENT: u64 = 80;

/// A cache that stays.
#[derive(Clone)]
pub struct FolderCache {
    folder: Arc<Folder>,
}

struct Folder {
    root: PathBuf,
    max_bytes: u64,
    /// Bytes in the folder; the lock is held by whoever writes.
    used: Mutex<u64>,
}

/// What stands in the file of an address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Two addresses with one hash would otherwise be taken for one another.
    url: Url,
    body: String,
    answer: Stored,
}

impl FolderCache {
    /// Opens a folder, made if it is missing, that may grow to `max_bytes`. Reads the sizes of its files.
    pub fn open(root: impl Into<PathBuf>, max_bytes: u64) -> io::Result<Self> {
        let root = root.into();
        let mut used = 0;
        for part in ["entries", "bodies"] {
            fs::create_dir_all(root.join(part))?;
            used += files(&root.join(part))?.iter().map(|file| file.bytes).sum::<u64>();
        }
        Ok(Self { folder: Arc::new(Folder { root, max_bytes, used: Mutex::new(used) }) })
    }
}

#[async_trait]
impl Cache for FolderCache {
    async fn get(&self, url: &Url) -> io::Result<Option<Stored>> {
        let (folder, url) = (self.folder.clone(), url.clone());
        in_background(move || folder.get(&url)).await
    }

    async fn put(&self, url: &Url, stored: Stored) -> io::Result<()> {
        let (folder, url) = (self.folder.clone(), url.clone());
        in_background(move || folder.put(url, stored)).await
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

impl Folder {
    fn entry(&self, url: &Url) -> PathBuf {
        self.place("entries", blake3::hash(url.as_str().as_bytes()).to_hex().as_str())
    }

    /// Spread over 256 folders: some file systems are slow with many files in one.
    fn place(&self, part: &str, hash: &str) -> PathBuf {
        self.root.join(part).join(&hash[..2]).join(hash)
    }

    fn get(&self, url: &Url) -> io::Result<Option<Stored>> {
        let Some(entry) = read(&self.entry(url))? else {
            return Ok(None);
        };
        let Ok(Entry { url: kept_for, body, mut answer }) = serde_json::from_slice(&entry) else {
            tracing::warn!(%url, "a cache entry cannot be read and counts as absent");
            return Ok(None);
        };
        if kept_for != *url || !is_hash(&body) {
            return Ok(None);
        }
        let Some(bytes) = read(&self.place("bodies", &body))? else {
            return Ok(None);
        };
        answer.body = bytes.into();
        if answer.body_hash() == body {
            return Ok(Some(answer));
        }
        tracing::warn!(%url, "a cached body is damaged and counts as absent");
        fs::remove_file(self.place("bodies", &body))?;
        Ok(None)
    }

    fn put(&self, url: Url, answer: Stored) -> io::Result<()> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let body = answer.body_hash();
        let place = self.place("bodies", &body);
        if !place.try_exists()? {
            *used += write(&place, &answer.body)?;
        }
        let place = self.entry(&url);
        let old = fs::metadata(&place).map_or(0, |file| file.len());
        let entry = serde_json::to_vec(&Entry { url, body, answer }).map_err(io::Error::other)?;
        *used = (*used + write(&place, &entry)?).saturating_sub(old);
        if *used > self.max_bytes {
            *used = self.forget_oldest()?;
        }
        Ok(())
    }

    /// Forgets the entries that were written longest ago, then every body that no entry names.
    fn forget_oldest(&self) -> io::Result<u64> {
        let goal = self.max_bytes / 100 * KEPT_PERCENT;
        let mut entries = files(&self.root.join("entries"))?;
        entries.sort_by_key(|file| std::cmp::Reverse(file.written));
        let mut named = HashSet::new();
        let mut used = 0;
        for entry in entries {
            let cost = self.body_of(&entry.path)?.map(|(body, bytes)| {
                let bytes = if named.contains(&body) { 0 } else { bytes };
                (body, entry.bytes + bytes)
            });
            match cost {
                Some((body, bytes)) if used + bytes <= goal => {
                    used += bytes;
                    named.insert(body);
                }
                _ => fs::remove_file(&entry.path)?,
            }
        }
        for body in files(&self.root.join("bodies"))? {
            let name = body.path.file_name().and_then(|name| name.to_str());
            if !name.is_some_and(|name| named.contains(name)) {
                fs::remove_file(&body.path)?;
            }
        }
        Ok(used)
    }

    /// The hash and size of the body that an entry names; `None` for a broken entry.
    fn body_of(&self, entry: &Path) -> io::Result<Option<(String, u64)>> {
        let entry = read(entry)?.and_then(|bytes| serde_json::from_slice::<Entry>(&bytes).ok());
        let Some(body) = entry.map(|entry| entry.body).filter(|body| is_hash(body)) else {
            return Ok(None);
        };
        let size = fs::metadata(self.place("bodies", &body)).ok().map(|file| file.len());
        Ok(size.map(|size| (body, size)))
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) written: SystemTime,
}

/// The files two levels down.
pub(super) fn files(part: &Path) -> io::Result<Vec<File>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(part)? {
        for file in fs::read_dir(folder?.path())? {
            let file = file?;
            let about = file.metadata()?;
            found.push(File { path: file.path(), bytes: about.len(), written: about.modified()? });
        }
    }
    Ok(found)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<u64> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Only the holder of the lock writes, so the name is free or a leftover.
    let draft = path.with_extension("draft");
    let mut file = fs::File::create(&draft)?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(&draft, path)?;
    Ok(bytes.len() as u64)
}
