//! How jobs look to operators, alive and dead.

use crate::view::{
    letters::{JobMove, Letter, LetterInFull},
    name,
};
use serde::Serialize;
use serde_json::Value;
use store::{
    DeadLetter, DeadLetterInFull, HeldLease, JobInFull, JobLine, JobLines, LetterOfTenant, PoisonLine,
    ToldEvent,
};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A page of jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobPage {
    pub(crate) jobs: Vec<JobView>,
    /// Pass it as `before` to look on; null at the end.
    pub(crate) next: Option<Uuid>,
}

impl From<JobLines> for JobPage {
    fn from(lines: JobLines) -> Self {
        let jobs = lines.jobs.into_iter().map(Into::into).collect();
        Self { jobs, next: lines.next.map(|job| job.0) }
    }
}

/// One job. What it works on is its tenant's and not shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) kind: String,
    pub(crate) queue: String,
    pub(crate) migration_id: Option<Uuid>,
    pub(crate) run: Option<i32>,
    pub(crate) state: &'static str,
    pub(crate) priority: i16,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) run_at: OffsetDateTime,
    pub(crate) epoch: i64,
    /// Attempts that failed or were lost.
    pub(crate) attempts: i32,
    pub(crate) max_attempts: i32,
    pub(crate) cancel_requested: bool,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) finished_at: Option<OffsetDateTime>,
    /// Why the last attempt failed: `{reason, code, message, retryable}`.
    #[schema(value_type = Option<Object>)]
    pub(crate) last_error: Option<Value>,
    pub(crate) trace_id: Option<String>,
}

impl From<JobLine> for JobView {
    fn from(line: JobLine) -> Self {
        let (migration, run) = line.migration.unzip();
        Self {
            id: line.id.0,
            tenant_id: line.tenant.0,
            kind: line.kind,
            queue: line.queue,
            migration_id: migration.map(|id| id.0),
            run,
            state: line.state.as_str(),
            priority: line.priority,
            run_at: line.run_at,
            epoch: line.epoch.0,
            attempts: line.attempts,
            max_attempts: line.max_attempts,
            cancel_requested: line.cancel_requested_at.is_some(),
            created_at: line.created_at,
            finished_at: line.finished_at,
            last_error: line.last_error,
            trace_id: line.traceparent.as_deref().and_then(trace_of),
        }
    }
}

/// The id of the trace in a `traceparent` (W3C Trace Context, section 3.2).
fn trace_of(traceparent: &str) -> Option<String> {
    let id = traceparent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// One job with everything that happened to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobWhole {
    #[serde(flatten)]
    pub(crate) job: JobView,
    /// Where its trace can be looked at, if the configuration says so.
    pub(crate) trace_url: Option<String>,
    pub(crate) lease: Option<HolderView>,
    /// Its moves, oldest first; of very many the last 200.
    pub(crate) transitions: Vec<JobMove>,
    /// The last 50 lines of its migration's history, oldest first.
    pub(crate) events: Vec<EventLine>,
}

impl JobWhole {
    pub(crate) fn of(found: JobInFull, trace_url: &str) -> Self {
        let job = JobView::from(found.job);
        let link = job.trace_id.as_ref().filter(|_| !trace_url.is_empty());
        Self {
            trace_url: link.map(|id| trace_url.replace("{trace}", id)),
            job,
            lease: found.lease.map(Into::into),
            transitions: found.moves.into_iter().map(Into::into).collect(),
            events: found.events.into_iter().map(Into::into).collect(),
        }
    }
}

/// Who holds the job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HolderView {
    pub(crate) worker_id: Uuid,
    pub(crate) epoch: i64,
    pub(crate) phase: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) claimed_at: OffsetDateTime,
    pub(crate) heartbeat_age_seconds: f64,
}

impl From<HeldLease> for HolderView {
    fn from(held: HeldLease) -> Self {
        Self {
            worker_id: held.worker.0,
            epoch: held.epoch.0,
            phase: held.phase.map(name),
            claimed_at: held.claimed_at,
            heartbeat_age_seconds: held.silent.as_secs_f64(),
        }
    }
}

/// One line of a migration's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventLine {
    pub(crate) seq: i64,
    pub(crate) r#type: &'static str,
    pub(crate) phase: Option<String>,
    pub(crate) progress: i16,
    pub(crate) notes: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: OffsetDateTime,
}

impl From<ToldEvent> for EventLine {
    fn from(told: ToldEvent) -> Self {
        Self {
            seq: told.seq,
            r#type: told.event_type.as_str(),
            phase: told.phase.map(name),
            progress: told.progress,
            notes: told.notes,
            at: told.at,
        }
    }
}

/// A page of dead letters, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperatorLetterPage {
    pub(crate) dead_letters: Vec<OfTenant>,
    /// Pass it as `before` for the next page; null on the last one.
    pub(crate) next: Option<String>,
}

/// A dead letter, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OfTenant {
    pub(crate) tenant_id: Uuid,
    #[serde(flatten)]
    pub(crate) letter: Letter,
}

impl From<LetterOfTenant<DeadLetter>> for OfTenant {
    fn from(found: LetterOfTenant<DeadLetter>) -> Self {
        Self { tenant_id: found.tenant.0, letter: found.letter.into() }
    }
}

/// A dead letter with the whole job and all its attempts, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OperatorLetter {
    pub(crate) tenant_id: Uuid,
    #[serde(flatten)]
    pub(crate) letter: LetterInFull,
}

impl From<LetterOfTenant<DeadLetterInFull>> for OperatorLetter {
    fn from(found: LetterOfTenant<DeadLetterInFull>) -> Self {
        Self { tenant_id: found.tenant.0, letter: found.letter.into() }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoisonList {
    pub(crate) messages: Vec<PoisonView>,
}

/// A message whose bytes could not be read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoisonView {
    pub(crate) id: i64,
    pub(crate) queue: String,
    /// Why it could not be read.
    pub(crate) error: String,
    /// Its length.
    pub(crate) bytes: i64,
    /// Its first 2000 bytes as text; what is none is shown as U+FFFD.
    pub(crate) beginning: String,
    #[schema(value_type = Object)]
    pub(crate) headers: Value,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: OffsetDateTime,
}

impl From<PoisonLine> for PoisonView {
    fn from(line: PoisonLine) -> Self {
        Self {
            id: line.id,
            queue: line.queue,
            error: line.error,
            bytes: line.bytes,
            beginning: String::from_utf8_lossy(&line.beginning).into_owned(),
            headers: line.headers,
            at: line.at,
        }
    }
}
