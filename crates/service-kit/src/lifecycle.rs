//! Every task of a process, and how the process stops.
//!
//! Two tokens: *stopping* (soft: take nothing new, finish what is in hand) and *killed* (hard: the grace
//! period is over, let go). A task that ends by itself before anybody asked is fatal: a service with a dead
//! part must not look alive. Cancel the waiting, never the middle of a unit of work.

use crate::{BoxError, Signals};
use futures::{FutureExt, Stream, StreamExt, stream};
use std::{
    collections::BTreeMap,
    future::{Future, pending},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long tasks get to let go after the hard token; then the process ends without them.
const LETTING_GO: Duration = Duration::from_secs(5);

/// Why a process ends with an error.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// A task that must run as long as the process ended with an error.
    #[error("the task `{task}` failed")]
    Failed {
        /// Its name.
        task: &'static str,
        /// What it ended with.
        #[source]
        source: BoxError,
    },
    /// A task that must run as long as the process just ended.
    #[error("the task `{task}` ended although nobody asked it to")]
    Ended {
        /// Its name.
        task: &'static str,
    },
    /// A task panicked.
    #[error("the task `{task}` panicked")]
    Panicked {
        /// Its name.
        task: &'static str,
    },
    /// Tasks did not let go even after the hard token.
    #[error("these tasks did not stop: {}", tasks.join(", "))]
    Stuck {
        /// Their names.
        tasks: Vec<&'static str>,
    },
}

/// Start and stop of one process; a cheap clone is the same lifecycle.
#[derive(Clone)]
pub struct Lifecycle {
    inner: Arc<Inner>,
}

struct Inner {
    grace: Duration,
    runtime: Handle,
    stopping: CancellationToken,
    killed: CancellationToken,
    tasks: TaskTracker,
    running: Mutex<BTreeMap<&'static str, usize>>,
    signals: Mutex<Option<Signals>>,
    fatal: Mutex<Option<Fatal>>,
}

impl Lifecycle {
    /// A lifecycle whose tasks run on the present runtime, whichever thread spawns them, and get `grace` to
    /// finish what is in hand.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(grace: Duration) -> Self {
        Self::of(None, grace)
    }

    /// The same, stopped by signals that were heard since before it was made.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn heeding(signals: Signals, grace: Duration) -> Self {
        Self::of(Some(signals), grace)
    }

    fn of(signals: Option<Signals>, grace: Duration) -> Self {
        let stopping = CancellationToken::new();
        Self {
            inner: Arc::new(Inner {
                grace,
                runtime: Handle::current(),
                stopping,
                killed: CancellationToken::new(),
                tasks: TaskTracker::new(),
                running: Mutex::default(),
                signals: Mutex::new(signals),
                fatal: Mutex::default(),
            }),
        }
    }

    /// Cancelled when the process shall stop: take nothing new, finish what is in hand.
    pub fn stopping(&self) -> CancellationToken {
        self.inner.stopping.clone()
    }

    /// Cancelled when the grace period is over: let go of everything.
    pub fn killed(&self) -> CancellationToken {
        self.inner.killed.clone()
    }

    /// Asks the process to stop, as SIGTERM does.
    pub fn stop(&self) {
        self.inner.stopping.cancel();
    }

    /// Drives what comes before the service is up, such as a connection or a migration; drops it, and answers
    /// nothing, when the process is asked to stop meanwhile.
    pub async fn starting<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut signals = lock(&self.inner.signals).take();
        let signalled = async {
            match &mut signals {
                Some(signals) => signals.next().await,
                None => pending().await,
            }
        };
        let done = tokio::select! {
            _ = signalled => {
                tracing::info!("asked to stop by a signal before the start was over");
                self.stop();
                None
            }
            done = self.inner.stopping.clone().run_until_cancelled_owned(work) => done,
        };
        *lock(&self.inner.signals) = signals;
        done
    }

    /// Runs a task that lives as long as the process: if it ends before somebody asked, the process stops and
    /// [`Self::wait`] tells why.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = Result<(), BoxError>> + Send + 'static,
    ) -> JoinHandle<()> {
        let inner = Arc::clone(&self.inner);
        self.spawn_finite(name, async move {
            match task.await {
                Err(source) => inner.fail(Fatal::Failed { task: name, source }),
                Ok(()) if !inner.stopping.is_cancelled() => inner.fail(Fatal::Ended { task: name }),
                Ok(()) => {}
            }
        })
    }

    /// Runs a task that ends by itself, such as one job or one reader. Shutdown waits for it; a panic in it
    /// stops the process.
    pub fn spawn_finite<T: Send + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let running = Running::new(name, Arc::clone(&self.inner));
        let tracked = self.inner.tasks.track_future(async move {
            match AssertUnwindSafe(task).catch_unwind().await {
                Ok(value) => value,
                Err(panic) => {
                    running.inner.fail(Fatal::Panicked { task: name });
                    std::panic::resume_unwind(panic)
                }
            }
        });
        self.inner.runtime.spawn(tracked)
    }

    /// Waits for SIGTERM, SIGINT, [`Self::stop`] or a task's death, then for all tasks to finish. A second
    /// signal, or the end of the grace period, cancels the hard token.
    pub async fn wait(self) -> Result<(), Fatal> {
        let heard = lock(&self.inner.signals).take();
        let signals = match heard {
            Some(signals) => signals,
            None => Signals::listen()
                .map_err(|source| Fatal::Failed { task: "signals", source: source.into() })?,
        };
        self.wait_with(signals).await
    }

    /// [`Self::wait`] with the given stream in place of the process's signals.
    pub async fn wait_with(self, signals: impl Stream<Item = ()>) -> Result<(), Fatal> {
        let inner = &self.inner;
        // A stream that ends is no signal.
        let mut signals = pin!(signals.chain(stream::pending()));
        tokio::select! {
            _ = signals.next() => tracing::info!("asked to stop by a signal"),
            () = inner.stopping.cancelled() => {}
        }
        inner.stopping.cancel();
        inner.tasks.close();
        tokio::select! {
            () = inner.tasks.wait() => {}
            _ = signals.next() => tracing::warn!("asked to stop a second time: letting go of everything"),
            () = sleep(inner.grace) => tracing::warn!(
                tasks = inner.running().join(", "),
                grace_seconds = inner.grace.as_secs_f64(),
                "the grace period is over: letting go of everything"
            ),
        }
        inner.killed.cancel();
        let stuck = timeout(LETTING_GO, inner.tasks.wait()).await.is_err();
        match lock(&inner.fatal).take() {
            Some(fatal) => Err(fatal),
            None if stuck => Err(Fatal::Stuck { tasks: inner.running() }),
            None => Ok(()),
        }
    }
}

impl Inner {
    /// Keeps the first death, and stops the rest because of it.
    fn fail(&self, fatal: Fatal) {
        tracing::error!(error = %crate::exit::chain(&fatal), "a task died: the process stops");
        lock(&self.fatal).get_or_insert(fatal);
        self.stopping.cancel();
    }

    fn running(&self) -> Vec<&'static str> {
        lock(&self.running).keys().copied().collect()
    }
}

/// Counts a task as running until it is dropped, finished or not.
struct Running {
    name: &'static str,
    inner: Arc<Inner>,
}

impl Running {
    fn new(name: &'static str, inner: Arc<Inner>) -> Self {
        *lock(&inner.running).entry(name).or_default() += 1;
        Self { name, inner }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = lock(&self.inner.running);
        if let Some(count) = running.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

/// No code panics while it holds one of these locks, and what they guard is whole at each step anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
