//! What was left out, and what looked wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::frontier::Fingerprints;
use crate::snapshot::{Finding, LeftOut};

/// Findings kept; a site with more is told by the counts of what was left out.
const MAX_FINDINGS: usize = 10_000;
/// Addresses told apart when they are counted; beyond that a count may hold one twice.
const MAX_TOLD_APART: usize = 1_000_000;

#[derive(Debug, Default)]
pub(super) struct Notes {
    findings: BTreeSet<Finding>,
    left_out: BTreeMap<String, LeftOut>,
    seen: Fingerprints,
}

impl Notes {
    /// Notes what looked wrong.
    pub(super) fn find(&mut self, code: &str, url: &str, note: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.insert(Finding { code: code.to_owned(), url: url.to_owned(), note });
        }
    }

    /// Counts an address that was left out; `true` if it was not counted before.
    pub(super) fn count(&mut self, code: &str, url: &str) -> bool {
        let full = self.seen.len() >= MAX_TOLD_APART;
        if !full && !self.seen.insert(&format!("{code} {url}")) {
            return false;
        }
        self.count_more(code, 1, || url.to_owned());
        true
    }

    /// Counts addresses that are not told apart.
    pub(super) fn count_more(&mut self, code: &str, count: u64, example: impl FnOnce() -> String) {
        let left_out = self.left_out.entry(code.to_owned()).or_default();
        left_out.count += count;
        if left_out.examples.len() < LeftOut::MAX_EXAMPLES {
            left_out.examples.push(example());
        }
    }

    /// Counts an address that was left out and says why.
    pub(super) fn leave(&mut self, code: &str, url: &str, note: impl FnOnce() -> String) {
        if self.count(code, url) {
            self.find(code, url, note());
        }
    }

    /// `true` the first time that something is said under this name.
    pub(super) fn first(&mut self, name: &str) -> bool {
        self.seen.insert(name)
    }

    pub(super) fn finish(self) -> (Vec<Finding>, BTreeMap<String, LeftOut>) {
        (self.findings.into_iter().collect(), self.left_out)
    }
}
