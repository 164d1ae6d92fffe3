//! The pages of a snapshot, parsed and made ready to be planned and printed: the same for both, so that a plan and the
//! project written from it speak of the same trees.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use bytes::Bytes;
use site_read::{ContentHash, Snapshot};
use url::Url;

use crate::{
    Bodies, Error, Result,
    crawlers::{self, Code},
    css::hints::Hints,
    page::{self, Page},
    parallel,
    plan::{Keep, Keeps},
};

/// The pages' own bodies, the style sheets and what is for crawlers: what has to be read; the rest is only named.
pub(crate) fn needed(snapshot: &Snapshot) -> Vec<ContentHash> {
    let pages = snapshot.pages.values().chain(&snapshot.not_found);
    let pages = pages.flat_map(|page| [page.html.clone(), page.sent().clone()]);
    let sheets =
        snapshot.assets.values().filter(|asset| is_css(&asset.content_type)).map(|asset| asset.body.clone());
    let told = crawlers::addresses(snapshot).into_iter().filter_map(|url| snapshot.assets.get(&url));
    let mut hashes: Vec<ContentHash> =
        pages.chain(sheets).chain(told.map(|asset| asset.body.clone())).collect();
    hashes.sort();
    hashes.dedup();
    hashes
}

pub(crate) fn is_css(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().starts_with("text/css")
}

/// What an error calls the page for addresses that do not exist.
const NOT_FOUND: &str = "the page for what is not there";

/// A site whose pages are trees.
pub(crate) struct Site {
    pub(crate) origin: Url,
    /// By their address in the snapshot.
    pub(crate) pages: BTreeMap<String, Page>,
    /// What it shows for an address that does not exist.
    pub(crate) not_found: Option<Page>,
    /// What it tells crawlers, by address, where that becomes code.
    pub(crate) told: BTreeMap<String, Code>,
}

impl Site {
    pub(crate) fn read(
        threads: NonZeroUsize,
        snapshot: &Snapshot,
        bodies: &dyn Bodies,
        keeps: &Keeps,
    ) -> Result<Self> {
        if snapshot.pages.is_empty() {
            return Err(Error::NoPages);
        }
        let origin = snapshot.home.join("/").map_err(Error::Home)?;
        let hints = hints(threads, snapshot, bodies)?;
        let nothing = BTreeSet::new();
        let mut known = Vec::new();
        for (url, page) in &snapshot.pages {
            let kept = keeps.pages.get(url).unwrap_or(&nothing);
            let html = if kept.contains(&Keep::Sent) { page.sent() } else { &page.html };
            known.push((url, kept, bytes(bodies, html, url)?));
        }
        // The longest first, so that no thread is left alone with it.
        known.sort_by_key(|(_, _, html)| Reverse(html.len()));
        let pages = parallel::map(threads, known, |(url, kept, html)| -> Result<(String, Page)> {
            let html = String::from_utf8_lossy(&html);
            let address = Url::parse(url).map_err(Error::Home)?;
            Ok((url.clone(), page::read(&html, &address, &hints, kept)))
        });
        let pages = pages.into_iter().collect::<Result<BTreeMap<String, Page>>>()?;
        let not_found = match &snapshot.not_found {
            Some(page) => Some(page::read(&text(bodies, &page.html, NOT_FOUND)?, &origin, &hints, &nothing)),
            None => None,
        };
        let mut told = BTreeMap::new();
        for url in crawlers::addresses(snapshot) {
            let code = crawlers::code(&url, &text(bodies, &snapshot.assets[&url].body, &url)?);
            told.extend(code.map(|code| (url, code)));
        }
        Ok(Self { origin, pages, not_found, told })
    }

    /// With the one for addresses that do not exist.
    pub(crate) fn every_page(&self) -> impl Iterator<Item = &Page> {
        self.pages.values().chain(&self.not_found)
    }
}

fn hints(threads: NonZeroUsize, snapshot: &Snapshot, bodies: &dyn Bodies) -> Result<Hints> {
    let sheets = snapshot.assets.iter().filter(|(_, asset)| is_css(&asset.content_type));
    let sheets =
        sheets.map(|(url, asset)| text(bodies, &asset.body, url)).collect::<Result<Vec<String>>>()?;
    let mut all = Hints::default();
    for hints in parallel::map(threads, sheets, |css| {
        let mut hints = Hints::default();
        hints.add(&css);
        hints
    }) {
        all.take_in(hints);
    }
    Ok(all)
}

pub(crate) fn text(bodies: &dyn Bodies, hash: &ContentHash, url: &str) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(bodies, hash, url)?).into_owned())
}

fn bytes(bodies: &dyn Bodies, hash: &ContentHash, url: &str) -> Result<Bytes> {
    bodies.get(hash).ok_or_else(|| Error::MissingBody { url: url.to_owned() })
}
