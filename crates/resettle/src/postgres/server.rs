//! One server process: started by us, or found running after we were killed.

use super::{Error, cluster::Cluster};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use std::{
    fs,
    fs::OpenOptions,
    io,
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    process::Command,
    time::{Instant, timeout},
};

/// Recovery after a crash reads up to a checkpoint's worth of log.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Fast shutdown rolls back and writes out; then the plug is pulled, which fsync makes safe.
const FAST_WITHIN: Duration = Duration::from_secs(30);
const IMMEDIATE_WITHIN: Duration = Duration::from_secs(5);

/// A running server process.
pub(crate) struct Server {
    cluster: Cluster,
    socket_folder: PathBuf,
    process: Process,
}

enum Process {
    /// Our child: it has to be reaped.
    Child(Box<tokio::process::Child>),
    /// Left over by an earlier process of ours. A handle, not a number: numbers are used again.
    Adopted(Pid, AsyncFd<OwnedFd>),
}

impl Server {
    /// Takes over the server that still runs in the cluster's folder, or starts one.
    pub(crate) async fn start(cluster: Cluster) -> Result<Self, Error> {
        match leftover(&cluster)? {
            Some((pid, socket_folder)) => {
                tracing::warn!(
                    pid = pid.as_raw_nonzero(),
                    "taking over the PostgreSQL that was left running"
                );
                let process =
                    adopt(pid).map_err(Error::io("watching the PostgreSQL that was left running"))?;
                let mut server = Self { cluster, socket_folder, process };
                server.ready().await?;
                Ok(server)
            }
            None => {
                let socket_folder = make_socket_folder(&cluster)?;
                Self::launch(cluster, socket_folder).await
            }
        }
    }

    /// Starts the server again after it died, at the same socket: the pools' URLs stay good. After an error it
    /// is still a dead server, which can be tried again.
    pub(crate) async fn again(&mut self) -> Result<(), Error> {
        self.process = spawn(&self.cluster, &self.socket_folder)?;
        self.ready().await
    }

    pub(crate) fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    pub(crate) fn log_tail(&self) -> String {
        self.cluster.log_tail()
    }

    async fn launch(cluster: Cluster, socket_folder: PathBuf) -> Result<Self, Error> {
        let process = spawn(&cluster, &socket_folder)?;
        let mut server = Self { cluster, socket_folder, process };
        server.ready().await?;
        Ok(server)
    }

    /// Waits until the server says in its own file that it takes connections.
    async fn ready(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let status = PidFile::read(&self.cluster.data)?;
            if status.is_some_and(|file| file.ready && Some(file.pid) == self.pid()) {
                return Ok(());
            }
            if let Ok(gone) = timeout(LOOK_EVERY, self.gone()).await {
                gone?;
                return Err(Error::Failed { program: "postgres", said: self.log_tail() });
            }
            if Instant::now() > deadline {
                let said = self.log_tail();
                self.stop().await?;
                return Err(Error::NotReady { within: READY_WITHIN, said });
            }
        }
    }

    fn pid(&self) -> Option<Pid> {
        match &self.process {
            Process::Child(child) => child.id().and_then(|id| Pid::from_raw(id.cast_signed())),
            Process::Adopted(pid, _) => Some(*pid),
        }
    }

    /// Stops it for good.
    pub(crate) async fn close(&mut self) -> Result<(), Error> {
        let stopped = self.stop().await;
        // Only an empty folder is left of it, if that.
        let _gone_already = fs::remove_dir_all(&self.socket_folder);
        stopped
    }

    /// An error means that it has ended by itself, which waiting for it tells as well.
    fn signal(&self, signal: Signal) {
        let _ended = match &self.process {
            Process::Child(_) => self.pid().map(|pid| kill_process(pid, signal)),
            Process::Adopted(_, handle) => Some(pidfd_send_signal(handle.get_ref(), signal)),
        };
    }

    /// Waits until the process has ended, however it did.
    pub(crate) async fn gone(&mut self) -> Result<(), Error> {
        let waited = match &mut self.process {
            Process::Child(child) => child.wait().await.map(drop),
            // Readable means ended, also for a process that nobody reaps.
            Process::Adopted(_, handle) => handle.readable().await.map(drop),
        };
        waited.map_err(Error::io("waiting for postgres"))
    }

    /// Stops it: fast, and if that takes too long at once.
    async fn stop(&mut self) -> Result<(), Error> {
        for (signal, within) in [(Signal::INT, FAST_WITHIN), (Signal::QUIT, IMMEDIATE_WITHIN)] {
            self.signal(signal);
            if let Ok(gone) = timeout(within, self.gone()).await {
                return gone;
            }
            tracing::warn!(?signal, "PostgreSQL did not stop in time");
        }
        let source = io::Error::new(io::ErrorKind::TimedOut, "it does not end");
        Err(Error::io("stopping postgres")(source))
    }
}

fn adopt(pid: Pid) -> io::Result<Process> {
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    #[expect(
        deprecated,
        reason = "its successor is an unsafe function, for handles that are closed while watched; this one is owned"
    )]
    let watched = AsyncFd::with_interest(handle, Interest::READABLE)?;
    Ok(Process::Adopted(pid, watched))
}

fn spawn(cluster: &Cluster, socket_folder: &Path) -> Result<Process, Error> {
    let child = command(cluster, socket_folder)?.spawn().map_err(Error::io("starting postgres"))?;
    Ok(Process::Child(Box::new(child)))
}

