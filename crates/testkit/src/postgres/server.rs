//! Where a Postgres server listens and how to talk to it as its superuser. Trust authentication on a unix
//! socket that only this machine's users can reach: these servers hold nothing but test data.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_postgres::{Client, NoTls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const VARIABLE: &str = "RESETTLE_TEST_POSTGRES";

/// A server's socket folder.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    socket_dir: PathBuf,
}

impl Server {
    pub(crate) fn at(socket_dir: &Path) -> Self {
        Self { socket_dir: socket_dir.to_owned() }
    }

    /// The server that `make test` started for all tests.
    pub(crate) fn shared() -> Self {
        match std::env::var_os(VARIABLE) {
            Some(dir) => Self::at(Path::new(&dir)),
            None => panic!(
                "{VARIABLE} is not set: `make test` starts the servers, `tests/run --servers-only` keeps them up"
            ),
        }
    }

    /// The folder with its socket.
    pub(crate) fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The URL of a database for a role. The socket's folder stands percent-encoded in the host's place.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        let host = utf8_percent_encode(&self.socket_dir.to_string_lossy(), NON_ALPHANUMERIC).to_string();
        format!("postgres://{role}@{host}/{database}")
    }

    /// A connection; its driving task ends when the client is dropped.
    pub(crate) async fn connect(&self, role: &str, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config: tokio_postgres::Config = self.url(role, database).parse()?;
        config.connect_timeout(CONNECT_TIMEOUT);
        let (client, connection) = config.connect(NoTls).await?;
        #[expect(clippy::disallowed_methods, reason = "ends by itself when the client is dropped")]
        tokio::spawn(async move {
            // The error, if any, also reaches whoever uses the client.
            let _closed = connection.await;
        });
        Ok(client)
    }

    /// A connection as the superuser, or a panic that says where it was looked for.
    pub(crate) async fn superuser(&self, database: &str) -> Client {
        match self.connect("postgres", database).await {
            Ok(client) => client,
            Err(error) => panic!("no Postgres at {}: {error:?}", self.socket_dir.display()),
        }
    }
}
