//! One connection: the greeting, the backlog from the cursor, then live frames, heartbeats between, and a word
//! at the end.
//!
//! The listener is subscribed before the backlog is read, and numbers have no gaps: what comes twice is known by
//! its number and dropped, what is missing is read from the database. A listener that does not take its frames
//! holds a bounded number of them, and after a while loses its connection; its cursor brings it back.

use crate::{
    Options,
    cursor::{History, Verdict},
    frame::{self, Frame},
    hub::Subscription,
    limits::Place,
    metrics::{Metrics, Resync},
};
use bytes::{Bytes, BytesMut};
use domain::{MigrationId, TenantId, event::EventType};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// The first wait after the database did not answer; it doubles up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Everything that one connection needs.
pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) migration: MigrationId,
    pub(crate) history: History,
    pub(crate) verdict: Verdict,
    /// The last event when the request came.
    pub(crate) last: i64,
    pub(crate) subscription: Subscription,
    pub(crate) out: mpsc::Sender<Bytes>,
    pub(crate) stopping: CancellationToken,
    /// When the caller's key stops working, if that is known.
    pub(crate) key_ends: Option<Instant>,
    /// Between 0 and 1, drawn for this connection.
    pub(crate) spread: f64,
    pub(crate) options: Options,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) place: Place,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The history is over.
    Done,
    /// The process stops.
    Stopping,
    /// The connection had its time; come again.
    Rotated,
    /// The key does not work any more.
    KeyExpired,
    /// The listener took nothing for too long.
    Slow,
    /// The listener went away.
    Gone,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopping => "stopping",
            Self::Rotated => "rotated",
            Self::KeyExpired => "key_expired",
            Self::Slow => "slow",
            Self::Gone => "gone",
        }
    }
}

/// What the listener is to be given next.
enum Next {
    Frame(Arc<Frame>),
    /// The shared buffer has moved on: read the database again.
    Behind,
    Heartbeat,
}

impl Session {
    /// Until the connection ends, for whatever reason.
    pub(crate) async fn run(mut self) {
        let mut line = Line::new(&self);
        let end = match self.tell(&mut line).await {
            Ok(()) => End::Done,
            Err(end) => end,
        };
        if matches!(end, End::Stopping | End::Rotated | End::KeyExpired | End::Slow) {
            // Only if there is room: the connection ends in any case, and its end says the same.
            let _room = self.out.try_send(frame::bye(end.as_str()));
        }
        self.metrics.closed(end.as_str());
        tracing::debug!(migration = %self.migration, reason = end.as_str(), "a stream ended");
        drop(self.place);
    }

    async fn tell(&mut self, line: &mut Line) -> Result<(), End> {
        let retry = self.options.retry.mul_f64(1.0 + self.spread / 2.0);
        let hello = frame::hello(self.verdict, self.history, self.last, self.options.heartbeat, retry);
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
        let mut pause = FIRST_PAUSE;
        let mut done = false;
        loop {
            let page = self.store.events_after(self.tenant, self.migration, *at, self.options.page).await;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    tracing::warn!(migration = %self.migration, error, "the backlog cannot be read; trying again");
                    line.wait(pause).await?;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            };
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
            match line.next(&mut self.subscription).await? {
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

/// The connection's way out, and everything that may end it.
struct Line {
    out: mpsc::Sender<Bytes>,
    stopping: CancellationToken,
    heartbeat: Interval,
    patience: Duration,
    ends_at: Instant,
    end: End,
}

impl Line {
    fn new(session: &Session) -> Self {
        let options = &session.options;
        let rotates = Instant::now() + options.lifetime.mul_f64(0.8 + session.spread * 0.4);
        let (ends_at, end) = match session.key_ends {
            Some(key_ends) if key_ends < rotates => (key_ends, End::KeyExpired),
            _ => (rotates, End::Rotated),
        };
        let mut heartbeat = interval_at(Instant::now() + options.heartbeat, options.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (out, stopping) = (session.out.clone(), session.stopping.clone());
        Self { out, stopping, heartbeat, patience: options.patience, ends_at, end }
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), End> {
        tokio::select! {
            biased;
            sent = timeout(self.patience, self.out.send(bytes)) => match sent {
                Ok(Ok(())) => {
                    self.heartbeat.reset();
                    Ok(())
                }
                Ok(Err(_)) => Err(End::Gone),
                Err(_) => Err(End::Slow),
            },
            () = self.stopping.cancelled() => Err(End::Stopping),
        }
    }

    async fn next(&mut self, subscription: &mut Subscription) -> Result<Next, End> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(End::Stopping),
            () = self.out.closed() => Err(End::Gone),
            () = sleep_until(self.ends_at) => Err(self.end),
            heard = subscription.frames.recv() => Ok(match heard {
                Ok(frame) => Next::Frame(frame),
                // Closed: the reader stops only with the process, and `stopping` tells that next.
                Err(RecvError::Lagged(_) | RecvError::Closed) => Next::Behind,
            }),
            _ = self.heartbeat.tick() => Ok(Next::Heartbeat),
        }
    }

    /// Waits, keeping the connection alive.
    async fn wait(&mut self, pause: Duration) -> Result<(), End> {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(End::Stopping),
                () = self.out.closed() => return Err(End::Gone),
                () = sleep_until(until) => return Ok(()),
                _ = self.heartbeat.tick() => {}
            }
            self.send(frame::HEARTBEAT).await?;
        }
    }
}
