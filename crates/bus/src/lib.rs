//! The bell: it says that there is something to look at, and nothing more (law 1).
//!
//! Two messages exist. A [`JobHint`] says "queue K has work" and goes to one taker; an [`EventNote`] says "this
//! migration has a new event" and goes to every subscriber. Both may be lost, doubled, late or reordered: that
//! costs latency, never work, because Postgres is the record. So nothing in here decides anything, and nothing
//! outside may take a message's word for a fact.
//!
//! Two implementations stand behind [`Bell`]: RabbitMQ (`amqp`, the only place that knows lapin) and Postgres'
//! NOTIFY (`notify`, on connections of its own). [`open`] picks one by its [`Options`].
#![warn(missing_docs)]

mod amqp;
mod backoff;
mod delivery;
mod error;
mod message;
mod notify;
mod options;
mod topology;

pub use delivery::{Delivery, Hint, HintStream, NoteDelivery, NoteStream, Poison};
pub use error::{Error, Result};
pub use message::{EventNote, JobHint};
pub use options::Options;

use async_trait::async_trait;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Rings, announces and listens. Cheap to share behind an `Arc`.
#[async_trait]
pub trait Bell: Send + Sync {
    /// Says that a queue has work. `Ok` means that the broker holds the hint: a returned or refused message is
    /// an error. Bounded in time; fails at once while there is no connection.
    async fn ring(&self, hint: &JobHint) -> Result<()>;

    /// Says that a migration has a new event. `Ok` means that the broker took it, not that anybody listens.
    /// Bounded in time; fails at once while there is no connection.
    async fn announce(&self, note: &EventNote) -> Result<()>;

    /// The hints of one queue, at most `prefetch` of them unacknowledged. Never ends before the bell stops:
    /// a lost connection, a deleted queue or a cancelled consumer is followed by a new subscription, which
    /// [`Delivery::Resubscribed`] tells. Dropping the stream gives back what was not acknowledged.
    fn hints(&self, queue: &str, prefetch: u16) -> HintStream;

    /// Every note from now on. Never ends before the bell stops.
    fn notes(&self) -> NoteStream;

    /// Can this process ring right now?
    fn healthy(&self) -> bool;
}

/// A bell of the configured sort. Returns at once and connects in the background, forever, with growing waits
/// between attempts; everything that it started ends with `stop`. Must be called inside a tokio runtime.
pub fn open(options: &Options, stop: CancellationToken) -> Result<Arc<dyn Bell>> {
    options.check()?;
    Ok(match options {
        Options::Amqp { url, prefix } => Arc::new(amqp::Amqp::open(url, prefix, stop)?),
        Options::Notify { url, prefix } => Arc::new(notify::Notify::open(url, prefix, stop)?),
    })
}
