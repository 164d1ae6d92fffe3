//! One browser process: started, watched, and ended with all that descends from it.
//!
//! A thread of its own starts it and stays until it is gone: the kernel ends the sandbox when the thread that
//! started it ends, and that must be neither earlier nor later. Only that thread reaps the process, so that
//! a signal can never hit another that took over its number.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::cdp::Pipe;
use super::sandbox::Programs;
use super::{Error, Options, memory};

/// How often the memory is looked at.
const WATCH: Duration = Duration::from_millis(200);

type Ends = (ChildStdin, ChildStdout);

pub(super) struct Browser {
    pub(super) pipe: Pipe,
    /// Dropped to end it.
    hold: Option<mpsc::Sender<()>>,
    /// Whether it outgrew its memory, told when it is gone.
    gone: oneshot::Receiver<bool>,
}

impl Browser {
    pub(super) async fn start(programs: &Programs, options: &Options, socket: &Path) -> Result<Self, Error> {
        let command = programs.browser(socket, options.max_memory);
        let (hold, let_go) = mpsc::channel();
        let (started, ends) = oneshot::channel();
        let (going, gone) = oneshot::channel();
        let max_memory = options.max_memory;
        let keeper = move || keep(command, started, &let_go, going, max_memory);
        std::thread::Builder::new().name("browser".to_owned()).spawn(keeper).map_err(Error::Ended)?;
        let ends = ends.await.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
        let (to, from) = ends.map_err(Error::Ended)?;
        let pipe = Pipe::new(to, from, options.max_html).map_err(Error::Ended)?;
        Ok(Self { pipe, hold: Some(hold), gone })
    }

    /// Ends it and waits until it is gone; whether it outgrew its memory.
    pub(super) async fn end(mut self) -> bool {
        drop(self.hold.take());
        self.gone.await.unwrap_or(false)
    }
}

/// Keeps the browser until it is let go or outgrows its memory.
fn keep(
    mut command: Command,
    started: oneshot::Sender<io::Result<Ends>>,
    let_go: &mpsc::Receiver<()>,
    going: oneshot::Sender<bool>,
    max_memory: u64,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // Nobody waits when the render was given up.
            let _ = started.send(Err(error));
            return;
        }
    };
    let ends = child.stdin.take().zip(child.stdout.take());
    let _ = started.send(ends.ok_or_else(|| io::ErrorKind::BrokenPipe.into()));
    let outgrown = watch(&child, let_go, max_memory);
    // An error means that it is gone already.
    let _ = child.kill();
    let _ = child.wait();
    let _ = going.send(outgrown);
}

fn watch(child: &Child, let_go: &mpsc::Receiver<()>, max_memory: u64) -> bool {
    loop {
        match let_go.recv_timeout(WATCH) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return false,
        }
        if memory::of_tree(child.id()) > max_memory {
            return true;
        }
    }
}
