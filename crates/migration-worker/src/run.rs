//! One attempt at one job: from PREPARING through the phases to the write that gives the lease up.

use crate::{
    Stop,
    circuit::Circuit,
    held::Hold,
    keys::Keys,
    materials::Materials,
    pen::Pen,
    phase::{self, Bench, Outcome, analyze, deploy, plan, transform, verify},
    progress::Teller,
    results::{self, Deployed},
    tasks::Binding,
    worker::Workshop,
};
use domain::{
    Failure,
    event::{DomainEvent, EventType, NewEvent},
    job::{JobState, MIGRATE_WEBSITE},
    migration::MigrationState,
    phase::Phase,
    retry::{Policy, Verdict},
    source_url::SourceUrl,
    trace::TraceContext,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use store::{Claimed, Completion, FailedAttempt, PhaseStart};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

/// What the gateway put into the job. Other keys are for other readers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    source_url: String,
    /// Is the plan to be approved before anything is written?
    #[serde(default)]
    review_plan: bool,
}

/// What came of an attempt that succeeded.
enum Done {
    Migration(Deployed),
    Task(Value),
}

/// One attempt.
pub(crate) struct Run {
    pub(crate) shop: Arc<Workshop>,
    pub(crate) hold: Arc<Hold>,
    pub(crate) pen: Pen,
    pub(crate) claimed: Claimed,
    hint: Option<TraceContext>,
    /// What does the work of a job that carries out no migration.
    binding: Option<Arc<Binding>>,
    /// Is there as much left of the machine as the job needs?
    fits: bool,
}

impl Run {
    pub(crate) fn new(
        shop: Arc<Workshop>,
        hold: Arc<Hold>,
        claimed: Claimed,
        hint: Option<TraceContext>,
        binding: Option<Arc<Binding>>,
        fits: bool,
    ) -> Self {
        let pen = Pen::new(Arc::clone(&shop), Arc::clone(&hold));
        Self { shop, hold, pen, claimed, hint, binding, fits }
    }

    /// Does the job, and says how it ended. Never fails: what cannot be said is left to the lease's expiry.
    pub(crate) async fn carry_out(&self) {
        let began = Instant::now();
        let work = async {
            let worked = match &self.binding {
                _ if !self.fits => Err(Stop::Snooze(self.shop.room.put_off())),
                Some(binding) => self.task(binding).await.map(Done::Task),
                None => Box::pin(self.phases()).await.map(Done::Migration),
            };
            let ended = match worked {
                Ok(Done::Migration(deployed)) => self.complete(&deployed).await,
                Ok(Done::Task(result)) => self.finish(&result).await,
                Err(stop) => Box::pin(self.give_up(stop)).await,
            };
            ended.unwrap_or_else(|stop| {
                tracing::warn!(?stop, "the job's end could not be written: its lease is left to run out");
                "lost"
            })
        };
        let outcome = work.instrument(self.span()).await;
        self.shop.metrics.ended(&self.claimed.kind, outcome, began.elapsed());
    }

    /// Attempt 1 continues the request's trace; a retry is a trace of its own, linked to it.
    fn span(&self) -> Span {
        let (lease, attempt) = (&self.claimed.lease, self.claimed.attempt);
        let span = tracing::info_span!(
            parent: None,
            "job",
            otel.name = format_args!("job.{}", self.claimed.kind),
            otel.kind = "consumer",
            service = crate::SERVICE,
            migration = lease.carries.map(|of| tracing::field::display(of.migration)),
            tenant = %lease.tenant,
            job = %lease.job,
            epoch = lease.epoch.0,
            run = lease.carries.map(|of| of.run),
            attempt,
        );
        let asked = &self.claimed.trace;
        let (traceparent, tracestate) = (asked.traceparent.as_deref(), asked.tracestate.as_deref());
        if attempt == 1 {
            telemetry::set_parent(&span, traceparent, tracestate);
        } else {
            telemetry::add_link(&span, traceparent, tracestate);
        }
        if let Some(hint) = &self.hint {
            telemetry::add_link(&span, hint.traceparent.as_deref(), hint.tracestate.as_deref());
        }
        span
    }

