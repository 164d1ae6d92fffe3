//! The only way in which a job's work writes to Postgres: fenced, counted when refused, patient when the
//! database is away.
//!
//! A write is never dropped half-way: it is not cancelled by anything, and what waits between two tries is only
//! the next try. A database that restarts burns no attempt (its commit may be unknown: the store's commands can
//! all be said twice).

use crate::{Stop, held::Hold, outage::Backoff, worker::Workshop};
use domain::{Failure, Kind, event::NewEvent, job::JobState, phase::Phase, trace::TraceContext};
use serde_json::Value;
use std::{future::Future, sync::Arc, time::Duration};
use store::{Analysis, Completion, FailedAttempt, Fenced, KeyHash, Lease, NewVisit, PhaseStart, SitePage};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Writes for one job.
#[derive(Clone)]
pub(crate) struct Pen {
    shop: Arc<Workshop>,
    hold: Arc<Hold>,
    /// One write at a time, so that of a lost lease one is refused and the others are not even tried.
    turn: Arc<Mutex<()>>,
}

impl Pen {
    pub(crate) fn new(shop: Arc<Workshop>, hold: Arc<Hold>) -> Self {
        Self { shop, hold, turn: Arc::default() }
    }

    pub(crate) async fn begin_job(&self, events: &[NewEvent]) -> Result<(), Stop> {
        let lease = self.lease();
        self.write("job.begin", || self.shop.store.begin_job(&lease, events)).await
    }

    pub(crate) async fn begin_phase(&self, phase: Phase, events: &[NewEvent]) -> Result<PhaseStart, Stop> {
        let lease = self.lease();
        self.write("phase.begin", || self.shop.store.begin_phase(&lease, phase, events)).await
    }

