//! Hears notifications on a connection of its own, which starts with the first subscription and is built up
//! again whenever it is lost.

use super::{Channels, registry::Registry};
use crate::{HintStream, NoteStream, backoff::Backoff};
use futures::{Stream, StreamExt, stream};
use std::{
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, Once},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a reader may be behind before it is told to look instead.
const AHEAD: usize = 1_024;
/// How often the server is asked whether it is still there, and how long the answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const ANSWER_BOUND: Duration = Duration::from_secs(5);

pub(super) struct Listener {
    hearing: Hearing,
    started: Once,
    tasks: TaskTracker,
}

#[derive(Clone)]
struct Hearing {
    config: Config,
    channels: Channels,
    registry: Arc<Mutex<Registry>>,
    stop: CancellationToken,
}

/// Why listening ended.
struct Deaf {
    /// It had begun, so this is a new outage.
    after_listening: bool,
    reason: String,
}

impl Listener {
    pub(super) fn new(
        config: Config,
        channels: Channels,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let hearing = Hearing { config, channels, registry: Arc::default(), stop };
        Self { hearing, started: Once::new(), tasks }
    }

    pub(super) fn hints(&self, queue: &str, prefetch: u16) -> HintStream {
        let (taker, reader) = mpsc::channel(AHEAD.max(usize::from(prefetch) + 1));
        self.subscribe(|registry| registry.add_hints(queue, taker));
        Box::pin(ReceiverStream::new(reader))
    }

    pub(super) fn notes(&self) -> NoteStream {
        let (subscriber, reader) = mpsc::channel(AHEAD);
        self.subscribe(|registry| registry.add_notes(subscriber));
        Box::pin(ReceiverStream::new(reader))
    }

    fn subscribe(&self, add: impl FnOnce(&mut Registry)) {
        let mut registry = self.hearing.registry();
        // Asked under the lock under which `keep` lets all readers go at the end, so that none stays behind.
        if !self.hearing.stop.is_cancelled() {
            add(&mut registry);
            self.started.call_once(|| drop(self.tasks.spawn(self.hearing.clone().keep())));
        }
    }
}

impl Hearing {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("no panic while the lock is held")
    }

    async fn keep(self) {
        let mut backoff = Backoff::default();
        let mut told = false;
        while let Some(deaf) = self.stop.run_until_cancelled(self.listen()).await {
            self.registry().deaf();
            if deaf.after_listening {
                (told, backoff) = (false, Backoff::default());
            }
            // Once per outage: the attempts that follow say nothing new.
            if told {
                tracing::debug!(reason = deaf.reason, "the bell does not hear Postgres");
            } else {
                tracing::warn!(reason = deaf.reason, "the bell does not hear Postgres; trying on");
                told = true;
            }
            if !backoff.wait(&self.stop).await {
                break;
            }
        }
        // Lets the readers' streams end.
        *self.registry() = Registry::default();
    }

    /// Connects and hands on what is heard, until the connection is lost.
    async fn listen(&self) -> Deaf {
        let deaf = |after_listening, reason: String| Deaf { after_listening, reason };
        let (client, mut connection) = match self.config.connect(NoTls).await {
            Ok(both) => both,
            Err(error) => return deaf(false, error.to_string()),
        };
        let mut messages = pin!(stream::poll_fn(move |context| connection.poll_message(context)));
        let Channels { jobs, events } = &self.channels;
        let listen = format!("-- bus.listen\nLISTEN \"{jobs}\"; LISTEN \"{events}\"");
        if let Err(reason) = self.hear_during(messages.as_mut(), asked(&client, &listen)).await {
            return deaf(false, reason);
        }
        self.registry().listening();
        loop {
            if let Err(reason) = self.hear_during(messages.as_mut(), ping_later(&client)).await {
                return deaf(true, reason);
            }
        }
    }

    /// Hands on what is heard while the answer is awaited; an `Err` says how the connection ended.
    async fn hear_during(
        &self,
        mut messages: Pin<&mut impl Stream<Item = Result<AsyncMessage, Error>>>,
        answer: impl Future<Output = Result<(), String>>,
    ) -> Result<(), String> {
        let mut answer = pin!(answer);
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(Ok(AsyncMessage::Notification(heard))) => self.hand_on(heard.channel(), heard.payload()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.to_string()),
                    None => return Err("the connection was closed".into()),
                },
                answered = &mut answer => return answered,
            }
        }
    }

    fn hand_on(&self, channel: &str, payload: &str) {
        if channel == self.channels.jobs {
            self.registry().hint(channel, payload);
        } else {
            self.registry().note(payload);
        }
    }
}

/// The server's answer, or why there was none.
async fn asked(client: &Client, sql: &str) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_BOUND, client.batch_execute(sql)).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err("the server does not answer".into()),
    }
}

/// Asks for a sign of life after a while: a connection may be half dead without an error.
async fn ping_later(client: &Client) -> Result<(), String> {
    tokio::time::sleep(PING_INTERVAL).await;
    asked(client, "-- bus.ping").await
}