    async fn phases(&self) -> Result<Deployed, Stop> {
        tracing::info!(waited_seconds = self.claimed.waited.as_secs_f64(), "the job begins");
        let notes = format!("Attempt {} of {}.", self.claimed.attempt, self.claimed.max_attempts);
        let begun = json!({"status": "started", "notes": notes, "attempt": self.claimed.attempt});
        let mut begun = NewEvent::new(EventType::Log, None, 0, begun);
        if self.claimed.attempt == 1 {
            begun = begun.named(DomainEvent::MigrationStarted);
        }
        self.pen.begin_job(&[begun]).await?;
        let payload = self.payload()?;
        let bench = &self.bench(&payload)?;
        let analyzed = self.phase(Phase::Analyze, |teller| analyze::run(bench, teller)).await?;
        let planned = self.phase(Phase::Plan, |teller| plan::run(bench, teller, &analyzed)).await?;
        if payload.review_plan {
            return Err(Stop::Park);
        }
        let transformed =
            self.phase(Phase::Transform, |teller| transform::run(bench, teller, &analyzed, &planned)).await?;
        let verified = self
            .phase(Phase::Verify, |teller| verify::run(bench, teller, &analyzed, &planned, &transformed))
            .await?;
        let project = verified.project(&transformed);
        self.phase(Phase::Deploy, |teller| deploy::run(bench, teller, project)).await
    }

    fn payload(&self) -> Result<Payload, Failure> {
        if self.claimed.kind != MIGRATE_WEBSITE {
            return Err(unreadable(&format!("unknown kind {:?}", self.claimed.kind)));
        }
        Payload::deserialize(&self.claimed.payload).map_err(|error| unreadable(&error))
    }

    fn bench(&self, payload: &Payload) -> Result<Bench, Failure> {
        let of = self.claimed.lease.carries.ok_or_else(|| unreadable(&"no migration"))?;
        let source = SourceUrl::parse(&payload.source_url).map_err(|error| unreadable(&error))?;
        let (objects, lease) = (&self.shop.objects, &self.claimed.lease);
        let bodies = objects.bodies_of(lease.tenant);
        let most = self.shop.config.max_text_bytes;
        Ok(Bench {
            shop: Arc::clone(&self.shop),
            keys: Keys::of(lease.tenant, of),
            source: source.as_url().clone(),
            materials: Materials::new(objects.clone(), bodies, self.shop.cpu.clone(), most),
            pen: self.pen.clone(),
        })
    }

    /// One phase: skipped when an earlier attempt completed it, otherwise begun, done and committed.
    async fn phase<R, F>(&self, phase: Phase, work: impl FnOnce(Arc<Teller>) -> F) -> Result<R, Stop>
    where
        R: Serialize + DeserializeOwned,
        F: Future<Output = Result<Outcome<R>, Failure>>,
    {
        self.hold.check()?;
        let span = tracing::info_span!("phase", otel.name = phase::span_name(phase), %phase);
        let done = async {
            let begun = phase::started(phase);
            let teller = Arc::new(Teller::new(Arc::clone(&self.hold), phase));
            if let PhaseStart::AlreadyComplete(result) = self.pen.begin_phase(phase, &[begun]).await? {
                tracing::info!("complete already");
                self.hold.show(|live| live.progress = live.progress.max(phase.progress(1, 1)));
                return Ok(results::read(result)?);
            }
            // Only reading asks the site.
            let circuit = (phase == Phase::Analyze).then(|| Circuit::of(&self.shop, &self.claimed)).flatten();
            if let Some(circuit) = &circuit {
                circuit.enter().await?;
            }
            let worked = self.work(&teller, Box::pin(work(Arc::clone(&teller)))).await;
            if let Some(circuit) = &circuit {
                circuit.tell(&worked).await;
            }
            let outcome = worked?;
            let result = results::stored(&outcome.result);
            let told = phase::completed(phase, &outcome.notes, result.clone());
            let mut events = outcome.events;
            events.push(told);
            match &outcome.analysis {
                Some(analysis) => self.pen.complete_analysis(analysis, &result, &events).await?,
                None => self.pen.complete_phase(phase, &result, &events).await?,
            }
            tracing::info!(notes = outcome.notes, "complete");
            Ok(outcome.result)
        };
        // Boxed: five phases of one future each would not fit a thread's stack in an unoptimised build.
        Box::pin(done.instrument(span)).await
    }

    /// Drives a phase's work and the telling of it; the work may be dropped at any time, a write is not.
    async fn work<R, F>(&self, teller: &Teller, work: F) -> Result<Outcome<R>, Stop>
    where
        F: Future<Output = Result<Outcome<R>, Failure>>,
    {
        let ended = CancellationToken::new();
        let working = async {
            let worked = self.hold.interruptible(work).await;
            ended.cancel();
            worked
        };
        let (worked, told) = tokio::join!(working, teller.publish(&self.pen, &ended));
        let outcome = worked??;
        told?;
        Ok(outcome)
    }

