//! The crawl: level by level, several requests at once, merged in canonical order.
//!
//! What is asked next is decided only by what was merged before, never by which answer came first.
//! That is why answers are taken from an ordered queue, why every cap counts merged results, and why
//! a crawl that died goes on from its journal as if nothing had happened.

mod ask;
mod content;
mod easel;
mod merge;
mod script_requests;
mod script_sets;
mod secured;
mod site;
mod start;
mod visit;

use std::pin::pin;
use std::sync::atomic::AtomicUsize;

use futures::StreamExt;
use site_fetch::Fetcher;
use tokio::sync::Semaphore;
use url::Url;

use crate::archive::Archive;
use crate::error::{Error, Result};
use crate::frontier::{Lead, Level};
use crate::journal::{Journal, Scribe, Unrecorded};
use crate::limits::{Limits, Progress};
use crate::snapshot::Snapshot;
use crate::trap::Verdict;
use ask::Asker;
use easel::Easel;
use merge::Merge;
use visit::Visitor;

pub use merge::{Entries, Gathered};

/// Requests for pages per page kept: errors, redirects and files are answers too, and a site that
/// has nothing else must end as well.
const REQUESTS_PER_PAGE: usize = 4;

/// Most requests judged before their answers are merged: larger batches keep the connections busy, and
/// every lead of one is in memory.
const MAX_BATCH: usize = 512;

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
    let gathered = gather(fetcher, archive, journal, start, limits, report).await?;
    Ok(Reading { snapshot: gathered.into_snapshot()? })
}

/// Does what [`read`] does for sites of any size: what it gathers is on disk when it is much.
pub async fn gather(
    fetcher: &Fetcher,
    archive: &dyn Archive,
    journal: &dyn Journal,
    start: &Url,
    limits: &Limits,
    report: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<Gathered> {
    let scribe = Scribe::open(journal).await.map_err(Error::Journal)?;
    let deadline = scribe.deadline(limits.max_time);
    let easel = Easel::new(fetcher, archive, limits);
    let opened = start::open(fetcher, &easel, &scribe, start, limits).await?;
    let visitor =
        Visitor { fetcher, archive, easel, site: opened.site.clone(), robots: opened.robots.clone() };
    let slots = Semaphore::new(limits.concurrency.clamp(1, Semaphore::MAX_PERMITS));
    let asker = Asker { visitor, scribe, slots, places: AtomicUsize::new(0), deadline };
    let mut merge = Merge::new(start, limits, report, opened.site.clone());
    let named = start::named(&asker, &opened).await?;
    if named.cut_by_time {
        merge.truncate("time");
    }
    merge.start(&opened, named)?;
    let requests_left = limits.max_pages.saturating_mul(REQUESTS_PER_PAGE);
    let mut crawl = Crawl { merge, asker, limits, requests_left };
    crawl.all().await?;
    Ok(crawl.merge.finish()?)
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
    requests_left: usize,
}

/// Which part of the crawl an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pages {
        depth: u32,
    },
    /// Pages again, for what only their scripts name.
    Scripts {
        depth: u32,
    },
    Assets,
}

/// How a batch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    WithItsLast,
    /// By the cap on bytes.
    ByBytes,
    ByTime,
}

impl Ended {
    fn limit(self) -> Option<&'static str> {
        match self {
            Self::WithItsLast => None,
            Self::ByBytes => Some("bytes"),
            Self::ByTime => Some("time"),
        }
    }
}

