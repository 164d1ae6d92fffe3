//! One connection that is built up again whenever it is lost, until the bell stops.

use crate::backoff::Backoff;
use futures::StreamExt;
use lapin::{Connection, ConnectionProperties, Event, uri::AMQPUri};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const CONNECT_BOUND: Duration = Duration::from_secs(5);
const CLOSE_BOUND: Duration = Duration::from_secs(2);
/// A lost connection is told by an event; asking for the state covers the ways of dying that tell nothing.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The connection of the moment, if there is one. Clones share it.
#[derive(Clone)]
pub(super) struct Link {
    current: watch::Receiver<Option<Arc<Connection>>>,
    /// The broker has run into its memory or disk limit and takes no publishes.
    blocked: Arc<AtomicBool>,
}

impl Link {
    pub(super) fn start(
        name: &'static str,
        uri: &AMQPUri,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Self {
        let (sender, current) = watch::channel(None);
        let blocked = Arc::new(AtomicBool::new(false));
        let keeper =
            Keeper { name, uri: uri.clone(), sender, blocked: Arc::clone(&blocked), stop: stop.clone() };
        tasks.spawn(keeper.keep());
        Self { current, blocked }
    }

    /// The connection, if it is up and the broker takes messages.
    pub(super) fn usable(&self) -> Option<Arc<Connection>> {
        if self.blocked.load(Ordering::Relaxed) {
            return None;
        }
        self.current.borrow().clone().filter(|connection| connection.status().connected())
    }

    /// Waits for the connection; `None` when there will be none any more.
    pub(super) async fn connected(&mut self) -> Option<Arc<Connection>> {
        self.current.wait_for(Option::is_some).await.ok()?.clone()
    }
}

struct Keeper {
    name: &'static str,
    uri: AMQPUri,
    sender: watch::Sender<Option<Arc<Connection>>>,
    blocked: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep(self) {
        let mut backoff = Backoff::default();
        let mut told = false;
        loop {
            match self.stop.run_until_cancelled(self.connect()).await {
                None => return,
                Some(Ok(connection)) => {
                    tracing::info!(link = self.name, "connected to RabbitMQ");
                    told = false;
                    backoff.reset();
                    self.hold(Arc::new(connection)).await;
                }
                // Once per outage: the attempts that follow say nothing new.
                Some(Err(error)) if !told => {
                    tracing::warn!(link = self.name, %error, "RabbitMQ cannot be reached; trying on");
                    told = true;
                }
                Some(Err(error)) => tracing::debug!(link = self.name, %error, "RabbitMQ cannot be reached"),
            }
            if !backoff.wait(&self.stop).await {
                return;
            }
        }
    }

    async fn connect(&self) -> Result<Connection, lapin::Error> {
        let name = format!("resettle {}", self.name);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Connection::connect_uri(self.uri.clone(), properties);
        let in_time = tokio::time::timeout(CONNECT_BOUND, connecting).await;
        in_time.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
    }

    /// Offers the connection until it is lost or the bell stops.
    async fn hold(&self, connection: Arc<Connection>) {
        self.blocked.store(false, Ordering::Relaxed);
        self.sender.send_replace(Some(Arc::clone(&connection)));
        let stopped = self.stop.run_until_cancelled(self.lost(&connection)).await.is_none();
        self.sender.send_replace(None);
        if stopped {
            let close = connection.close(200, "OK".into());
            let _closed = tokio::time::timeout(CLOSE_BOUND, close).await;
        } else {
            tracing::warn!(link = self.name, "the connection to RabbitMQ is lost");
        }
    }

    /// Returns when the connection is of no use any more.
    async fn lost(&self, connection: &Connection) {
        let mut events = Box::pin(connection.events_listener());
        let mut check = tokio::time::interval(CHECK_INTERVAL);
        while connection.status().connected() {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(reason)) => {
                        tracing::warn!(link = self.name, reason, "RabbitMQ takes no messages");
                        self.blocked.store(true, Ordering::Relaxed);
                    }
                    Some(Event::ConnectionUnblocked) => self.blocked.store(false, Ordering::Relaxed),
                    Some(Event::Error(error)) => tracing::debug!(link = self.name, %error, "connection event"),
                    Some(_) => {}
                    None => return,
                },
                _ = check.tick() => {}
            }
        }
    }
}
