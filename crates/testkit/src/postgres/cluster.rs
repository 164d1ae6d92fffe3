//! A whole Postgres of a test's own, for tests that stop, restart or kill the server.

use super::{Database, server::Server};
use crate::{
    process::{Child, User, find_program, run, server_folder},
    wait,
};
use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

const INIT_BOUND: Duration = Duration::from_secs(60);
const START_BOUND: Duration = Duration::from_secs(60);
const STOP_BOUND: Duration = Duration::from_secs(30);

/// A Postgres with a data folder and a socket of its own, and no TCP but where a test asks for it. Killed, with its
/// folder, when dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    user: Option<User>,
    running: Option<Child>,
    /// Killed, but perhaps not gone yet; a new postmaster must not meet them.
    dying: Vec<u32>,
    /// Settings that a test added.
    settings: Vec<String>,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub async fn start() -> Self {
        let user = User::to_become("postgres");
        let folder = server_folder("rpg", user.as_ref());
        let bin = find_program("postgres", &debian_folders());
        let bin = bin.parent().expect("a program is in a folder").to_owned();
        let mut cluster = Self { folder, bin, user, running: None, dying: vec![], settings: vec![] };
        let mut initdb = cluster.command("initdb");
        // No fsync: what this cluster survives is the death of its processes, not of the machine.
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        initdb.arg("-D").arg(cluster.data());
        run("initdb", initdb, cluster.user.as_ref(), INIT_BOUND).await;
        cluster.start_again().await;
        cluster
    }

    /// A migrated database on this cluster.
    pub async fn database(&self) -> Database {
        Database::create_on(self.server()).await
    }

    /// Stops it in an orderly way: connections are cut, everything is written ("fast" shutdown).
    pub async fn stop(&mut self) {
        let mut running = self.running.take().expect("the cluster is running");
        running.interrupt();
        running.exited(STOP_BOUND).await;
    }

    /// kill -9 of the postmaster and of every process that it started: what a power cut looks like from here.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("the cluster is running");
        self.dying = kill_tree(&mut running);
    }

    /// kill -9 of one server process, after which the postmaster ends all the others, recovers and goes on: what
    /// the kernel's out-of-memory killer does. Returns when it answers again.
    pub async fn crash(&mut self) {
        let victim = self.server().superuser("postgres").await;
        let pid: i32 = match victim.query_one("SELECT pg_backend_pid()", &[]).await {
            Ok(row) => row.get(0),
            Err(error) => panic!("the cluster does not answer: {error:?}"),
        };
        let before = self.server_processes();
        let pid = rustix::process::Pid::from_raw(pid).expect("a process id is positive");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is our own process");
        wait::until_true("every server process to be replaced", STOP_BOUND, || async {
            !before.iter().any(is_alive)
        })
        .await;
        self.answers().await;
    }

    /// From its next start on it also listens on these loopback addresses, at the usual port, and speaks TLS with this
    /// certificate and key (PEM) to whoever asks for it. Every address of 127.0.0.0/8 is the loopback, so that a test's
    /// own addresses meet nobody else's.
    pub fn speak_tls(&mut self, addresses: &[std::net::Ipv4Addr], certificate: &str, key: &str) {
        for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
            let path = self.data().join(name);
            std::fs::write(&path, pem).expect("the data folder takes a file");
            // A key that others may read is refused.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
            User::own(self.user.as_ref(), &path);
        }
        self.listen_in_plain_text(addresses);
        self.settings.push("ssl=on".to_owned());
    }

    /// From its next start on it also listens on these loopback addresses, at the usual port.
    pub fn listen_in_plain_text(&mut self, addresses: &[std::net::Ipv4Addr]) {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        self.settings = vec![format!("listen_addresses={}", addresses.join(","))];
    }

    fn server_processes(&self) -> Vec<u32> {
        children_of(self.running.as_ref().expect("the cluster is running").pid())
    }

    /// Starts it on the data that it has, and waits until it answers.
    pub async fn start_again(&mut self) {
        assert!(self.running.is_none(), "the cluster is running");
        let dying = std::mem::take(&mut self.dying);
        wait::until_true("the killed processes to be gone", STOP_BOUND, || async {
            !dying.iter().any(is_alive)
        })
        .await;
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(self.data()).arg("-k").arg(self.socket_dir());
        // Shared memory in the data folder goes with it; in /dev/shm it would outlive a server that is killed.
        let shared = ["dynamic_shared_memory_type=mmap", "shared_buffers=32MB"];
        for setting in ["listen_addresses=", "fsync=off", "max_connections=100"].into_iter().chain(shared) {
            postgres.args(["-c", setting]);
        }
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        self.running = Some(Child::spawn_as("postgres", postgres, self.user.as_ref()));
        self.answers().await;
    }

    async fn answers(&mut self) {
        let server = self.server();
        let deadline = tokio::time::Instant::now() + START_BOUND;
        loop {
            let answers = match server.connect("postgres", "postgres").await {
                Ok(client) => client.batch_execute("SELECT 1").await.is_ok(),
                Err(_) => false,
            };
            if answers {
                return;
            }
            let running = self.running.as_mut().expect("set above");
            let over = !running.is_running() || tokio::time::Instant::now() > deadline;
            assert!(!over, "the cluster does not start:\n{}", running.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The folder with its socket.
    pub fn socket_dir(&self) -> &Path {
        self.folder.path()
    }

    fn server(&self) -> Server {
        Server::at(self.socket_dir())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(self.folder.path()).env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            kill_tree(&mut running);
        }
    }
}

/// Debian keeps the servers out of PATH, one folder per version; the newest first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut numbers: Vec<u32> =
        versions.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable_by(|one, two| two.cmp(one));
    numbers.into_iter().map(|number| PathBuf::from(format!("/usr/lib/postgresql/{number}/bin"))).collect()
}

/// The children notice the postmaster's death by themselves, but not at once. Returns those that were killed.
fn kill_tree(postmaster: &mut Child) -> Vec<u32> {
    let children = children_of(postmaster.pid());
    postmaster.kill();
    for &child in &children {
        let pid = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // Gone already, most likely.
            let _gone = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
    children
}

/// A zombie holds nothing any more: it only waits for its new parent to look.
fn is_alive(pid: &u32) -> bool {
    status(*pid).is_some_and(|(state, _)| state != "Z")
}

/// State and parent of a process, if it is there.
fn status(pid: u32) -> Option<(String, u32)> {
    // "pid (name) state ppid …": the name may hold anything, so count from its closing bracket.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| status(*pid).is_some_and(|(_, of)| of == parent)).collect()
}
