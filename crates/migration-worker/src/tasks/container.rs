//! A container of the operator's image, by the command line of Docker or Podman: no network, no rights, a read-only root,
//! bounds on memory and processes.
//!
//! The engine's daemon does not end a container when the command that started it is killed. So each bears its job's id
//! as a label, and an attempt first removes what an earlier one left; dropping an attempt removes its own.

use super::{
    Error, Kind,
    executor::Envelope,
    program::{self, Bounds},
};
use domain::Failure;
use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// Memory of the command itself, which only passes on what the container says.
const COMMAND_MEMORY: u64 = 1 << 30;
/// Processes and threads in a container.
const PROCESSES: u32 = 256;

pub(super) struct Container {
    engine: PathBuf,
    image: String,
    arguments: Vec<String>,
    memory: u64,
    max_result: u32,
}

impl Container {
    pub(super) fn of(name: &str, kind: &Kind) -> Result<Self, Error> {
        let engine = kind.engine.as_deref().unwrap_or("docker");
        let missing = || Error::NoEngine { kind: name.to_owned(), engine: engine.to_owned() };
        Ok(Self {
            engine: on_path(engine).ok_or_else(missing)?,
            image: kind.image.clone().expect("checked with the configuration"),
            arguments: kind.command.clone(),
            memory: kind.memory(),
            max_result: kind.max_result_bytes,
        })
    }

    pub(super) async fn carry_out(&self, envelope: &Envelope<'_>) -> Result<Value, Failure> {
        let label = format!("resettle.job={}", envelope.job_id);
        self.remove(&label).await;
        let mut command = Command::new(&self.engine);
        // What watches a container may leave notes where it was started.
        command.args(self.run(envelope, &label)).current_dir(std::env::temp_dir());
        let bounds = Bounds { max_result: self.max_result, memory: COMMAND_MEMORY };
        let _removed_at_the_end = Leftover { engine: &self.engine, name: name(envelope) };
        program::run(command, envelope, bounds).await
    }

    /// The arguments of the engine.
    fn run(&self, envelope: &Envelope<'_>, label: &str) -> Vec<String> {
        let mut given: Vec<String> =
            ["run", "--rm", "--interactive", "--init", "--network", "none", "--read-only"]
                .into_iter()
                .chain(["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pull", "never"])
                .map(str::to_owned)
                .collect();
        for (option, value) in [
            ("--memory", format!("{}b", self.memory)),
            ("--memory-swap", format!("{}b", self.memory)),
            ("--pids-limit", PROCESSES.to_string()),
            ("--name", name(envelope)),
            ("--label", label.to_owned()),
        ] {
            given.extend([option.to_owned(), value]);
        }
        given.push(self.image.clone());
        given.extend(self.arguments.iter().cloned());
        given
    }

    /// Removes what earlier attempts left. An engine that is away says so when the container is to be run.
    async fn remove(&self, label: &str) {
        let mut list = tokio::process::Command::new(&self.engine);
        list.args(["ps", "--all", "--quiet", "--filter", &format!("label={label}")]);
        let Ok(listed) = list.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).output().await
        else {
            return;
        };
        let ids = String::from_utf8_lossy(&listed.stdout).into_owned();
        for id in ids.split_whitespace() {
            let mut remove = tokio::process::Command::new(&self.engine);
            let remove = remove.args(["rm", "--force", id]).stdin(Stdio::null()).stdout(Stdio::null());
            // What cannot be removed is told by the engine's own log.
            let _ = remove.stderr(Stdio::null()).kill_on_drop(true).status().await;
        }
    }
}

/// One name per lease, so that a late attempt and its successor never share one.
fn name(envelope: &Envelope<'_>) -> String {
    format!("resettle-{}-{}", envelope.job_id, envelope.epoch)
}

/// A container that may still run when its attempt is dropped.
struct Leftover<'a> {
    engine: &'a PathBuf,
    name: String,
}

impl Drop for Leftover<'_> {
    fn drop(&mut self) {
        let mut remove = Command::new(self.engine);
        remove.args(["rm", "--force", &self.name]);
        let started = remove.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        // Somebody has to wait for it, and a drop must not.
        if let Ok(mut child) = started {
            let reaper = std::thread::Builder::new().name("reaper".to_owned());
            let _ = reaper.spawn(move || child.wait());
        }
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|found| found.is_file())
}
