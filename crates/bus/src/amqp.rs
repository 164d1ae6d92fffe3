//! The bell on RabbitMQ. The only place that knows lapin.
//!
//! We supervise ourselves instead of using lapin's own recovery, which does not bring back a channel that
//! failed alone, a deleted queue or a consumer that the server cancelled: [`link`] keeps a connection, each
//! publishing [`lane`] is a channel that is thrown away at its first fault, and each [`subscription`] declares
//! and consumes anew whenever its consumer ends, for whatever reason. Publishing and consuming have a
//! connection each, so that a broker that holds publishers back does not hold acknowledgements back.

mod declare;
mod lane;
mod link;
mod message;
mod subscription;

use crate::{Bell, Delivery, Error, EventNote, HintStream, JobHint, NoteStream, Result, topology::Topology};
use async_trait::async_trait;
use lane::Publisher;
use lapin::uri::{AMQPScheme, AMQPUri};
use link::Link;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Notes on their way from a subscription to its reader; at the bound the reader slows the subscription down.
const NOTES_AHEAD: usize = 256;
/// Notices a dead peer within about 20 s, where the server's own suggestion takes two minutes.
const HEARTBEAT_S: u16 = 10;

pub(crate) struct Amqp {
    topology: Topology,
    publisher: Publisher,
    consuming: Link,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Amqp {
    pub(crate) fn open(url: &str, prefix: &str, stop: CancellationToken) -> Result<Self> {
        // The parser's message may repeat the URL, and with it the password.
        let mut uri: AMQPUri =
            url.parse().map_err(|_| Error::Invalid("the url is not an amqp:// URL".into()))?;
        if uri.scheme == AMQPScheme::AMQPS {
            return Err(Error::Invalid(
                "amqps is not built in: let a proxy beside this process speak TLS".into(),
            ));
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        let topology = Topology::new(prefix);
        let tasks = TaskTracker::new();
        let publishing = Link::start("publishing", &uri, &tasks, &stop);
        let consuming = Link::start("consuming", &uri, &tasks, &stop);
        let publisher = Publisher::new(topology.clone(), publishing);
        Ok(Self { topology, publisher, consuming, tasks, stop })
    }
}

#[async_trait]
impl Bell for Amqp {
    async fn ring(&self, hint: &JobHint) -> Result<()> {
        self.publisher.ring(hint).await
    }

    async fn announce(&self, note: &EventNote) -> Result<()> {
        self.publisher.announce(note).await
    }

    fn hints(&self, queue: &str, prefetch: u16) -> HintStream {
        // Prefetch 0 means "no limit" to the server.
        let prefetch = prefetch.max(1);
        let (deliveries, stream) = mpsc::channel::<Delivery>(usize::from(prefetch));
        let source = subscription::Hints { queue: self.topology.jobs(queue), prefetch };
        self.tasks.spawn(subscription::keep(self.source(), source, deliveries));
        Box::pin(ReceiverStream::new(stream))
    }

    fn notes(&self) -> NoteStream {
        let (deliveries, stream) = mpsc::channel(NOTES_AHEAD);
        let source = subscription::Notes { topology: self.topology.clone() };
        self.tasks.spawn(subscription::keep(self.source(), source, deliveries));
        Box::pin(ReceiverStream::new(stream))
    }

    fn healthy(&self) -> bool {
        self.publisher.healthy()
    }
}

impl Amqp {
    fn source(&self) -> subscription::Context {
        subscription::Context {
            topology: self.topology.clone(),
            link: self.consuming.clone(),
            stop: self.stop.clone(),
        }
    }
}
