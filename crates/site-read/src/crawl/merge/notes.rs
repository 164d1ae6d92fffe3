//! What was left out, and what looked wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::fingerprints::Fingerprints;
use crate::snapshot::{Finding, LeftOut};

/// Findings kept; a site with more is told by the counts of what was left out.
const MAX_FINDINGS: usize = 10_000;

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
    pub(super) fn count(&mut self, code: &str, url: &str) -> io::Result<bool> {
        if !self.seen.insert(&format!("{code} {url}"))? {
            return Ok(false);
        }
        self.count_more(code, 1, || url.to_owned());
        Ok(true)
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
    pub(super) fn leave(&mut self, code: &str, url: &str, note: impl FnOnce() -> String) -> io::Result<()> {
        if self.count(code, url)? {
            self.find(code, url, note());
        }
        Ok(())
    }

    /// `true` the first time that something is said under this name.
    pub(super) fn first(&mut self, name: &str) -> io::Result<bool> {
        self.seen.insert(name)
    }

    pub(super) fn finish(self) -> (Vec<Finding>, BTreeMap<String, LeftOut>) {
        (self.findings.into_iter().collect(), self.left_out)
    }
}
