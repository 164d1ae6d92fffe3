//! Runs one program to its end, within a time, keeping the end of what it says. Never through a shell.

use crate::{Error, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    collections::VecDeque, ffi::OsStr, path::Path, process::ExitStatus, process::Stdio, time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// So many lines are kept, the last ones.
const KEPT: usize = 2000;

/// How a program ended and what it said, both streams together.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
}

impl Ended {
    /// The last lines, for a message.
    pub(crate) fn tail(&self, lines: usize) -> String {
        self.lines[self.lines.len().saturating_sub(lines)..].join("\n")
    }
}

/// A program with its arguments; what it inherits is only what is given here and the machine's own environment.
pub(crate) struct Run<'a> {
    pub(crate) program: &'static str,
    pub(crate) arguments: &'a [&'a str],
    pub(crate) folder: &'a Path,
    pub(crate) bound: Duration,
}

impl Run<'_> {
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.program, self.arguments.join(" "))
    }

    /// Runs it; `heap_mib` bounds what Node may allocate, and is what a program of Go collects its garbage to keep to.
    pub(crate) async fn to_the_end(&self, path: Option<&OsStr>, heap_mib: u32) -> Result<Ended> {
        let mut command = Command::new(self.program);
        // A group of its own, so that what it starts can be ended with it.
        command.args(self.arguments).current_dir(self.folder).kill_on_drop(true).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("NODE_OPTIONS", format!("--max-old-space-size={heap_mib}"));
        command
            .env("GOMEMLIMIT", format!("{heap_mib}MiB"))
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("CI", "1")
            .env("NO_COLOR", "1")
            .env("FORCE_COLOR", "0");
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let missing = |source| Error::Missing { program: self.program, source };
        let mut child = command.spawn().map_err(missing)?;
        // Dropped before the child, whose number is nobody else's until then.
        let group = Group::led_by(&child);
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let running = async {
            let (mut lines, more) = tokio::join!(last_lines(out), last_lines(err));
            lines.extend(more);
            (child.wait().await, lines)
        };
        let endless = |_| Error::Endless { command: self.shown(), bound: self.bound };
        let (status, lines) = timeout(self.bound, running).await.map_err(endless)?;
        // Nobody holds its output any more and it is reaped: its number may be somebody else's from here on.
        group.forget();
        Ok(Ended { status: status.map_err(missing)?, lines: lines.into() })
    }
}

/// Ends a program and all that it started, unless it is forgotten first.
struct Group(Option<Pid>);

impl Group {
    fn led_by(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok());
        Self(leader.and_then(Pid::from_raw))
    }

    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // An error means that all of it has just ended.
            let _gone = kill_process_group(leader, Signal::KILL);
        }
    }
}

async fn last_lines(stream: Option<impl AsyncRead + Unpin>) -> VecDeque<String> {
    let mut kept = VecDeque::new();
    let Some(stream) = stream else { return kept };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell that starts another program, writes down its number, and waits for it.
    const SCRIPT: &str = "sleep 1000 & echo $! > started; wait";

    fn shell(folder: &Path, bound: Duration) -> Run<'_> {
        Run { program: "sh", arguments: &["-c", SCRIPT], folder, bound }
    }

    /// The number of the program that the shell started, once it has.
    fn started(folder: &Path) -> Option<u32> {
        std::fs::read_to_string(folder.join("started")).ok()?.trim().parse().ok()
    }

    /// Ends when the process has ended, whether or not its new parent has looked yet.
    async fn gone(process: u32) {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        let running = || {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
        };
        while running() {
            pace.tick().await;
        }
    }

    #[tokio::test]
    async fn what_a_program_started_ends_with_it_at_the_bound() {
        let mut bound = Duration::from_millis(200);
        let process = loop {
            let folder = tempfile::tempdir().expect("a scratch folder");
            let ended = shell(folder.path(), bound).to_the_end(None, 64).await;
            assert!(matches!(ended, Err(Error::Endless { .. })));
            // On a busy machine the shell may not have come so far.
            match started(folder.path()) {
                Some(process) => break process,
                None => bound *= 2,
            }
        };
        timeout(Duration::from_secs(20), gone(process)).await.expect("it is ended");
    }

    #[tokio::test]
    async fn and_when_nobody_waits_for_it_any_more() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let run = shell(folder.path(), Duration::from_secs(1000));
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        let process = {
            let mut running = std::pin::pin!(run.to_the_end(None, 64));
            loop {
                tokio::select! {
                    _ = &mut running => panic!("it waits for a program that sleeps"),
                    _ = pace.tick() => if let Some(process) = started(folder.path()) { break process },
                }
            }
        };
        timeout(Duration::from_secs(20), gone(process)).await.expect("it is ended");
    }

    #[tokio::test]
    async fn what_it_says_is_kept_and_its_end_told() {
        let run = Run {
            program: "sh",
            arguments: &["-c", "echo one; echo two >&2; exit 3"],
            folder: Path::new("/"),
            bound: Duration::from_secs(60),
        };
        let ended = run.to_the_end(None, 64).await.expect("it runs");
        assert_eq!((ended.status.code(), ended.tail(2).as_str()), (Some(3), "one\ntwo"));
    }
}
