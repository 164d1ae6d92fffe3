//! `/api/jobs`: work of the kinds that workers offer, enqueued one or many, followed, called off and tried again.

pub(crate) mod enqueue;
pub(crate) mod judge;

use super::{cancel::tell, dead_letters::unique_taken, nothing_here, taking};
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{self, Caller},
    keyed::{self, KeyRefused, Keyed},
    view::jobs::{Attempts, Job, JobInFull, JobList, JobMoved, JobMoves, Kinds, attempts as attempts_of},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    middleware::from_fn,
    web::{self, Data, Json, Path, Query, ServiceConfig},
};
use domain::{JobId, MigrationId, job::JobState, trace::TraceContext};
use serde::Deserialize;
use store::{JobRetry, JobRetryOutcome, MovesPage, StopOutcome, StopRequest, TransitionRecord};
use utoipa::IntoParams;
use uuid::Uuid;

const DEFAULT_LIMIT: u32 = 20;
const MOST: u32 = 100;
/// Moves of which attempts are told: more than a hundred attempts have.
const MOVES: u32 = 1000;
/// The scope of the keys of retries, stored with them: never change it.
const RETRY: &str = "POST /api/jobs/{id}/retry";

/// The routes, all behind a key.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let all = web::resource("").get(list).post(enqueue::enqueue);
    let jobs = web::scope("/api/jobs")
        .wrap(from_fn(input::authenticated))
        .service(taking("GET, HEAD, POST", all))
        .service(taking("GET", web::resource("/kinds").get(kinds)))
        .service(taking("GET", web::resource("/{id}").get(one)))
        .service(taking("GET", web::resource("/{id}/attempts").get(attempts)))
        .service(taking("GET", web::resource("/{id}/transitions").get(transitions)))
        .service(taking("POST", web::resource("/{id}/cancel").post(cancel)))
        .service(taking("POST", web::resource("/{id}/retry").post(retry)))
        .default_service(web::to(nothing_here));
    config.service(jobs);
}

pub(crate) const REFUSALS: &[Code] = &[Code::InvalidId, Code::JobNotFound];
pub(crate) const MOVES_REFUSALS: &[Code] = &[Code::InvalidId, Code::InvalidQuery, Code::JobNotFound];
pub(crate) const CANCEL_REFUSALS: &[Code] =
    &[Code::InvalidId, Code::Forbidden, Code::JobNotFound, Code::JobOver, Code::JobOfMigration];
pub(crate) const RETRY_REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::InvalidHeader,
    Code::Forbidden,
    Code::JobNotFound,
    Code::JobNotFailed,
    Code::JobOfMigration,
    Code::LetterSettled,
    Code::UniqueKeyTaken,
    Code::KeyInFlight,
    Code::KeyReused,
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    before: Option<Uuid>,
    /// Only of this kind.
    kind: Option<String>,
    /// Only in this state, such as `FAILED`.
    state: Option<String>,
}

/// Lists your organisation's jobs of every kind, those that carry out migrations among them.
#[utoipa::path(
    get, path = "/api/jobs", tag = "jobs", params(Wanted),
    responses((status = 200, body = JobList, description = "Newest first"))
)]
pub(crate) async fn list(
    parts: Data<Parts>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<JobList>, Problem> {
    let state = wanted.state.as_deref().map(|state| {
        state.parse::<JobState>().map_err(|_| {
            let known = JobState::ALL.map(JobState::as_str).join(", ");
            Problem::new(Code::InvalidQuery, format!("state has to be one of {known}."))
        })
    });
    let page = store::JobPage {
        limit: limit(wanted.limit)?,
        before: wanted.before,
        kind: wanted.kind,
        state: state.transpose()?,
    };
    let found = parts.store.jobs(caller.0.tenant, &page).await?;
    Ok(Json(JobList { jobs: found.jobs.into_iter().map(Job::from).collect(), next: found.next }))
}

fn limit(given: Option<u32>) -> Result<u32, Problem> {
    let refused = || Problem::new(Code::InvalidQuery, format!("limit has to be between 1 and {MOST}."));
    Some(given.unwrap_or(DEFAULT_LIMIT)).filter(|limit| (1..=MOST).contains(limit)).ok_or_else(refused)
}

/// Lists the kinds of job that your organisation may enqueue, and what each takes.
#[utoipa::path(get, path = "/api/jobs/kinds", tag = "jobs", responses((status = 200, body = Kinds)))]
pub(crate) async fn kinds(parts: Data<Parts>, caller: Caller) -> Result<Json<Kinds>, Problem> {
    let kinds = parts.store.job_kinds(caller.0.tenant).await?;
    Ok(Json(Kinds { kinds: kinds.into_iter().map(Into::into).collect() }))
}

fn named(given: &str) -> Result<JobId, Problem> {
    let refused = |_| Problem::new(Code::InvalidId, "A job's id is a UUID, as `POST /api/jobs` answered it.");
    given.parse().map_err(refused)
}

fn not_found(id: JobId) -> Problem {
    Problem::new(Code::JobNotFound, format!("No job of yours has the id {id}."))
}

fn of_migration(migration: MigrationId, verb: &str) -> Problem {
    let told = format!("It carries out migration {migration}: use POST /api/migration/{migration}/{verb}.");
    Problem::new(Code::JobOfMigration, told).with("migrationId", migration.to_string())
}

/// Reads a job, with its payload and its result.
#[utoipa::path(
    get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobInFull))
)]
pub(crate) async fn one(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<JobInFull>, Problem> {
    let id = named(&id)?;
    let found = parts.store.job(caller.0.tenant, id).await?.ok_or_else(|| not_found(id))?;
    Ok(Json(found.into()))
}

/// A page of moves. Every job has one, so that none at all says that there is no such job.
async fn moves(
    parts: &Parts,
    caller: &Caller,
    id: JobId,
    page: MovesPage,
) -> Result<Vec<TransitionRecord>, Problem> {
    let found = parts.store.job_moves(caller.0.tenant, id, page).await?;
    if found.is_empty() && parts.store.job(caller.0.tenant, id).await?.is_none() {
        return Err(not_found(id));
    }
    Ok(found)
}

/// Tells of a job's attempts: by which worker, from when to when, and how each ended.
#[utoipa::path(
    get, path = "/api/jobs/{id}/attempts", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Attempts, description = "Oldest first"))
)]
pub(crate) async fn attempts(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<Attempts>, Problem> {
    let found = moves(&parts, &caller, named(&id)?, MovesPage { limit: MOVES, after: 0 }).await?;
    let truncated = found.len() == MOVES as usize;
    Ok(Json(Attempts { attempts: attempts_of(found), truncated }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<i64>,
}

/// Reads a job's audit log.
#[utoipa::path(
    get, path = "/api/jobs/{id}/transitions", tag = "jobs", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = JobMoves, description = "Oldest first"))
)]
pub(crate) async fn transitions(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
    Query(paging): Query<Paging>,
) -> Result<Json<JobMoves>, Problem> {
    let limit = limit(paging.limit)?;
    // One more than asked for tells whether there is a next page.
    let page = MovesPage { limit: limit + 1, after: paging.after.unwrap_or(0) };
    let mut found = moves(&parts, &caller, named(&id)?, page).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id);
    Ok(Json(JobMoves { transitions: found.into_iter().map(Into::into).collect(), next }))
}

