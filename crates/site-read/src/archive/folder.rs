//! An archive in a folder: all bodies in one file, which only grows.
//!
//! To make a file for each body would take longer than to fetch it. The file, `bodies`, is a row of records: the
//! body's BLAKE3 hash (32 bytes), its length (8 bytes, little end first), the body. Half a record at the end is what a
//! process was writing when it died; it is cut off when the folder is opened again.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Archive, ContentHash};

/// The file's name.
const NAME: &str = "bodies";
/// A body of so many bytes is written in less time than it takes to wake a thread for it.
const LITTLE: usize = 96 * 1024;
/// Bytes of a record before its body.
const HEAD: usize = 40;

/// A folder of bodies. A body appears whole or not at all, also when the process dies while it is written.
#[derive(Debug, Clone)]
pub struct FolderArchive {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    index: Mutex<Index>,
}

/// Where records begin: by the first eight bytes of their hash, or, where others have those, by the next.
#[derive(Debug, Default)]
struct Index {
    places: HashMap<u64, u64>,
    /// Behind the last record.
    end: u64,
}

impl FolderArchive {
    /// Opens the folder, and makes it if it is not there. Fails with `WouldBlock` while another process has it open.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(NAME);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let note = format!("{} is in use by another process", path.display());
                return Err(io::Error::new(io::ErrorKind::WouldBlock, note));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let index = Index::of(&file)?;
        file.set_len(index.end)?;
        Ok(Self { inner: Arc::new(Inner { file, index: Mutex::new(index) }) })
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<ContentHash> {
        let hash = blake3::hash(bytes);
        let mut index = self.inner.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(free) = index.find(&self.inner.file, hash.as_bytes())? {
            let mut record = Vec::with_capacity(HEAD + bytes.len());
            record.extend_from_slice(hash.as_bytes());
            record.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            record.extend_from_slice(bytes);
            if let Err(error) = (&self.inner.file).write_all(&record) {
                // The disk is full, most likely: half a record must not stay before the next.
                self.inner.file.set_len(index.end)?;
                return Err(error);
            }
            let place = index.end;
            index.places.insert(free, place);
            index.end += record.len() as u64;
        }
        Ok(ContentHash(hash.to_hex().to_string()))
    }

    /// How many bytes the body with this hash has, or `NotFound`.
    pub fn length(&self, hash: &ContentHash) -> io::Result<u64> {
        head(&self.inner.file, self.place(hash)?).map(|(_, length)| length)
    }

    /// Where the record of the body begins.
    fn place(&self, hash: &ContentHash) -> io::Result<u64> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no body with hash {hash}"));
        let wanted = blake3::Hash::from_hex(hash.as_str()).map_err(|_| missing())?;
        let index = self.inner.index.lock().unwrap_or_else(PoisonError::into_inner);
        index.find(&self.inner.file, wanted.as_bytes())?.map_err(|_| missing())
    }

    fn body(&self, hash: &ContentHash) -> io::Result<Bytes> {
        let place = self.place(hash)?;
        let (_, length) = head(&self.inner.file, place)?;
        let mut body = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.inner.file.read_exact_at(&mut body, place + HEAD as u64)?;
        if ContentHash::of(&body) != *hash {
            let note = format!("the body with hash {hash} is damaged");
            return Err(io::Error::new(io::ErrorKind::InvalidData, note));
        }
        Ok(body.into())
    }
}

impl Index {
    /// Goes from record to record.
    fn of(file: &File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let mut index = Self::default();
        while index.end + HEAD as u64 <= size {
            let (hash, length) = head(file, index.end)?;
            let next = (index.end + HEAD as u64).checked_add(length).filter(|next| *next <= size);
            let Some(next) = next else { break };
            let place = index.end;
            if let Err(free) = index.find(file, &hash)? {
                index.places.insert(free, place);
            }
            index.end = next;
        }
        Ok(index)
    }

