//! Sends notifications on one connection, several in one statement when they come faster than commits go.

use crate::{Error, Result, backoff::Backoff};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages that wait for the statement on its way, and the most that go into one.
const WINDOW: usize = 256;
const SEND_BOUND: Duration = Duration::from_secs(5);
/// Postgres drops exact repeats within one transaction, which is welcome.
const NOTIFY: &str = "-- bus.notify
    SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS said(channel, payload)";

pub(super) struct Sender {
    requests: mpsc::Sender<Request>,
    connected: watch::Receiver<bool>,
}

struct Request {
    channel: String,
    payload: String,
    done: oneshot::Sender<Result<()>>,
}

impl Sender {
    pub(super) fn start(config: Config, tasks: &TaskTracker, stop: &CancellationToken) -> Self {
        let (requests, waiting) = mpsc::channel(WINDOW);
        let (state, connected) = watch::channel(false);
        tasks.spawn(keep(config, waiting, state, stop.clone()));
        Self { requests, connected }
    }

    pub(super) fn connected(&self) -> bool {
        *self.connected.borrow()
    }

    pub(super) async fn send(&self, channel: String, payload: String) -> Result<()> {
        if !self.connected() {
            return Err(Error::Unavailable);
        }
        let (done, answer) = oneshot::channel();
        let request = Request { channel, payload, done };
        let sending = async {
            self.requests.send(request).await.map_err(|_| Error::Unavailable)?;
            // Dropped unanswered: the connection was lost while the request waited.
            answer.await.unwrap_or(Err(Error::Unavailable))
        };
        tokio::time::timeout(SEND_BOUND, sending).await.unwrap_or(Err(Error::TimedOut))
    }
}

async fn keep(
    config: Config,
    mut waiting: mpsc::Receiver<Request>,
    state: watch::Sender<bool>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::default();
    let mut told = false;
    loop {
        match stop.run_until_cancelled(config.connect(NoTls)).await {
            None => return,
            Some(Ok((client, connection))) => {
                (told, backoff) = (false, Backoff::default());
                state.send_replace(true);
                let work = async {
                    tokio::select! {
                        // Ends with the connection; the error also reaches the statement on its way.
                        closed = connection => drop(closed),
                        () = serve(&client, &mut waiting) => {}
                    }
                };
                let stopped = stop.run_until_cancelled(work).await.is_none();
                state.send_replace(false);
                // Whoever got in before the state fell is told now, not at its time-out.
                while waiting.try_recv().is_ok() {}
                if stopped || waiting.is_closed() {
                    return;
                }
                tracing::warn!("the bell's connection to Postgres is lost");
            }
            Some(Err(error)) if !told => {
                tracing::warn!(%error, "the bell cannot reach Postgres; trying on");
                told = true;
            }
            Some(Err(error)) => tracing::debug!(%error, "the bell cannot reach Postgres"),
        }
        if !backoff.wait(&stop).await {
            return;
        }
    }
}

/// Sends batch after batch; returns when a statement hangs or nobody can send any more.
async fn serve(client: &Client, waiting: &mut mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(WINDOW);
    while waiting.recv_many(&mut batch, WINDOW).await > 0 {
        let channels: Vec<&str> = batch.iter().map(|request| request.channel.as_str()).collect();
        let payloads: Vec<&str> = batch.iter().map(|request| request.payload.as_str()).collect();
        let sent = tokio::time::timeout(SEND_BOUND, client.execute(NOTIFY, &[&channels, &payloads])).await;
        let hung = sent.is_err();
        let lost = client.is_closed();
        if let Ok(Err(error)) = &sent {
            tracing::debug!(%error, "notifications were not taken");
        }
        for request in batch.drain(..) {
            let answer = match &sent {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(_)) if lost => Err(Error::Unavailable),
                // The server is there and says no: its notification queue is full.
                Ok(Err(_)) => Err(Error::Refused),
                Err(_) => Err(Error::TimedOut),
            };
            // Whoever asked may have given up waiting.
            let _ = request.done.send(answer);
        }
        if hung {
            return;
        }
    }
}
