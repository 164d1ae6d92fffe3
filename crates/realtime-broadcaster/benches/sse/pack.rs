//! The client's process, as the one who measures holds it.

use crate::Result;
use serde_json::Value;
use std::{net::SocketAddr, path::Path, process::Stdio};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Listeners in a process of their own.
pub(crate) struct Pack {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    folder: TempDir,
}

/// What came since the last look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) delivered: u64,
    /// Streams that the server ended.
    pub(crate) closed: u64,
    /// From the first event to the last arrival.
    pub(crate) seconds: f64,
    /// From an event's commit to its arrival, in milliseconds: half of all, 99 of 100, all.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) most: f64,
}

impl Pack {
    pub(crate) fn spawn() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("listen")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let commands = process.stdin.take().ok_or("its standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("its standard output")?).lines();
        Ok(Self { _process: process, commands, answers, folder: tempfile::tempdir()? })
    }

    /// Opens a stream for each of the requests' heads.
    pub(crate) async fn open(&mut self, address: SocketAddr, heads: &[String]) -> Result<()> {
        let file = self.write("heads", &heads.join("\n\n"))?;
        self.command(&format!("open {address} {file}")).await.map(drop)
    }

    pub(crate) async fn forget(&mut self) -> Result<()> {
        self.command("forget").await.map(drop)
    }

    pub(crate) async fn stall(&mut self) -> Result<()> {
        self.command("stall").await.map(drop)
    }

    /// `counts_from` says for each event's mark since when its delivery counts.
    pub(crate) async fn report(&mut self, counts_from: &[(u64, u64)]) -> Result<Report> {
        let lines: Vec<String> = counts_from.iter().map(|(mark, from)| format!("{mark} {from}")).collect();
        let file = self.write("marks", &lines.join("\n"))?;
        let told = self.command(&format!("report {file}")).await?;
        let milliseconds = |name: &str| told[name].as_f64().unwrap_or(f64::NAN) / 1e6;
        Ok(Report {
            delivered: told["delivered"].as_u64().unwrap_or_default(),
            closed: told["closed"].as_u64().unwrap_or_default(),
            seconds: told["seconds"].as_f64().unwrap_or_default(),
            p50: milliseconds("p50"),
            p99: milliseconds("p99"),
            most: milliseconds("most"),
        })
    }

    fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(Path::to_str(&path).ok_or("a path that is text")?.to_owned())
    }

    async fn command(&mut self, command: &str) -> Result<Value> {
        self.commands.write_all(format!("{command}\n").as_bytes()).await?;
        let answer = self.answers.next_line().await?.ok_or("the client ended")?;
        Ok(serde_json::from_str(&answer)?)
    }
}