    /// Where the record with this hash begins, or else the key for it.
    fn find(&self, file: &File, hash: &[u8; 32]) -> io::Result<Result<u64, u64>> {
        let (keys, _) = hash.as_chunks::<8>();
        for key in keys.iter().map(|key| u64::from_le_bytes(*key)) {
            match self.places.get(&key) {
                None => return Ok(Err(key)),
                Some(place) if head(file, *place)?.0 == *hash => return Ok(Ok(*place)),
                Some(_) => {}
            }
        }
        Err(io::Error::other("four hashes share all their parts, which does not happen"))
    }
}

/// The hash and the length at the beginning of a record.
fn head(file: &File, place: u64) -> io::Result<([u8; 32], u64)> {
    let mut head = [0; HEAD];
    file.read_exact_at(&mut head, place)?;
    let (mut hash, mut length) = ([0; 32], [0; 8]);
    hash.copy_from_slice(&head[..32]);
    length.copy_from_slice(&head[32..]);
    Ok((hash, u64::from_le_bytes(length)))
}

#[async_trait]
impl Archive for FolderArchive {
    async fn put(&self, bytes: Bytes) -> io::Result<ContentHash> {
        if bytes.len() <= LITTLE {
            return self.keep(&bytes);
        }
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.keep(&bytes)).await.map_err(io::Error::other)?
    }

    async fn get(&self, hash: &ContentHash) -> io::Result<Bytes> {
        let (this, hash) = (self.clone(), hash.clone());
        tokio::task::spawn_blocking(move || this.body(&hash)).await.map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(folder: &Path) -> u64 {
        folder.join(NAME).metadata().expect("a file").len()
    }

    #[tokio::test]
    async fn bodies_are_kept_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = FolderArchive::open(folder.path()).expect("opened");
        let hash = archive.put(Bytes::from_static(b"body")).await.expect("kept");
        let other = archive.put(Bytes::new()).await.expect("kept");
        assert_eq!(archive.put(Bytes::from_static(b"body")).await.expect("kept"), hash);
        assert_eq!(size(folder.path()), 2 * HEAD as u64 + 4, "each once");
        assert_eq!(&archive.get(&hash).await.expect("read")[..], b"body");
        assert_eq!(archive.length(&hash).expect("kept"), 4);
        assert_eq!(archive.get(&other).await.expect("read").len(), 0);
        let missing = archive.get(&ContentHash::of(b"other")).await.expect_err("not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn what_was_being_written_at_the_end_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = FolderArchive::open(folder.path()).expect("opened");
        let hash = archive.put(Bytes::from_static(b"whole")).await.expect("kept");
        let whole = size(folder.path());
        archive.put(Bytes::from(vec![7; 100])).await.expect("kept");
        let busy = FolderArchive::open(folder.path()).expect_err("open elsewhere");
        assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
        drop(archive);
        for left in [1, HEAD as u64 + 50] {
            let file = OpenOptions::new().append(true).open(folder.path().join(NAME)).expect("a file");
            file.set_len(whole + left).expect("cut");
            drop(file);
            let archive = FolderArchive::open(folder.path()).expect("opened");
            assert_eq!(size(folder.path()), whole);
            assert_eq!(&archive.get(&hash).await.expect("read")[..], b"whole");
            let again = archive.put(Bytes::from(vec![7; 100])).await.expect("kept");
            assert_eq!(archive.get(&again).await.expect("read").len(), 100);
        }
    }

    #[tokio::test]
    async fn a_damaged_body_is_not_handed_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let hash = FolderArchive::open(folder.path()).expect("opened").put(Bytes::from_static(b"body")).await;
        let file = OpenOptions::new().write(true).open(folder.path().join(NAME)).expect("a file");
        file.write_all_at(b"B", HEAD as u64).expect("damaged");
        let archive = FolderArchive::open(folder.path()).expect("opened");
        let damaged = archive.get(&hash.expect("kept")).await.expect_err("damaged");
        assert_eq!(damaged.kind(), io::ErrorKind::InvalidData);
    }
}
