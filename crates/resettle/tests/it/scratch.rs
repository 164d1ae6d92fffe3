//! A folder for one test's data, and the programs that run on it. Nothing survives the test, also not a server
//! that the test left running on purpose.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use testkit::{process::Child, wait};

/// A start makes a database at first, on a machine that other tests keep busy.
pub(crate) const STARTED: Duration = Duration::from_secs(90);

/// A data folder that is thrown away.
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        // The database's user has to pass through when the tests run as root.
        let mode = fs::Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("resettle-test-").permissions(mode).tempdir();
        Self { folder: folder.expect("the temporary folder takes folders") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `resettle up` on this folder, on a free port.
    pub(crate) fn up(&self) -> Child {
        let mut command = resettle(&["up", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(self.data());
        Child::spawn("resettle up", command)
    }

    /// The process id that the server wrote down, once it is ready.
    pub(crate) fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postgres/postmaster.pid")).ok()?;
        let ready = text.lines().nth(7).is_some_and(|status| status.trim() == "ready");
        ready.then(|| Pid::from_raw(text.lines().next()?.trim().parse().ok()?)).flatten()
    }

    /// Waits for a ready server other than `before`.
    pub(crate) async fn next_postmaster(&self, before: Option<Pid>) -> Pid {
        wait::until("a ready server", STARTED, || async {
            self.postmaster().filter(|pid| Some(*pid) != before)
        })
        .await
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster().filter(|pid| runs(*pid)) {
            // It may end by itself at this very moment.
            let _gone = kill_process(pid, Signal::QUIT);
        }
    }
}

/// Is there such a server? A number that was used again does not count, nor one that has ended and was not reaped:
/// its command line is empty.
pub(crate) fn runs(pid: Pid) -> bool {
    let line = fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    line.split('\0').next().is_some_and(|program| program.ends_with("/postgres"))
}

/// The program with arguments, and with nothing of the tester's own settings.
pub(crate) fn resettle(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resettle"));
    command
        .args(arguments)
        .env_remove("RESETTLE_API_KEY")
        .env_remove("RESETTLE_OWNER_URL")
        .env_remove("RESETTLE_SERVER")
        .env("TERM", "dumb");
    command
}
