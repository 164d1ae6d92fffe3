//! One connection to a tenant's feed: the greeting, what came since the cursor, then live events, heartbeats
//! between, and a word at the end. It has no end of its own: migrations that are not there yet belong to it.
//!
//! The listener is subscribed before the backlog is read. What comes twice is known by its migration and number;
//! where a number is missing, the database is asked.

use super::{
    Sweep, Told,
    sweep::{Place, Step},
};
use crate::{
    cursor::{History, Verdict},
    frame,
    line::{End, Line, Next},
    metrics::{Metrics, Resync},
    topics::Subscription,
};
use bytes::{Bytes, BytesMut};
use domain::MigrationId;
use std::{collections::HashSet, convert::Infallible, sync::Arc, time::Duration};

/// Everything that one connection needs.
pub(crate) struct Session {
    pub(crate) sweep: Sweep,
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    /// Which migrations to tell of; `None` means all.
    pub(crate) chosen: Option<HashSet<MigrationId>>,
    pub(crate) subscription: Subscription<Told>,
    pub(crate) heartbeat: Duration,
    pub(crate) metrics: Arc<Metrics>,
}

impl Session {
    /// Until the connection ends, for whatever reason.
    pub(crate) async fn run(mut self, mut line: Line) {
        let Err(end) = self.tell(&mut line).await;
        line.close(end);
    }

    async fn tell(&mut self, line: &mut Line) -> Result<Infallible, End> {
        let cursor = self.history.cursor(self.sweep.at().0);
        line.send(frame::feed_hello(self.verdict, &cursor, self.heartbeat, line.retry)).await?;
        loop {
            self.backlog(line).await?;
            self.live(line).await?;
        }
    }

    /// Sends what the database holds and was not sent yet.
    async fn backlog(&mut self, line: &mut Line) -> Result<(), End> {
        let mut sent = 0;
        loop {
            let at = self.sweep.at();
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
                    let mut bytes = BytesMut::new();
                    let mut count = 0;
                    for placed in events.iter().filter(|placed| self.is_chosen(placed.event.migration_id)) {
                        bytes.extend_from_slice(&super::frame(&placed.event, self.history, at));
                        count += 1;
                    }
                    if count > 0 {
                        line.send(bytes.freeze()).await?;
                        self.metrics.delivered(count);
                        sent += count;
                    }
                }
                Step::Reached(_) if sent == 0 => return Ok(()),
                Step::Reached(_) => return line.send(self.cursor()).await,
            }
        }
    }

    /// Sends live events until the database has to be asked.
    async fn live(&mut self, line: &mut Line) -> Result<(), End> {
        let mut sent = 0;
        loop {
            let told = match line.next(&mut self.subscription.frames).await? {
                Next::Frame(told) => told,
                Next::Heartbeat => {
                    line.send(frame::HEARTBEAT).await?;
                    continue;
                }
                Next::Behind => {
                    self.metrics.resync(Resync::Lagged);
                    return Ok(());
                }
            };
            match &*told {
                Told::Event { migration, seq, written_by, bytes } => {
                    match self.sweep.place(*migration, *seq, *written_by) {
                        Place::Before => continue,
                        Place::Beyond => {
                            self.metrics.resync(Resync::Gap);
                            return Ok(());
                        }
                        Place::Next => self.sweep.told(*migration, *seq, *written_by),
                    }
                    if self.is_chosen(*migration) {
                        line.send(bytes.clone()).await?;
                        self.metrics.delivered(1);
                        sent += 1;
                    }
                }
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

    fn is_chosen(&self, migration: MigrationId) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.contains(&migration))
    }

    fn cursor(&self) -> Bytes {
        frame::cursor(&self.history.cursor(self.sweep.at().0))
    }
}
