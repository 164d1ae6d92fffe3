//! A door to a database at which the answer of one chosen commit gets lost: the commit happens, the connection
//! breaks before its caller hears of it. Nothing else can show what a client does when it cannot know.

use super::{database::Database, server::Server};
use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::Options;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::Mutex,
    task::JoinHandle,
};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// What Postgres answers to a COMMIT that happened.
const COMMITTED: &[u8] = b"COMMIT\0";
/// The socket's name in its folder, at the port that a URL without one means.
const SOCKET: &str = ".s.PGSQL.5432";

/// Connections that come in by this door go to the database, until the answer of the chosen commit is due: then
/// all that are open break, and those that come later are left alone.
#[derive(Debug)]
pub struct Door {
    folder: TempDir,
    database: String,
    lost: Arc<AtomicBool>,
    listening: JoinHandle<()>,
}

impl Door {
    /// Opens a door. What gets lost is the answer of the first commit after which `condition`, a query of one
    /// boolean, is true.
    pub async fn losing(condition: &'static str, database: &Database) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder takes folders");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket can be made");
        let lost = Arc::new(AtomicBool::new(false));
        let guard = Arc::new(Guard {
            condition,
            look: Mutex::new(database.sql().await),
            lost: Arc::clone(&lost),
            broken: CancellationToken::new(),
        });
        let server = database.server().socket_dir().join(SOCKET);
        #[expect(clippy::disallowed_methods, reason = "aborted when the door is dropped")]
        let listening = tokio::spawn(async move {
            while let Ok((inside, _)) = listener.accept().await {
                let (guard, server) = (Arc::clone(&guard), server.clone());
                #[expect(clippy::disallowed_methods, reason = "ends with its connection")]
                tokio::spawn(async move {
                    // An error is the end of a connection, which is what a door is for.
                    let _ended = guard.carry(inside, &server).await;
                });
            }
        });
        Self { folder, database: database.name().to_owned(), lost, listening }
    }

    /// The worker's own role, through the door.
    pub fn worker(&self) -> Options {
        let url = Server::at(self.folder.path()).url("resettle_worker", &self.database);
        Options { url, ..Options::default() }
    }

    /// Has the answer been lost?
    pub fn has_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

struct Guard {
    condition: &'static str,
    look: Mutex<Client>,
    lost: Arc<AtomicBool>,
    broken: CancellationToken,
}

impl Guard {
    /// Carries bytes both ways until either side ends or the answer gets lost.
    async fn carry(&self, inside: UnixStream, server: &Path) -> io::Result<()> {
        let (mut from_client, mut to_client) = inside.into_split();
        let (mut from_server, mut to_server) = UnixStream::connect(server).await?.into_split();
        let over = self.lost.load(Ordering::SeqCst);
        let broken = if over { CancellationToken::new() } else { self.broken.clone() };
        let asking = tokio::io::copy(&mut from_client, &mut to_server);
        let answering = async {
            loop {
                let (kind, length) = (from_server.read_u8().await?, from_server.read_u32().await?);
                let mut body = vec![0; length.saturating_sub(4) as usize];
                from_server.read_exact(&mut body).await?;
                if kind == b'C' && body == COMMITTED && self.loses(&broken).await {
                    return io::Result::Ok(());
                }
                to_client.write_u8(kind).await?;
                to_client.write_u32(length).await?;
                to_client.write_all(&body).await?;
            }
        };
        tokio::select! {
            asked = asking => asked.map(drop),
            answered = answering => answered,
            () = broken.cancelled() => Ok(()),
        }
    }

    /// Is it this commit whose answer gets lost? One at a time, so that the first to see it true is not overtaken.
    async fn loses(&self, broken: &CancellationToken) -> bool {
        let look = self.look.lock().await;
        if broken.is_cancelled() {
            return true;
        }
        if self.lost.load(Ordering::SeqCst) {
            return false;
        }
        let answer = look.query_one(self.condition, &[]).await;
        let now = answer.is_ok_and(|row| row.get(0));
        if now {
            self.lost.store(true, Ordering::SeqCst);
            self.broken.cancel();
        }
        now
    }
}
