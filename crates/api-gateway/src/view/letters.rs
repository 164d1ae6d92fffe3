//! How dead letters and replays look in answers.

use serde::Serialize;
use serde_json::Value;
use store::{DeadLetter, DeadLetterInFull, ReplayRecord, TransitionRecord};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A job that used up its attempts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter {
    pub(crate) id: Uuid,
    pub(crate) job_id: Uuid,
    pub(crate) kind: String,
    pub(crate) migration_id: Option<Uuid>,
    /// `open`, `replayed` or `discarded`.
    pub(crate) state: &'static str,
    /// Why the last attempt failed: `{reason, code, message, retryable}`.
    #[schema(value_type = Object)]
    pub(crate) failure: Value,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) died_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) settled_at: Option<OffsetDateTime>,
    /// The user who replayed or discarded it.
    pub(crate) settled_by: Option<Uuid>,
    pub(crate) discard_reason: Option<String>,
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            job_id: letter.job.0,
            kind: letter.kind,
            migration_id: letter.migration.map(|id| id.0),
            state: letter.state.as_str(),
            failure: letter.failure,
            died_at: letter.died_at,
            settled_at: letter.settled_at,
            settled_by: letter.settled_by.map(|user| user.0),
            discard_reason: letter.discard_reason,
        }
    }
}

/// A page of dead letters, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LetterPage {
    pub(crate) dead_letters: Vec<Letter>,
    /// Pass it as `before` for the next page; null on the last one.
    pub(crate) next: Option<String>,
}

/// A dead letter with the whole job and all its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LetterInFull {
    #[serde(flatten)]
    pub(crate) letter: Letter,
    /// The job's row at its death.
    #[schema(value_type = Object)]
    pub(crate) job: Value,
    /// The job's moves, oldest first.
    pub(crate) transitions: Vec<JobMove>,
}

impl From<DeadLetterInFull> for LetterInFull {
    fn from(found: DeadLetterInFull) -> Self {
        let transitions = found.moves.into_iter().map(JobMove::from).collect();
        Self { letter: found.letter.into(), job: found.job, transitions }
    }
}

/// One line of a job's audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobMove {
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) cause: String,
    pub(crate) actor: String,
    pub(crate) epoch: i64,
    pub(crate) attempt: i32,
    /// Why the attempt failed that ended with it.
    #[schema(value_type = Option<Object>)]
    pub(crate) failure: Option<Value>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: OffsetDateTime,
}

impl From<TransitionRecord> for JobMove {
    fn from(record: TransitionRecord) -> Self {
        Self {
            from: record.from,
            to: record.to,
            cause: record.cause,
            actor: record.actor,
            epoch: record.epoch.0,
            attempt: record.attempt,
            failure: record.failure,
            at: record.at,
        }
    }
}

/// What became of a letter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settled {
    pub(crate) id: Uuid,
    /// `replayed` or `discarded`.
    pub(crate) state: &'static str,
}

/// What a replay would take.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// How many letters, counted up to 10000.
    pub(crate) found: i32,
    /// The oldest of them, ten at most.
    pub(crate) first: Vec<Uuid>,
}

/// How far a replay of many has come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replay {
    id: Uuid,
    /// `running`, `completed` or `cancelled`.
    state: String,
    #[schema(value_type = Object)]
    filter: Value,
    /// How many letters there were at its beginning, counted up to 10000.
    found: i32,
    replayed: i32,
    /// How many could not be replayed: their migration went on without them.
    refused: i32,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<OffsetDateTime>,
}

impl From<ReplayRecord> for Replay {
    fn from(record: ReplayRecord) -> Self {
        Self {
            id: record.id,
            state: record.state,
            filter: serde_json::to_value(&record.filter).expect("words and times serialise"),
            found: record.found,
            replayed: record.replayed,
            refused: record.refused,
            created_at: record.created_at,
            finished_at: record.finished_at,
        }
    }
}
