//! What every reader does: once there may be news it reads until there are none, and after a failure tries again.

use crate::{
    metrics::{Metrics, Resync},
    noted::Noted,
    topics::Topic,
};
use domain::{event::Event, trace::TraceContext};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::sleep};
use tracing::Span;

/// The first wait after the database did not answer; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// One that reads for all who listen to a topic.
pub(crate) trait Watch: Sized + Send + 'static {
    /// What it hands out.
    type Frame: Send + Sync;

    /// Hands out all that is new; how many events that was.
    fn catch_up(&mut self, topic: &Topic<Self>) -> impl Future<Output = Result<usize, store::Error>> + Send;

    /// Up to where everything was handed out.
    fn at(&self) -> i64;
}

/// Reads until there is nothing new, or nobody listens any more. `turns` bounds how many read at once.
pub(crate) async fn read<R: Watch>(
    topic: Arc<Topic<R>>,
    mut reader: R,
    turns: Arc<Semaphore>,
    metrics: Arc<Metrics>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let told = topic.was_told();
        let caught_up = {
            // Never closed; without a turn it would only be one reader more.
            let _turn = turns.acquire().await;
            reader.catch_up(&topic).await
        };
        match caught_up {
            Ok(found) => {
                if found > 0 && !told {
                    metrics.resync(Resync::TailCheck);
                }
                pause = FIRST_PAUSE;
            }
            Err(error) => {
                let error = service_kit::exit::chain(&error);
                tracing::warn!(error, "events cannot be read; trying again");
                if topic.over.run_until_cancelled(sleep(pause)).await.is_none() {
                    return;
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        }
        match topic.lay_down(reader) {
            Some(again) => reader = again,
            None => return,
        }
    }
}

/// The span in which an event is handed to so many listeners: below the note that told of it, or else below what
/// wrote it.
pub(crate) fn delivery(event: &Event, noted: &Noted, written: &TraceContext, listeners: usize) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "sse.deliver",
        otel.kind = "consumer",
        migration = %event.migration_id,
        seq = event.seq,
        listeners,
    );
    let noted = noted.take(event.migration_id, event.seq).filter(|trace| trace.traceparent.is_some());
    let trace = noted.as_ref().unwrap_or(written);
    telemetry::set_parent(&span, trace.traceparent.as_deref(), trace.tracestate.as_deref());
    span
}
