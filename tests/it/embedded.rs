//! The all-in-one as one process with a Postgres of its own: what a developer alone on a laptop runs.

use crate::{client::Client, stack};
use rustix::process::{Pid, Signal, kill_process};
use std::{net::SocketAddr, os::unix::fs::PermissionsExt, process::Command, time::Duration};
use tempfile::TempDir;
use testkit::process::Child;

/// A start makes a database at first, on a machine that other tests keep busy.
const BOUND: Duration = Duration::from_secs(120);

/// A running `resettle up`, and a client of its one port.
pub(crate) struct Embedded {
    pub(crate) client: Client,
    process: Child,
    folder: TempDir,
}

impl Embedded {
    /// Ready, and allowed to move a site on this address.
    pub(crate) async fn start(allow: SocketAddr) -> Self {
        Self::start_with(allow, &[]).await
    }

    /// The same, with more settings: their names as in the environment, without its prefix.
    pub(crate) async fn start_with(allow: SocketAddr, settings: &[(&str, &str)]) -> Self {
        // The database's user has to pass through when the tests run as root.
        let mode = std::fs::Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("resettle-it-").permissions(mode).tempdir();
        let folder = folder.expect("a scratch folder");
        let mut command = Command::new(stack::binary("resettle"));
        command.args(["up", "--listen", "127.0.0.1:0", "--allow-address", &allow.to_string(), "--data"]);
        command.arg(folder.path().join("data"));
        for (name, value) in settings {
            command.env(format!("RESETTLE_ALL_IN_ONE__{name}"), value);
        }
        let mut process = Child::spawn("resettle up", command);
        let line = process.line("resettle is up at http://", BOUND).await;
        let base = line[line.find("http://").expect("just found")..].trim_end_matches('/').to_owned();
        let key = std::fs::read_to_string(folder.path().join("data/api-key")).expect("it wrote a key");
        Self { client: Client::new(&base, &base, key.trim()), process, folder }
    }

    /// Stops it as Ctrl-C does; its database goes with it.
    pub(crate) async fn stop(mut self) {
        self.process.interrupt();
        assert!(self.process.exited(BOUND).await.success(), "{}", self.process.log());
    }
}

impl Drop for Embedded {
    /// After a failed test: the database is in a session of its own and would outlive the process.
    fn drop(&mut self) {
        let file = self.folder.path().join("data/postgres/postmaster.pid");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let pid = text.lines().next().and_then(|line| Pid::from_raw(line.trim().parse().ok()?));
        if let Some(pid) = pid {
            let _gone = kill_process(pid, Signal::QUIT);
        }
    }
}
