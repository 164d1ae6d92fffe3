//! Publishing with confirms over a bounded pool of channels ("lanes"), one unconfirmed message on each.
//!
//! One, because lapin hands a returned message to whichever confirm comes next on the channel: with two on
//! their way, a hint that no queue took could be counted as sent and its neighbour as returned. Channels are
//! cheap, and the pool is the window.

use super::{declare, link::Link, message};
use crate::{Error, EventNote, JobHint, Result, topology::Topology};
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// Unconfirmed messages at once; RabbitMQ's own soft limit for a quorum queue is 32.
const LANES: usize = 16;
/// Quorum confirms may take a few hundred milliseconds under load.
const CONFIRM_BOUND: Duration = Duration::from_secs(5);

pub(super) struct Publisher {
    topology: Topology,
    link: Link,
    places: Semaphore,
    idle: Mutex<Vec<Lane>>,
    /// Raised when a message came back: queues that were declared before may be gone.
    age: AtomicU64,
    /// One lane declares at a time: a quorum queue that is being set up for one lane refuses the messages of
    /// another that found it declared already.
    declaring: tokio::sync::Mutex<()>,
}

struct Lane {
    channel: Channel,
    age: u64,
    declared: HashSet<String>,
}

/// A message ready to go.
struct Letter {
    exchange: String,
    routing_key: String,
    mandatory: bool,
    body: Vec<u8>,
    properties: BasicProperties,
}

impl Publisher {
    pub(super) fn new(topology: Topology, link: Link) -> Self {
        let (places, idle) = (Semaphore::new(LANES), Mutex::new(Vec::new()));
        Self {
            topology,
            link,
            places,
            idle,
            age: AtomicU64::new(0),
            declaring: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn healthy(&self) -> bool {
        self.link.usable().is_some()
    }

    /// Mandatory: a hint that no queue takes is not sent.
    pub(super) async fn ring(&self, hint: &JobHint) -> Result<()> {
        let letter = Letter {
            exchange: self.topology.jobs_exchange(),
            routing_key: hint.queue.clone(),
            mandatory: true,
            body: message::hint_body(hint),
            properties: message::hint_properties(hint),
        };
        self.bounded(letter, Some(&hint.queue)).await
    }

    /// Not mandatory: there may be nobody who listens.
    pub(super) async fn announce(&self, note: &EventNote) -> Result<()> {
        let letter = Letter {
            exchange: self.topology.events_exchange(),
            routing_key: String::new(),
            mandatory: false,
            body: message::note_body(note),
            properties: message::note_properties(note),
        };
        self.bounded(letter, None).await
    }

    async fn bounded(&self, letter: Letter, queue: Option<&str>) -> Result<()> {
        let in_time = tokio::time::timeout(CONFIRM_BOUND, self.send(letter, queue)).await;
        // A lane that is dropped here with its message unconfirmed closes its channel.
        in_time.unwrap_or(Err(Error::TimedOut))
    }

    async fn send(&self, letter: Letter, queue: Option<&str>) -> Result<()> {
        if self.link.usable().is_none() {
            return Err(Error::Unavailable);
        }
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        let mut lane = self.lane().await?;
        if let Some(queue) = queue {
            self.ensure(&mut lane, queue).await?;
        }
        let outcome = lane.publish(letter).await?;
        // Only a lane whose message was answered for is used again.
        self.idle.lock().expect("no panic while the lock is held").push(lane);
        match outcome {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => {
                self.age.fetch_add(1, Ordering::Relaxed);
                Err(Error::Returned)
            }
            Confirmation::Nack(_) | Confirmation::NotRequested => Err(Error::Refused),
        }
    }

    /// A hint may be rung before any worker has ever listened: whoever comes first declares the queue.
    async fn ensure(&self, lane: &mut Lane, queue: &str) -> Result<()> {
        let age = self.age.load(Ordering::Relaxed);
        if lane.age != age {
            lane.declared.clear();
            lane.age = age;
        }
        if !lane.declared.contains(queue) {
            let _alone = self.declaring.lock().await;
            declare::queue(&lane.channel, &self.topology.jobs(queue)).await.map_err(broken)?;
            lane.declared.insert(queue.to_owned());
        }
        Ok(())
    }

    async fn lane(&self) -> Result<Lane> {
        // Lanes of a lost connection, and channels that the broker closed, are dropped on the way.
        while let Some(lane) = self.pop() {
            if lane.channel.status().connected() {
                return Ok(lane);
            }
        }
        let connection = self.link.usable().ok_or(Error::Unavailable)?;
        let channel = connection.create_channel().await.map_err(broken)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(broken)?;
        declare::exchanges(&channel, &self.topology).await.map_err(broken)?;
        Ok(Lane { channel, age: self.age.load(Ordering::Relaxed), declared: HashSet::new() })
    }

    fn pop(&self) -> Option<Lane> {
        self.idle.lock().expect("no panic while the lock is held").pop()
    }
}

impl Lane {
    async fn publish(&self, letter: Letter) -> Result<Confirmation> {
        let Letter { exchange, routing_key, mandatory, body, properties } = letter;
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let (exchange, key) = (exchange.as_str().into(), routing_key.as_str().into());
        let published = self.channel.basic_publish(exchange, key, options, &body, properties).await;
        published.map_err(broken)?.await.map_err(broken)
    }
}

fn broken(error: lapin::Error) -> Error {
    Error::Broken(Box::new(error))
}
