//! Work that computes instead of waiting: off the runtime's threads, and never more of it at once than the
//! machine and the memory can bear.
//!
//! A computation cannot be ended from outside, so one that never ends keeps its place for as long as the process
//! lives. It shows by going on after its caller was dropped: its phase's deadline passed, or its job was taken away or
//! called off. While such computations have all the places, no job could come to its end here, so none is taken; and
//! when none of them ends within a bound, the process does, since only a new one has its places back.

use domain::Failure;
use service_kit::BoxError;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// The places for computing work.
#[derive(Clone)]
pub(crate) struct Cpu {
    free: Arc<Semaphore>,
    all: usize,
    /// How many places are held by work that nobody waits for any more.
    hung: watch::Sender<usize>,
}

impl Cpu {
    pub(crate) fn new(places: usize) -> Self {
        let all = places.max(1);
        Self { free: Arc::new(Semaphore::new(all)), all, hung: watch::Sender::new(0) }
    }

    /// Runs `work` when there is a place. When the caller is dropped, work that has begun goes on to its end,
    /// keeps its place until then, and its result is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.free).acquire_owned().await.expect("this semaphore is never closed");
        let state = Arc::new(Mutex::new(State::Awaited));
        let _caller = Caller { state: Arc::clone(&state), hung: self.hung.clone() };
        let computation = Computation { state, hung: self.hung.clone(), _place: place };
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let _computation = computation;
            span.in_scope(work)
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "computing work panicked");
            Failure::may_pass("internal", "The site could not be processed because of a fault of ours.")
        })
    }

    /// Places held by work that nobody waits for any more.
    pub(crate) fn hung(&self) -> usize {
        *self.hung.borrow()
    }

    /// Is there a place that a job could get?
    pub(crate) fn is_usable(&self) -> bool {
        self.hung() < self.all
    }

    /// Ends when there is a place that a job could get.
    pub(crate) async fn usable(&self) {
        let mut hung = self.hung.subscribe();
        // An error would mean that the sender is gone, and it is this value's own.
        let _present = hung.wait_for(|hung| *hung < self.all).await;
    }

    /// Fails when no place could be got for as long as `patience`.
    pub(crate) async fn watch(self, patience: Duration, stopping: CancellationToken) -> Result<(), BoxError> {
        let mut hung = self.hung.subscribe();
        while stopping.run_until_cancelled(hung.wait_for(|hung| *hung >= self.all)).await.is_some() {
            tracing::error!(
                hung_computations = self.all,
                "no place for computing is left by work that nobody waits for any more: no job is taken"
            );
            tokio::select! {
                () = self.usable() => tracing::info!("there is a place for computing again: jobs are taken"),
                () = stopping.cancelled() => {}
                () = sleep(patience) => {
                    return Err(format!(
                        "all {} places for computing have been held for {} s by work that nobody waits for and that \
                         does not end: only a new process has them back",
                        self.all,
                        patience.as_secs_f64(),
                    ).into());
                }
            }
        }
        Ok(())
    }
}

/// Whether somebody waits for a computation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Awaited,
    Abandoned,
    Over,
}

/// Whoever waits for a computation.
struct Caller {
    state: Arc<Mutex<State>>,
    hung: watch::Sender<usize>,
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if *state == State::Awaited {
            *state = State::Abandoned;
            self.hung.send_modify(|hung| *hung += 1);
        }
    }
}

/// A computation that has a place; dropped, finished or not, in the thread that it ran on.
struct Computation {
    state: Arc<Mutex<State>>,
    hung: watch::Sender<usize>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Computation {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if std::mem::replace(&mut *state, State::Over) == State::Abandoned {
            self.hung.send_modify(|hung| *hung -= 1);
        }
    }
}

/// Nothing panics while it holds the lock.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::sync::mpsc;

    /// A computation that has begun, without its caller; it ends when the answer is sent to or dropped.
    async fn abandoned(cpu: &Cpu) -> mpsc::Sender<()> {
        let (end, ended) = mpsc::channel();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let work = cpu.run(move || {
            let _listening = begin.send(());
            ended.recv()
        });
        tokio::select! {
            _ = work => panic!("it waits"),
            began = begun => began.expect("it begins"),
        }
        end
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_counted_until_it_ends() {
        let cpu = Cpu::new(2);
        assert_eq!(cpu.run(|| 7).await, Ok(7));
        assert_eq!(cpu.hung(), 0, "work that was waited for never counts");
        let first = abandoned(&cpu).await;
        assert_eq!((cpu.hung(), cpu.is_usable()), (1, true));
        let second = abandoned(&cpu).await;
        assert_eq!((cpu.hung(), cpu.is_usable()), (2, false));
        assert!(cpu.usable().now_or_never().is_none());
        drop(first);
        cpu.usable().await;
        assert_eq!(cpu.run(|| 8).await, Ok(8), "its place is there again");
        drop(second);
        cpu.hung.subscribe().wait_for(|hung| *hung == 0).await.expect("it is there");
    }

    #[tokio::test]
    async fn work_that_panics_leaves_its_place() {
        let cpu = Cpu::new(1);
        assert!(cpu.run(|| panic!("as the test wants it")).await.is_err());
        assert_eq!((cpu.run(|| 1).await, cpu.hung()), (Ok(1), 0));
    }

    #[tokio::test]
    async fn a_process_without_a_usable_place_ends_and_one_that_gets_a_place_back_goes_on() {
        let cpu = Cpu::new(1);
        let stopping = CancellationToken::new();
        let passing = async {
            drop(abandoned(&cpu).await);
            cpu.usable().await;
            stopping.cancel();
        };
        let watching = cpu.clone().watch(Duration::from_secs(600), stopping.clone());
        let (watched, ()) = tokio::join!(watching, passing);
        assert!(watched.is_ok(), "it was asked to stop in time");

        let _hung = abandoned(&cpu).await;
        let watched = cpu.clone().watch(Duration::from_millis(10), CancellationToken::new()).await;
        assert!(watched.is_err_and(|error| error.to_string().contains("all 1 places")));
    }
}