fn command(cluster: &Cluster, socket_folder: &Path) -> Result<Command, Error> {
    let log = OpenOptions::new().create(true).append(true).open(&cluster.log);
    let log = log.map_err(Error::io(format!("opening {}", cluster.log.display())))?;
    let errors = log.try_clone().map_err(Error::io("opening the server's log twice"))?;
    // `setsid` gives it a process session of its own, so that a terminal's Ctrl-C and hang-up pass it by. It
    // becomes the server itself, so the process id is the server's.
    let mut command = Command::new("setsid");
    command.arg(cluster.bin.join("postgres")).arg("-D").arg(&cluster.data).arg("-k").arg(socket_folder);
    for setting in ["listen_addresses=", "unix_socket_permissions=0700", "logging_collector=off", "fsync=on"]
    {
        command.args(["-c", setting]);
    }
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::from(log)).stderr(Stdio::from(errors));
    if let Some(account) = &cluster.account {
        account.become_in(&mut command);
    }
    Ok(command)
}

/// A path of a socket has to be shorter than 108 bytes, so it is not made below the data folder.
fn make_socket_folder(cluster: &Cluster) -> Result<PathBuf, Error> {
    let made = || {
        let folder = tempfile::Builder::new()
            .prefix("resettle-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in("/tmp")?;
        if let Some(account) = &cluster.account {
            account.own(folder.path())?;
        }
        Ok(folder.keep())
    };
    made().map_err(Error::io("making a folder for the server's socket below /tmp"))
}

/// What a server writes about itself into `postmaster.pid`.
#[derive(Debug, PartialEq, Eq)]
struct PidFile {
    pid: Pid,
    socket_folder: PathBuf,
    ready: bool,
}

impl PidFile {
    fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    /// `None`: there is no file, or one that is still being written.
    fn read(data: &Path) -> Result<Option<Self>, Error> {
        match fs::read_to_string(Self::path(data)) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("reading postmaster.pid")(error)),
        }
    }

    /// Lines: process, data folder, start, port, socket folder, address, shared memory, status.
    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let pid = Pid::from_raw(lines.first()?.trim().parse().ok()?)?;
        let ready = lines.get(7).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid, socket_folder: PathBuf::from(lines.get(4)?), ready })
    }
}

/// The server that an earlier process of ours left running here, if any.
///
/// A file whose process has ended is left to Postgres, which also sees whether sessions of it live on. But where
/// the number belongs to another process by now, or to one that nobody reaped, Postgres would refuse to start.
fn leftover(cluster: &Cluster) -> Result<Option<(Pid, PathBuf)>, Error> {
    let Some(file) = PidFile::read(&cluster.data)? else { return Ok(None) };
    // The command line, since a container's root may not read another user's working folder or program.
    let Some(arguments) = command_line(file.pid) else { return Ok(None) };
    if is_postgres(&arguments) && arguments.iter().any(|argument| Path::new(argument) == cluster.data) {
        return Ok(Some((file.pid, file.socket_folder)));
    }
    if let Some(pid) = orphaned_session() {
        return Err(Error::Occupied { pid: pid.as_raw_nonzero().get(), path: cluster.data.clone() });
    }
    fs::remove_file(PidFile::path(&cluster.data)).map_err(Error::io("removing a stale postmaster.pid"))?;
    Ok(None)
}

/// A session whose server is gone; which folder it works in cannot be seen.
fn orphaned_session() -> Option<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    pids.find(|pid| {
        let session =
            command_line(*pid).is_some_and(|line| line.first().is_some_and(|a| a.starts_with("postgres: ")));
        session && !parent(*pid).and_then(command_line).is_some_and(|parent| is_postgres(&parent))
    })
}

/// `None`: there is no such process. Empty: it has ended and nobody reaped it.
fn command_line(pid: Pid) -> Option<Vec<String>> {
    let bytes = fs::read(proc_entry(pid, "cmdline")).ok()?;
    let arguments = bytes.split(|byte| *byte == 0).filter(|argument| !argument.is_empty());
    Some(arguments.map(|argument| String::from_utf8_lossy(argument).into_owned()).collect())
}

fn is_postgres(arguments: &[String]) -> bool {
    arguments
        .first()
        .is_some_and(|program| Path::new(program).file_name().is_some_and(|name| name == "postgres"))
}

fn parent(pid: Pid) -> Option<Pid> {
    let status = fs::read_to_string(proc_entry(pid, "status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    Pid::from_raw(line.trim().parse().ok()?)
}

fn proc_entry(pid: Pid, name: &str) -> PathBuf {
    Path::new("/proc").join(pid.as_raw_nonzero().to_string()).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_ready_only_when_it_says_so() {
        let text = "4711\n/data/postgres\n1763690000\n5432\n/tmp/resettle-x\n\n  5432001  131072\nready   \n";
        let file = PidFile::parse(text).expect("whole");
        assert_eq!(file.socket_folder, Path::new("/tmp/resettle-x"));
        assert!(file.ready);
        assert!(!PidFile::parse(&text.replace("ready", "starting")).expect("whole").ready);
        assert_eq!(PidFile::parse("4711\n/data/postgres\n"), None);
        assert_eq!(PidFile::parse(""), None);
    }
}
