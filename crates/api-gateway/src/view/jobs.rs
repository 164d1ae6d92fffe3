//! How jobs of every kind look in answers.

use super::letters::JobMove;
use domain::{job::JobState, task::Needs};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{JobKind, JobRecord, TransitionRecord};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// The answer to a wish for jobs, in the wish's order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobsEnqueued {
    pub(crate) jobs: Vec<JobEnqueued>,
}

/// What came of one job of a wish.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobEnqueued {
    pub(crate) job_id: Uuid,
    /// Was it there before, under the same unique key?
    pub(crate) existing: bool,
}

/// What a job needs of its worker's machine; it is begun only where that is left. The larger of this and of what its kind
/// needs counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct JobNeeds {
    /// Of memory; 0 if absent.
    pub(crate) memory_bytes: u64,
    /// Of the disk of scratch files; 0 if absent.
    pub(crate) disk_bytes: u64,
}

impl From<Needs> for JobNeeds {
    fn from(Needs { memory, disk }: Needs) -> Self {
        Self { memory_bytes: memory, disk_bytes: disk }
    }
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    job_id: Uuid,
    kind: String,
    /// PENDING, PREPARING, RUNNING, WAITING_RETRY, COMPLETED, FAILED or CANCELLED.
    state: &'static str,
    /// −100 to 100; higher goes first.
    priority: i16,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    run_at: OffsetDateTime,
    /// Attempts that failed or were lost; a job that was handed back or put off counts none.
    attempts: i32,
    max_attempts: i32,
    unique_key: Option<String>,
    needs: JobNeeds,
    /// The migration that it carries out.
    migration_id: Option<Uuid>,
    /// Why the last attempt failed: `{reason, code, message, retryable}`.
    #[schema(value_type = Option<Object>)]
    last_error: Option<Value>,
    correlation_id: Uuid,
    cancel_requested: bool,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_attempt_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<OffsetDateTime>,
}

impl From<JobRecord> for Job {
    fn from(record: JobRecord) -> Self {
        Self {
            job_id: record.id.0,
            kind: record.kind,
            state: record.state.as_str(),
            priority: record.priority,
            run_at: record.run_at,
            attempts: record.attempts,
            max_attempts: record.max_attempts,
            unique_key: record.unique_key,
            needs: record.needs.into(),
            migration_id: record.migration.map(|id| id.0),
            last_error: record.last_error,
            correlation_id: record.correlation.0,
            cancel_requested: record.cancel_requested,
            created_at: record.created_at,
            last_attempt_at: record.last_attempt_at,
            finished_at: record.finished_at,
        }
    }
}

/// A job with what it works on and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobInFull {
    #[serde(flatten)]
    job: Job,
    #[schema(value_type = Object)]
    payload: Option<Value>,
    /// What its executor answered, once it is completed.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
}

impl From<JobRecord> for JobInFull {
    fn from(mut record: JobRecord) -> Self {
        let (payload, result) = (record.payload.take(), record.result.take());
        Self { job: record.into(), payload, result }
    }
}

/// A page of jobs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    pub(crate) jobs: Vec<Job>,
    /// Pass it as `before` for the next page, also when this one is short: a filter looks at so many jobs at a time.
    /// Null at the end.
    pub(crate) next: Option<Uuid>,
}

/// A page of a job's moves, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobMoves {
    pub(crate) transitions: Vec<JobMove>,
    /// Pass it as `after` for the next page; null at the end.
    pub(crate) next: Option<i64>,
}

/// A kind of job that you may enqueue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kind {
    name: String,
    /// `http`, `subprocess` or `container`.
    executor: String,
    /// The JSON Schema that payloads have to match; null: any payload does.
    #[schema(value_type = Option<Object>)]
    payload_schema: Option<Value>,
    max_payload_bytes: u32,
    /// Attempts in all, unless a job asks for fewer.
    max_attempts: u32,
    /// How long an attempt may take, in milliseconds.
    timeout_ms: u64,
}

