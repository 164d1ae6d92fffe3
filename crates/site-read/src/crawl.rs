//! The crawl: level by level, several requests at once, merged in canonical order.
//!
//! What is asked next is decided only by what was merged before, never by which answer came first.
//! That is why answers are taken from an ordered queue, why every cap counts merged results, and why
//! a crawl that died goes on from its journal as if nothing had happened.

mod ask;
mod merge;
mod site;
mod start;
mod visit;

use std::collections::VecDeque;
use std::pin::pin;

use futures::StreamExt;
use site_fetch::Fetcher;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::archive::Archive;
use crate::error::{Error, Result};
use crate::frontier::Lead;
use crate::journal::{Journal, Scribe, Unrecorded};
use crate::limits::{Limits, Progress};
use crate::snapshot::Snapshot;
use crate::trap::{self, Trap};
use ask::Asker;
use merge::Merge;
use visit::Visitor;

/// Requests for pages per page kept: errors, redirects and files are answers too, and a site that
/// has nothing else must end as well.
const REQUESTS_PER_PAGE: usize = 4;

/// What came of reading a site.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reading {
    /// What was read.
    pub snapshot: Snapshot,
}

/// Reads the site at `start`, as far as the journal does not hold it already.
///
/// Cancel by dropping the future: what archive and journal hold by then stays, nothing else is left
/// behind. The report is called after each merged answer.
pub async fn read(
    fetcher: &Fetcher,
    archive: &dyn Archive,
    journal: &dyn Journal,
    start: &Url,
    limits: &Limits,
    report: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Reading> {
    let scribe = Scribe::open(journal).await.map_err(Error::Journal)?;
    let deadline = scribe.deadline(limits.max_time);
    let opened = start::open(fetcher, archive, &scribe, start).await?;
    let visitor = Visitor { fetcher, archive, site: opened.site.clone(), robots: opened.robots.clone() };
    let slots = Semaphore::new(limits.concurrency.clamp(1, Semaphore::MAX_PERMITS));
    let asker = Asker { visitor, scribe, slots };
    let mut merge = Merge::new(start, limits, report, opened.site.clone());
    let sitemaps = match tokio::time::timeout_at(deadline, start::sitemaps(&asker, &opened)).await {
        Ok(found) => found?,
        Err(_) => {
            merge.truncate("time");
            Vec::new()
        }
    };
    merge.start(&opened, sitemaps);
    let requests_left = limits.max_pages.saturating_mul(REQUESTS_PER_PAGE);
    let mut crawl = Crawl { merge, asker, limits, deadline, requests_left };
    crawl.pages().await?;
    crawl.assets().await?;
    Ok(Reading { snapshot: crawl.merge.finish() })
}

/// Reads the site at `start` without a journal; see [`read`].
pub async fn crawl(
    fetcher: &Fetcher,
    archive: &dyn Archive,
    start: &Url,
    limits: &Limits,
    report: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Snapshot> {
    let reading = read(fetcher, archive, &Unrecorded, start, limits, report).await?;
    Ok(reading.snapshot)
}

struct Crawl<'a> {
    merge: Merge<'a>,
    asker: Asker<'a>,
    limits: &'a Limits,
    deadline: Instant,
    requests_left: usize,
}

/// Which half of the crawl an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pages { depth: u32 },
    Assets,
}

impl Crawl<'_> {
    /// Levels of links until nothing new is known or a cap is reached.
    async fn pages(&mut self) -> Result<()> {
        while let Some((depth, level)) = self.merge.frontier.next_level() {
            let mut waiting: VecDeque<Lead> =
                level.into_iter().filter(|lead| self.worth_asking(lead, depth)).collect();
            while !waiting.is_empty() {
                // Never more than may still be kept: what is asked first is what is kept.
                let room = self.limits.max_pages.saturating_sub(self.merge.page_count());
                if room == 0 || self.requests_left == 0 {
                    self.merge.truncate("pages");
                    return Ok(());
                }
                let count = waiting.len().min(room).min(self.requests_left);
                self.requests_left -= count;
                let batch = waiting.drain(..count).collect();
                if !self.batch(batch, Stage::Pages { depth }).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Rounds of assets: those of pages, then those that style sheets name, and so on.
    async fn assets(&mut self) -> Result<()> {
        while self.merge.may_go_on()
            && let Some((_, round)) = self.merge.assets.next_level()
        {
            let (known, fresh): (Vec<_>, Vec<_>) =
                round.into_iter().partition(|lead| self.merge.was_asked(lead));
            for _ in known {
                self.merge.pass_over(Stage::Assets);
            }
            let mut waiting = VecDeque::from(fresh);
            while !waiting.is_empty() {
                let room = self.limits.max_assets.saturating_sub(self.merge.asset_count());
                if room == 0 {
                    self.merge.truncate("assets");
                    return Ok(());
                }
                let count = waiting.len().min(room);
                let batch = waiting.drain(..count).collect();
                if !self.batch(batch, Stage::Assets).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Asks a batch and merges it in its order; `false` when a cap on bytes or time ended it.
    async fn batch(&mut self, batch: Vec<Lead>, stage: Stage) -> Result<bool> {
        let mut answers = pin!(self.asker.ask_all(batch, stage));
        loop {
            let Ok(next) = tokio::time::timeout_at(self.deadline, answers.next()).await else {
                self.merge.truncate("time");
                return Ok(false);
            };
            let Some(answer) = next else {
                return Ok(true);
            };
            let (lead, visit) = answer?;
            if !self.merge.take(lead, &visit, stage) {
                return Ok(false);
            }
        }
    }

    /// Depth, traps and variants, judged in canonical order.
    fn worth_asking(&mut self, lead: &Lead, depth: u32) -> bool {
        let worth = self.judge(lead, depth);
        if !worth {
            self.merge.pass_over(Stage::Pages { depth });
        }
        worth
    }

    fn judge(&mut self, lead: &Lead, depth: u32) -> bool {
        if depth > self.limits.max_depth {
            self.merge.truncate("depth");
            self.merge.leave_out("depth-limit", lead);
            false
        } else if trap::is_growing(&lead.url) {
            self.merge.trap(Trap::GrowingPath, lead);
            false
        } else if !self.merge.variants.admit(&lead.url, self.limits.max_query_variants) {
            self.merge.trap(Trap::QueryVariants, lead);
            false
        } else {
            true
        }
    }
}