    pub(crate) async fn complete_phase(
        &self,
        phase: Phase,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<(), Stop> {
        let lease = self.lease();
        self.write("phase.complete", || self.shop.store.complete_phase(&lease, phase, result, events)).await
    }

    /// Completes ANALYZE, with what is known of the site.
    pub(crate) async fn complete_analysis(
        &self,
        analysis: &Analysis,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<(), Stop> {
        let lease = self.lease();
        self.write("phase.complete", || self.shop.store.complete_analysis(&lease, analysis, result, events))
            .await
    }

    pub(crate) async fn keep_analysis(&self, analysis: &Analysis) -> Result<(), Stop> {
        let lease = self.lease();
        self.write("analysis.keep", || self.shop.store.keep_analysis(&lease, analysis)).await
    }

    pub(crate) async fn write_site_pages(&self, from: i32, pages: &[SitePage]) -> Result<(), Stop> {
        let lease = self.lease();
        self.write("analysis.pages", || self.shop.store.write_site_pages(&lease, from, pages)).await
    }

    pub(crate) async fn record_visits(&self, visits: &[NewVisit]) -> Result<(), Stop> {
        let lease = self.lease();
        self.write("journal.record", || self.shop.store.record_visits(&lease, visits)).await
    }

    /// What earlier attempts recorded, some at a time. A reader needs no fence, only a database that answers.
    pub(crate) async fn recorded_keys(&self, after: Option<KeyHash>) -> Result<Vec<KeyHash>, Stop> {
        let lease = self.lease();
        let read = || async { self.shop.store.recorded_keys(&lease, after).await.map(Fenced::Done) };
        self.write("journal.keys", read).await
    }

    pub(crate) async fn recall_visits(&self, keys: &[KeyHash]) -> Result<Vec<(KeyHash, Vec<u8>)>, Stop> {
        let lease = self.lease();
        let read = || async { self.shop.store.recall_visits(&lease, keys).await.map(Fenced::Done) };
        self.write("journal.recall", read).await
    }

    /// Tells of progress. The batch's number is taken once, so that each further try says the same batch.
    pub(crate) async fn append(&self, events: &[NewEvent]) -> Result<(), Stop> {
        let (lease, batch) = (self.lease(), self.hold.next_batch());
        self.write("event.append", || self.shop.store.append_events(&lease, batch, events)).await.map(drop)
    }

    pub(crate) async fn complete_job(&self, completion: &Completion) -> Result<(), Stop> {
        let lease = self.ending();
        self.write("job.complete", || self.shop.store.complete_job(&lease, completion)).await
    }

    pub(crate) async fn fail(&self, failed: &FailedAttempt) -> Result<JobState, Stop> {
        let lease = self.ending();
        self.write("job.fail", || self.shop.store.fail_attempt(&lease, failed)).await
    }

    pub(crate) async fn hand_back(&self) -> Result<JobState, Stop> {
        let lease = self.ending();
        self.write("job.hand_back", || self.shop.store.hand_back(&lease)).await
    }

    pub(crate) async fn park(&self, events: &[NewEvent]) -> Result<JobState, Stop> {
        let lease = self.ending();
        self.write("job.park", || self.shop.store.park_job(&lease, events)).await
    }

    pub(crate) async fn snooze(&self, wait: Duration, events: &[NewEvent]) -> Result<JobState, Stop> {
        let lease = self.ending();
        self.write("job.snooze", || self.shop.store.snooze(&lease, wait, events)).await
    }

    pub(crate) async fn cancel(&self, events: &[NewEvent]) -> Result<(), Stop> {
        let lease = self.ending();
        self.write("job.cancel", || self.shop.store.cancel_job(&lease, events)).await
    }

    /// The lease, writing in the current span.
    fn lease(&self) -> Lease {
        match telemetry::current_context() {
            (None, _) => self.hold.lease.clone(),
            (traceparent, tracestate) => self.hold.lease.traced(TraceContext { traceparent, tracestate }),
        }
    }

    fn ending(&self) -> Lease {
        self.hold.begin_ending();
        self.lease()
    }

    /// Tries until the database answers: its answer is the only proof of the lease that counts.
    async fn write<T, F>(&self, statement: &'static str, attempt: impl Fn() -> F) -> Result<T, Stop>
    where
        F: Future<Output = store::Result<Fenced<T>>>,
    {
        let _turn = self.turn.lock().await;
        let give_up = Instant::now() + self.shop.config.write_patience;
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            if self.hold.lost.is_cancelled() {
                return Err(Stop::Lost);
            }
            let error = match Box::pin(attempt()).await {
                Ok(answer) => return self.fenced(statement, answer),
                Err(error) => error,
            };
            if error.kind() != Kind::Unavailable {
                return Err(fault(statement, &error));
            }
            let killed = self.shop.lifecycle.killed();
            if Instant::now() >= give_up || killed.is_cancelled() {
                tracing::error!(statement, %error, "the write is given up: the lease is left to run out");
                return Err(Stop::Lost);
            }
            tracing::debug!(statement, error = %service_kit::exit::chain(&error), "tried again");
            tokio::select! {
                () = self.hold.lost.cancelled() => {}
                () = killed.cancelled() => {}
                () = sleep(backoff.next()) => {}
            }
        }
    }

    fn fenced<T>(&self, statement: &'static str, answer: Fenced<T>) -> Result<T, Stop> {
        match answer {
            Fenced::Done(value) => {
                // What was written may have left something to announce.
                self.shop.announced.notify_one();
                Ok(value)
            }
            Fenced::Stale => {
                self.shop.metrics.stale_write(statement);
                tracing::warn!(statement, "the write was refused: the lease is no longer ours");
                self.hold.lost.cancel();
                Err(Stop::Lost)
            }
        }
    }
}

/// The database refused a statement of ours: no user can do anything about it.
fn fault(statement: &'static str, error: &store::Error) -> Stop {
    tracing::error!(statement, error = %service_kit::exit::chain(error), "a write failed");
    Stop::Failed(Failure::may_pass("internal", "A result could not be recorded because of a fault of ours."))
}