impl From<JobKind> for Kind {
    fn from(kind: JobKind) -> Self {
        Self {
            name: kind.name,
            executor: kind.executor,
            payload_schema: kind.payload_schema,
            max_payload_bytes: kind.max_payload_bytes,
            max_attempts: kind.max_attempts,
            timeout_ms: u64::try_from(kind.timeout.as_millis()).unwrap_or(u64::MAX), // a day at most
        }
    }
}

/// The kinds of job that you may enqueue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Kinds {
    pub(crate) kinds: Vec<Kind>,
}

/// A job's attempts, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attempts {
    pub(crate) attempts: Vec<Attempt>,
    /// Were there so many moves that the last attempts are not told?
    pub(crate) truncated: bool,
}

/// One lease on a job: from its claim to its end.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    /// The lease's fencing token.
    epoch: i64,
    /// The number of the attempt; a hand-back does not raise it.
    attempt: i32,
    /// The worker's id.
    worker: String,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    claimed_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<OffsetDateTime>,
    /// Why it ended: `completed`, `attempt_failed`, `gave_up`, `lease_expired`, …; null while it is under way.
    outcome: Option<String>,
    /// Why it failed, if it did.
    #[schema(value_type = Option<Object>)]
    failure: Option<Value>,
}

/// The attempts that a job's moves tell of.
pub(crate) fn attempts(moves: Vec<TransitionRecord>) -> Vec<Attempt> {
    let mut by_epoch: BTreeMap<i64, Attempt> = BTreeMap::new();
    let is = |name: &str, state: JobState| name == state.as_str();
    for step in moves {
        let epoch = step.epoch.0;
        if is(&step.to, JobState::Preparing) {
            let worker = step.actor.strip_prefix("worker:").unwrap_or(&step.actor).to_owned();
            let begun = Attempt {
                epoch,
                attempt: step.attempt,
                worker,
                claimed_at: step.at,
                started_at: None,
                ended_at: None,
                outcome: None,
                failure: None,
            };
            by_epoch.insert(epoch, begun);
        } else if let Some(attempt) = by_epoch.get_mut(&epoch).filter(|attempt| attempt.ended_at.is_none()) {
            if is(&step.to, JobState::Running) {
                attempt.started_at = Some(step.at);
            } else {
                attempt.ended_at = Some(step.at);
                attempt.outcome = Some(step.cause);
                attempt.failure = step.failure;
            }
        }
    }
    by_epoch.into_values().collect()
}

/// What became of a job that was called off or is tried again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobMoved {
    pub(crate) job_id: Uuid,
    /// `cancelled`, `cancelling` or `pending`.
    pub(crate) status: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Epoch;
    use serde_json::json;

    fn step(from: Option<&str>, to: &str, cause: &str, epoch: i64, second: i64) -> TransitionRecord {
        TransitionRecord {
            id: second,
            from: from.map(str::to_owned),
            to: to.to_owned(),
            cause: cause.to_owned(),
            actor: "worker:w".to_owned(),
            epoch: Epoch(epoch),
            attempt: 1,
            failure: (cause == "attempt_failed").then(|| json!({"code": "c"})),
            at: OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(second),
        }
    }

    #[test]
    fn attempts_begin_with_a_claim_and_end_with_the_first_move_out_of_the_lease() {
        let told = attempts(vec![
            step(None, "PENDING", "enqueued", 0, 1),
            step(Some("PENDING"), "PREPARING", "claimed", 1, 2),
            step(Some("PREPARING"), "RUNNING", "started", 1, 3),
            step(Some("RUNNING"), "WAITING_RETRY", "attempt_failed", 1, 4),
            step(Some("WAITING_RETRY"), "PENDING", "retry_due", 1, 5),
            step(Some("PENDING"), "PREPARING", "claimed", 2, 6),
        ]);
        let at = |second| OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(second);
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].started_at, told[0].ended_at), (Some(at(3)), Some(at(4))));
        assert_eq!(told[0].outcome.as_deref(), Some("attempt_failed"));
        assert_eq!((&told[0].failure, told[0].worker.as_str()), (&Some(json!({"code": "c"})), "w"));
        assert_eq!((told[1].epoch, told[1].claimed_at, told[1].ended_at), (2, at(6), None));
    }
}
