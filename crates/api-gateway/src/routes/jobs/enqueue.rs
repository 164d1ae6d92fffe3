//! `POST /api/jobs`: one job or many, all or none. What a kind takes is what the worker that offers it said.

use crate::{
    Code, Problem, correlation,
    gateway::Parts,
    input::{Caller, LargeBody},
    keyed::{self, KeyRefused, Keyed},
    view::jobs::{JobEnqueued, JobsEnqueued},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use domain::{
    JobId, TenantId,
    task::{self, PayloadSchema},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use store::{EARLIEST, EnqueueOutcome, EnqueueRequest, Enqueued, JobKind, LATEST, MAX_BATCH, NewTask};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::ToSchema;
use uuid::Uuid;

/// The scope of keys, stored with them: never change it.
const ROUTE: &str = "POST /api/jobs";
/// Characters of a unique key.
const LONGEST_KEY: usize = 200;
/// Kinds that a refusal names.
const NAMED: usize = 50;

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidBody,
    Code::InvalidHeader,
    Code::InvalidQuery,
    Code::Forbidden,
    Code::RequestTimeout,
    Code::KeyInFlight,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::UnknownKind,
    Code::InvalidPayload,
    Code::InvalidJob,
    Code::KeyReused,
];

/// A wish for jobs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsRequest {
    /// 1 to 1000 jobs; all are written, or none.
    jobs: Vec<JobRequest>,
}

/// A job that is wished for.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JobRequest {
    /// One of `GET /api/jobs/kinds`.
    kind: String,
    /// What the work is: JSON that matches the kind's schema.
    #[schema(value_type = Object)]
    payload: Value,
    /// −100 to 100; higher goes first. 0 if absent.
    priority: Option<i16>,
    /// When it may run (RFC 3339), at most a day ago and 366 days ahead; at once if absent.
    run_at: Option<String>,
    /// Attempts in all, at most as many as the kind has; the kind's if absent.
    max_attempts: Option<u32>,
    /// While a job of the kind with this key is not over, that one is answered and no second one is written. 1 to 200
    /// characters.
    unique_key: Option<String>,
}

/// Enqueues jobs of kinds that workers offer: one or many, all or none.
///
/// With an Idempotency-Key the request can be sent again without harm.
#[utoipa::path(
    post, path = "/api/jobs", tag = "jobs", request_body = JobsRequest,
    params(
        ("Idempotency-Key" = Option<String>, Header,
            description = "A quoted string of 1 to 255 printable characters, new for each new request"),
        ("X-Correlation-Id" = Option<Uuid>, Header, description = "Ties the jobs to a request of yours")),
    responses((status = 202, body = JobsEnqueued, description = "They wait for a worker",
        headers(("Idempotent-Replayed" = Option<String>, description = "`true` on a stored answer"))))
)]
pub(crate) async fn enqueue(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    LargeBody(body): LargeBody<JobsRequest>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_may_write()?;
    let keyed = Keyed::of(&request, ROUTE, &body)?;
    if let Some(keyed) = &keyed
        && let Some(answer) = keyed.stored(&parts, caller.tenant).await?
    {
        return Ok(keyed::again(&answer));
    }
    let wish = EnqueueRequest {
        tenant: caller.tenant,
        user: caller.user,
        tasks: tasks(&parts, caller.tenant, body.jobs).await?,
        correlation: correlation::of(&request),
        trace: super::trace(),
        idempotency: keyed.as_ref().map(|keyed| keyed.write(&parts, StatusCode::ACCEPTED, &Value::Null)),
        answer,
    };
    match parts.store.enqueue_tasks(&wish).await? {
        EnqueueOutcome::Enqueued(came) => Ok(HttpResponse::Accepted().json(answer(&came))),
        EnqueueOutcome::Replayed(stored) => Ok(keyed::again(&stored)),
        EnqueueOutcome::KeyMismatch => Err(KeyRefused::Reused.into()),
        EnqueueOutcome::KeyInFlight => Err(KeyRefused::InFlight.into()),
        EnqueueOutcome::OutOfTime(index) => Err(invalid(
            index,
            format!(
                "runAt has to be at most {} h ago and at most {} days ahead",
                LATEST.as_secs() / 3600,
                EARLIEST.as_secs() / 86_400
            ),
        )),
    }
}

fn answer(came: &[Enqueued]) -> Value {
    let jobs = came.iter().map(|one| JobEnqueued { job_id: one.job.0, existing: one.existing }).collect();
    serde_json::to_value(JobsEnqueued { jobs }).expect("ids and booleans serialise")
}

