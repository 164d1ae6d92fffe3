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

use crate::crawl::Gathered;
use crate::snapshot::Page;

pub use file::FileJournal;
pub use memory::{MemoryJournal, Unrecorded};
pub(crate) use scribe::Scribe;
pub use visit::{AssetVisit, Door, PageVisit, Remark, Requested, Scripts, SitemapVisit, Step, Visit};

/// Most visits asked for or handed over in one call.
pub const MAX_BATCH: usize = 64;

/// No visit is longer as JSON: references and facts of one answer are cut before, with a finding.
pub const MAX_VISIT: usize = 16 * 1024 * 1024;

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
    /// A page again, in a browser, to see what only its scripts name. Last: keys of older journals are made of the place here.
    Scripts,
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

/// A page of a crawl: its address, what the snapshot says of it, and what the journal does.
pub type Recalled = (String, Page, Arc<Visit>);

/// The pages that a crawl kept, in canonical order, with all that its journal holds about each: a batch at a time.
pub fn pages<'a>(
    journal: &'a dyn Journal,
    gathered: &mut Gathered,
) -> io::Result<impl Stream<Item = io::Result<Recalled>> + use<'a>> {
    let (start, home) = (gathered.head().start.to_string(), gathered.head().home.to_string());
    let mut pages = gathered.pages()?;
    let batches = std::iter::from_fn(move || {
        let batch: Vec<_> = pages.by_ref().take(MAX_BATCH).collect();
        (!batch.is_empty()).then(|| batch.into_iter().collect::<io::Result<Vec<(String, Page)>>>())
    });
    let recalled = stream::iter(batches).and_then(move |batch| {
        let key = |(url, _): &(String, Page)| {
            let is_home = *url == home;
            let purpose = if is_home { Purpose::Door } else { Purpose::Page };
            VisitKey { purpose, url: if is_home { start.clone() } else { url.clone() } }
        };
        let keys: Vec<VisitKey> = batch.iter().map(key).collect();
        async move {
            let visits = journal.recall(&keys).await?;
            let found: io::Result<Vec<_>> = batch.into_iter().zip(visits).map(present).collect();
            Ok(stream::iter(found?.into_iter().map(Ok)))
        }
    });
    Ok(recalled.try_flatten())
}

fn present(((url, page), visit): ((String, Page), Option<Arc<Visit>>)) -> io::Result<Recalled> {
    match visit {
        Some(visit) => Ok((url, page, visit)),
        None => {
            let note = format!("the journal does not hold {url}");
            Err(io::Error::new(io::ErrorKind::NotFound, note))
        }
    }
}
