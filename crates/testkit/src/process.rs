//! Processes that a test starts: killed when their value is dropped, and also when the test process dies
//! without dropping anything, as it does on Ctrl-C.

use crate::wait;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsString,
    fs::File,
    io,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    time::Duration,
};
use tempfile::NamedTempFile;

/// A running process with its output in a file.
#[derive(Debug)]
pub struct Child {
    name: String,
    inner: std::process::Child,
    log: NamedTempFile,
    exit: Option<ExitStatus>,
}

impl Child {
    /// Starts a process. Its output goes to a file that [`Child::log`] reads.
    pub fn spawn(name: &str, command: Command) -> Self {
        Self::spawn_as(name, command, None)
    }

    /// Starts a process as another user, which only root can.
    pub(crate) fn spawn_as(name: &str, command: Command, user: Option<&User>) -> Self {
        let log = NamedTempFile::new().expect("the temporary folder takes files");
        let mut guarded = guarded(&command, user);
        let output = |file: &File| Stdio::from(file.try_clone().expect("a file handle can be cloned"));
        guarded.stdin(Stdio::null()).stdout(output(log.as_file())).stderr(output(log.as_file()));
        match spawn_from_lasting_thread(guarded) {
            Ok(inner) => Self { name: name.into(), inner, log, exit: None },
            Err(error) => panic!("{name} cannot be started: {error}"),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.inner.id()
    }

    /// How much memory it holds right now, in bytes, as the kernel counts it (RSS).
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or_default() * 1024
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log.path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Is it still there?
    pub fn is_running(&mut self) -> bool {
        self.poll().is_none()
    }

    /// kill -9; returns when it is gone.
    pub fn kill(&mut self) {
        if self.is_running() {
            // An error means that it has just ended by itself.
            let _ended = self.inner.kill();
            self.exit = self.inner.wait().ok();
        }
    }

    /// SIGTERM: asks it to stop.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGINT: what Ctrl-C sends.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// SIGSTOP: it does nothing more until [`Child::thaw`], and knows nothing of it.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until it has ended; panics with its log when it does not.
    pub async fn exited(&mut self, bound: Duration) -> ExitStatus {
        let deadline = tokio::time::Instant::now() + bound;
        loop {
            if let Some(status) = self.poll() {
                return status;
            }
            let in_vain = tokio::time::Instant::now() > deadline;
            assert!(!in_vain, "{} did not end within {bound:?}; its log:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for a line that holds the text, and returns it; panics with the log when the process ends first.
    pub async fn line(&mut self, text: &str, bound: Duration) -> String {
        let deadline = tokio::time::Instant::now() + bound;
        loop {
            let over = !self.is_running() || tokio::time::Instant::now() > deadline;
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(!over, "{} never wrote {text:?}; its log:\n{log}", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        if self.exit.is_none() {
            self.exit = self.inner.try_wait().ok().flatten();
        }
        self.exit
    }

    fn signal(&self, signal: Signal) {
        assert!(self.exit.is_none(), "{} has ended; its process id may be somebody else's", self.name);
        let pid = Pid::from_child(&self.inner);
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{} takes no signal: {error}", self.name));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        crate::clock::forget(self.pid());
        if std::thread::panicking() {
            #[expect(clippy::print_stdout, reason = "the log is what a failed test is understood by")]
            {
                println!("--- log of {} ---\n{}", self.name, self.log());
            }
        }
    }
}

/// A user to run a server as: Postgres refuses to run as root.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The user of that name, if we are root and so have to become somebody else.
    pub(crate) fn to_become(name: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let accounts = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
        let found = accounts.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.first() == Some(&name))
                .then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))
        });
        match found.flatten() {
            Some((uid, gid)) => Some(Self { uid, gid }),
            None => panic!("there is no user {name}; `make test` sets the servers up"),
        }
    }

    /// Gives a folder, or a file, to the user.
    pub(crate) fn own(user: Option<&Self>, path: &std::path::Path) {
        if let Some(Self { uid, gid }) = user {
            std::os::unix::fs::chown(path, Some(*uid), Some(*gid)).expect("root may give folders away");
        }
    }
}

/// The command under `setpriv`, which asks the kernel to kill it when we die, and may change the user.
fn guarded(command: &Command, user: Option<&User>) -> Command {
    let mut arguments: Vec<OsString> = vec!["--pdeathsig".into(), "KILL".into()];
    if let Some(User { uid, gid }) = user {
        arguments.extend([
            "--reuid".into(),
            uid.to_string().into(),
            "--regid".into(),
            gid.to_string().into(),
        ]);
        arguments.push("--clear-groups".into());
    }
    arguments.extend(["--".into(), command.get_program().to_owned()]);
    arguments.extend(command.get_args().map(OsString::from));
    // By its path, for the command may have a PATH of its own on which there is none.
    let mut guarded = Command::new(find_program("setpriv", &[]));
    guarded.args(arguments);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        guarded.current_dir(folder);
    }
    guarded
}

type Order = (Command, mpsc::Sender<io::Result<std::process::Child>>);

/// The kernel's "parent" is the thread that forked, so all processes come from one that lives to the end.
fn spawn_from_lasting_thread(command: Command) -> io::Result<std::process::Child> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                // Whoever asked waits for the answer below.
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (answer, spawned) = mpsc::channel();
    spawner.send((command, answer)).expect("the spawner lives as long as the process");
    spawned.recv().expect("the spawner answers each order")
}

/// A folder for a server, readable by the user that it runs as, with a short path: sockets need one.
pub(crate) fn server_folder(prefix: &str, user: Option<&User>) -> tempfile::TempDir {
    let folder =
        tempfile::Builder::new().prefix(prefix).tempdir().expect("the temporary folder takes folders");
    User::own(user, folder.path());
    folder
}

/// The first of the candidates that is there.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates =
        folders.iter().cloned().chain(std::env::split_paths(&path)).map(|folder| folder.join(name));
    let found = candidates.into_iter().find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; `make test` sets it up"))
}

/// Runs a command to its end, off the runtime's threads, and panics with its output when it fails.
pub(crate) async fn run(name: &str, command: Command, user: Option<&User>, bound: Duration) -> String {
    let mut guarded = tokio::process::Command::from(guarded(&command, user));
    guarded.stdin(Stdio::null()).kill_on_drop(true);
    let output = wait::within(name, bound, guarded.output()).await;
    let output = output.unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{name} failed with {}:\n{out}\n{err}", output.status);
    out
}
