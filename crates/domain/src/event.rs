//! The public history of a migration: what `/events` pages through and what SSE streams.

mod name;

pub use name::DomainEvent;

use crate::{CorrelationId, Failure, MigrationId, migration::MigrationState, phase::Phase, rerun::Why};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// A phase began, advanced or ended.
    PhaseUpdate,
    /// A measured number.
    Metric,
    /// A line for people.
    Log,
    /// The run failed or was called off; `detail` is `{code, message, retryable}`, and `reason` after a failure.
    Error,
    /// The run is over; `detail` is `{success, projectId, …}`. Nothing follows it but
    /// a new run, or this one when its dead job is replayed.
    Done,
}

impl EventType {
    /// All types.
    pub const ALL: [Self; 5] = [Self::PhaseUpdate, Self::Metric, Self::Log, Self::Error, Self::Done];

    /// The name in the database, in the envelope and in the SSE `event:` field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PhaseUpdate => "phase_update",
            Self::Metric => "metric",
            Self::Log => "log",
            Self::Error => "error",
            Self::Done => "done",
        }
    }
}

impl std::str::FromStr for EventType {
    type Err = crate::job::UnknownState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|t| t.as_str() == text)
            .ok_or_else(|| crate::job::UnknownState(text.into()))
    }
}

/// The envelope of one event, as every reader gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the migration's history: from 1, without gaps, in commit order (law 11).
    pub seq: i64,
    /// When it was written, in milliseconds since the Unix epoch, by the database's clock.
    pub ts: i64,
    /// What it tells.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// Whose history it belongs to.
    pub migration_id: MigrationId,
    /// The run that it belongs to, from 1.
    pub run: i32,
    /// The phase that it was written in; none before the first.
    pub phase: Option<Phase>,
    /// 0 to 100: units done over units known.
    pub progress: i16,
    /// The correlation id of the request that started the run.
    pub correlation_id: CorrelationId,
    /// What depends on the type: `currentTool`, `notes`, …
    pub detail: Map<String, Value>,
}

/// An event about to be written: the database adds sequence number and time.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// What it tells.
    pub event_type: EventType,
    /// The phase that it is written in.
    pub phase: Option<Phase>,
    /// 0 to 100; the stored progress never falls within a run.
    pub progress: i16,
    /// What depends on the type.
    pub detail: Map<String, Value>,
}

impl NewEvent {
    /// An event with the given detail, which has to be a JSON object (`serde_json::json!({…})`); anything
    /// else becomes `{"notes": value}`, so that nothing said is lost.
    pub fn new(event_type: EventType, phase: Option<Phase>, progress: i16, detail: Value) -> Self {
        let detail = match detail {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => Map::from_iter([("notes".to_owned(), other)]),
        };
        Self { event_type, phase, progress, detail }
    }

    /// The same event under the name of what it tells of.
    #[must_use]
    pub fn named(mut self, name: DomainEvent) -> Self {
        self.detail.insert("event".to_owned(), name.as_str().into());
        self
    }

    /// The same, where there is such a name.
    fn named_if(self, name: Option<DomainEvent>) -> Self {
        match name {
            Some(name) => self.named(name),
            None => self,
        }
    }

    /// The last two events of a run that failed: `error` and `done`.
    pub fn failed(failure: &Failure, phase: Option<Phase>, progress: i16) -> [Self; 2] {
        let error = json!({
            "reason": failure.reason, "code": failure.code, "message": failure.message,
            "retryable": failure.retryable,
        });
        let done = json!({
            "success": false, "projectId": null, "state": MigrationState::Failed,
            "reason": failure.reason, "code": failure.code, "message": failure.message,
        });
        [
            Self::new(EventType::Error, phase, progress, error).named_if(DomainEvent::of_failure(failure)),
            Self::new(EventType::Done, phase, progress, done).named(DomainEvent::MigrationFailed),
        ]
    }

    /// Word of an attempt that failed or was lost, and of the one that follows after `wait`.
    pub fn retrying(
        failure: &Failure,
        attempt: u32,
        wait: Duration,
        phase: Option<Phase>,
        progress: i16,
    ) -> Self {
        let notes = format!("{} It is tried again in {} s.", failure.message, wait.as_secs_f64().ceil());
        let detail = json!({
            "status": "retrying", "notes": notes, "reason": failure.reason, "code": failure.code, "attempt": attempt,
            "retryInMs": u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        });
        Self::new(EventType::Log, phase, progress, detail).named_if(DomainEvent::of_failure(failure))
    }

    /// The first event of a new run of what was over.
    pub fn queued_again(why: Why, first: Option<Phase>) -> Self {
        let from = first.map_or("with nothing left to do".to_owned(), |phase| format!("from {phase} on"));
        let detail = json!({
            "status": "queued", "notes": format!("A new run waits for a worker, {from}."),
            "retryReason": why, "fromPhase": first,
        });
        Self::new(EventType::PhaseUpdate, None, 0, detail)
    }

