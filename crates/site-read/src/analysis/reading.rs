//! The analysis of a finished crawl: each page's facts from the journal, and the site's from theirs.

use std::io;
use std::pin::pin;

use async_trait::async_trait;
use futures::TryStreamExt;
use url::Url;

use super::page::PageAnalysis;
use super::site::{SiteAnalysis, SiteFold, SiteInput, SizeBounds};
use super::sizes::ImageSizes;
use crate::crawl::Gathered;
use crate::journal::{self, Journal, Visit};
use crate::snapshot::Page;

/// Where pages' facts go.
#[async_trait]
pub trait Keeper: Send {
    /// Takes the next page as it was read, and its facts; an error ends the reading and is handed on.
    async fn keep(&mut self, url: &str, read: &Page, facts: PageAnalysis) -> io::Result<()>;
}

/// Tells what a crawl found. The journal has to be the one that it was recorded in.
///
/// The keeper is handed each page's facts, in the order of the addresses, with the real dimensions of its
/// images. Pages are read one batch at a time and what is folded from them goes to disk when it is much, so that memory
/// does not grow with the site.
pub async fn of_reading(
    journal: &dyn Journal,
    gathered: &mut Gathered,
    bounds: SizeBounds,
    keeper: &mut dyn Keeper,
) -> io::Result<SiteAnalysis> {
    let sizes = ImageSizes::of(gathered)?;
    let mut fold = SiteFold::new();
    let mut pages = pin!(journal::pages(journal, gathered)?);
    while let Some((url, read, visit)) = pages.try_next().await? {
        let mut facts = match &*visit {
            Visit::Page(visit) => visit.analysis.clone(),
            Visit::Door(door) => door.page.analysis.clone(),
            _ => return Err(io::Error::other(format!("the journal does not hold a page under {url}"))),
        };
        measure(&mut facts, &sizes)?;
        fold.page(&url, &facts)?;
        keeper.keep(&url, &read, facts).await?;
    }
    fold.finish(&SiteInput { head: gathered.head(), bounds })
}

/// Fills in the real dimensions of images.
fn measure(facts: &mut PageAnalysis, sizes: &ImageSizes) -> io::Result<()> {
    for image in &mut facts.images {
        if let Some(url) = image.url.as_deref().and_then(|url| Url::parse(url).ok()) {
            image.real = sizes.get(&url)?;
        }
    }
    Ok(())
}
