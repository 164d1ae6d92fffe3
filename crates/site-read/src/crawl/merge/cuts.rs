//! Where a limit ends the crawl, and what was still known then.

use std::io;

use url::Url;

use super::Merge;
use crate::frontier::Level;
use crate::snapshot::LeftOut;

impl Merge<'_> {
    /// Notes which limit cut the crawl, with what was still known then: the rest of this level, if one was
    /// being asked.
    pub(in crate::crawl) fn cut(&mut self, limit: &str, level: Option<Level>) -> io::Result<()> {
        self.truncate(limit);
        self.pages_cut |= limit == "pages";
        let code = match limit {
            "pages" => "page-limit",
            "assets" => "asset-limit",
            "bytes" => "byte-limit",
            _ => "time-limit",
        };
        let assets = limit == "assets";
        let mut level = level;
        for _ in 0..LeftOut::MAX_EXAMPLES {
            let Some(lead) = level.as_mut().map(Level::next).transpose()?.flatten() else { break };
            self.notes.count(code, lead.url.as_str())?;
        }
        let rest = level.map_or(0, |level| level.left()) + if assets { 0 } else { self.frontier.waiting() };
        let rest = rest as u64 + self.assets.waiting() as u64 * u64::from(assets);
        if rest > 0 {
            self.notes.count_more(code, rest, || format!("and {rest} more"));
        }
        Ok(())
    }

    /// Says of pages whose scripts would have been run, had no limit ended the crawl before.
    pub(in crate::crawl) fn leave_scripts(&mut self) -> io::Result<()> {
        while let Some((_, mut round)) = self.scripted.next_level()? {
            while let Some(lead) = round.next()? {
                if self.runs_scripts(&lead)? {
                    let note = "its scripts were not run, so pages that only they name may be missing: a limit of the crawl was reached before";
                    self.notes.leave("scripts-not-run", lead.url.as_str(), || note.to_owned())?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn afford(&mut self, bytes: u64, url: &Url) -> io::Result<bool> {
        if self.bytes.saturating_add(bytes) > self.limits.max_bytes {
            self.truncate("bytes");
            self.notes.count("byte-limit", url.as_str())?;
            return Ok(false);
        }
        self.bytes += bytes;
        Ok(true)
    }

    /// Notes which limit cut the crawl; the first one is kept, but time outranks all, since it alone
    /// makes the result depend on the day.
    pub(in crate::crawl) fn truncate(&mut self, limit: &str) {
        if limit == "time" || self.gathered.head.truncated.is_none() {
            self.gathered.head.truncated = Some(limit.to_owned());
        }
    }

    pub(in crate::crawl) fn may_go_on(&self) -> bool {
        !matches!(self.gathered.head.truncated.as_deref(), Some("bytes" | "time"))
    }
}