    /// Word of a plan that waits for its owner's word; nothing happens until then.
    pub fn plan_to_review(progress: i16) -> Self {
        let notes = "The plan is ready for review. Look at it, change what you like, and approve it.";
        let detail = json!({"status": MigrationState::Questionnaire, "question": "plan", "notes": notes});
        Self::new(EventType::PhaseUpdate, Some(Phase::Plan), progress, detail)
    }

    /// Word of a plan that its owner changed.
    pub fn plan_edited(version: i32, hash: &str, phase: Option<Phase>, progress: i16) -> Self {
        let notes = format!("The plan was edited. It is version {version} now.");
        let detail =
            json!({"status": "plan_edited", "planVersion": version, "planHash": hash, "notes": notes});
        Self::new(EventType::Log, phase, progress, detail)
    }

    /// Word of a plan that its owner approved: the run goes on.
    pub fn plan_approved(version: i32, hash: &str, progress: i16) -> Self {
        let notes = "The plan was approved. The project waits for a worker to write it.";
        let detail = json!({
            "status": MigrationState::Processing, "planVersion": version, "planHash": hash, "notes": notes,
        });
        Self::new(EventType::PhaseUpdate, Some(Phase::Plan), progress, detail)
    }

    /// Word of a run that goes on after its end, because its dead job was put back into its queue.
    pub fn replayed(phase: Option<Phase>, progress: i16) -> Self {
        let detail = json!({"status": "queued", "replayed": true, "notes": "The run is taken up again."});
        Self::new(EventType::PhaseUpdate, phase, progress, detail)
    }

    /// The last two events of a run that was called off: `error` and `done`.
    pub fn cancelled(phase: Option<Phase>, progress: i16) -> [Self; 2] {
        let error = json!({"code": "cancelled", "message": "It was called off.", "retryable": false});
        let done = json!({"success": false, "cancelled": true, "projectId": null, "state": MigrationState::Cancelled});
        [
            Self::new(EventType::Error, phase, progress, error),
            Self::new(EventType::Done, phase, progress, done).named(DomainEvent::MigrationCancelled),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Reason;

    #[test]
    fn a_run_that_fails_tells_why_and_then_that_it_is_over() {
        let failure = Failure::cannot_pass("not_html", "The address is no page.");
        let [error, done] = NewEvent::failed(&failure, Some(Phase::Analyze), 7);
        assert_eq!((error.event_type, done.event_type), (EventType::Error, EventType::Done));
        assert_eq!((&error.detail["code"], &error.detail["retryable"]), (&json!("not_html"), &json!(false)));
        assert_eq!(error.detail["reason"], "invalid_input");
        assert_eq!((&done.detail["success"], &done.detail["state"]), (&json!(false), &json!("failed")));
        assert_eq!((done.phase, done.progress), (Some(Phase::Analyze), 7));
        assert_eq!((error.detail.get("event"), &done.detail["event"]), (None, &json!("MIGRATION_FAILED")));
    }

    #[test]
    fn what_happens_has_a_name_that_its_json_says_too() {
        for name in DomainEvent::ALL {
            assert_eq!(serde_json::to_value(name).expect("JSON"), name.as_str());
        }
        let refused = Failure::of(Reason::BuilderIncompatibility, "x", "y");
        let [error, _] = NewEvent::failed(&refused, None, 0);
        assert_eq!(error.detail["event"], "BUILDER_INCOMPATIBILITY_DETECTED");
        let lost = Failure::of(Reason::DeploymentError, "x", "y");
        let told = NewEvent::retrying(&lost, 1, Duration::from_secs(1), None, 0);
        assert_eq!(told.detail["event"], "DEPLOYMENT_FAILED");
    }

    #[test]
    fn a_retry_tells_why_and_when() {
        let (failure, wait) = (Failure::lost_worker(), Duration::from_millis(1200));
        let told = NewEvent::retrying(&failure, 2, wait, Some(Phase::Plan), 41);
        assert_eq!((told.event_type, told.phase, told.progress), (EventType::Log, Some(Phase::Plan), 41));
        assert_eq!((&told.detail["code"], &told.detail["attempt"]), (&json!("lost_worker"), &json!(2)));
        assert_eq!(told.detail["retryInMs"], 1200);
        let notes = told.detail["notes"].as_str().unwrap_or_default();
        assert!(notes.ends_with("It is tried again in 2 s."), "{notes}");
    }

    #[test]
    fn a_run_that_is_called_off_is_over_without_success() {
        let [error, done] = NewEvent::cancelled(None, 0);
        assert_eq!((error.event_type, done.event_type), (EventType::Error, EventType::Done));
        assert_eq!((&error.detail["code"], &error.detail["retryable"]), (&json!("cancelled"), &json!(false)));
        assert_eq!((&done.detail["success"], &done.detail["state"]), (&json!(false), &json!("cancelled")));
    }
}
