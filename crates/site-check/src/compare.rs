//! Holds the project, as it is built and served, against the site as it was read, page by page in browsers of its own.
//!
//! The browser reaches nothing: each of its requests is stopped and answered here, for one side from the snapshot, for the
//! other by the project's server at its socket. Both sides stand at the site's own address, so that what they link to, ask
//! for and look like can be compared as it is. The network is never asked again, and neither side knows the other.
//!
//! Start at [`Comparer::compare`], or at [`Comparer::stills`] where there is no site; `showing.rs` shows the pages, `stage.rs`
//! drives a browser, `judge.rs` decides, `report.rs` is what comes out, `told.rs` says it to people.

mod addresses;
mod album;
mod copy;
mod judge;
mod look;
mod nodes;
mod original;
mod pixels;
mod report;
mod scripts;
mod showing;
mod stage;
mod stills;
mod tab;
mod told;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::{TryStreamExt, stream::FuturesOrdered};
use site_read::{
    Archive, Snapshot,
    render::{self, Programs, Unavailable},
};
use site_write::{Plan, plan::Route};

use crate::{Error, Result, Server};
use album::Album;
use copy::Copy;
use original::Original;
pub use report::{
    ComparedPage, Comparison, Elements, Pictured, Pixels, Reason, Repair, Traffic, WrongAddress,
};
use showing::{Showing, Shown};
pub use stills::Stills;

/// The shape of [`Comparison`] that this program writes.
const VERSION: u32 = 1;
/// More browsers than this at once take more memory than they save time.
pub const MOST_BROWSERS: usize = 8;
/// Pages that differ are shown once more, with nothing beside them: what was late on a busy machine is no fault of theirs. Where
/// more than so many differ, it is not chance.
const MOST_AGAIN: usize = 24;
/// How often, at most, such a page is shown again if its site is not the same each time: a script that is sometimes early finds
/// another page there.
const MOST_LOOKS: u64 = 5;

/// The bounds of a comparison.
#[derive(Clone, Debug)]
pub struct Options {
    /// Pages that are shown; the rest is counted. One of each layout goes first.
    pub pages: usize,
    /// The widths in CSS pixels that pages are shown at.
    pub widths: Vec<u32>,
    /// The widths at which pictures of both sides are kept in the archive, of those above; they are taken at 1280 and 390 only.
    pub pictures: Vec<u32>,
    /// Browsers at work at once: pages are shown side by side, and most of their time is waiting. From 1 to [`MOST_BROWSERS`].
    pub browsers: usize,
    /// Longest time for one side of one page.
    pub page_time: Duration,
    /// The browser and its bounds.
    pub browser: render::Options,
}

impl Default for Options {
    /// The widths that pictures are taken at, and two that nothing else ever looks at.
    fn default() -> Self {
        Self {
            pages: 12,
            widths: vec![1280, 1024, 768, 390],
            pictures: Vec::new(),
            browsers: 2,
            page_time: Duration::from_secs(90),
            browser: render::Options::default(),
        }
    }
}

/// What is compared.
pub struct Compared<'a> {
    /// Where everything went.
    pub plan: &'a Plan,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// Its bodies.
    pub archive: &'a dyn Archive,
    /// The project, served.
    pub server: &'a Server,
    /// The pages to show, by their address in the snapshot; without it, those that the options let be shown.
    pub only: Option<&'a BTreeSet<String>>,
}

/// Compares with one kind of browser.
#[derive(Clone, Debug)]
pub struct Comparer {
    programs: Arc<Programs>,
    options: Options,
}

impl Comparer {
    /// Looks for the browser and for what confines it. An error says what to install or allow.
    pub fn open(options: Options) -> std::result::Result<Self, Unavailable> {
        let programs = Programs::find(options.browser.chromium.as_deref())?;
        programs.try_out()?;
        Ok(Self { programs: Arc::new(programs), options })
    }