impl Crawl<'_> {
    /// Pages, what they are made of, and then what only scripts name; from the beginning, as long as these, or files such as a
    /// manifest, name pages. What a script both links to and asks for is a page first, as it is where the page itself links to it.
    async fn all(&mut self) -> Result<()> {
        let mut more_pages = true;
        loop {
            more_pages = more_pages && self.pages().await?;
            if !self.assets().await? {
                return Ok(self.merge.leave_scripts()?);
            }
            if !self.scripts().await? {
                return Ok(());
            }
            let pages = more_pages && self.merge.frontier.waiting() > 0;
            if !pages && self.merge.assets.waiting() == 0 {
                return Ok(());
            }
        }
    }

    /// Levels of links until nothing new is known; `false` when a limit ended it before.
    async fn pages(&mut self) -> Result<bool> {
        while self.merge.may_go_on()
            && let Some((depth, mut level)) = self.merge.frontier.next_level()?
        {
            loop {
                // Never more than may still be kept: what is asked first is what is kept.
                let room = self.limits.max_pages.saturating_sub(self.merge.page_count());
                let room = room.min(self.requests_left);
                let batch = self.next_pages(&mut level, depth, room.min(MAX_BATCH))?;
                if batch.is_empty() {
                    if level.left() == 0 {
                        break;
                    }
                    self.merge.cut("pages", Some(level))?;
                    return Ok(false);
                }
                self.requests_left -= batch.len();
                let ended = self.batch(batch, Stage::Pages { depth }).await?;
                if let Some(limit) = ended.limit() {
                    self.merge.cut(limit, Some(level))?;
                    return Ok(false);
                }
            }
        }
        Ok(self.merge.may_go_on())
    }

    /// The next pages of a level that are worth asking, judged in canonical order.
    fn next_pages(&mut self, level: &mut Level, depth: u32, room: usize) -> Result<Vec<Lead>> {
        let mut batch = Vec::new();
        while let Some(lead) = level.next()? {
            if !self.merge.admits(&lead, depth)? {
                self.merge.pass_over(Stage::Pages { depth });
                continue;
            }
            if batch.len() >= room {
                level.hold(lead);
                break;
            }
            match self.merge.judge(&lead)? {
                Verdict::Ask => batch.push(lead),
                Verdict::Wait => {
                    level.hold(lead);
                    break;
                }
                Verdict::Leave(trap) => {
                    self.merge.trap(trap, &lead)?;
                    self.merge.pass_over(Stage::Pages { depth });
                }
            }
        }
        Ok(batch)
    }

    /// Has the scripts run that no page had before; `false` when a limit ended it before.
    async fn scripts(&mut self) -> Result<bool> {
        while self.merge.may_go_on()
            && let Some((depth, mut round)) = self.merge.scripted.next_level()?
        {
            let mut batch = Vec::new();
            while let Some(lead) = round.next()? {
                if self.merge.runs_scripts(&lead)? {
                    batch.push(lead);
                }
            }
            if let Some(limit) = self.batch(batch, Stage::Scripts { depth }).await?.limit() {
                self.merge.truncate(limit);
                return Ok(false);
            }
        }
        Ok(self.merge.may_go_on())
    }

    /// Rounds of assets: those of pages, then those that style sheets name, and so on; `false` when a limit
    /// ended it before.
    async fn assets(&mut self) -> Result<bool> {
        while self.merge.may_go_on()
            && let Some((_, mut round)) = self.merge.assets.next_level()?
        {
            loop {
                let room = self.limits.max_assets.saturating_sub(self.merge.asset_count());
                let batch = self.next_assets(&mut round, room.min(MAX_BATCH))?;
                if batch.is_empty() {
                    if round.left() == 0 {
                        break;
                    }
                    self.merge.cut("assets", Some(round))?;
                    return Ok(false);
                }
                let ended = self.batch(batch, Stage::Assets).await?;
                if let Some(limit) = ended.limit() {
                    self.merge.cut(limit, Some(round))?;
                    return Ok(false);
                }
            }
        }
        Ok(self.merge.may_go_on())
    }

    fn next_assets(&mut self, round: &mut Level, room: usize) -> Result<Vec<Lead>> {
        let mut batch = Vec::new();
        while let Some(lead) = round.next()? {
            if self.merge.was_asked(&lead)? {
                self.merge.pass_over(Stage::Assets);
            } else if batch.len() < room {
                batch.push(lead);
            } else {
                round.hold(lead);
                break;
            }
        }
        Ok(batch)
    }

    /// Asks a batch and merges it in its order.
    async fn batch(&mut self, batch: Vec<Lead>, stage: Stage) -> Result<Ended> {
        let mut answers = pin!(self.asker.ask_all(batch, stage));
        while let Some(answer) = answers.next().await {
            let (lead, visit) = answer?;
            let Some(visit) = visit else {
                return Ok(Ended::ByTime);
            };
            if !self.merge.take(&lead, &visit, stage)? {
                return Ok(Ended::ByBytes);
            }
        }
        Ok(Ended::WithItsLast)
    }
}
