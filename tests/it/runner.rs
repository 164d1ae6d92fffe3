//! `tests/run` itself: what it starts is gone when it ends, however it is ended, and two of them do not meet.

use crate::tree::root;
use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;
use testkit::{process::Child, wait};
use tokio::net::TcpStream;

const BOUND: Duration = Duration::from_secs(120);

/// Writes down where the servers are, and stays until it is ended.
const COMMAND: &str = r#"printf '%s\n' "$RESETTLE_TEST_POSTGRES" "$RESETTLE_TEST_AMQP" >"$0.unfinished"
mv "$0.unfinished" "$0"
exec sleep 1000"#;

/// A run with a temporary folder of its own, in which nothing else is.
struct Run {
    process: Child,
    folder: TempDir,
    note: PathBuf,
}

impl Run {
    fn start(notes: &Path, name: &str) -> Self {
        // Short, for the socket's sake; passable for the users that the servers run as.
        let folder = tempfile::Builder::new()
            .prefix("rr")
            .permissions(Permissions::from_mode(0o711))
            .tempdir_in("/tmp")
            .expect("a scratch folder");
        let note = notes.join(name);
        // Whoever runs the tests in the background ignores SIGINT, and a shell cannot take back what it inherits.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT,TERM").arg(root().join("tests/run"));
        command.args(["sh", "-c", COMMAND]).arg(&note).env("TMPDIR", folder.path());
        Self { process: Child::spawn("tests/run", command), folder, note }
    }

    /// The addresses of its Postgres and its RabbitMQ, once its command runs.
    async fn servers(&mut self) -> (String, String) {
        let (note, process) = (&self.note, &mut self.process);
        let text = wait::until("the command to run", BOUND, || {
            assert!(process.is_running(), "it has ended: {}", process.log());
            let text = std::fs::read_to_string(note).ok();
            async { text }
        })
        .await;
        let (postgres, broker) = text.trim().split_once('\n').expect("two lines");
        (postgres.to_owned(), broker.to_owned())
    }

    /// It has ended with this code and left nothing: no process of its own, no file.
    async fn leaves_nothing(mut self, code: i32, processes: &BTreeMap<u32, String>) {
        assert_eq!(self.process.exited(BOUND).await.code(), Some(code), "{}", self.process.log());
        let left = std::fs::read_dir(self.folder.path()).expect("the folder is ours").count();
        assert_eq!(left, 0, "its scratch folder is gone");
        wait::until_true("its processes to be gone", BOUND, || async {
            processes.iter().all(|(pid, started)| stat(*pid).is_none_or(|stat| stat.started != *started))
        })
        .await;
    }
}

struct Stat {
    parent: u32,
    started: String,
}

/// What the kernel says of a process that runs; one that only waits to be reaped does not count.
fn stat(pid: u32) -> Option<Stat> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // "pid (name) state ppid …": the name may hold anything, so count from its closing bracket.
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    (fields[0] != "Z")
        .then(|| Stat { parent: fields[1].parse().expect("a number"), started: fields[19].to_owned() })
}

/// All that a process started, and what that started, with their starting times: a number may be used again.
fn descendants(of: u32) -> BTreeMap<u32, String> {
    let entries = std::fs::read_dir("/proc").expect("/proc can be read").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let all: BTreeMap<u32, Stat> = pids.filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let below = |mut pid: u32| {
        while let Some(stat) = all.get(&pid) {
            if stat.parent == of {
                return true;
            }
            pid = stat.parent;
        }
        false
    };
    all.iter().filter(|(pid, _)| below(**pid)).map(|(pid, stat)| (*pid, stat.started.clone())).collect()
}

async fn answers(postgres: &str, broker: &str) {
    let mut config = tokio_postgres::Config::new();
    config.host_path(postgres).user("postgres").dbname("postgres");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("Postgres answers");
    let asked = async move { client.simple_query("SELECT 1").await.expect("an answer").len() };
    let (rows, _closed) = tokio::join!(asked, connection);
    assert!(rows > 0);
    let address = broker.split('@').nth(1).and_then(|rest| rest.split('/').next()).expect("host and port");
    TcpStream::connect(address).await.expect("RabbitMQ listens");
}

#[tokio::test]
async fn two_runs_do_not_meet_and_an_interrupted_one_leaves_nothing() {
    let notes = tempfile::tempdir().expect("a scratch folder");
    let (mut one, mut two) = (Run::start(notes.path(), "one"), Run::start(notes.path(), "two"));
    let first = one.servers().await;
    let second = two.servers().await;
    assert!(first.0 != second.0 && first.1 != second.1, "{first:?} {second:?}");
    for (run, servers) in [(&one, &first), (&two, &second)] {
        assert!(Path::new(&servers.0).starts_with(run.folder.path()), "{servers:?}");
        answers(&servers.0, &servers.1).await;
    }
    let of_one = descendants(one.process.pid());
    let of_two = descendants(two.process.pid());
    assert!(of_one.len() > 5, "Postgres, RabbitMQ and the command at least: {of_one:?}");

    one.process.interrupt();
    one.leaves_nothing(130, &of_one).await;
    answers(&second.0, &second.1).await;
    two.process.terminate();
    two.leaves_nothing(143, &of_two).await;
}
