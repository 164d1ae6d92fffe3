//! One consumer that is set up again whenever it ends, until its reader leaves or the bell stops.
//!
//! A consumer ends in many ways: the connection is lost, the channel fails, the queue is deleted, the server
//! cancels it (then its stream just ends). All of them lead to the same: declare, consume, and tell the reader
//! to look, since something may have been missed.

use super::{declare, link::Link, message};
use crate::{
    Delivery, Hint, NoteDelivery, Poison, backoff::Backoff, delivery::Receipt, topology::Queue,
    topology::Topology,
};
use futures::StreamExt;
use lapin::{
    Channel, Connection,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use std::{ops::ControlFlow, time::Duration};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SET_UP_BOUND: Duration = Duration::from_secs(10);
const CLOSE_BOUND: Duration = Duration::from_secs(2);
/// Notes are cheap to handle: this many on their way keep the consumer busy.
const NOTE_PREFETCH: u16 = 250;

pub(super) struct Context {
    pub(super) topology: Topology,
    pub(super) link: Link,
    pub(super) stop: CancellationToken,
}

/// What is consumed and how a message becomes a delivery.
pub(super) trait Source: Send + Sync {
    type Item: Send;
    /// The queue of the next consumer.
    fn queue(&self) -> Queue;
    fn prefetch(&self) -> u16;
    fn resubscribed(&self) -> Self::Item;
    /// The delivery for the reader, if there is one; with the message's receipt in it, or acknowledged.
    fn item(&self, message: lapin::message::Delivery) -> impl Future<Output = Option<Self::Item>> + Send;
}

pub(super) async fn keep<S: Source>(context: Context, source: S, reader: mpsc::Sender<S::Item>) {
    let Context { topology, mut link, stop } = context;
    let mut backoff = Backoff::default();
    loop {
        let connection = tokio::select! {
            connection = link.connected() => connection,
            () = reader.closed() => None,
            () = stop.cancelled() => None,
        };
        let Some(connection) = connection else { return };
        match subscribe(&connection, &topology, &source).await {
            Ok((channel, consumer)) => {
                backoff.reset();
                let reading = read(&source, consumer, &reader);
                let over = stop.run_until_cancelled(reading).await.is_none_or(|flow| flow.is_break());
                // Gives back at once what was delivered and not acknowledged.
                let close = channel.close(200, "OK".into());
                let _closed = tokio::time::timeout(CLOSE_BOUND, close).await;
                if over {
                    return;
                }
            }
            Err(error) => tracing::warn!(queue = source.queue().name, %error, "cannot subscribe; trying on"),
        }
        if !backoff.wait(&stop).await {
            return;
        }
    }
}

async fn subscribe<S: Source>(
    connection: &Connection,
    topology: &Topology,
    source: &S,
) -> lapin::Result<(Channel, lapin::Consumer)> {
    let set_up = async {
        let channel = connection.create_channel().await?;
        channel.basic_qos(source.prefetch(), BasicQosOptions::default()).await?;
        declare::exchanges(&channel, topology).await?;
        let queue = source.queue();
        declare::queue(&channel, &queue).await?;
        let (name, options) = (queue.name.as_str().into(), BasicConsumeOptions::default());
        let consumer = channel.basic_consume(name, "".into(), options, FieldTable::default()).await?;
        Ok((channel, consumer))
    };
    let in_time = tokio::time::timeout(SET_UP_BOUND, set_up).await;
    in_time.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

/// Hands on what comes. `Break` when the reader has left, `Continue` when the consumer has ended.
async fn read<S: Source>(
    source: &S,
    mut consumer: lapin::Consumer,
    reader: &mpsc::Sender<S::Item>,
) -> ControlFlow<()> {
    if reader.send(source.resubscribed()).await.is_err() {
        return ControlFlow::Break(());
    }
    loop {
        let next = tokio::select! {
            next = consumer.next() => next,
            () = reader.closed() => return ControlFlow::Break(()),
        };
        match next {
            Some(Ok(message)) => {
                if let Some(item) = source.item(message).await
                    && reader.send(item).await.is_err()
                {
                    return ControlFlow::Break(());
                }
            }
            Some(Err(error)) => {
                tracing::warn!(queue = %consumer.queue(), %error, "the consumer failed; subscribing again");
                return ControlFlow::Continue(());
            }
            // What a deleted queue and a consumer that the server cancelled look like.
            None => {
                tracing::warn!(queue = %consumer.queue(), "the consumer was cancelled; subscribing again");
                return ControlFlow::Continue(());
            }
        }
    }
}

pub(super) struct Hints {
    pub(super) queue: Queue,
    pub(super) prefetch: u16,
}

impl Source for Hints {
    type Item = Delivery;

    fn queue(&self) -> Queue {
        self.queue.clone()
    }

    fn prefetch(&self) -> u16 {
        self.prefetch
    }

    fn resubscribed(&self) -> Delivery {
        Delivery::Resubscribed
    }

    async fn item(&self, message: lapin::message::Delivery) -> Option<Delivery> {
        let lapin::message::Delivery { data, properties, acker, .. } = message;
        let receipt = Receipt::Amqp(acker);
        Some(match message::read_hint(&data, &properties) {
            Ok(body) => Delivery::Hint(Hint { body, receipt }),
            Err(error) => {
                let (queue, headers) = (self.queue.name.clone(), message::evidence(&properties));
                Delivery::Poison(Poison { queue, body: data, headers, error, receipt })
            }
        })
    }
}

pub(super) struct Notes {
    pub(super) topology: Topology,
}

impl Source for Notes {
    type Item = NoteDelivery;

    /// A fresh name each time: the old one may still belong to a connection that the broker thinks alive.
    fn queue(&self) -> Queue {
        self.topology.notes(Uuid::new_v4())
    }

    fn prefetch(&self) -> u16 {
        NOTE_PREFETCH
    }

    fn resubscribed(&self) -> NoteDelivery {
        NoteDelivery::Resubscribed
    }

    async fn item(&self, message: lapin::message::Delivery) -> Option<NoteDelivery> {
        // The note need not outlive this process, so it is acknowledged here. A failure also ends the
        // consumer, which is where it is dealt with.
        let _acknowledged = message.acker.ack(BasicAckOptions::default()).await;
        match message::read_note(&message.data, &message.properties) {
            Ok(note) => Some(NoteDelivery::Note(note)),
            Err(error) => {
                tracing::warn!(error, "an event note cannot be read");
                None
            }
        }
    }
}
