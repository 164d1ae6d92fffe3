//! `POST /api/jobs`: one job or many, all or none. What a kind takes is what the worker that offers it said.

use super::judge::{Judge, Place};
use crate::{
    Code, Problem, correlation,
    gateway::Parts,
    input::{Caller, LargeBody},
    keyed::{self, KeyRefused, Keyed},
    view::jobs::{JobEnqueued, JobNeeds, JobsEnqueued},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use domain::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{HashMap, hash_map::Entry};
use store::{EARLIEST, EnqueueOutcome, EnqueueRequest, Enqueued, LATEST, MAX_BATCH, NewTask};
use utoipa::ToSchema;

/// The scope of keys, stored with them: never change it.
const ROUTE: &str = "POST /api/jobs";

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
    pub(crate) kind: String,
    /// What the work is: JSON that matches the kind's schema.
    #[schema(value_type = Object)]
    pub(crate) payload: Value,
    /// −100 to 100; higher goes first. 0 if absent.
    pub(crate) priority: Option<i16>,
    /// When it may run (RFC 3339), at most a day ago and 366 days ahead; at once if absent.
    pub(crate) run_at: Option<String>,
    /// Attempts in all, at most as many as the kind has; the kind's if absent.
    pub(crate) max_attempts: Option<u32>,
    /// While a job of the kind with this key is not over, that one is answered and no second one is written. 1 to 200
    /// characters.
    pub(crate) unique_key: Option<String>,
    /// What it asks of the world outside, such as a host or a model: the operators' limits on destinations count by it.
    /// 1 to 300 bytes; nothing if absent.
    pub(crate) destination: Option<String>,
    /// What it needs of its worker's machine, at most 16 TiB of either; what its kind needs if absent.
    // Left out where it is absent: an Idempotency-Key of before it was known belongs to the same body still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) needs: Option<JobNeeds>,
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
        EnqueueOutcome::OutOfTime(index) => Err(Place::of_many(index).invalid(format_args!(
            "runAt has to be at most {} h ago and at most {} days ahead",
            LATEST.as_secs() / 3600,
            EARLIEST.as_secs() / 86_400
        ))),
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
        let place = Place::of_many(index);
        let kind = place.kind(&job.kind, &kinds)?;
        let judge = match judges.entry(kind.name.as_str()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Judge::of(kind)?),
        };
        tasks.push(judge.judge(place, job)?);
    }
    Ok(tasks)
}
