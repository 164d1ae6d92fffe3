//! The pages and assets that were kept, on disk when they are many, and the snapshot that is made of them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use serde::de::DeserializeOwned;
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use url::Url;

use crate::fingerprints::Fingerprints;
use crate::snapshot::{Alias, Asset, Finding, LeftOut, Page, Redirect, Snapshot};
use crate::spill::{Sorted, Spill};
use crate::web_address::loose_form;

/// Bytes that a page or an asset takes besides its address and its title, about.
const RECORD: usize = 300;

/// What a crawl kept, before it becomes a [`Snapshot`]: that holds everything in memory, this does not.
#[derive(Debug)]
pub struct Gathered {
    /// All but pages and assets.
    pub(super) head: Snapshot,
    pages: Spill<Page>,
    assets: Spill<Asset>,
    /// Loose forms of pages, and those that several pages share.
    loose: Fingerprints,
    shared: Fingerprints,
    /// Pages that have other spellings: how far they are from the start by the shortest way.
    nearer: HashMap<String, u32>,
}

impl Gathered {
    pub(super) fn new(head: Snapshot) -> Self {
        Self {
            head,
            pages: Spill::default(),
            assets: Spill::default(),
            loose: Fingerprints::default(),
            shared: Fingerprints::default(),
            nearer: HashMap::new(),
        }
    }

    pub(super) fn page(&mut self, url: &Url, page: Page) -> io::Result<()> {
        let form = loose_form(url);
        if !self.loose.insert(&form)? {
            self.shared.insert(&form)?;
        }
        let bytes = RECORD + page.title.len();
        self.pages.insert(url.to_string(), page, bytes)
    }

    pub(super) fn asset(&mut self, url: &Url, asset: Asset) -> io::Result<()> {
        self.assets.insert(url.to_string(), asset, RECORD)
    }

    /// Pages kept, other spellings of one page among them until the crawl has ended.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.pages.len().saturating_sub(self.head.aliases.len())
    }

    /// Assets kept.
    #[must_use]
    pub fn asset_count(&self) -> usize {
        self.assets.len()
    }

    /// Finds pages whose addresses often mean the same and whose bytes are the same: of them one stays, the
    /// others become its aliases.
    pub(super) fn find_aliases(&mut self) -> io::Result<()> {
        let mut alike: HashMap<(String, String), Vec<(String, u32)>> = HashMap::new();
        let mut pages = self.pages.sorted()?;
        while let Some((address, page)) = pages.next()? {
            let form = Url::parse(&address).map(|url| loose_form(&url)).unwrap_or_default();
            if self.shared.contains(&form)? {
                let same = alike.entry((form, page.html.to_string())).or_default();
                same.push((address, page.depth));
            }
        }
        for spellings in alike.into_values().filter(|spellings| spellings.len() > 1) {
            let depth = spellings.iter().map(|(_, depth)| *depth).min().unwrap_or_default();
            let addresses = spellings.iter().map(|(address, _)| address);
            let best = addresses.min_by_key(|address| plainness(address, self.head.home.as_str()));
            let Some(best) = best.cloned() else { continue };
            let others = spellings.into_iter().map(|(address, _)| address).filter(|address| *address != best);
            self.head.aliases.extend(others.map(|from| Alias { from, to: best.clone() }));
            self.nearer.insert(best, depth);
        }
        self.head.aliases.sort();
        Ok(())
    }

    /// The snapshot, in memory.
    pub fn into_snapshot(mut self) -> io::Result<Snapshot> {
        let (pages, assets) = (self.pages()?, self.assets()?);
        for entry in pages {
            let (address, page) = entry?;
            self.head.pages.insert(address, page);
        }
        for entry in assets {
            let (address, asset) = entry?;
            self.head.assets.insert(address, asset);
        }
        Ok(self.head)
    }

    /// The snapshot as something that can be serialised once, without being held: the bytes are those that the snapshot
    /// itself would give.
    pub fn document(&mut self) -> io::Result<impl Serialize> {
        let pages = RefCell::new(self.pages()?);
        let assets = RefCell::new(self.assets()?);
        let head = &self.head;
        Ok(Document {
            version: head.version,
            start: &head.start,
            home: &head.home,
            pages,
            assets,
            redirects: &head.redirects,
            aliases: &head.aliases,
            not_found: head.not_found.as_ref(),
            findings: &head.findings,
            left_out: &head.left_out,
            truncated: head.truncated.as_deref(),
        })
    }

    /// All of the snapshot but pages and assets.
    #[must_use]
    pub fn head(&self) -> &Snapshot {
        &self.head
    }

    /// The pages by their addresses, in order.
    pub fn pages(&mut self) -> io::Result<Entries<Page>> {
        let aliases = self.head.aliases.iter().map(|alias| alias.from.clone()).collect();
        Ok(Entries { sorted: self.pages.sorted()?, aliases, nearer: self.nearer.clone() })
    }

    /// The assets by their addresses, in order.
    pub fn assets(&mut self) -> io::Result<Entries<Asset>> {
        Ok(Entries { sorted: self.assets.sorted()?, aliases: HashSet::new(), nearer: HashMap::new() })
    }
}

/// Of several spellings the home page's stays, or else the shortest and plainest one.
fn plainness(address: &str, home: &str) -> (bool, usize, usize, String) {
    let capitals = address.bytes().filter(u8::is_ascii_uppercase).count();
    (address != home, address.len(), capitals, address.to_owned())
}

/// Pages or assets of a crawl in the order of their addresses, read from disk as they are asked for.
#[derive(Debug)]
pub struct Entries<T> {
    sorted: Sorted<T>,
    /// Not handed out.
    aliases: HashSet<String>,
    nearer: HashMap<String, u32>,
}

/// What the shortest way to an entry changes in it.
trait Record: DeserializeOwned + Serialize {
    fn at(self, depth: u32) -> Self;
}

impl Record for Page {
    fn at(self, depth: u32) -> Self {
        Self { depth, ..self }
    }
}

impl Record for Asset {
    fn at(self, _: u32) -> Self {
        self
    }
}

impl<T: Record> Iterator for Entries<T> {
    type Item = io::Result<(String, T)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (address, entry) = match self.sorted.next().transpose()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            if !self.aliases.contains(&address) {
                let nearer = self.nearer.get(&address).copied();
                return Some(Ok((
                    address,
                    match nearer {
                        Some(depth) => entry.at(depth),
                        None => entry,
                    },
                )));
            }
        }
    }
}

/// A [`Snapshot`] whose pages and assets come one after the other: the same fields in the same order.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    start: &'a Url,
    home: &'a Url,
    #[serde(serialize_with = "entries")]
    pages: RefCell<Entries<Page>>,
    #[serde(serialize_with = "entries")]
    assets: RefCell<Entries<Asset>>,
    redirects: &'a [Redirect],
    #[serde(skip_serializing_if = "<[Alias]>::is_empty")]
    aliases: &'a [Alias],
    #[serde(skip_serializing_if = "Option::is_none")]
    not_found: Option<&'a Page>,
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    left_out: &'a BTreeMap<String, LeftOut>,
    truncated: Option<&'a str>,
}

fn entries<T: Record, S: Serializer>(kept: &RefCell<Entries<T>>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for entry in &mut *kept.borrow_mut() {
        let (address, record) = entry.map_err(S::Error::custom)?;
        map.serialize_entry(&address, &record)?;
    }
    map.end()
}
