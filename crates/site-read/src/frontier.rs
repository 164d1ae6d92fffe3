//! What is still to be asked, by depth and then by address.
//!
//! The order of asking depends on nothing but the addresses, so that a cap cuts the same pages
//! each time. What there is much of goes to disk.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::fingerprints::Fingerprints;
use crate::spill::{Sorted, Spill};
use crate::web_address::{normal_form, without_fragment, without_noise};

/// One address to ask, and the page that named it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) form: String,
    pub(crate) url: Url,
    pub(crate) from: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    url: Url,
    from: Option<String>,
}

/// Addresses known, each once whatever its spelling.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    known: Fingerprints,
    levels: BTreeMap<u32, Spill<Kept>>,
}

impl Frontier {
    /// Takes note of an address; `true` if it is new.
    pub(crate) fn add(&mut self, depth: u32, url: &Url, from: Option<&str>) -> io::Result<bool> {
        let form = normal_form(url);
        if !self.known.insert(&form)? {
            return Ok(false);
        }
        let url = without_fragment(&without_noise(url));
        self.keep(depth, form, url, from).map(|()| true)
    }

    /// Takes note of another spelling of a known address that the server itself insists on, by a
    /// redirect from one to the other; each spelling once.
    pub(crate) fn insist(&mut self, depth: u32, url: &Url, from: Option<&str>) -> io::Result<()> {
        let url = without_fragment(url);
        if !self.known.insert(&format!("spelled {url}"))? {
            return Ok(());
        }
        self.keep(depth, normal_form(&url), url, from)
    }

    fn keep(&mut self, depth: u32, form: String, url: Url, from: Option<&str>) -> io::Result<()> {
        let kept = Kept { url, from: from.map(str::to_owned) };
        let bytes = kept.url.as_str().len() + kept.from.as_ref().map_or(0, String::len) + 100;
        self.levels.entry(depth).or_default().insert(form, kept, bytes)
    }

    /// Marks an address as dealt with; `true` if it was not known.
    pub(crate) fn close(&mut self, url: &Url) -> io::Result<bool> {
        self.known.insert(&normal_form(url))
    }

    /// All addresses of the lowest depth, in order.
    pub(crate) fn next_level(&mut self) -> io::Result<Option<(u32, Level)>> {
        let Some((depth, mut level)) = self.levels.pop_first() else { return Ok(None) };
        Ok(Some((depth, Level { sorted: level.sorted()?, held: None })))
    }

    /// Addresses that wait to be asked.
    pub(crate) fn waiting(&self) -> usize {
        self.levels.values().map(Spill::len).sum()
    }

    pub(crate) fn known(&self) -> u64 {
        self.known.len() as u64
    }
}

/// The addresses of one depth.
#[derive(Debug)]
pub(crate) struct Level {
    sorted: Sorted<Kept>,
    held: Option<Lead>,
}

impl Level {
    pub(crate) fn next(&mut self) -> io::Result<Option<Lead>> {
        if let Some(lead) = self.held.take() {
            return Ok(Some(lead));
        }
        let next = self.sorted.next()?;
        Ok(next.map(|(form, Kept { url, from })| Lead { form, url, from }))
    }

    /// Puts an address back: it is the next one again.
    pub(crate) fn hold(&mut self, lead: Lead) {
        self.held = Some(lead);
    }

    /// Addresses still to come.
    pub(crate) fn left(&self) -> usize {
        usize::from(self.held.is_some()) + self.sorted.left()
    }
}
