//! One connection to one migration's history: the greeting, the backlog from the cursor, then live frames,
//! heartbeats between, and a word at the end.
//!
//! The listener is subscribed before the backlog is read, and numbers have no gaps: what comes twice is known by
//! its number and dropped, what is missing is read from the database. A listener that does not take its frames
//! holds a bounded number of bytes, and after a while loses its connection; its cursor brings it back.

use crate::{
    cursor::{History, Verdict},
    hub::Seat,
    line::{End, Line, Next},
    metrics::{Metrics, Resync},
    page::Page,
    wire::{Hello, Wire},
};
use domain::{MigrationId, TenantId};
use std::{sync::Arc, time::Duration};
use store::Store;

/// Everything that one connection needs.
pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) migration: MigrationId,
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    /// The last event when the request came.
    pub(crate) last: i64,
    pub(crate) subscription: Seat,
    pub(crate) heartbeat: Duration,
    /// Events read at a time.
    pub(crate) page: u32,
    pub(crate) metrics: Arc<Metrics>,
}

impl Session {
    /// Until the connection ends, for whatever reason.
    pub(crate) async fn run<W: Wire>(mut self, mut line: Line<W>) {
        let end = match self.tell(&mut line).await {
            Ok(()) => End::Done,
            Err(end) => end,
        };
        line.close(end);
    }

    async fn tell<W: Wire>(&mut self, line: &mut Line<W>) -> Result<(), End> {
        let mut at = self.verdict.from();
        line.send(W::hello(&Hello {
            verdict: self.verdict,
            cursor: self.history.cursor(at),
            range: Some((at, self.last)),
            heartbeat: self.heartbeat,
            retry: line.retry,
        }))
        .await?;
        loop {
            // Boxed: the silent time after it should not carry its weight.
            if Box::pin(self.backlog(line, &mut at)).await? {
                return Ok(());
            }
            if self.live(line, &mut at).await? {
                return Ok(());
            }
        }
    }

    /// Sends what the database holds after `at`. True when that ends the history.
    async fn backlog<W: Wire>(&mut self, line: &mut Line<W>, at: &mut i64) -> Result<bool, End> {
        let mut done = false;
        loop {
            let events = match self.store.events_after(self.tenant, self.migration, *at, self.page).await {
                Ok(events) => events,
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    tracing::warn!(migration = %self.migration, error, "the backlog cannot be read; trying again");
                    line.pause().await?;
                    continue;
                }
            };
            line.unpause();
            let full = events.len() >= self.page as usize;
            let page = Page::new(events, |event| self.history.cursor(event.seq));
            if !page.is_empty() {
                // A later run may follow: only a `done` with nothing behind it ends the stream.
                done = page.ends();
                self.send(&page, line, at).await?;
            }
            if !full {
                return Ok(done);
            }
        }
    }

    /// Sends live frames that follow `at`. True when the history ended, false when the database must be asked.
    async fn live<W: Wire>(&mut self, line: &mut Line<W>, at: &mut i64) -> Result<bool, End> {
        loop {
            match line.next(&mut self.subscription.frames).await? {
                Next::Heartbeat => line.beat().await?,
                Next::Behind => {
                    self.metrics.resync(Resync::Lagged);
                    return Ok(false);
                }
                Next::Frame(page) => {
                    if self.send(&page, line, at).await? {
                        if page.ends() {
                            return Ok(true);
                        }
                    } else if page.first().is_some_and(|first| first > *at) {
                        self.metrics.resync(Resync::Gap);
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Sends what of a page follows `at`. False when there is nothing in it that does.
    async fn send<W: Wire>(&self, page: &Page, line: &mut Line<W>, at: &mut i64) -> Result<bool, End> {
        let Some(rest) = page.after(*at) else { return Ok(false) };
        let (Some(last), count) = (rest.events().last().map(|event| event.seq), rest.events().len()) else {
            return Ok(false);
        };
        line.send(W::events(rest, self.history)).await?;
        self.metrics.delivered(count);
        *at = last;
        Ok(true)
    }
}