fn trace() -> TraceContext {
    let (traceparent, tracestate) = telemetry::current_context();
    TraceContext { traceparent, tracestate }
}

/// Calls a job off. Asking twice is asking once.
#[utoipa::path(
    post, path = "/api/jobs/{id}/cancel", tag = "jobs", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = JobMoved, description = "It is cancelled"),
        (status = 202, body = JobMoved, description = "Its worker lets go of it"))
)]
pub(crate) async fn cancel(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_may_write()?;
    let id = named(&id)?;
    let request = StopRequest { tenant: caller.tenant, user: caller.user, job: id, trace: trace() };
    match parts.store.stop_job(&request).await? {
        StopOutcome::Cancelled | StopOutcome::AlreadyOver(JobState::Cancelled) => {
            Ok(HttpResponse::Ok().json(JobMoved { job_id: id.0, status: "cancelled" }))
        }
        StopOutcome::Requested => {
            if let Some(holder) = parts.store.job_holder(caller.tenant, id).await? {
                tell(&parts, &holder).await;
            }
            Ok(HttpResponse::Accepted().json(JobMoved { job_id: id.0, status: "cancelling" }))
        }
        StopOutcome::NotFound => Err(not_found(id)),
        StopOutcome::OfMigration(migration) => Err(of_migration(migration, "cancel")),
        StopOutcome::AlreadyOver(state) => {
            let told = format!("It is {state}: there is nothing left to cancel.");
            Err(Problem::new(Code::JobOver, told).with("state", state.as_str()))
        }
    }
}

/// Has a failed job tried again, with all its attempts before it.
#[utoipa::path(
    post, path = "/api/jobs/{id}/retry", tag = "jobs",
    params(
        ("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A quoted string of 1 to 255 printable characters, new for each new request")),
    responses((status = 202, body = JobMoved, description = "It waits for a worker"))
)]
pub(crate) async fn retry(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_may_write()?;
    let id = named(&id)?;
    let keyed = Keyed::of(&request, RETRY, &id)?;
    if let Some(keyed) = &keyed
        && let Some(answer) = keyed.stored(&parts, caller.tenant).await?
    {
        return Ok(keyed::again(&answer));
    }
    let answer =
        serde_json::to_value(JobMoved { job_id: id.0, status: "pending" }).expect("an id and a word");
    let wish = JobRetry {
        tenant: caller.tenant,
        user: caller.user,
        job: id,
        trace: trace(),
        idempotency: keyed.as_ref().map(|keyed| keyed.write(&parts, StatusCode::ACCEPTED, &answer)),
    };
    match parts.store.retry_job(&wish).await? {
        JobRetryOutcome::Retried => Ok(HttpResponse::Accepted().json(answer)),
        JobRetryOutcome::Replayed(stored) => Ok(keyed::again(&stored)),
        JobRetryOutcome::KeyMismatch => Err(KeyRefused::Reused.into()),
        JobRetryOutcome::KeyInFlight => Err(KeyRefused::InFlight.into()),
        JobRetryOutcome::NotFound => Err(not_found(id)),
        JobRetryOutcome::OfMigration(migration) => Err(of_migration(migration, "retry")),
        JobRetryOutcome::UniqueTaken(other) => Err(unique_taken(other)),
        JobRetryOutcome::NotFailed(state) => {
            let told = format!("It is {state}. Only a job that is FAILED can be tried again.");
            Err(Problem::new(Code::JobNotFailed, told).with("state", state.as_str()))
        }
        JobRetryOutcome::Settled(letter) => {
            let told = format!("Its dead letter was {}. Enqueue another job.", letter.as_str());
            Err(Problem::new(Code::LetterSettled, told).with("state", letter.as_str()))
        }
    }
}
