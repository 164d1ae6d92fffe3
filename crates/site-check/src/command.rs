//! Runs one program to its end, within a time, keeping the end of what it says. Never through a shell.

use crate::{Error, Result};
use std::{
    collections::VecDeque, ffi::OsStr, path::Path, process::ExitStatus, process::Stdio, time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
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

    /// Runs it; `heap_mib` bounds what Node may allocate.
    pub(crate) async fn to_the_end(&self, path: Option<&OsStr>, heap_mib: u32) -> Result<Ended> {
        let mut command = Command::new(self.program);
        command.args(self.arguments).current_dir(self.folder).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("NODE_OPTIONS", format!("--max-old-space-size={heap_mib}"));
        command
            .env("NEXT_TELEMETRY_DISABLED", "1")
            .env("CI", "1")
            .env("NO_COLOR", "1")
            .env("FORCE_COLOR", "0");
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let missing = |source| Error::Missing { program: self.program, source };
        let mut child = command.spawn().map_err(missing)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let running = async {
            let (mut lines, more) = tokio::join!(last_lines(out), last_lines(err));
            lines.extend(more);
            (child.wait().await, lines)
        };
        let endless = |_| Error::Endless { command: self.shown(), bound: self.bound };
        let (status, lines) = timeout(self.bound, running).await.map_err(endless)?;
        Ok(Ended { status: status.map_err(missing)?, lines: lines.into() })
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
