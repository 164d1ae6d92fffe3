//! The analysis of a finished crawl: each page's facts from the journal, and the site's from theirs.

use std::io;

use async_trait::async_trait;
use futures::{TryStreamExt, pin_mut};

use super::page::PageAnalysis;
use super::site::{SiteAnalysis, SiteFold, SiteInput, SizeBounds};
use crate::index::Index;
use crate::journal::{self, Journal, Visit};
use crate::snapshot::Snapshot;

/// Where pages' facts go.
#[async_trait]
pub trait Keeper: Send {
    /// Takes the next page's facts; an error ends the reading and is handed on.
    async fn keep(&mut self, url: &str, page: PageAnalysis) -> io::Result<()>;
}

/// Tells what a crawl found. The journal has to be the one that it was recorded in.
///
/// The keeper is handed each page's facts, in the order of the addresses, with the real dimensions of its
/// images; pages are read one batch at a time, so that memory does not grow with the site.
pub async fn of_reading(
    journal: &dyn Journal,
    snapshot: &Snapshot,
    bounds: SizeBounds,
    keeper: &mut dyn Keeper,
) -> io::Result<SiteAnalysis> {
    let index = Index::new(snapshot);
    let mut fold = SiteFold::new();
    let pages = journal::pages(journal, snapshot);
    pin_mut!(pages);
    while let Some((url, visit)) = pages.try_next().await? {
        let mut facts = match &*visit {
            Visit::Page(visit) => visit.analysis.clone(),
            Visit::Door(door) => door.page.analysis.clone(),
            _ => return Err(io::Error::other(format!("the journal does not hold a page under {url}"))),
        };
        facts.measure_images(&index, snapshot);
        fold.page(url, &facts);
        keeper.keep(url, facts).await?;
    }
    Ok(fold.finish(&SiteInput { snapshot, bounds }))
}
