//! A connection's way out, and everything that may end it: the listener, its pace, its key, its time, our stop.
//!
//! What is sent is handed over within a bound, or the connection ends; nothing is kept for a listener here but
//! the bytes of `ahead`.

use crate::{
    Options,
    access::Held,
    limits::Place,
    metrics::Metrics,
    pipe::{self, Gone, pipe},
    wire::Wire,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// The first wait after the database did not answer; it doubles up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// What a connection is opened with.
pub(crate) struct Opening {
    pub(crate) stopping: CancellationToken,
    /// When the caller's key stops working, if that is known.
    pub(crate) key_ends: Option<Instant>,
    /// Tells when it stops working earlier; a service's token does not.
    pub(crate) held: Option<Held>,
    /// Between 0 and 1, drawn for this connection.
    pub(crate) spread: f64,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) place: Place,
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The history is over.
    Done,
    /// The process stops.
    Stopping,
    /// The connection had its time; come again.
    Rotated,
    /// The key does not work any more.
    KeyExpired,
    /// The key was revoked, or its session signed out.
    SignedOut,
    /// The listener took nothing for too long.
    Slow,
    /// The listener went away.
    Gone,
}

impl End {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopping => "stopping",
            Self::Rotated => "rotated",
            Self::KeyExpired => "key_expired",
            Self::SignedOut => "signed_out",
            Self::Slow => "slow",
            Self::Gone => "gone",
        }
    }
}

/// What the listener is to be given next.
pub(crate) enum Next<F> {
    Frame(Arc<F>),
    /// The shared buffer has moved on: read the database again.
    Behind,
    /// It was silent for so long that it should hear something.
    Heartbeat,
}

/// See the file's head.
pub(crate) struct Line<W: Wire> {
    out: pipe::Sender<W::Frame>,
    stopping: CancellationToken,
    signed_out: CancellationToken,
    heartbeat: Duration,
    /// When the next one is due.
    beats_at: Instant,
    /// What the client is told to wait before it comes again.
    pub(crate) retry: Duration,
    patience: Duration,
    pause: Duration,
    ends_at: Instant,
    end: End,
    metrics: Arc<Metrics>,
    _place: Place,
    _held: Option<Held>,
}

impl<W: Wire> Line<W> {
    /// The line, and its other end.
    pub(crate) fn open(opening: Opening, options: &Options) -> (Self, pipe::Receiver<W::Frame>) {
        let rotates = Instant::now() + options.lifetime.mul_f64(0.8 + opening.spread * 0.4);
        let (ends_at, end) = match opening.key_ends {
            Some(key_ends) if key_ends < rotates => (key_ends, End::KeyExpired),
            _ => (rotates, End::Rotated),
        };
        let (out, frames) = pipe(options.ahead);
        let line = Self {
            out,
            stopping: opening.stopping,
            signed_out: opening.held.as_ref().map(|held| held.ended.clone()).unwrap_or_default(),
            heartbeat: options.heartbeat,
            beats_at: Instant::now() + options.heartbeat,
            retry: options.retry.mul_f64(1.0 + opening.spread / 2.0),
            patience: options.patience,
            pause: FIRST_PAUSE,
            ends_at,
            end,
            metrics: opening.metrics,
            _place: opening.place,
            _held: opening.held,
        };
        (line, frames)
    }

    pub(crate) async fn send(&mut self, frame: W::Frame) -> Result<(), End> {
        let weight = W::weight(&frame);
        tokio::select! {
            biased;
            sent = timeout(self.patience, self.out.send(frame, weight)) => match sent {
                Ok(Ok(())) => {
                    self.beats_at = Instant::now() + self.heartbeat;
                    Ok(())
                }
                Ok(Err(Gone)) => Err(End::Gone),
                Err(_) => Err(End::Slow),
            },
            () = self.stopping.cancelled() => Err(End::Stopping),
            () = self.signed_out.cancelled() => Err(End::SignedOut),
        }
    }

    /// Says something in place of silence.
    pub(crate) async fn beat(&mut self) -> Result<(), End> {
        self.beats_at = Instant::now() + self.heartbeat;
        match W::beat() {
            Some(beat) => self.send(beat).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn next<F>(&mut self, frames: &mut Receiver<Arc<F>>) -> Result<Next<F>, End> {
        if Instant::now() >= self.ends_at {
            return Err(self.end);
        }
        // One timer for both: it is what a silent connection waits by.
        let due = self.beats_at.min(self.ends_at);
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(End::Stopping),
            () = self.signed_out.cancelled() => Err(End::SignedOut),
            () = self.out.gone() => Err(End::Gone),
            heard = frames.recv() => Ok(match heard {
                Ok(frame) => Next::Frame(frame),
                // Closed: the topic ends only with the process, and `stopping` tells that next.
                Err(RecvError::Lagged(_) | RecvError::Closed) => Next::Behind,
            }),
            () = sleep_until(due) => if self.ends_at <= due { Err(self.end) } else { Ok(Next::Heartbeat) },
        }
    }

    /// After the database did not answer: waits, longer each time, keeping the connection alive.
    pub(crate) async fn pause(&mut self) -> Result<(), End> {
        let until = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => return Err(End::Stopping),
                () = self.signed_out.cancelled() => return Err(End::SignedOut),
                () = self.out.gone() => return Err(End::Gone),
                () = sleep_until(until) => return Ok(()),
                () = sleep_until(self.beats_at) => {}
            }
            self.beat().await?;
        }
    }

    /// The database answered.
    pub(crate) fn unpause(&mut self) {
        self.pause = FIRST_PAUSE;
    }

    /// Ends the connection, with a word about it where the client should come again.
    pub(crate) fn close(self, end: End) {
        if end == End::Slow {
            // It may never take what waits for it, and can have it again by its cursor.
            self.out.empty();
        }
        if matches!(end, End::Stopping | End::Rotated | End::KeyExpired | End::SignedOut | End::Slow) {
            self.out.finish(W::bye(end.as_str()));
        }
        self.metrics.closed(end.as_str());
        tracing::debug!(reason = end.as_str(), "a stream ended");
    }
}
