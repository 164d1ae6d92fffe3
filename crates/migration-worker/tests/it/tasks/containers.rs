//! Jobs that are carried out in containers, by a real Podman with a store of its own: shut in, ended with their job, and
//! removed after a worker that was killed.

use super::{JobState, World, json};
use crate::{
    process::settings,
    world::{BOUND, Bell, small_site},
};
use std::{fs, os::unix::fs::symlink, process::Command};
use testkit::{process::Child, site::StaticSite, wait};

const IMAGE: &str = "localhost/tools:1";

/// Podman, whose images and containers lie in a folder of their own.
struct Engine {
    folder: tempfile::TempDir,
}

impl Engine {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name).display().to_string();
        let (graph, run, state, temporary) = (place("graph"), place("run"), place("state"), place("tmp"));
        let storage = format!("[storage]\ndriver = 'vfs'\ngraphroot = '{graph}'\nrunroot = '{run}'\n");
        // The limits of whoever runs the tests may be lower than those that a container gets by default, and crun refuses
        // machines that have control groups of both versions.
        let engine = format!(
            "[containers]\ndefault_ulimits = ['nofile=1024:1024', 'nproc=1024:1024']\n\
             [engine]\nruntime = 'runc'\ncgroup_manager = 'cgroupfs'\nevents_logger = 'none'\nlock_type = 'file'\n\
             static_dir = '{state}'\ntmp_dir = '{temporary}'\n"
        );
        fs::write(folder.path().join("storage.conf"), storage).expect("written");
        fs::write(folder.path().join("containers.conf"), engine).expect("written");
        let engine = Self { folder };
        engine.import();
        engine
    }

    /// An image of nothing but busybox.
    fn import(&self) {
        let (root, archive) = (self.folder.path().join("root"), self.folder.path().join("root.tar"));
        fs::create_dir_all(root.join("bin")).expect("made");
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static: `make setup`");
        for tool in ["sh", "cat", "grep", "head", "sleep", "tail", "touch"] {
            symlink("busybox", root.join("bin").join(tool)).expect("linked");
        }
        let packed = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(&root).arg(".").status();
        assert!(packed.expect("tar").success());
        self.podman(&["import", "--quiet", &archive.display().to_string(), IMAGE]);
    }

    /// Runs a command of the engine; what it says.
    fn podman(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("podman");
        self.environment(&mut command);
        let said = command.args(arguments).output().expect("podman: `make setup`");
        assert!(said.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).expect("text")
    }

    fn environment(&self, command: &mut Command) {
        command.env("CONTAINERS_STORAGE_CONF", self.folder.path().join("storage.conf"));
        command.env("CONTAINERS_CONF", self.folder.path().join("containers.conf"));
    }

    /// The names of the containers that there are, running or not.
    fn containers(&self) -> Vec<String> {
        let names = self.podman(&["ps", "--all", "--format", "{{.Names}}"]);
        names.lines().map(str::to_owned).collect()
    }

    fn worker(&self, world: &World, site: &StaticSite, kinds: &str) -> Child {
        let file = world.folder.path().join("migration-worker.toml");
        let more = "[lease]\nttl = \"3s\"\nheartbeat = \"1s\"\nmargin = \"500ms\"";
        fs::write(&file, [settings(world, Bell::Notify, site, more), kinds.to_owned()].concat())
            .expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_migration-worker"));
        command.arg("--config").arg(file);
        self.environment(&mut command);
        Child::spawn("migration-worker", command)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Nothing of a test that failed lives on. A panic here would hide why it did.
        let mut command = Command::new("podman");
        self.environment(&mut command);
        let _ = command.args(["rm", "--all", "--force", "--time", "0"]).output();
    }
}

fn kind(name: &str, script: &str) -> String {
    format!(
        "[jobs.kinds.{name}]\nexecutor = 'container'\nengine = 'podman'\nimage = '{IMAGE}'\nmemory = 67108864\n\
         command = ['/bin/sh', '-c', '''{script}''']\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_gets_the_envelope_is_shut_in_and_fails_like_a_program() {
    let (world, site, engine) = (World::new().await, small_site().await, Engine::start());
    let inside = "cat >/dev/null; touch /mark 2>/dev/null && mark=true || mark=false\n\
                  echo \"{\\\"interfaces\\\": $(grep -c : /proc/net/dev), \\\"mark\\\": $mark, \\\"user\\\": \\\"$USER\\\", \
                  \\\"rights\\\": \\\"$(grep -c '^Cap[EPI].*0000000000000000' /proc/self/status)\\\"}\"";
    let kinds = [
        kind("echo", "cat"),
        kind("look", inside),
        kind("refuses", "echo no such width; exit 65"),
        kind("swells", "head -c 300000000 /dev/zero | tail >/dev/null"),
    ];
    let mut worker = engine.worker(&world, &site, &kinds.concat());
    let echo = world.enqueue("echo", json!({"text": "é"}), 1).await;
    let look = world.enqueue("look", json!(null), 1).await;
    let refused = world.enqueue("refuses", json!(null), 3).await;
    let swollen = world.enqueue("swells", json!(null), 1).await;
    let done = world.ends(echo, JobState::Completed).await.result.expect("a result");
    assert_eq!((&done["payload"], &done["jobId"]), (&json!({"text": "é"}), &json!(echo)));
    let seen = world.ends(look, JobState::Completed).await.result.expect("a result");
    assert_eq!(seen, json!({"interfaces": 1, "mark": false, "user": "", "rights": "3"}));
    let error = world.ends(refused, JobState::Failed).await.last_error.expect("why");
    assert!(error["message"].as_str().is_some_and(|told| told.contains("no such width")), "{error}");
    let error = world.ends(swollen, JobState::Failed).await.last_error.expect("why");
    assert!(error["message"].as_str().is_some_and(|told| told.contains("137")), "killed: {error}");
    assert_eq!(engine.containers(), [""; 0], "each is removed with its attempt");
    worker.terminate();
    assert_eq!(worker.exited(BOUND).await.code(), Some(0), "{}", worker.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_worker_left_goes_with_the_next_attempt_and_that_with_its_job() {
    let (world, site, engine) = (World::new().await, small_site().await, Engine::start());
    let kinds = kind("hangs", "sleep 600");
    let id = world.enqueue("hangs", json!({}), 3).await;
    let runs = |epoch: u64| {
        let (name, engine) = (format!("resettle-{id}-{epoch}"), &engine);
        async move {
            wait::until_true("the container to run", BOUND, || async {
                engine.containers() == [name.clone()]
            })
            .await;
        }
    };
    let mut first = engine.worker(&world, &site, &kinds);
    runs(1).await;
    first.kill();
    first.exited(BOUND).await;
    runs(1).await;

    let mut second = engine.worker(&world, &site, &kinds);
    runs(2).await;
    assert_eq!(world.job(id).await.attempts, 1, "the first attempt was lost");
    world.stop_job(id).await;
    world.ends(id, JobState::Cancelled).await;
    wait::until_true("the container to be removed", BOUND, || async { engine.containers().is_empty() }).await;
    second.terminate();
    assert_eq!(second.exited(BOUND).await.code(), Some(0), "{}", second.log());
}
