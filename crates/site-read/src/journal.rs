//! What came of each request, kept so that a crawl can go on after its process died.
//!
//! A crawl decides everything from the answers it merged. Resuming is therefore running it again with the
//! recorded answers: what the journal holds is not asked for twice, and the result is the one that an
//! undisturbed run has. A visit is recorded before its answer counts, so that a death loses at most the
//! requests under way. A journal holds one crawl of one site; it must never be shared by two at once.
//!
//! Start at [`Journal`]; [`FileJournal`] keeps one in a file.

mod file;
mod memory;
mod scribe;
mod visit;

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, Stream, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::snapshot::Snapshot;

pub use file::FileJournal;
pub use memory::{MemoryJournal, Unrecorded};
pub(crate) use scribe::Scribe;
pub use visit::{AssetVisit, Door, PageVisit, Remark, SitemapVisit, Step, Visit};

/// Most visits asked for or handed over in one call.
pub const MAX_BATCH: usize = 64;

/// What a request was made for: the same address may be asked as a page and as a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The way from the start address to the home page.
    Door,
    /// A sitemap.
    Sitemap,
    /// An address that does not exist, to see what the site answers then.
    Probe,
    /// What should be a page.
    Page,
    /// A part of a page.
    Asset,
    /// No request: how long the crawl has run, all its processes together.
    Clock,
}

/// Names one request of a crawl.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VisitKey {
    /// What it was made for.
    pub purpose: Purpose,
    /// The address as it was asked for.
    pub url: String,
}

impl VisitKey {
    /// A key of fixed length for stores: the first half of a BLAKE3 hash.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[self.purpose as u8]);
        hasher.update(self.url.as_bytes());
        let mut out = [0; 16];
        hasher.finalize_xof().fill(&mut out);
        out
    }
}

/// A durable record of visits.
#[async_trait]
pub trait Journal: Send + Sync {
    /// What was recorded under these keys, in their order; at most [`MAX_BATCH`] of them.
    async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>>;

    /// Keeps these visits, at most [`MAX_BATCH`] of them; when it returns they survive the death of this
    /// process. A key recorded again takes the new value.
    async fn record(&self, visits: &[(VisitKey, Arc<Visit>)]) -> io::Result<()>;
}

/// The pages of a snapshot in canonical order with all that the journal holds about each, a batch at a time.
pub fn pages<'a>(
    journal: &'a dyn Journal,
    snapshot: &'a Snapshot,
) -> impl Stream<Item = io::Result<(&'a str, Arc<Visit>)>> + 'a {
    let urls: Vec<&str> = snapshot.pages.keys().map(String::as_str).collect();
    let batches: Vec<Vec<&str>> = urls.chunks(MAX_BATCH).map(<[&str]>::to_vec).collect();
    stream::iter(batches.into_iter().map(io::Result::Ok))
        .and_then(move |batch| async move {
            let keys: Vec<VisitKey> = batch.iter().map(|url| key_of_page(snapshot, url)).collect();
            let visits = journal.recall(&keys).await?;
            let found: io::Result<Vec<_>> = batch.into_iter().zip(visits).map(present).collect();
            Ok(stream::iter(found?.into_iter().map(Ok)))
        })
        .try_flatten()
}

/// The key under which the journal of a crawl holds one of the pages of its snapshot.
#[must_use]
pub fn key_of_page(snapshot: &Snapshot, url: &str) -> VisitKey {
    if url == snapshot.home.as_str() {
        VisitKey { purpose: Purpose::Door, url: snapshot.start.to_string() }
    } else {
        VisitKey { purpose: Purpose::Page, url: url.to_owned() }
    }
}

fn present((url, visit): (&str, Option<Arc<Visit>>)) -> io::Result<(&str, Arc<Visit>)> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("the journal does not hold {url}"));
    visit.map(|visit| (url, visit)).ok_or_else(missing)
}
