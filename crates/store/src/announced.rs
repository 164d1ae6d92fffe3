//! That there is something to announce, told from process to process, so that no relay has to wait for its next look.
//!
//! A word without a promise: whoever misses it finds the rows by looking (law 1). It is said after the commit and never
//! inside the transaction, since a NOTIFY takes a lock of the whole server at its commit; of many who would say it at one
//! moment, one does. Nothing may depend on it but how soon something is announced.

use crate::{Error, Result, Store};
use deadpool_postgres::Object;
use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Mutex, Notify},
    time::{sleep, timeout},
};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};

const SAY: &str = "-- outbox.say\nSELECT pg_notify('resettle_outbox', '')";
const LISTEN: &str = "-- outbox.listen\nLISTEN resettle_outbox";
const PING: &str = "-- outbox.ping";
/// How often the server is asked whether it is still there, and how long each answer may take.
const PING_INTERVAL: Duration = Duration::from_secs(15);
const ANSWER_BOUND: Duration = Duration::from_secs(5);

/// What one process knows of it.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    /// A relay of this process waits here.
    here: Notify,
    /// There is such a relay: other processes need not hear of what it takes.
    relayed_here: AtomicBool,
    /// Somebody is about to say it: that comes after every commit until then.
    asked: AtomicBool,
    turn: Mutex<()>,
}

/// Takes the wish back, also when its owner goes away while it waits.
struct Asked<'a>(&'a AtomicBool);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Store {
    /// Waits until something to announce was committed through this store or a clone of it, or
    /// [`Store::hear_announced`] has heard that another process did. What was committed before the call counts. For one
    /// relay: from its first call on, other processes are not told of what this one commits.
    pub async fn announced(&self) {
        self.announcements().relayed_here.store(true, Ordering::Relaxed);
        self.announcements().here.notified().await;
    }

    /// Wakes [`Store::announced`] whenever another process has committed something to announce, and once at the
    /// beginning. Holds a connection of its own, and answers only when that is lost: to be called again after a while.
    pub async fn hear_announced(&self) -> Error {
        let (config, tls) = self.dial();
        let heard = || self.announcements().here.notify_one();
        match tls {
            None => match config.connect(NoTls).await {
                Ok((client, connection)) => hear(&client, connection, heard).await,
                Err(error) => Error::from_driver("outbox.listen", error),
            },
            Some(tls) => match config.connect(tls.clone()).await {
                Ok((client, connection)) => hear(&client, connection, heard).await,
                Err(error) => Error::from_driver("outbox.listen", error),
            },
        }
    }
}

impl Announced {
    /// After a commit that left something to announce, on the connection that made it.
    pub(crate) async fn tell(&self, connection: Object) {
        self.here.notify_one();
        if self.relayed_here.load(Ordering::Relaxed) || self.asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let asked = Asked(&self.asked);
        let _turn = self.turn.lock().await;
        // From here on, whoever commits has to ask again: the word may be gone before that commit.
        drop(asked);
        match timeout(ANSWER_BOUND, say(&connection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "no relay was told of an announcement; the next look finds it");
            }
            // It hangs: the next user must not get this connection.
            Err(_) => drop(Object::take(connection)),
        }
    }
}

async fn say(connection: &Object) -> Result<(), tokio_postgres::Error> {
    let statement = connection.prepare_cached(SAY).await?;
    connection.execute(&statement, &[]).await.map(drop)
}

/// Hears until the connection is lost.
async fn hear<S, T>(client: &Client, mut connection: Connection<S, T>, heard: impl Fn()) -> Error
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let asking = async {
        let mut asked = ask(client, LISTEN).await;
        while asked.is_ok() {
            // At the beginning for what was said before, and later for what a server that was away did not pass on.
            heard();
            sleep(PING_INTERVAL).await;
            asked = ask(client, PING).await;
        }
        asked
    };
    let mut asking = pin!(asking);
    loop {
        let message = tokio::select! {
            message = poll_fn(|context| connection.poll_message(context)) => message,
            Err(error) = &mut asking => return error,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(_))) => heard(),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Error::from_driver("outbox.listen", error),
            None => return lost("the server has closed the connection"),
        }
    }
}

async fn ask(client: &Client, sql: &'static str) -> Result<()> {
    match timeout(ANSWER_BOUND, client.batch_execute(sql)).await {
        Ok(answer) => answer.map_err(|error| Error::from_driver("outbox.listen", error)),
        Err(_) => Err(lost("the server does not answer")),
    }
}

fn lost(how: &'static str) -> Error {
    Error::Unavailable { doing: "outbox.listen", source: how.into() }
}
