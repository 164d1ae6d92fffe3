//! One connection to a tenant's feed: the greeting, what came since the cursor, then live events, heartbeats
//! between, and a word at the end. It has no end of its own: migrations that are not there yet belong to it.
//!
//! The listener is subscribed before the backlog is read. What comes twice is known by its migration and number;
//! where a number is missing, the database is asked.

use super::{
    Placed, Sweep, Told,
    sweep::{Place, Step},
};
use crate::{
    cursor::{History, Mark, Verdict},
    frame,
    hub::FeedSeat,
    line::{End, Line, Next},
    metrics::{Metrics, Resync},
    wire::{Hello, Sse, Wire},
};
use bytes::Bytes;
use domain::{MigrationId, event::Event};
use std::{collections::HashSet, convert::Infallible, sync::Arc, time::Duration};

/// Everything that one connection needs.
pub(crate) struct Session {
    pub(crate) sweep: Sweep,
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    /// Where the client stood when it came.
    pub(crate) mark: Mark,
    /// Which migrations to tell of; `None` means all.
    pub(crate) chosen: Option<HashSet<MigrationId>>,
    pub(crate) subscription: FeedSeat,
    pub(crate) heartbeat: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

impl Session {
    /// Until the connection ends, for whatever reason.
    pub(crate) async fn run(mut self, mut line: Line<Sse>) {
        let Err(end) = self.tell(&mut line).await;
        line.close(end);
    }

    async fn tell(&mut self, line: &mut Line<Sse>) -> Result<Infallible, End> {
        line.send(Sse::hello(&Hello {
            verdict: self.verdict,
            cursor: self.history.mark(self.mark),
            range: None,
            heartbeat: self.heartbeat,
            retry: line.retry,
        }))
        .await?;
        loop {
            // Boxed: the silent time after it should not carry its weight.
            Box::pin(self.backlog(line)).await?;
            self.live(line).await?;
        }
    }

    /// Sends what the database holds and was not sent yet.
    async fn backlog(&mut self, line: &mut Line<Sse>) -> Result<(), End> {
        // A client that came back in the middle of a look gets a cursor behind it, even if nothing was left of it.
        let mut behind = self.mark.within.take().is_some();
        loop {
            let step = match self.sweep.step().await {
                Ok(step) => step,
                Err(error) => {
                    let (tenant, error) = (self.sweep.tenant(), service_kit::exit::chain(&error));
                    tracing::warn!(%tenant, error, "the backlog cannot be read; trying again");
                    line.pause().await?;
                    continue;
                }
            };
            line.unpause();
            match step {
                Step::Events(events) => {
                    let cursor = |event: &Event| {
                        self.history.mark(self.sweep.mark_after(event.migration_id, event.seq))
                    };
                    let placed = Placed::new(events, cursor);
                    if let Some(placed) = placed.filter(|placed| self.is_chosen(placed.migration)) {
                        behind |= self.send(&placed, 0, line).await? > 0;
                    }
                }
                Step::Reached(_) if behind => return line.send(self.cursor()).await,
                Step::Reached(_) => return Ok(()),
            }
        }
    }

    /// Sends live events until the database has to be asked.
    async fn live(&mut self, line: &mut Line<Sse>) -> Result<(), End> {
        let mut sent = 0;
        loop {
            let told = match line.next(&mut self.subscription.frames).await? {
                Next::Frame(told) => told,
                Next::Heartbeat => {
                    line.beat().await?;
                    continue;
                }
                Next::Behind => {
                    self.metrics.resync(Resync::Lagged);
                    return Ok(());
                }
            };
            match &*told {
                Told::Events(placed) => match self.note(placed) {
                    Some(known) if self.is_chosen(placed.migration) => {
                        sent += self.send(placed, known, line).await?;
                    }
                    Some(_) => {}
                    None => {
                        self.metrics.resync(Resync::Gap);
                        return Ok(());
                    }
                },
                Told::Reached(horizon) => {
                    self.sweep.reached(*horizon);
                    if sent > 0 {
                        line.send(self.cursor()).await?;
                        sent = 0;
                    }
                }
            }
        }
    }

    /// Takes note of events that the shared reader read; the last of them that was told before. `None` where others
    /// of their migration are missing before them.
    fn note(&mut self, placed: &Placed) -> Option<i64> {
        let first = placed.page.first()?;
        let (mut known, mut new) = (first - 1, false);
        for (seq, written_by) in (first..).zip(&placed.written_by) {
            match self.sweep.place(placed.migration, seq, *written_by) {
                Place::Before if new => {}
                Place::Before => known = seq,
                Place::Beyond => return None,
                Place::Next => {
                    new = true;
                    self.sweep.told(placed.migration, seq, *written_by);
                }
            }
        }
        Some(known)
    }

    /// Sends the events after this one; how many.
    async fn send(&self, placed: &Placed, after: i64, line: &mut Line<Sse>) -> Result<usize, End> {
        let after = after.max(placed.page.first().unwrap_or(1) - 1);
        let Some(rest) = placed.page.after(after) else { return Ok(0) };
        let count = rest.events().len();
        if count > 0 {
            line.send(Sse::events(rest, self.history)).await?;
            self.metrics.delivered(count);
        }
        Ok(count)
    }

    fn is_chosen(&self, migration: MigrationId) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&migration))
    }

    fn cursor(&self) -> Bytes {
        frame::cursor(&self.history.cursor(self.sweep.at().0))
    }
}
