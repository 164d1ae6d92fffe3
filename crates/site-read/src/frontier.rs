//! What is still to be asked, by depth and then by address.
//!
//! The order of asking depends on nothing but the addresses, so that a cap cuts the same pages
//! each time.

use std::collections::{BTreeMap, HashSet};

use url::Url;

use crate::web_address::{normal_form, without_fragment};

/// One address to ask, and the page that named it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) form: String,
    pub(crate) url: Url,
    pub(crate) from: Option<String>,
}

/// Addresses known, each once whatever its spelling.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    known: HashSet<String>,
    levels: BTreeMap<u32, BTreeMap<String, Lead>>,
}

impl Frontier {
    /// Takes note of an address; `true` if it is new.
    pub(crate) fn add(&mut self, depth: u32, url: &Url, from: Option<&str>) -> bool {
        let form = normal_form(url);
        if !self.known.insert(form.clone()) {
            return false;
        }
        let lead = Lead { form: form.clone(), url: without_fragment(url), from: from.map(str::to_owned) };
        self.levels.entry(depth).or_default().insert(form, lead);
        true
    }

    /// Takes note of another spelling of a known address that the server itself insists on, by a
    /// redirect from one to the other; each spelling once.
    pub(crate) fn insist(&mut self, depth: u32, url: &Url, from: Option<&str>) {
        let url = without_fragment(url);
        if !self.known.insert(format!("spelled {url}")) {
            return;
        }
        let form = normal_form(&url);
        let lead = Lead { form: form.clone(), url, from: from.map(str::to_owned) };
        self.levels.entry(depth).or_default().insert(form, lead);
    }

    /// Marks an address as dealt with.
    pub(crate) fn close(&mut self, url: &Url) {
        self.known.insert(normal_form(url));
    }

    /// All addresses of the lowest depth, in order.
    pub(crate) fn next_level(&mut self) -> Option<(u32, Vec<Lead>)> {
        let (depth, level) = self.levels.pop_first()?;
        Some((depth, level.into_values().collect()))
    }

    pub(crate) fn known(&self) -> u64 {
        self.known.len() as u64
    }
}
