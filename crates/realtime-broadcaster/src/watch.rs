//! What every reader does: looks when told to, and now and then unasked; after a failure soon again.

use crate::{
    metrics::{Metrics, Resync},
    noted::Noted,
    topics::Topic,
};
use domain::{event::Event, trace::TraceContext};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tracing::Span;

/// The first wait after the database did not answer; it doubles up to the tail check's interval.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// One that reads for all who listen to a topic.
pub(crate) trait Watch: Send {
    /// What it hands out.
    type Frame: Send + Sync;

    fn topic(&self) -> &Arc<Topic<Self::Frame>>;
    fn metrics(&self) -> &Metrics;
    /// Hands out all that is new; how many events that was.
    fn catch_up(&mut self) -> impl Future<Output = Result<usize, store::Error>> + Send;
}

/// Until nobody listens any more.
pub(crate) async fn watch(mut reader: impl Watch, tail_check: Duration) {
    let topic = Arc::clone(reader.topic());
    let mut told = true;
    let mut pause = FIRST_PAUSE;
    loop {
        let wait = match reader.catch_up().await {
            Ok(found) => {
                if found > 0 && !told {
                    reader.metrics().resync(Resync::TailCheck);
                }
                pause = FIRST_PAUSE;
                tail_check
            }
            Err(error) => {
                let error = service_kit::exit::chain(&error);
                tracing::warn!(error, "events cannot be read; trying again");
                pause = (pause * 2).min(tail_check);
                pause
            }
        };
        match topic.over.run_until_cancelled(timeout(wait, topic.bell.notified())).await {
            None => return,
            Some(rung) => told = rung.is_ok(),
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
