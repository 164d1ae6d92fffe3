//! Answers in the order of the questions: from the journal, or from the site and then into the journal. The cap on
//! time holds for the site alone: what is recorded is never lost to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::Stage;
use super::visit::Visitor;
use crate::error::{Error, Result};
use crate::frontier::Lead;
use crate::journal::{MAX_BATCH, Purpose, Scribe, Visit, VisitKey};

/// Answers that may wait for the one before them, for each request under way: a slow answer then does
/// not stop the others at once.
const AHEAD: usize = 4;

pub(super) struct Asker<'a> {
    pub(super) visitor: Visitor<'a>,
    pub(super) scribe: Scribe<'a>,
    /// Requests under way, their recording included.
    pub(super) slots: Semaphore,
    /// Pages asked for so far, counted in canonical order.
    pub(super) places: AtomicUsize,
    /// From here on the site is asked nothing.
    pub(super) deadline: Instant,
}

impl Asker<'_> {
    /// What came of each lead, in their order; nothing where time was up before it came.
    pub(super) fn ask_all(
        &self,
        leads: Vec<Lead>,
        stage: Stage,
    ) -> impl Stream<Item = Result<(Lead, Option<Arc<Visit>>)>> {
        let ahead = self.slots.available_permits().max(1).saturating_mul(AHEAD);
        let mut leads = leads.into_iter();
        let batches = std::iter::from_fn(move || {
            let batch: Vec<Lead> = leads.by_ref().take(MAX_BATCH).collect();
            (!batch.is_empty()).then_some(batch)
        });
        stream::iter(batches)
            .then(move |batch| self.recall(batch, stage))
            .map_ok(|known| stream::iter(known.into_iter().map(Ok)))
            .try_flatten()
            .map(move |next: Result<(Lead, Option<Arc<Visit>>)>| {
                // Counted here, where leads pass in their order, and not when they are answered.
                let pages = usize::from(matches!(stage, Stage::Pages { .. }));
                let place = self.places.fetch_add(pages, Ordering::Relaxed);
                async move {
                    let (lead, known) = next?;
                    let visit = match known {
                        Some(visit) => Some(visit),
                        None => self.ask(key(&lead, stage), &lead, stage, place).await?,
                    };
                    Ok((lead, visit))
                }
            })
            .buffered(ahead)
    }

    /// What came of a sitemap; nothing where time was up.
    pub(super) async fn sitemap(&self, url: &Url) -> Result<Option<Arc<Visit>>> {
        let key = VisitKey { purpose: Purpose::Sitemap, url: url.to_string() };
        self.once(key, self.visitor.sitemap(url)).await
    }

    /// What the site answers for an address that does not exist; nothing where time was up.
    pub(super) async fn probe(&self, url: &Url) -> Result<Option<Arc<Visit>>> {
        let key = VisitKey { purpose: Purpose::Probe, url: url.to_string() };
        self.once(key, self.visitor.probe(url)).await
    }

    async fn once(
        &self,
        key: VisitKey,
        visit: impl Future<Output = Result<Visit>>,
    ) -> Result<Option<Arc<Visit>>> {
        match self.known(std::slice::from_ref(&key)).await?.into_iter().next().flatten() {
            Some(visit) => Ok(Some(visit)),
            None => self.in_time(key, visit).await,
        }
    }

    /// Visits and records; gives up when time is up, and does not begin after that.
    async fn in_time(
        &self,
        key: VisitKey,
        visit: impl Future<Output = Result<Visit>>,
    ) -> Result<Option<Arc<Visit>>> {
        // A visit that is ready at once would never see the deadline: it is asked last.
        if Instant::now() >= self.deadline {
            return Ok(None);
        }
        let Ok(visit) = timeout_at(self.deadline, visit).await else {
            return Ok(None);
        };
        let visit = Arc::new(visit?);
        self.scribe.record(key, visit.clone()).await.map_err(Error::Journal)?;
        Ok(Some(visit))
    }

    async fn recall(&self, leads: Vec<Lead>, stage: Stage) -> Result<Vec<(Lead, Option<Arc<Visit>>)>> {
        let keys: Vec<VisitKey> = leads.iter().map(|lead| key(lead, stage)).collect();
        let known = self.known(&keys).await?;
        Ok(leads.into_iter().zip(known).collect())
    }

    /// What an earlier process recorded. What failed then may have passed by now, so it is asked again.
    async fn known(&self, keys: &[VisitKey]) -> Result<Vec<Option<Arc<Visit>>>> {
        let known = self.scribe.recall(keys).await.map_err(Error::Journal)?;
        Ok(known
            .into_iter()
            .map(|visit| visit.filter(|visit| !matches!(**visit, Visit::Failed { .. })))
            .collect())
    }

    async fn ask(
        &self,
        key: VisitKey,
        lead: &Lead,
        stage: Stage,
        place: usize,
    ) -> Result<Option<Arc<Visit>>> {
        // Never closed, so it always opens; who has a place gives it back by the deadline.
        let _slot = self.slots.acquire().await.ok();
        match stage {
            Stage::Pages { .. } => self.in_time(key, self.visitor.page(&lead.url, place)).await,
            Stage::Scripts { .. } => self.in_time(key, self.visitor.run_scripts(&lead.url)).await,
            Stage::Assets => self.in_time(key, self.visitor.asset(&lead.url)).await,
        }
    }
}

fn key(lead: &Lead, stage: Stage) -> VisitKey {
    let purpose = match stage {
        Stage::Pages { .. } => Purpose::Page,
        Stage::Scripts { .. } => Purpose::Scripts,
        Stage::Assets => Purpose::Asset,
    };
    VisitKey { purpose, url: lead.url.to_string() }
}
