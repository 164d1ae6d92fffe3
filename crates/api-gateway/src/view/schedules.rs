//! How jobs that repeat look in answers.

use super::jobs::JobNeeds;
use domain::schedule::Timetable;
use serde::Serialize;
use serde_json::Value;
use store::{Firing, ScheduleRecord};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Times ahead that are told.
const AHEAD: usize = 5;

/// A job that repeats.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schedule {
    name: String,
    /// Minute, hour, day of the month, month, day of the week.
    cron: String,
    time_zone: String,
    /// `skip`, `once` or `all`.
    missed: &'static str,
    kind: String,
    /// What the work of its jobs is.
    #[schema(value_type = Object)]
    payload: Value,
    priority: i16,
    destination: Option<String>,
    needs: JobNeeds,
    max_attempts: u32,
    paused: bool,
    /// Why it does not fire any more, until it is said again; null: it does.
    stopped: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    changed_at: OffsetDateTime,
}

impl From<ScheduleRecord> for Schedule {
    fn from(record: ScheduleRecord) -> Self {
        Self {
            name: record.name,
            cron: record.cron,
            time_zone: record.time_zone,
            missed: record.missed.as_str(),
            kind: record.kind,
            payload: record.payload,
            priority: record.priority,
            destination: record.destination,
            needs: record.needs.into(),
            max_attempts: record.max_attempts,
            paused: record.paused,
            stopped: record.stopped,
            next_at: record.next_at,
            created_at: record.created_at,
            changed_at: record.changed_at,
        }
    }
}

/// Your organisation's schedules, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedules {
    pub(crate) schedules: Vec<Schedule>,
}

/// A schedule with its times: those that come and those that were.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleInFull {
    #[serde(flatten)]
    schedule: Schedule,
    /// The next five times, so that one sees what the expression means; none while it is paused or stopped.
    #[schema(value_type = Vec<String>)]
    upcoming: Vec<Moment>,
    /// The last twenty times of the last week, the newest first.
    fired: Vec<Fired>,
}

/// A moment, as RFC 3339 writes it.
#[derive(Debug, Serialize)]
struct Moment(#[serde(with = "time::serde::rfc3339")] OffsetDateTime);

/// A time that a job was written for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Fired {
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: OffsetDateTime,
    job_id: Uuid,
}

impl ScheduleInFull {
    pub(crate) fn of(record: ScheduleRecord, firings: Vec<Firing>) -> Self {
        let upcoming = record.next_at.map(|next| {
            // The one that comes next is known, whatever another release makes of the expression.
            let timetable = Timetable::parse(&record.cron, &record.time_zone, next);
            timetable.map_or_else(|_| vec![next], |timetable| timetable.from(next, AHEAD))
        });
        Self {
            upcoming: upcoming.unwrap_or_default().into_iter().map(Moment).collect(),
            fired: firings.into_iter().map(|one| Fired { at: one.slot, job_id: one.job.0 }).collect(),
            schedule: record.into(),
        }
    }
}