    /// Asks every address, then shows the pages on both sides. `tell` hears how many pages are done, of how many, and which
    /// one is next. A page that cannot be shown is a page that is refused; an error means that nothing can be.
    pub async fn compare(
        &self,
        it: &Compared<'_>,
        tell: &(dyn Fn(u64, u64, &str) + Send + Sync),
    ) -> Result<Comparison> {
        let mut chosen = chosen(it.plan, self.options.pages);
        chosen.retain(|route| it.only.is_none_or(|only| only.contains(&route.url)));
        let mut original = Original::of(it.snapshot, it.archive);
        original.look_up(chosen.iter().map(|route| route.url.as_str())).await;
        let copy = Copy::of(it.server.socket(), &it.snapshot.home, &original);
        let (addresses, wrong_addresses) = addresses::ask(it.plan, it.snapshot, &copy).await?;
        let showing = Showing::new(self, &original, &copy);
        let pages = self.pages(&showing, &chosen, it.archive, tell).await?;
        showing.end().await;
        let left_out = (it.plan.routes.len() - chosen.len()) as u64;
        let (passed, widths) = (false, self.options.widths.clone());
        let repairs = Vec::new();
        let compared = Comparison {
            version: VERSION,
            passed,
            widths,
            addresses,
            wrong_addresses,
            pages,
            left_out,
            repairs,
        };
        Ok(compared.judged())
    }

    /// The chosen pages, in their order.
    async fn pages(
        &self,
        showing: &Showing<'_>,
        chosen: &[&Route],
        archive: &dyn Archive,
        tell: &(dyn Fn(u64, u64, &str) + Send + Sync),
    ) -> Result<Vec<ComparedPage>> {
        let told = |done: usize, route: &Route| tell(done as u64, chosen.len() as u64, &route.url);
        let mut waiting = chosen.iter();
        let mut shown = FuturesOrdered::new();
        let mut pages = Vec::with_capacity(chosen.len());
        let mut album = Album::new(archive, &self.options.pictures);
        loop {
            let free = self.options.browsers.clamp(1, MOST_BROWSERS) - shown.len();
            for route in waiting.by_ref().take(free) {
                told(pages.len(), route);
                shown.push_back(showing.page(route));
            }
            let Some(one) = shown.try_next().await? else { break };
            pages.push(pictured(one, &mut album).await?);
        }
        let refused = pages.iter_mut().zip(chosen).filter(|(page, _)| !page.passed);
        for (page, route) in refused.take(MOST_AGAIN) {
            told(chosen.len() - 1, route);
            if let Some(again) = again(showing, route).await? {
                *page = pictured(again, &mut album).await?;
            }
        }
        Ok(pages)
    }
}

/// The page, if it passes when it is shown alone: at once or, where the site itself is not the same each time, at one of a few
/// more looks.
async fn again(showing: &Showing<'_>, route: &Route) -> Result<Option<Shown>> {
    for look in 0..MOST_LOOKS {
        let shown = showing.page(route).await?;
        if shown.page.passed {
            let page = ComparedPage { more_looks: look + 1, ..shown.page };
            return Ok(Some(Shown { page, ..shown }));
        }
        if look == 0 && !showing.wavers(route, &shown).await? {
            break;
        }
    }
    Ok(None)
}

/// The page with the pictures that are kept of it.
async fn pictured(shown: Shown, album: &mut Album<'_>) -> Result<ComparedPage> {
    let pictures = match shown.looks {
        Some([wanted, found]) => album.keep(&wanted, &found).await.map_err(Error::Keeping)?,
        None => Vec::new(),
    };
    Ok(ComparedPage { pictures, ..shown.page })
}

/// One page of each layout, then the others, in the order of their addresses.
fn chosen(plan: &Plan, most: usize) -> Vec<&Route> {
    let mut groups = BTreeSet::new();
    let (first, rest): (Vec<&Route>, Vec<&Route>) =
        plan.routes.iter().partition(|route| groups.insert(route.group.as_str()));
    let mut chosen: Vec<&Route> = first.into_iter().chain(rest).take(most).collect();
    chosen.sort_by_key(|route| &route.url);
    chosen
}
