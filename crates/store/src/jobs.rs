//! Jobs under leases: one file per command of their state machine.

use crate::{Result, Store};
use domain::{
    CorrelationId, Epoch, Failure, JobId, MigrationId, TenantId, WorkerId, event::NewEvent, job::JobState,
    phase::Phase, retry, trace::TraceContext,
};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// A worker's claim on a job: what every fenced write names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token.
    pub epoch: Epoch,
    /// The process that holds it.
    pub worker: WorkerId,
    /// The job's tenant.
    pub tenant: TenantId,
    /// The migration that the job carries out.
    pub migration: MigrationId,
    /// The run that it carries out.
    pub run: i32,
    /// The trace context that what is written under this lease carries: the enqueuing request's until the
    /// holder puts its own span's there (see [`Lease::traced`]).
    pub trace: TraceContext,
}

impl Lease {
    /// The same lease, writing in another span.
    #[must_use]
    pub fn traced(&self, trace: TraceContext) -> Self {
        Self { trace, ..self.clone() }
    }
}

/// A wish for work.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The queue to take from.
    pub queue: &'a str,
    /// Who asks.
    pub worker: WorkerId,
    /// At most so many jobs.
    pub slots: u32,
    /// How long the leases last without a heartbeat.
    pub ttl: Duration,
}

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The lease on it.
    pub lease: Lease,
    /// What kind of work it is.
    pub kind: String,
    /// What the work is.
    pub payload: Value,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// Attempts in all.
    pub max_attempts: u32,
    /// What ties the run's traces together.
    pub correlation: CorrelationId,
    /// The trace context of the request that enqueued it.
    pub trace: TraceContext,
    /// How long it was runnable before this claim, by the database's clock.
    pub waited: Duration,
}

/// A lease that a heartbeat renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The job.
    pub job: JobId,
    /// The lease.
    pub epoch: Epoch,
    /// Did somebody ask to cancel the job?
    pub cancel_requested: bool,
}

/// The result of a write under a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fenced<T> {
    /// Written.
    Done(T),
    /// Nothing was written: the lease is no longer the job's.
    Stale,
}

/// What beginning a phase found.
#[derive(Clone, Debug, PartialEq)]
pub enum PhaseStart {
    /// It is begun; do the work.
    Begun,
    /// An earlier attempt completed it with this result; nothing was written.
    AlreadyComplete(Value),
}

/// The end of a job that succeeded.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The project that came of it.
    pub project_id: Uuid,
    /// The last events, `done` included.
    pub events: Vec<NewEvent>,
}

/// The end of an attempt that failed.
#[derive(Clone, Debug)]
pub struct FailedAttempt {
    /// Why.
    pub failure: Failure,
    /// What follows.
    pub verdict: retry::Verdict,
    /// What to tell; a job that fails for good without a `done` among these gets
    /// `domain::event::NewEvent::failed`'s two added.
    pub events: Vec<NewEvent>,
}

/// A sweep of leases that ran out.
#[derive(Clone, Copy, Debug)]
pub struct RescueRequest<'a> {
    /// Who sweeps.
    pub worker: WorkerId,
    /// The leases' ttl: nothing is swept until Postgres has been up that long.
    pub ttl: Duration,
    /// At most so many jobs.
    pub limit: u32,
    /// What follows a lost attempt; the job's own `max_attempts` overrules the policy's.
    pub policy: &'a retry::Policy,
    /// A uniform draw from `0.0..1.0`; each job's own is derived from it and the job's id.
    pub jitter: f64,
}

/// A job that was taken from a worker that stopped answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The job.
    pub job: JobId,
    /// Its migration.
    pub migration: MigrationId,
    /// Where it went: WAITING_RETRY, FAILED or CANCELLED.
    pub to: JobState,
}

impl Store {
    /// Claims the best-ranked runnable jobs of a queue.
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>> {
        let _ = request;
        todo!()
    }

    /// Renews all held leases in one statement. Who is absent from the answer has lost its lease.
    pub async fn heartbeat(&self, worker: WorkerId, held: &[(JobId, Epoch)], ttl: Duration) -> Result<Vec<Kept>> {
        let _ = (worker, held, ttl);
        todo!()
    }

    /// PREPARING → RUNNING.
    pub async fn begin_job(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        let _ = (lease, events);
        todo!()
    }

    /// Begins a phase, unless an earlier attempt of this run completed it.
    pub async fn begin_phase(
        &self,
        lease: &Lease,
        phase: Phase,
        events: &[NewEvent],
    ) -> Result<Fenced<PhaseStart>> {
        let _ = (lease, phase, events);
        todo!()
    }

    /// Writes events; answers the last sequence number.
    pub async fn append_events(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        let _ = (lease, events);
        todo!()
    }

    /// Commits a phase's result with its events.
    pub async fn complete_phase(
        &self,
        lease: &Lease,
        phase: Phase,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<Fenced<()>> {
        let _ = (lease, phase, result, events);
        todo!()
    }

    /// RUNNING → COMPLETED, and the migration with it.
    pub async fn complete_job(&self, lease: &Lease, completion: &Completion) -> Result<Fenced<()>> {
        let _ = (lease, completion);
        todo!()
    }

    /// Counts a failed attempt; answers where the job went: WAITING_RETRY, FAILED (also when the verdict says
    /// retry and the attempts are used up) or CANCELLED (when it would be tried again and somebody asked to
    /// cancel it).
    pub async fn fail_attempt(&self, lease: &Lease, failed: &FailedAttempt) -> Result<Fenced<JobState>> {
        let _ = (lease, failed);
        todo!()
    }

    /// Gives a job back unfinished; no attempt is counted. Answers where it went: PENDING, or CANCELLED when
    /// somebody asked to cancel it.
    pub async fn hand_back(&self, lease: &Lease) -> Result<Fenced<JobState>> {
        let _ = lease;
        todo!()
    }

    /// PREPARING or RUNNING → CANCELLED, and the migration with it.
    pub async fn cancel_job(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        let _ = (lease, events);
        todo!()
    }

    /// WAITING_RETRY → PENDING for jobs whose wait is over.
    pub async fn promote_due(&self, actor: WorkerId, limit: u32) -> Result<u32> {
        let _ = (actor, limit);
        todo!()
    }

    /// Takes jobs from workers whose leases ran out.
    pub async fn rescue_expired(&self, request: &RescueRequest<'_>) -> Result<Vec<Rescued>> {
        let _ = request;
        todo!()
    }
}
