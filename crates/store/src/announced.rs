//! That there is something to announce, told from process to process, so that no relay has to wait for its next look.
//!
//! A word without a promise: whoever misses it finds the rows by looking (law 1). It is said after the commit and never
//! inside the transaction, since a NOTIFY takes a lock of the whole server at its commit; of many who would say it at one
//! moment, one does, and the others rely on it. Nothing may depend on it but how soon something is announced.

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
/// The longest that a caller waits, after its commit, for a word that promises nothing.
const SAY_BOUND: Duration = Duration::from_secs(1);
const SILENT: &str = "the server does not answer";

/// What one process knows of it.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    /// This process has committed something.
    here: Notify,
    /// Another one has.
    elsewhere: Notify,
    /// There is a relay in this process: others need not hear of what it takes.
    relayed_here: AtomicBool,
    /// Somebody is about to say it: that comes after every commit until then.
    asked: AtomicBool,
    turn: Mutex<()>,
}

/// Takes the wish back, also when its owner goes away while it waits: then nobody says it for those who relied on that, and
/// a relay finds theirs by looking.
struct Asked<'a>(&'a AtomicBool);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.swap(false, Ordering::AcqRel);
    }
}

impl Store {
    /// Waits until something to announce was committed through this store or a clone of it; what was committed before the
    /// call counts. For one relay: from its first call on, other processes are not told of what this one commits.
    pub async fn announced(&self) {
        self.announcements().relayed_here.store(true, Ordering::Relaxed);
        self.announcements().here.notified().await;
    }

    /// Waits until [`Store::hear_announced`] has heard that another process has committed something to announce; what was
    /// heard before the call counts.
    pub async fn announced_elsewhere(&self) {
        self.announcements().elsewhere.notified().await;
    }

    /// Wakes [`Store::announced_elsewhere`] whenever another process has committed something to announce, and once when it
    /// begins to listen. Holds a connection of its own, which must not lead through a pooler that changes sessions between
    /// transactions: there nothing is heard. Says when it listens, and answers when the connection is lost or cannot be made:
    /// to be called again after a while.
    pub async fn hear_announced(&self, listening: impl FnOnce()) -> Error {
        let (config, tls) = self.dial();
        let mut config = config.clone();
        config.application_name("resettle announcements");
        let heard = || self.announcements().elsewhere.notify_one();
        match tls {
            None => match timeout(ANSWER_BOUND, config.connect(NoTls)).await {
                Ok(Ok((client, connection))) => hear(&client, connection, listening, heard).await,
                Ok(Err(error)) => Error::from_driver("outbox.listen", error),
                Err(_) => lost(SILENT),
            },
            Some(tls) => match timeout(ANSWER_BOUND, config.connect(tls.clone())).await {
                Ok(Ok((client, connection))) => hear(&client, connection, listening, heard).await,
                Ok(Err(error)) => Error::from_driver("outbox.listen", error),
                Err(_) => lost(SILENT),
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
        match timeout(SAY_BOUND, self.say(&connection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "no relay was told of an announcement; the next look finds it");
            }
            // Perhaps it hangs: the next user must not get this connection.
            Err(_) => drop(Object::take(connection)),
        }
    }

    async fn say(&self, connection: &Object) -> Result<(), tokio_postgres::Error> {
        let asked = Asked(&self.asked);
        let _turn = self.turn.lock().await;
        // From here on, whoever commits has to ask again: the word may be gone before that commit.
        drop(asked);
        let statement = connection.prepare_cached(SAY).await?;
        connection.execute(&statement, &[]).await.map(drop)
    }
}

/// Hears until the connection is lost.
async fn hear<S, T>(
    client: &Client,
    mut connection: Connection<S, T>,
    listening: impl FnOnce(),
    heard: impl Fn(),
) -> Error
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let asking = async {
        ask(client, LISTEN).await?;
        listening();
        // For what was said before.
        heard();
        loop {
            sleep(PING_INTERVAL).await;
            ask(client, PING).await?;
        }
    };
    let mut asking = pin!(asking);
    loop {
        let message = tokio::select! {
            message = poll_fn(|context| connection.poll_message(context)) => message,
            asked = &mut asking => match asked {
                Err(error) => return error,
                Ok(never) => never,
            },
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
        Err(_) => Err(lost(SILENT)),
    }
}

fn lost(how: &'static str) -> Error {
    Error::Unavailable { doing: "outbox.listen", source: how.into() }
}
