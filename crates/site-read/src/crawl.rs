//! The crawl: level by level, several requests at once, merged in canonical order.
//!
//! What is asked next is decided only by what was merged before, never by which answer came first.
//! That is why answers are taken from an ordered queue, and why every cap counts merged results.

mod merge;
mod site;
mod start;
mod visit;

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream;
use site_fetch::Fetcher;
use tokio::time::Instant;
use url::Url;

use crate::archive::Archive;
use crate::error::Result;
use crate::frontier::Lead;
use crate::limits::{Limits, Progress};
use crate::snapshot::Snapshot;
use crate::trap::{self, Trap};
use merge::Merge;
use visit::{Outcome, Visitor};

/// Requests for pages per page kept: errors, redirects and files are answers too, and a site that
/// has nothing else must end as well.
const REQUESTS_PER_PAGE: usize = 4;

/// Reads the site at `start`.
///
/// Cancel by dropping the future: what the archive holds by then stays, nothing else is left behind.
/// The report is called after each merged answer.
pub async fn crawl(
    fetcher: &Fetcher,
    archive: &dyn Archive,
    start: &Url,
    limits: &Limits,
    report: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Snapshot> {
    let deadline = Instant::now() + limits.max_time;
    let opened = start::open(fetcher, archive, start).await?;
    let visitor = Visitor { fetcher, archive, site: opened.site.clone(), robots: opened.robots.clone() };
    let mut crawl = Crawl {
        merge: Merge::new(start, limits, report, opened.site.clone()),
        visitor,
        limits,
        deadline,
        requests_left: limits.max_pages.saturating_mul(REQUESTS_PER_PAGE),
    };
    let sitemaps = tokio::time::timeout_at(deadline, start::sitemaps(fetcher, &opened)).await;
    if sitemaps.is_err() {
        crawl.merge.truncate("time");
    }
    crawl.merge.start(opened, sitemaps.unwrap_or_default());
    crawl.pages().await?;
    crawl.assets().await?;
    Ok(crawl.merge.finish())
}

struct Crawl<'a> {
    merge: Merge<'a>,
    visitor: Visitor<'a>,
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
        let visitor = &self.visitor;
        let visits: Vec<_> = batch
            .into_iter()
            .map(|lead| async move {
                let outcome = match stage {
                    Stage::Pages { .. } => visitor.page(&lead.url).await,
                    Stage::Assets => visitor.asset(&lead.url).await,
                };
                (lead, outcome)
            })
            .collect();
        let mut answers = stream::iter(visits).buffered(self.limits.concurrency.max(1));
        loop {
            let Ok(next) = tokio::time::timeout_at(self.deadline, answers.next()).await else {
                self.merge.truncate("time");
                return Ok(false);
            };
            let Some((lead, outcome)) = next else {
                return Ok(true);
            };
            let outcome: Outcome = outcome?;
            if !self.merge.take(lead, outcome, stage) {
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
