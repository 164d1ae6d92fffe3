//! The pages and assets that were kept, on disk when they are many, until the snapshot is made of them.

use std::collections::{BTreeMap, HashMap};
use std::io;

use url::Url;

use crate::frontier::Fingerprints;
use crate::snapshot::{Alias, Asset, Page, Snapshot};
use crate::spill::Spill;
use crate::web_address::loose_form;

/// Bytes that a page or an asset takes besides its address and its title, about.
const RECORD: usize = 300;

#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pages: Spill<Page>,
    assets: Spill<Asset>,
    /// Loose forms of pages, and those that several pages share.
    loose: Fingerprints,
    shared: Fingerprints,
}

impl Gathered {
    pub(crate) fn page(&mut self, url: &Url, page: Page) -> io::Result<()> {
        let form = loose_form(url);
        if !self.loose.insert(&form) {
            self.shared.insert(&form);
        }
        let bytes = RECORD + page.title.len();
        self.pages.insert(url.to_string(), page, bytes)
    }

    pub(crate) fn asset(&mut self, url: &Url, asset: Asset) -> io::Result<()> {
        self.assets.insert(url.to_string(), asset, RECORD)
    }

    pub(crate) fn page_count(&self) -> usize {
        self.pages.len()
    }

    pub(crate) fn asset_count(&self) -> usize {
        self.assets.len()
    }

    /// Puts everything into the snapshot. Pages whose addresses often mean the same and whose bytes are the
    /// same become one, with aliases.
    pub(crate) fn into_snapshot(self, snapshot: &mut Snapshot) -> io::Result<()> {
        let mut alike: HashMap<(String, String), Vec<(String, Page)>> = HashMap::new();
        let mut pages = self.pages.into_sorted()?;
        while let Some((address, page)) = pages.next()? {
            let form = Url::parse(&address).map(|url| loose_form(&url)).unwrap_or_default();
            if self.shared.contains(&form) {
                let same = alike.entry((form, page.html.as_str().to_owned())).or_default();
                same.push((address, page));
            } else {
                snapshot.pages.insert(address, page);
            }
        }
        for (_, spellings) in alike {
            let (kept, aliases) = merge(spellings, snapshot.home.as_str());
            snapshot.pages.extend(kept);
            snapshot.aliases.extend(aliases);
        }
        snapshot.aliases.sort();
        let mut assets = self.assets.into_sorted()?;
        while let Some((address, asset)) = assets.next()? {
            snapshot.assets.insert(address, asset);
        }
        Ok(())
    }
}

/// Of several spellings the home page's stays, or else the shortest and plainest one.
fn merge(spellings: Vec<(String, Page)>, home: &str) -> (BTreeMap<String, Page>, Vec<Alias>) {
    let plainness = |address: &&String| {
        let capitals = address.bytes().filter(u8::is_ascii_uppercase).count();
        (address.as_str() != home, address.len(), capitals, (*address).clone())
    };
    let best = spellings.iter().map(|(address, _)| address).min_by_key(plainness);
    let Some(best) = best.cloned() else { return Default::default() };
    let depth = spellings.iter().map(|(_, page)| page.depth).min().unwrap_or_default();
    let mut kept = BTreeMap::new();
    let mut aliases = Vec::new();
    for (address, page) in spellings {
        if address == best {
            kept.insert(address, Page { depth, ..page });
        } else {
            aliases.push(Alias { from: address, to: best.clone() });
        }
    }
    (kept, aliases)
}