/// Judges what was asked for against the kinds that there are.
async fn tasks(parts: &Parts, tenant: TenantId, asked: Vec<JobRequest>) -> Result<Vec<NewTask>, Problem> {
    if asked.is_empty() || asked.len() > MAX_BATCH {
        let told = format!("jobs has to hold 1 to {MAX_BATCH} jobs, and it holds {}.", asked.len());
        return Err(Problem::new(Code::InvalidJob, told));
    }
    let kinds = parts.store.job_kinds(tenant).await?;
    let mut judges: HashMap<&str, Judge<'_>> = HashMap::new();
    let mut tasks = Vec::with_capacity(asked.len());
    for (index, job) in asked.into_iter().enumerate() {
        let kind = kinds.iter().find(|kind| kind.name == job.kind);
        let Some(kind) = kind else { return Err(unknown(index, &job.kind, &kinds)) };
        let judge = match judges.entry(kind.name.as_str()) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(Judge::of(kind)?),
        };
        tasks.push(judge.judge(index, job)?);
    }
    Ok(tasks)
}

fn unknown(index: usize, asked: &str, kinds: &[JobKind]) -> Problem {
    let known: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).take(NAMED).collect();
    let asked: String = asked.chars().take(63).collect();
    let told = match known.as_slice() {
        [] => format!("jobs[{index}]: no worker offers jobs of any kind yet."),
        known => format!("jobs[{index}]: {asked:?} is no kind that is offered: {}.", known.join(", ")),
    };
    Problem::new(Code::UnknownKind, told).with("index", index).with("kinds", known)
}

fn invalid(index: usize, told: impl std::fmt::Display) -> Problem {
    Problem::new(Code::InvalidJob, format!("jobs[{index}]: {told}.")).with("index", index)
}

/// One kind, with its schema compiled once for all its jobs.
struct Judge<'a> {
    kind: &'a JobKind,
    schema: Option<PayloadSchema>,
}

impl<'a> Judge<'a> {
    fn of(kind: &'a JobKind) -> Result<Self, Problem> {
        // Workers compile it before they offer it; one of another release may know other words.
        let schema = kind.payload_schema.as_ref().map(PayloadSchema::compile).transpose();
        let schema = schema.map_err(|error| Problem::from_source(domain::Kind::Internal, &error))?;
        Ok(Self { kind, schema })
    }

    fn judge(&self, index: usize, job: JobRequest) -> Result<NewTask, Problem> {
        self.payload(index, &job.payload)?;
        let priority = job.priority.unwrap_or(0);
        if !(-100..=100).contains(&priority) {
            return Err(invalid(index, "priority has to be between -100 and 100"));
        }
        let most = self.kind.max_attempts;
        let max_attempts = job.max_attempts.unwrap_or(most);
        if !(1..=most).contains(&max_attempts) {
            return Err(invalid(index, format_args!("maxAttempts has to be between 1 and {most}")));
        }
        let length = job.unique_key.as_ref().map_or(1, |key| key.chars().count());
        if !(1..=LONGEST_KEY).contains(&length)
            || job.unique_key.as_ref().is_some_and(|key| key.contains('\0'))
        {
            let told = format!("uniqueKey has to have 1 to {LONGEST_KEY} characters and no U+0000");
            return Err(invalid(index, told));
        }
        let run_at = job.run_at.as_deref().map(|text| OffsetDateTime::parse(text, &Rfc3339)).transpose();
        let run_at =
            run_at.map_err(|_| invalid(index, "runAt has to be a time such as 2026-01-31T12:00:00Z"))?;
        Ok(NewTask {
            id: JobId(Uuid::now_v7()),
            kind: job.kind,
            payload: job.payload,
            priority,
            run_at,
            max_attempts,
            unique_key: job.unique_key,
        })
    }

    fn payload(&self, index: usize, payload: &Value) -> Result<(), Problem> {
        let (length, most) = (task::length(payload), self.kind.max_payload_bytes);
        let refused = |told: String| Problem::new(Code::InvalidPayload, told).with("index", index);
        if length > most as usize {
            let told = format!(
                "jobs[{index}]: the payload has {length} bytes, and {} takes {most}.",
                self.kind.name
            );
            return Err(refused(told));
        }
        let misfits = self.schema.as_ref().map(|schema| schema.misfits(payload)).unwrap_or_default();
        let Some(first) = misfits.first() else { return Ok(()) };
        let place = if first.path.is_empty() { "the payload" } else { &first.path };
        let told = format!("jobs[{index}], {place}: {}. See GET /api/jobs/kinds.", first.told);
        let errors: Vec<Value> =
            misfits.iter().map(|one| json!({"path": one.path, "message": one.told})).collect();
        Err(refused(told).with("errors", errors))
    }
}
