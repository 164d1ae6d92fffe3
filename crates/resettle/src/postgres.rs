//! A Postgres of our own: the machine's programs, a private folder, nobody else let in.
//!
//! It listens on a unix socket in a folder that only its user (and root) can enter, so roles need no password.
//! It runs in a process session of its own: Ctrl-C reaches us and not it, and we stop it last. It is kept with
//! fsync on: this is the record (law 1). One that was left over by a kill -9 of ours is taken over; one that
//! dies is started again, a bounded number of times.
//!
//! Nothing here speaks SQL: the schema and its roles are the store's business. Start at [`Embedded::start`].

mod account;
mod cluster;
mod programs;
mod server;
mod supervisor;

pub use account::Account;
pub use programs::Programs;

use crate::data_folder::DataFolder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use server::Server;
use service_kit::{Fatal, Lifecycle};
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The oldest major version that our schema runs on.
pub const OLDEST: u32 = 15;

/// The role that owns the schema; also the server's superuser.
pub const OWNER: &str = "resettle";

/// The database that initdb makes; it is ours alone, so no other one is needed.
const DATABASE: &str = "postgres";

/// A shutdown checkpoint of a busy database takes a while.
const STOP_GRACE: Duration = Duration::from_secs(40);

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable programs on this machine.
    #[error(
        "no PostgreSQL {OLDEST} or newer was found ({looked}): install Debian's or Ubuntu's package `postgresql`, or \
         name the folder that holds `postgres` and `initdb` with RESETTLE_POSTGRES_BIN"
    )]
    NotInstalled {
        /// What was found instead.
        looked: String,
    },
    /// The folder belongs to a version that is not installed.
    #[error(
        "the database in {} was made by PostgreSQL {folder}, and this machine has only {}: install PostgreSQL \
         {folder}, or name another folder with --data", path.display(), have.join(", ")
    )]
    OtherVersion {
        /// Which folder.
        path: PathBuf,
        /// The folder's major version.
        folder: u32,
        /// The installed ones.
        have: Vec<String>,
    },
    /// As root there must be somebody else to run it as.
    #[error("PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`")]
    NoAccount,
    /// The account cannot get to its files.
    #[error(
        "PostgreSQL does not run as root but as `{account}`, who cannot enter {}: name a folder with --data that \
         everybody may pass through, such as /var/lib/resettle", path.display()
    )]
    Unreachable {
        /// Whom it would run as.
        account: String,
        /// The folder that stops them.
        path: PathBuf,
    },
    /// A program failed.
    #[error("{program} failed; the end of what it said:\n{said}")]
    Failed {
        /// Which one.
        program: &'static str,
        /// Its last lines.
        said: String,
    },
    /// A server runs in the folder that is not ours to take over.
    #[error(
        "process {pid} still works in {}, and it is not a PostgreSQL server that could be taken over: end it first",
        path.display()
    )]
    Occupied {
        /// Who.
        pid: i32,
        /// Where.
        path: PathBuf,
    },
    /// It did not answer in time.
    #[error("PostgreSQL was not ready within {} s; the end of its log:\n{said}", within.as_secs())]
    NotReady {
        /// How long we waited.
        within: Duration,
        /// Its last lines.
        said: String,
    },
    /// It died too often.
    #[error("PostgreSQL died {times} times within {} s; the end of its log:\n{said}", within.as_secs())]
    Dying {
        /// How often.
        times: usize,
        /// In what time.
        within: Duration,
        /// Its last lines.
        said: String,
    },
    /// Files or processes could not be handled.
    #[error("{doing} failed")]
    Io {
        /// What was tried.
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl Error {
    fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// A running, supervised server.
pub struct Embedded {
    socket_folder: PathBuf,
    lifecycle: Lifecycle,
}

impl Embedded {
    /// Starts the folder's server, or takes over the one that still runs in it. Makes the folder at first.
    pub async fn start(folder: &DataFolder, programs: &Programs) -> Result<Self, Error> {
        let account = Account::for_server()?;
        let cluster = cluster::open(folder.path(), programs, account).await?;
        let server = Server::start(cluster).await?;
        let socket_folder = server.socket_folder().to_owned();
        // Its own lifecycle, since it has to outlive every task that writes.
        let lifecycle = Lifecycle::new(STOP_GRACE);
        let stopping = lifecycle.stopping();
        lifecycle.spawn("postgres", async move { Ok(supervisor::keep(server, stopping).await?) });
        Ok(Self { socket_folder, lifecycle })
    }

    /// The URL of the database for a role.
    pub fn url(&self, role: &str) -> String {
        let host = utf8_percent_encode(&self.socket_folder.to_string_lossy(), NON_ALPHANUMERIC).to_string();
        format!("postgres://{role}@{host}/{DATABASE}")
    }

    /// Where its socket is.
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// Cancelled when the server is stopped or cannot be kept running.
    pub fn ended(&self) -> CancellationToken {
        self.lifecycle.stopping()
    }

    /// Stops the server (open transactions are rolled back, everything is written out), or tells why it died.
    pub async fn stop(self) -> Result<(), Fatal> {
        self.lifecycle.stop();
        self.lifecycle.wait_with(futures::stream::pending()).await
    }
}
