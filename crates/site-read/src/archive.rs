//! Where bodies go as they come. Content-addressed: the same bytes are kept once, whoever stores
//! them, and a hash that was handed out always names the same bytes.

mod folder;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use folder::FolderArchive;

/// The BLAKE3 hash of a body, in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub String);

impl ContentHash {
    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).to_hex().to_string())
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A content-addressed store of bodies.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Keeps the bytes; storing the same bytes again is free of effect.
    async fn put(&self, bytes: Bytes) -> io::Result<ContentHash>;
    /// The bytes of a hash, or `NotFound`.
    async fn get(&self, hash: &ContentHash) -> io::Result<Bytes>;
}

/// An archive in memory: for small sites, the command line and tests.
#[derive(Debug, Default)]
pub struct MemoryArchive {
    bodies: Mutex<HashMap<ContentHash, Bytes>>,
}

impl MemoryArchive {
    /// An empty archive.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All bodies by hash.
    #[must_use]
    pub fn into_bodies(self) -> HashMap<ContentHash, Bytes> {
        self.bodies.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn put(&self, bytes: Bytes) -> io::Result<ContentHash> {
        let hash = ContentHash::of(&bytes);
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies.entry(hash.clone()).or_insert(bytes);
        Ok(hash)
    }

    async fn get(&self, hash: &ContentHash) -> io::Result<Bytes> {
        let bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        bodies
            .get(hash)
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no body with hash {hash}")))
    }
}
