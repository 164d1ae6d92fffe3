//! Keeps one process: started, watched, and ended with all that descends from it.
//!
//! A thread of its own starts it and stays until it is gone: the kernel ends a cell when the thread that started it
//! ends, and that must be neither earlier nor later. Only that thread reaps the process, so that a signal can never
//! hit another that took over its number.

use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use super::{memory, process};

/// How often the memory is looked at.
const WATCH: Duration = Duration::from_millis(200);
/// The longest that is waited for a process to halt before it is ended.
const HALT: Duration = Duration::from_secs(1);

/// A process that is kept. Dropping it ends the process.
#[derive(Debug)]
pub struct Kept {
    /// Dropped to end it.
    hold: Option<mpsc::Sender<()>>,
    gone: oneshot::Receiver<End>,
}

/// The ends of a process's pipes that are ours, as far as its command has pipes.
#[derive(Debug)]
pub struct Ends {
    /// What it reads.
    pub to: Option<ChildStdin>,
    /// What it says.
    pub from: Option<ChildStdout>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// It was ended because it and its descendants took more memory than was allowed.
    pub outgrown: bool,
    /// Its own end, if it came to one.
    pub status: Option<ExitStatus>,
}

impl Kept {
    /// Starts it; its whole tree may take so many bytes.
    pub async fn start(command: Command, max_memory: u64) -> io::Result<(Self, Ends)> {
        let (hold, let_go) = mpsc::channel();
        let (started, ends) = oneshot::channel();
        let (going, gone) = oneshot::channel();
        let keeper = move || keep(command, started, &let_go, going, max_memory);
        std::thread::Builder::new().name("keeper".to_owned()).spawn(keeper)?;
        let ends = ends.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok((Self { hold: Some(hold), gone }, ends))
    }

    /// Ends it and waits until it is gone.
    pub async fn end(mut self) -> End {
        drop(self.hold.take());
        self.gone.await.unwrap_or_default()
    }

    /// Waits until it ends by itself. Dropping the future ends it.
    pub async fn ended(self) -> End {
        let Self { hold: _held, gone } = self;
        gone.await.unwrap_or_default()
    }
}

/// Keeps the process until it is let go, ends, or outgrows its memory.
fn keep(
    mut command: Command,
    started: oneshot::Sender<io::Result<Ends>>,
    let_go: &mpsc::Receiver<()>,
    going: oneshot::Sender<End>,
    max_memory: u64,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // Nobody waits when it was given up.
            let _ = started.send(Err(error));
            return;
        }
    };
    let ends = Ends { to: child.stdin.take(), from: child.stdout.take() };
    let _ = started.send(Ok(ends));
    let end = watch(&mut child, let_go, max_memory);
    if end.status.is_none() {
        put_down(&mut child);
    }
    let _ = going.send(end);
}

/// Ends it. What makes a cell binds it to its own life only once it exists: whoever is ended before that would leave it
/// running. So it is halted first, its children are ended, whose numbers it cannot give away meanwhile, and then itself.
fn put_down(child: &mut Child) {
    // Errors mean that they are gone already.
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        && kill_process(pid, Signal::STOP).is_ok()
    {
        let halted = std::time::Instant::now() + HALT;
        while !process::is_halted(child.id()) && std::time::Instant::now() < halted {
            std::thread::park_timeout(Duration::from_millis(1)); // the keeper has its thread to itself
        }
        for child in process::children(child.id()) {
            let _ = kill_process(child, Signal::KILL);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn watch(child: &mut Child, let_go: &mpsc::Receiver<()>, max_memory: u64) -> End {
    loop {
        match let_go.recv_timeout(WATCH) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return End::default(),
        }
        if let Ok(Some(status)) = child.try_wait() {
            return End { outgrown: false, status: Some(status) };
        }
        if memory::of_tree(child.id()) > max_memory {
            return End { outgrown: true, status: None };
        }
    }
}
