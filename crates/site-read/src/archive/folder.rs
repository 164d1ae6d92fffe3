//! An archive in a folder: one file for each body, named by its hash.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Archive, ContentHash};

/// A folder of bodies. A body appears whole or not at all, also when the process dies while it is written.
#[derive(Debug, Clone)]
pub struct FolderArchive {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// Makes the names of unfinished files differ.
    unfinished: AtomicU64,
}

impl FolderArchive {
    /// Opens the folder, and makes it if it is not there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        for shard in 0..=u8::MAX {
            fs::create_dir_all(folder.join(format!("{shard:02x}")))?;
        }
        let inner = Inner { folder: folder.to_owned(), unfinished: AtomicU64::new(0) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the body with this hash is kept, whether it is there or not.
    #[must_use]
    pub fn path(&self, hash: &ContentHash) -> PathBuf {
        let shard = hash.as_str().get(..2).unwrap_or("00");
        self.inner.folder.join(shard).join(hash.as_str())
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<ContentHash> {
        let hash = ContentHash::of(bytes);
        let path = self.path(&hash);
        if path.exists() {
            return Ok(hash);
        }
        let number = self.inner.unfinished.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.inner.folder.join(format!("unfinished-{}-{number}", std::process::id()));
        let written = fs::File::create(&unfinished).and_then(|mut file| file.write_all(bytes));
        if let Err(error) = written.and_then(|()| fs::rename(&unfinished, &path)) {
            // The disk is full, most likely: half a file must not stay as well.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        Ok(hash)
    }
}

#[async_trait]
impl Archive for FolderArchive {
    async fn put(&self, bytes: Bytes) -> io::Result<ContentHash> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.keep(&bytes)).await.map_err(io::Error::other)?
    }

    async fn get(&self, hash: &ContentHash) -> io::Result<Bytes> {
        tokio::fs::read(self.path(hash)).await.map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_kept_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = FolderArchive::open(folder.path()).expect("opened");
        let hash = archive.put(Bytes::from_static(b"body")).await.expect("kept");
        assert_eq!(archive.put(Bytes::from_static(b"body")).await.expect("kept"), hash);
        assert_eq!(&archive.get(&hash).await.expect("read")[..], b"body");
        let missing = archive.get(&ContentHash::of(b"other")).await.expect_err("not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let loose = fs::read_dir(folder.path()).expect("read").flatten();
        assert_eq!(loose.filter(|entry| entry.path().is_file()).count(), 0, "nothing unfinished stays");
    }
}
