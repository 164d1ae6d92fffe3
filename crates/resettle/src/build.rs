//! Builds a project as its owner would: `npm ci`, then `next build`. What it says is passed on; a failure is told
//! with the end of it.
//!
//! The project is the work of our own writer, and no script of a package runs (`--ignore-scripts`).

use crate::{cache, terminal::note};
use std::{
    collections::VecDeque,
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
    time::timeout,
};

const BOUND: Duration = Duration::from_secs(15 * 60);
const QUOTED_LINES: usize = 60;

/// Why there is no build.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("npm cannot be run ({0}): Node.js 20.9 or newer is needed; `deploy/setup demo` installs it")]
    NoNode(#[source] io::Error),
    #[error("`{command}` failed ({status}); the end of what it said:\n{said}")]
    Failed { command: String, status: ExitStatus, said: String },
    #[error("`{command}` was not done after {} minutes", BOUND.as_secs() / 60)]
    Endless { command: String },
}

/// Builds it. `quiet` keeps what the tools say off the terminal.
pub(crate) async fn build(project: &Path, quiet: bool) -> Result<(), Error> {
    note("building the project: npm ci, next build");
    npm(project, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"], quiet).await?;
    npm(project, &["run", "build"], quiet).await
}

async fn npm(project: &Path, arguments: &[&str], quiet: bool) -> Result<(), Error> {
    let shown = format!("npm {}", arguments.join(" "));
    let mut command = Command::new("npm");
    command.env("PATH", cache::search_path());
    command.args(arguments).current_dir(project).env("NEXT_TELEMETRY_DISABLED", "1").env("CI", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(Error::NoNode)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ran = async {
        let (mut said, errors) = tokio::join!(pass_on(out, quiet), pass_on(err, quiet));
        said.extend(errors);
        (child.wait().await, said)
    };
    let Ok((status, said)) = timeout(BOUND, ran).await else { return Err(Error::Endless { command: shown }) };
    let status = status.map_err(Error::NoNode)?;
    if status.success() {
        return Ok(());
    }
    let said = Vec::from(said).join("\n");
    Err(Error::Failed { command: shown, status, said })
}

/// Shows a stream's lines, and keeps the last of them.
async fn pass_on(from: Option<impl AsyncRead + Unpin>, quiet: bool) -> VecDeque<String> {
    let mut last = VecDeque::new();
    let Some(from) = from else { return last };
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !quiet {
            note(format_args!("  {line}"));
        }
        last.push_back(line);
        if last.len() > QUOTED_LINES {
            last.pop_front();
        }
    }
    last
}