    async fn finish(&self, result: &Value) -> Result<&'static str, Stop> {
        self.pen.finish_task(result).await?;
        tracing::info!("the job is done");
        Ok("completed")
    }

    async fn complete(&self, deployed: &Deployed) -> Result<&'static str, Stop> {
        let done = json!({
            "success": true,
            "state": MigrationState::Completed,
            "projectId": deployed.project_id,
            "artifact": deployed.artifact,
            "bytes": deployed.bytes,
            "sha256": deployed.sha256,
            "files": deployed.files,
        });
        let events = vec![
            NewEvent::new(EventType::Done, Some(Phase::Deploy), 100, done).named(DomainEvent::ProjectCreated),
        ];
        self.pen.complete_job(&Completion { project_id: deployed.project_id, events }).await?;
        tracing::info!(files = deployed.files, bytes = deployed.bytes, "the job is done");
        Ok("completed")
    }

    async fn give_up(&self, stop: Stop) -> Result<&'static str, Stop> {
        match stop {
            Stop::Lost => Ok("lost"),
            Stop::Cancelled => {
                let live = self.hold.live();
                self.pen.cancel(&NewEvent::cancelled(live.phase, live.progress)).await?;
                tracing::info!("the job was called off");
                Ok("cancelled")
            }
            Stop::HandBack => self.hand_back().await,
            Stop::Snooze(wait) => self.snooze(wait).await,
            Stop::Park => self.park().await,
            // While the work was not polled its connections may have died of old age: that is no attempt.
            Stop::Failed(failure) if failure.retryable && self.hold.was_paused() => self.hand_back().await,
            Stop::Failed(failure) => self.fail(failure).await,
        }
    }

    async fn hand_back(&self) -> Result<&'static str, Stop> {
        let to = self.pen.hand_back().await?;
        tracing::info!(%to, "the job is given back");
        Ok("handed_back")
    }

    async fn park(&self) -> Result<&'static str, Stop> {
        let told = NewEvent::plan_to_review(Phase::Plan.progress(1, 1));
        let to = self.pen.park(&[told]).await?;
        tracing::info!(%to, "the plan waits for its owner's word");
        Ok(if to == JobState::Cancelled { "cancelled" } else { "parked" })
    }

    async fn snooze(&self, wait: Duration) -> Result<&'static str, Stop> {
        // Not all at the very moment at which it may be asked again.
        let wait = wait.mul_f64(1.0 + (self.shop.dice)() / 10.0);
        let live = self.hold.live();
        let seconds = wait.as_secs_f64().ceil();
        let notes = format!("The site has failed several times in a row. It is tried again in {seconds} s.");
        let detail = json!({"status": "waiting", "notes": notes, "retryInMs": wait.as_millis() as u64});
        let told = NewEvent::new(EventType::Log, live.phase, live.progress, detail);
        let to = self.pen.snooze(wait, &[told]).await?;
        tracing::info!(%to, seconds, "the job is put off");
        Ok("snoozed")
    }

    async fn fail(&self, failure: Failure) -> Result<&'static str, Stop> {
        let policy = Policy { max_attempts: self.claimed.max_attempts, ..self.shop.config.policy() };
        let (attempt, draw) = (self.claimed.attempt, (self.shop.dice)());
        let verdict = match &self.binding {
            Some(_) => policy.judge_task(&failure, attempt, draw),
            None => policy.judge(&failure, attempt, draw),
        };
        let live = self.hold.live();
        let events = match verdict {
            Verdict::GiveUp => NewEvent::failed(&failure, live.phase, live.progress).to_vec(),
            // The store tells of the next attempt, if there is one: somebody may have called the job off meanwhile.
            Verdict::RetryAfter(_) => Vec::new(),
        };
        tracing::warn!(code = failure.code, message = failure.message, "the attempt failed");
        let to = self.pen.fail(&FailedAttempt { failure, verdict, events }).await?;
        Ok(match to {
            JobState::WaitingRetry => "retried",
            JobState::Cancelled => "cancelled",
            _ => "failed",
        })
    }
}

fn unreadable(why: &dyn std::fmt::Display) -> Failure {
    tracing::error!(%why, "the job cannot be read");
    crate::failure::unreadable_job()
}
