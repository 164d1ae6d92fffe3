//! Work that computes instead of waiting: off the runtime's threads, and never more of it at once than the
//! machine and the memory can bear.

use domain::Failure;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The places for computing work.
#[derive(Clone)]
pub(crate) struct Cpu(Arc<Semaphore>);

impl Cpu {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.max(1))))
    }

    /// Runs `work` when there is a place. When the caller is dropped, work that has begun goes on to its end,
    /// keeps its place until then, and its result is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.0).acquire_owned().await.expect("this semaphore is never closed");
        let span = tracing::Span::current();
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            span.in_scope(work)
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "computing work panicked");
            Failure::may_pass("internal", "The site could not be processed because of a fault of ours.")
        })
    }
}
