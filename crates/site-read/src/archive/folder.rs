//! An archive in a folder: all bodies in one file, `bodies`, under their hashes.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use site_fetch::disk::{Pack, Place};

use super::{Archive, ContentHash};

/// The file's name.
const NAME: &str = "bodies";
/// A body of so many bytes is written in less time than it takes to wake a thread for it.
const LITTLE: usize = 96 * 1024;

/// A folder of bodies. A body appears whole or not at all, also when the process dies while it is written.
#[derive(Debug, Clone)]
pub struct FolderArchive {
    pack: Arc<Mutex<Pack>>,
}

impl FolderArchive {
    /// Opens the folder, and makes it if it is not there. Fails with `WouldBlock` while another process has it open.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { pack: Arc::new(Mutex::new(Pack::open(&folder.join(NAME))?)) })
    }

    fn pack(&self) -> MutexGuard<'_, Pack> {
        self.pack.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<ContentHash> {
        let hash = blake3::hash(bytes);
        let mut pack = self.pack();
        if pack.find(hash.as_bytes())?.is_none() {
            pack.put(hash.as_bytes(), bytes)?;
        }
        Ok(ContentHash(hash.to_hex().to_string()))
    }

    /// How many bytes the body with this hash has, or `NotFound`.
    pub fn length(&self, hash: &ContentHash) -> io::Result<u64> {
        find(&self.pack(), hash).map(|place| place.length)
    }

    fn body(&self, hash: &ContentHash) -> io::Result<Bytes> {
        let pack = self.pack();
        let body = pack.read(find(&pack, hash)?)?;
        drop(pack);
        if ContentHash::of(&body) != *hash {
            let note = format!("the body with hash {hash} is damaged");
            return Err(io::Error::new(io::ErrorKind::InvalidData, note));
        }
        Ok(body.into())
    }
}

fn find(pack: &Pack, hash: &ContentHash) -> io::Result<Place> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no body with hash {hash}"));
    let wanted = blake3::Hash::from_hex(hash.as_str()).map_err(|_| missing())?;
    pack.find(wanted.as_bytes())?.ok_or_else(missing)
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
    use std::fs::OpenOptions;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[tokio::test]
    async fn bodies_are_kept_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = FolderArchive::open(folder.path()).expect("opened");
        let hash = archive.put(Bytes::from_static(b"body")).await.expect("kept");
        let other = archive.put(Bytes::new()).await.expect("kept");
        let size = archive.pack().size();
        assert_eq!(archive.put(Bytes::from_static(b"body")).await.expect("kept"), hash);
        assert_eq!(archive.pack().size(), size, "each once");
        assert_eq!(&archive.get(&hash).await.expect("read")[..], b"body");
        assert_eq!(archive.length(&hash).expect("kept"), 4);
        assert_eq!(archive.get(&other).await.expect("read").len(), 0);
        let missing = archive.get(&ContentHash::of(b"other")).await.expect_err("not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let busy = FolderArchive::open(folder.path()).expect_err("open elsewhere");
        assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_damaged_body_is_not_handed_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = FolderArchive::open(folder.path()).expect("opened");
        let hash = archive.put(Bytes::from_static(b"body")).await.expect("kept");
        let last = archive.pack().size() - 1;
        let file = OpenOptions::new().write(true).open(folder.path().join(NAME)).expect("a file");
        file.write_all_at(b"Y", last).expect("damaged");
        let damaged = archive.get(&hash).await.expect_err("damaged");
        assert_eq!(damaged.kind(), io::ErrorKind::InvalidData);
    }
}
