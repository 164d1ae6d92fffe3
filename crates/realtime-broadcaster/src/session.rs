//! One connection to one migration's history: the greeting, the backlog from the cursor, then live frames,
//! heartbeats between, and a word at the end.
//!
//! The listener is subscribed before the backlog is read, and numbers have no gaps: what comes twice is known by
//! its number and dropped, what is missing is read from the database. A listener that does not take its frames
//! holds a bounded number of them, and after a while loses its connection; its cursor brings it back.

use crate::{
    Options,
    cursor::{History, Verdict},
    frame::{self, Frame},
    line::{End, Line, Next},
    metrics::{Metrics, Resync},
    topics::Subscription,
};
use bytes::BytesMut;
use domain::{MigrationId, TenantId, event::EventType};
use std::sync::Arc;
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
    pub(crate) subscription: Subscription<Frame>,
    pub(crate) options: Options,
    pub(crate) metrics: Arc<Metrics>,
}

impl Session {
    /// Until the connection ends, for whatever reason.
    pub(crate) async fn run(mut self, mut line: Line) {
        let end = match self.tell(&mut line).await {
            Ok(()) => End::Done,
            Err(end) => end,
        };
        line.close(end);
    }

    async fn tell(&mut self, line: &mut Line) -> Result<(), End> {
        let hello = frame::hello(self.verdict, self.history, self.last, self.options.heartbeat, line.retry);
        line.send(hello).await?;
        let mut at = self.verdict.from();
        loop {
            if self.backlog(line, &mut at).await? {
                return Ok(());
            }
            if self.live(line, &mut at).await? {
                return Ok(());
            }
        }
    }

    /// Sends what the database holds after `at`. True when that ends the history.
    async fn backlog(&mut self, line: &mut Line, at: &mut i64) -> Result<bool, End> {
        let mut done = false;
        loop {
            let page = self.store.events_after(self.tenant, self.migration, *at, self.options.page).await;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    tracing::warn!(migration = %self.migration, error, "the backlog cannot be read; trying again");
                    line.pause().await?;
                    continue;
                }
            };
            line.unpause();
            let mut bytes = BytesMut::new();
            for event in &page {
                bytes.extend_from_slice(&Frame::new(event, self.history).bytes);
                *at = event.seq;
                // A later run may follow: only a `done` with nothing behind it ends the stream.
                done = event.event_type == EventType::Done;
            }
            if !page.is_empty() {
                line.send(bytes.freeze()).await?;
                self.metrics.delivered(page.len());
            }
            if page.len() < self.options.page as usize {
                return Ok(done);
            }
        }
    }

    /// Sends live frames that follow `at`. True when the history ended, false when the database must be asked.
    async fn live(&mut self, line: &mut Line, at: &mut i64) -> Result<bool, End> {
        loop {
            match line.next(&mut self.subscription.frames).await? {
                Next::Heartbeat => line.send(frame::HEARTBEAT).await?,
                Next::Behind => {
                    self.metrics.resync(Resync::Lagged);
                    return Ok(false);
                }
                // The backlog held it already.
                Next::Frame(frame) if frame.seq <= *at => {}
                Next::Frame(frame) if frame.seq == *at + 1 => {
                    line.send(frame.bytes.clone()).await?;
                    self.metrics.delivered(1);
                    *at = frame.seq;
                    if frame.done {
                        return Ok(true);
                    }
                }
                Next::Frame(_) => {
                    self.metrics.resync(Resync::Gap);
                    return Ok(false);
                }
            }
        }
    }
}
