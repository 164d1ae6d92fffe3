//! Whether a job that is wished for can be written: judged by its kind, as the worker that offers it described it.

use super::enqueue::JobRequest;
use crate::{Code, Problem, view::jobs::JobNeeds};
use domain::{
    JobId,
    gate::{ANYBODY, MAX_KEY},
    task::{self, MAX_NEED, Needs, PayloadSchema},
};
use serde_json::{Value, json};
use std::fmt::{self, Display};
use store::{JobKind, NewTask};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Characters of a unique key.
const LONGEST_KEY: usize = 200;
/// Kinds that a refusal names.
const NAMED: usize = 50;

/// Where in its request a job stands, for those who are told what is wrong with it.
#[derive(Clone, Copy)]
pub(crate) struct Place(Option<usize>);

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |index| write!(f, "jobs[{index}]: "))
    }
}

impl Place {
    /// The request asks for one job only.
    pub(crate) const ALONE: Self = Self(None);

    /// One of `jobs`.
    pub(crate) fn of_many(index: usize) -> Self {
        Self(Some(index))
    }

    fn refuse(self, code: Code, told: impl Display) -> Problem {
        let problem = Problem::new(code, format!("{self}{told}"));
        match self.0 {
            Some(index) => problem.with("index", index),
            None => problem,
        }
    }

    /// A value beside the payload cannot be used.
    pub(crate) fn invalid(self, told: impl Display) -> Problem {
        self.refuse(Code::InvalidJob, format_args!("{told}."))
    }

    /// The kind that is asked for, among those that are offered.
    pub(crate) fn kind<'a>(self, asked: &str, kinds: &'a [JobKind]) -> Result<&'a JobKind, Problem> {
        kinds.iter().find(|kind| kind.name == asked).ok_or_else(|| {
            let known: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).take(NAMED).collect();
            let asked: String = asked.chars().take(63).collect();
            let told = match known.as_slice() {
                [] => "no worker offers jobs of any kind yet.".to_owned(),
                known => format!("{asked:?} is no kind that is offered: {}.", known.join(", ")),
            };
            self.refuse(Code::UnknownKind, told).with("kinds", known)
        })
    }
}

/// One kind, with its schema compiled once for all its jobs.
pub(crate) struct Judge<'a> {
    kind: &'a JobKind,
    schema: Option<PayloadSchema>,
}

impl<'a> Judge<'a> {
    pub(crate) fn of(kind: &'a JobKind) -> Result<Self, Problem> {
        // Workers compile it before they offer it; one of another release may know other words.
        let schema = kind.payload_schema.as_ref().map(PayloadSchema::compile).transpose();
        let schema = schema.map_err(|error| Problem::from_source(domain::Kind::Internal, &error))?;
        Ok(Self { kind, schema })
    }

    pub(crate) fn judge(&self, place: Place, job: JobRequest) -> Result<NewTask, Problem> {
        self.payload(place, &job.payload)?;
        let priority = job.priority.unwrap_or(0);
        if !(-100..=100).contains(&priority) {
            return Err(place.invalid("priority has to be between -100 and 100"));
        }
        let most = self.kind.max_attempts;
        let max_attempts = job.max_attempts.unwrap_or(most);
        if !(1..=most).contains(&max_attempts) {
            return Err(place.invalid(format_args!("maxAttempts has to be between 1 and {most}")));
        }
        let fits = |key: &str| (1..=LONGEST_KEY).contains(&key.chars().count()) && !key.contains('\0');
        if !job.unique_key.as_deref().is_none_or(fits) {
            let told = format!("uniqueKey has to have 1 to {LONGEST_KEY} characters and no U+0000");
            return Err(place.invalid(told));
        }
        // `*` is how operators call all destinations.
        let fits = |to: &str| (1..=MAX_KEY).contains(&to.len()) && to != ANYBODY && !to.contains('\0');
        if !job.destination.as_deref().is_none_or(fits) {
            let told =
                format!("destination has to have 1 to {MAX_KEY} bytes, no U+0000, and not to be {ANYBODY:?}");
            return Err(place.invalid(told));
        }
        let JobNeeds { memory_bytes: memory, disk_bytes: disk } = job.needs.unwrap_or_default();
        let needs = Needs { memory, disk };
        if needs.memory.max(needs.disk) > MAX_NEED {
            return Err(place.invalid(format_args!("needs has to name at most {MAX_NEED} bytes of each")));
        }
        let run_at = job.run_at.as_deref().map(|text| OffsetDateTime::parse(text, &Rfc3339)).transpose();
        let run_at =
            run_at.map_err(|_| place.invalid("runAt has to be a time such as 2026-01-31T12:00:00Z"))?;
        Ok(NewTask {
            id: JobId(Uuid::now_v7()),
            kind: job.kind,
            payload: job.payload,
            priority,
            run_at,
            max_attempts,
            unique_key: job.unique_key,
            destination: job.destination,
            needs,
        })
    }

    fn payload(&self, place: Place, payload: &Value) -> Result<(), Problem> {
        let (length, most) = (task::length(payload), self.kind.max_payload_bytes);
        let refused = |told: String| place.refuse(Code::InvalidPayload, told);
        if length > most as usize {
            let told = format!("the payload has {length} bytes, and {} takes {most}.", self.kind.name);
            return Err(refused(told));
        }
        let misfits = self.schema.as_ref().map(|schema| schema.misfits(payload)).unwrap_or_default();
        let Some(first) = misfits.first() else { return Ok(()) };
        let at = if first.path.is_empty() { "the payload" } else { &first.path };
        let told = format!("{at}: {}. See GET /api/jobs/kinds.", first.told);
        let errors: Vec<Value> =
            misfits.iter().map(|one| json!({"path": one.path, "message": one.told})).collect();
        Err(refused(told).with("errors", errors))
    }
}
