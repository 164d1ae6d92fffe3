//! The only way in which a job's work writes to Postgres: fenced, counted when refused, patient when the
//! database is away.
//!
//! A write is never dropped half-way: it runs in a task of its own, and what waits between two tries is only the next
//! try. Work that is paused or dropped while it writes would else keep a connection, or a place in the queue for one,
//! and the heartbeats that could end the pause would wait behind it. A database that restarts burns no attempt (its
//! commit may be unknown: the store's commands can all be said twice).

use crate::{Stop, held::Hold, outage::Backoff, worker::Workshop};
use domain::{Failure, Kind, event::NewEvent, job::JobState, phase::Phase, trace::TraceContext};
use futures::future::BoxFuture;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use store::{
    Analysis, Completion, FailedAttempt, Fenced, KeyHash, Lease, NewVisit, PhaseStart, SitePage, Store,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};
use tracing::Instrument;

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A command of the store on its way.
type Asked<'a, T> = BoxFuture<'a, store::Result<Fenced<T>>>;

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
        self.write("job.begin", self.lease(), events.to_vec(), |store, lease, events| {
            Box::pin(store.begin_job(lease, events))
        })
        .await
    }

    pub(crate) async fn finish_task(&self, result: &Value) -> Result<(), Stop> {
        self.write("job.complete", self.ending(), result.clone(), |store, lease, result| {
            Box::pin(store.finish_task(lease, result))
        })
        .await
    }

    pub(crate) async fn begin_phase(&self, phase: Phase, events: &[NewEvent]) -> Result<PhaseStart, Stop> {
        self.write("phase.begin", self.lease(), (phase, events.to_vec()), |store, lease, (phase, events)| {
            Box::pin(store.begin_phase(lease, *phase, events))
        })
        .await
    }

    pub(crate) async fn complete_phase(
        &self,
        phase: Phase,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<(), Stop> {
        let told = (phase, result.clone(), events.to_vec());
        self.write("phase.complete", self.lease(), told, |store, lease, (phase, result, events)| {
            Box::pin(store.complete_phase(lease, *phase, result, events))
        })
        .await
    }

    /// Completes ANALYZE, with what is known of the site.
    pub(crate) async fn complete_analysis(
        &self,
        analysis: &Analysis,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<(), Stop> {
        let told = (analysis.clone(), result.clone(), events.to_vec());
        self.write("phase.complete", self.lease(), told, |store, lease, (analysis, result, events)| {
            Box::pin(store.complete_analysis(lease, analysis, result, events))
        })
        .await
    }

    pub(crate) async fn keep_analysis(&self, analysis: Analysis) -> Result<(), Stop> {
        self.write("analysis.keep", self.lease(), analysis, |store, lease, analysis| {
            Box::pin(store.keep_analysis(lease, analysis))
        })
        .await
    }

    pub(crate) async fn write_site_pages(&self, from: i32, pages: Vec<SitePage>) -> Result<(), Stop> {
        self.write("analysis.pages", self.lease(), (from, pages), |store, lease, (from, pages)| {
            Box::pin(store.write_site_pages(lease, *from, pages))
        })
        .await
    }

    pub(crate) async fn record_visits(&self, visits: Vec<NewVisit>) -> Result<(), Stop> {
        self.write("journal.record", self.lease(), visits, |store, lease, visits| {
            Box::pin(store.record_visits(lease, visits))
        })
        .await
    }

    /// What earlier attempts recorded, some at a time. A reader needs no fence, only a database that answers.
    pub(crate) async fn recorded_keys(&self, after: Option<KeyHash>) -> Result<Vec<KeyHash>, Stop> {
        self.write("journal.keys", self.lease(), after, |store, lease, after| {
            Box::pin(async { store.recorded_keys(lease, *after).await.map(Fenced::Done) })
        })
        .await
    }

    pub(crate) async fn recall_visits(&self, keys: Vec<KeyHash>) -> Result<Vec<(KeyHash, Vec<u8>)>, Stop> {
        self.write("journal.recall", self.lease(), keys, |store, lease, keys| {
            Box::pin(async { store.recall_visits(lease, keys).await.map(Fenced::Done) })
        })
        .await
    }

    /// Tells of progress. The batch's number is taken once, so that each further try says the same batch.
    pub(crate) async fn append(&self, events: &[NewEvent]) -> Result<(), Stop> {
        let told = (self.hold.next_batch(), events.to_vec());
        self.write("event.append", self.lease(), told, |store, lease, (batch, events)| {
            Box::pin(store.append_events(lease, *batch, events))
        })
        .await
        .map(drop)
    }

    pub(crate) async fn complete_job(&self, completion: &Completion) -> Result<(), Stop> {
        self.write("job.complete", self.ending(), completion.clone(), |store, lease, completion| {
            Box::pin(store.complete_job(lease, completion))
        })
        .await
    }

    pub(crate) async fn fail(&self, failed: &FailedAttempt) -> Result<JobState, Stop> {
        self.write("job.fail", self.ending(), failed.clone(), |store, lease, failed| {
            Box::pin(store.fail_attempt(lease, failed))
        })
        .await
    }

    pub(crate) async fn hand_back(&self) -> Result<JobState, Stop> {
        self.write("job.hand_back", self.ending(), (), |store, lease, ()| Box::pin(store.hand_back(lease)))
            .await
    }

    pub(crate) async fn park(&self, events: &[NewEvent]) -> Result<JobState, Stop> {
        self.write("job.park", self.ending(), events.to_vec(), |store, lease, events| {
            Box::pin(store.park_job(lease, events))
        })
        .await
    }

    pub(crate) async fn snooze(&self, wait: Duration, events: &[NewEvent]) -> Result<JobState, Stop> {
        self.write("job.snooze", self.ending(), (wait, events.to_vec()), |store, lease, (wait, events)| {
            Box::pin(store.snooze(lease, *wait, events))
        })
        .await
    }

    pub(crate) async fn cancel(&self, events: &[NewEvent]) -> Result<(), Stop> {
        self.write("job.cancel", self.ending(), events.to_vec(), |store, lease, events| {
            Box::pin(store.cancel_job(lease, events))
        })
        .await
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

    /// Writes in a task of its own, which goes on to the end when the caller does not. A caller that is dropped
    /// before its turn has written nothing.
    async fn write<T: Send + 'static, A: Send + Sync + 'static>(
        &self,
        statement: &'static str,
        lease: Lease,
        told: A,
        ask: for<'a> fn(&'a Store, &'a Lease, &'a A) -> Asked<'a, T>,
    ) -> Result<T, Stop> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let pen = self.clone();
        let written = async move {
            let _turn = turn;
            pen.persist(statement, || ask(&pen.shop.store, &lease, &told)).await
        };
        let written = self.shop.lifecycle.spawn_finite("write", written.in_current_span());
        written.await.unwrap_or_else(|error| {
            tracing::error!(statement, %error, "a write died");
            Err(recording_failed())
        })
    }

    /// Tries until the database answers: its answer is the only proof of the lease that counts.
    async fn persist<'a, T>(
        &self,
        statement: &'static str,
        attempt: impl Fn() -> Asked<'a, T> + Send,
    ) -> Result<T, Stop> {
        let give_up = Instant::now() + self.shop.config.write_patience;
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            if self.hold.lost.is_cancelled() {
                return Err(Stop::Lost);
            }
            let error = match attempt().await {
                Ok(answer) => return self.fenced(statement, answer),
                Err(error) => error,
            };
            if error.kind() != Kind::Unavailable {
                return Err(fault(statement, &error));
            }
            let killed = self.shop.lifecycle.killed();
            if Instant::now() >= give_up || killed.is_cancelled() {
                tracing::error!(statement, %error, "the write is given up: the lease is left to run out");
                // Whether or not its caller looks at the answer, work that cannot be recorded must not go on.
                self.hold.lost.cancel();
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
            Fenced::Done(value) => Ok(value),
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
    recording_failed()
}

fn recording_failed() -> Stop {
    Stop::Failed(Failure::may_pass("internal", "A result could not be recorded because of a fault of ours."))
}
