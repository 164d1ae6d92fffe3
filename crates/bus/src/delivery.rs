//! What a subscriber gets: hints and notes, bytes that could not be read, and word of a gap.

use crate::{Error, EventNote, JobHint, Result};
use futures::Stream;
use lapin::options::BasicAckOptions;
use serde_json::Value;
use std::{fmt, pin::Pin};

/// The deliveries of one queue.
pub type HintStream = Pin<Box<dyn Stream<Item = Delivery> + Send>>;
/// The deliveries of the event notes.
pub type NoteStream = Pin<Box<dyn Stream<Item = NoteDelivery> + Send>>;

/// What comes out of a [`HintStream`].
#[derive(Debug)]
pub enum Delivery {
    /// A queue has work.
    Hint(Hint),
    /// A message that cannot be read: keep it, then acknowledge it.
    Poison(Poison),
    /// The subscription is new, the first one or after a break: something may have been missed, so look.
    Resubscribed,
}

/// What comes out of a [`NoteStream`]. Unreadable notes are logged and dropped: there is nothing to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteDelivery {
    /// A migration has a new event.
    Note(EventNote),
    /// The subscription is new, the first one or after a break: something may have been missed, so look.
    Resubscribed,
}

/// A hint that waits for its acknowledgement.
#[must_use = "a hint that is never acknowledged keeps one place of the prefetch window"]
pub struct Hint {
    /// What was said.
    pub body: JobHint,
    pub(crate) receipt: Receipt,
}

/// A message whose bytes cannot be read as a hint.
#[must_use = "poison that is never acknowledged comes back"]
pub struct Poison {
    /// The queue that it came from.
    pub queue: String,
    /// The bytes as they came.
    pub body: Vec<u8>,
    /// The headers and properties that came with it.
    pub headers: Value,
    /// Why it cannot be read.
    pub error: String,
    pub(crate) receipt: Receipt,
}

/// How a delivery is given back to where it came from.
pub(crate) enum Receipt {
    /// Nobody waits for an acknowledgement (NOTIFY).
    NotNeeded,
    /// RabbitMQ keeps the message until this is used.
    Amqp(lapin::Acker),
}

impl Hint {
    /// Tells the broker that the hint was used. To be called after the claim's commit; an error means that the
    /// connection is gone and the hint comes again, which is harmless.
    pub async fn ack(self) -> Result<()> {
        self.receipt.ack().await
    }
}

impl Poison {
    /// Tells the broker that the message is kept elsewhere.
    pub async fn ack(self) -> Result<()> {
        self.receipt.ack().await
    }
}

impl Receipt {
    async fn ack(self) -> Result<()> {
        match self {
            Self::NotNeeded => Ok(()),
            Self::Amqp(acker) => match acker.ack(BasicAckOptions::default()).await {
                Ok(true) => Ok(()),
                // The channel that it came by is gone.
                Ok(false) => Err(Error::Unavailable),
                Err(error) => Err(Error::Broken(Box::new(error))),
            },
        }
    }
}

impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hint").field(&self.body).finish()
    }
}

impl fmt::Debug for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.len();
        f.debug_struct("Poison")
            .field("queue", &self.queue)
            .field("bytes", &bytes)
            .field("error", &self.error)
            .finish()
    }
}
