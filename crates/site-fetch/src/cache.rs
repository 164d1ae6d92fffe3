//! Answers kept from one crawl to the next, so that the second one transfers only what changed.
//!
//! A cache keeps what it is given and gives back what it kept; whether an answer may be kept, is still
//! fresh, or has to be asked about again is decided in `stored.rs` (RFC 9111). A cache that fails costs
//! a transfer, never a fetch: the fetcher says so in the log and goes on without it.

mod folder;
mod memory;
mod stored;

use std::io;

use async_trait::async_trait;
use url::Url;

pub use folder::FolderCache;
pub use memory::MemoryCache;
pub use stored::Stored;
pub(crate) use stored::lifetime;

/// Keeps answers by address. Addresses come without fragment.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The answer kept for this address, whole and unharmed, or `None`.
    async fn get(&self, url: &Url) -> io::Result<Option<Stored>>;

    /// Keeps an answer in place of an older one. A cache that is full may forget any answer.
    async fn put(&self, url: &Url, stored: Stored) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
