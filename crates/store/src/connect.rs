//! Opens the pool's connections, all as tasks of the runtime that the pool was made on.
//!
//! Whoever asks first for a connection opens it, and that may be a server's own thread with a small runtime that ends
//! before the process does. A connection that lived there would die under whoever has it then.

use crate::tls::Tls;
use deadpool_postgres::Connect;
use futures::future::{BoxFuture, pending};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    task::JoinHandle,
};
use tokio_postgres::{Client, Config, Connection, Error, NoTls};
use tokio_util::task::AbortOnDropHandle;

/// Opens connections.
pub(crate) struct Opener {
    runtime: Handle,
    tls: Option<Tls>,
}

impl Opener {
    /// On the present runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn here(tls: Option<Tls>) -> Self {
        Self { runtime: Handle::current(), tls }
    }
}

impl Connect for Opener {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let opening = open(config.clone(), self.tls.clone(), self.runtime.clone());
        // The socket belongs to the runtime that it was opened on, so the opening itself has to be there, too. Ends
        // with the pool's patience.
        let opening = AbortOnDropHandle::new(self.runtime.spawn(opening));
        Box::pin(async move {
            match opening.await {
                Ok(opened) => opened,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                // The runtime has ended, and the process with it: the pool's own bound answers, if anybody waits.
                Err(_) => pending().await,
            }
        })
    }
}

async fn open(config: Config, tls: Option<Tls>, runtime: Handle) -> Result<(Client, JoinHandle<()>), Error> {
    match tls {
        None => {
            let (client, connection) = config.connect(NoTls).await?;
            Ok((client, runtime.spawn(drive(connection))))
        }
        Some(tls) => {
            let (client, connection) = config.connect(tls).await?;
            Ok((client, runtime.spawn(drive(connection))))
        }
    }
}

/// Until its client is dropped or it breaks. Who uses it is told by their own statement.
async fn drive<S, T>(connection: Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    if let Err(error) = connection.await {
        tracing::info!(error = &error as &dyn std::error::Error, "a connection to the database broke");
    }
}
