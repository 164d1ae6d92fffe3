//! `/api/admin`: the queue of all tenants, for operators of the instance. Read by a role of its own, which writes nothing
//! but gates; what is changed of a tenant is changed in its name.

pub(crate) mod gates;

use super::{
    dead_letters::{self, DiscardRequest, word},
    nothing_here, taking,
};
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{self, Body, Operator},
    view::{
        letters::Settled,
        operations::{
            JobPage, JobWhole, LeaseList, OperatorLetter, OperatorLetterPage, PoisonList, QueueOverview,
            WorkerList,
        },
    },
};
use actix_web::{
    HttpResponse,
    middleware::from_fn,
    web::{self, Data, Json, Path, Query, ServiceConfig},
};
use domain::{JobId, job::JobState};
use serde::Deserialize;
use store::{JobWanted, LetterOfTenant, LettersWanted};
use utoipa::IntoParams;
use uuid::Uuid;

const DEFAULT_LIMIT: u32 = 20;
const MOST: u32 = 100;

/// The routes, all behind a key.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let admin = web::scope("/api/admin")
        .wrap(from_fn(input::authenticated))
        .service(taking("GET", web::resource("/queues").get(queues)))
        .service(taking("GET", web::resource("/workers").get(workers)))
        .service(taking("GET", web::resource("/leases").get(leases)))
        .service(taking("GET", web::resource("/jobs").get(jobs)))
        .service(taking("GET", web::resource("/jobs/{id}").get(job)))
        .service(taking("GET", web::resource("/dead-letters").get(letters)))
        .service(taking("GET", web::resource("/dead-letters/{id}").get(letter)))
        .service(taking("POST", web::resource("/dead-letters/{id}/replay").post(replay)))
        .service(taking("POST", web::resource("/dead-letters/{id}/discard").post(discard)))
        .service(taking("GET", web::resource("/poison").get(poison)))
        .service(taking("GET", web::resource("/gates").get(gates::list)))
        .service(taking("GET", web::resource("/gates/changes").get(gates::changes)))
        .service(taking("PUT", web::resource("/gates/{scope}/{key}").put(gates::hold)))
        .service(taking("POST", web::resource("/gates/{scope}/{key}/pause").post(gates::pause)))
        .service(taking("POST", web::resource("/gates/{scope}/{key}/resume").post(gates::resume)))
        .default_service(web::to(nothing_here));
    config.service(admin);
}

pub(crate) const REFUSALS: &[Code] = &[Code::NotOperator, Code::RouteNotFound];
pub(crate) const LIST_REFUSALS: &[Code] = &[Code::InvalidQuery, Code::NotOperator, Code::RouteNotFound];
pub(crate) const JOB_REFUSALS: &[Code] =
    &[Code::InvalidId, Code::NotOperator, Code::RouteNotFound, Code::JobNotFound];

pub(crate) const LETTER_REFUSALS: &[Code] =
    &[Code::InvalidId, Code::NotOperator, Code::RouteNotFound, Code::LetterNotFound];
pub(crate) const REPLAY_REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::NotOperator,
    Code::RouteNotFound,
    Code::LetterNotFound,
    Code::LetterSettled,
    Code::AlreadyActive,
];
pub(crate) const DISCARD_REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::InvalidBody,
    Code::NotOperator,
    Code::RouteNotFound,
    Code::LetterNotFound,
    Code::RequestTimeout,
    Code::LetterSettled,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];

/// Tells depth, lag, states and throughput, and what waits for a person.
#[utoipa::path(get, path = "/api/admin/queues", tag = "operations", responses((status = 200, body = QueueOverview)))]
pub(crate) async fn queues(parts: Data<Parts>, operator: Operator) -> Result<Json<QueueOverview>, Problem> {
    let overview = operator.store.overview().await?;
    Ok(Json(QueueOverview::of(&parts.config.instance, &overview)))
}

/// Lists the workers that have not said that they stopped, newest first.
#[utoipa::path(get, path = "/api/admin/workers", tag = "operations", responses((status = 200, body = WorkerList)))]
pub(crate) async fn workers(operator: Operator) -> Result<Json<WorkerList>, Problem> {
    let workers = operator.store.worker_lines().await?;
    Ok(Json(WorkerList { workers: workers.into_iter().map(Into::into).collect() }))
}

/// Lists the jobs that are held, with their fencing tokens, the oldest claim first.
#[utoipa::path(get, path = "/api/admin/leases", tag = "operations", responses((status = 200, body = LeaseList)))]
pub(crate) async fn leases(operator: Operator) -> Result<Json<LeaseList>, Problem> {
    let leases = operator.store.lease_lines().await?;
    Ok(Json(LeaseList { leases: leases.into_iter().map(Into::into).collect() }))
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct JobsWanted {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    before: Option<Uuid>,
    /// Only PENDING, PREPARING, RUNNING, WAITING_RETRY, COMPLETED, FAILED or CANCELLED ones.
    pub(crate) state: Option<String>,
    /// Only of this kind.
    pub(crate) kind: Option<String>,
}

impl JobsWanted {
    /// What is asked of the database, in bounds.
    pub(crate) fn read(&self) -> Result<JobWanted, Problem> {
        Ok(JobWanted {
            limit: limit(self.limit)?,
            before: self.before.map(JobId),
            state: word("state", self.state.as_deref(), &JobState::ALL.map(JobState::as_str))?,
            kind: self.kind.clone(),
        })
    }
}

fn limit(given: Option<u32>) -> Result<u32, Problem> {
    let limit = given.unwrap_or(DEFAULT_LIMIT);
    let told = || Problem::new(Code::InvalidQuery, format!("limit has to be between 1 and {MOST}."));
    Some(limit).filter(|limit| (1..=MOST).contains(limit)).ok_or_else(told)
}

/// Lists the jobs of all tenants, newest first.
///
/// A page looks through 5000 jobs at most: it may hold fewer than were asked for, or none, and still have a `next`.
#[utoipa::path(
    get, path = "/api/admin/jobs", tag = "operations", params(JobsWanted), responses((status = 200, body = JobPage))
)]
pub(crate) async fn jobs(
    operator: Operator,
    Query(wanted): Query<JobsWanted>,
) -> Result<Json<JobPage>, Problem> {
    Ok(Json(operator.store.job_lines(&wanted.read()?).await?.into()))
}

/// Reads one job with its lease, its attempts and the end of its history.
#[utoipa::path(
    get, path = "/api/admin/jobs/{id}", tag = "operations", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobWhole))
)]
pub(crate) async fn job(
    parts: Data<Parts>,
    operator: Operator,
    id: Path<String>,
) -> Result<Json<JobWhole>, Problem> {
    let id = dead_letters::named(&id)?;
    let found = operator.store.job_in_full(JobId(id)).await?.ok_or_else(|| no_job(id))?;
    Ok(Json(JobWhole::of(found, &parts.config.trace_url)))
}

pub(crate) fn no_job(id: Uuid) -> Problem {
    Problem::new(Code::JobNotFound, format!("No job has the id {id}; it may have been removed by its age."))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AllLetters {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    before: Option<Uuid>,
    /// Settled ones, too.
    #[serde(default)]
    pub(crate) settled: bool,
}

impl AllLetters {
    /// A page of what is wanted, and where the next one begins.
    pub(crate) async fn page(&self, operator: &Operator) -> Result<OperatorLetterPage, Problem> {
        let limit = limit(self.limit)?;
        // One more than asked for tells whether there is a next page.
        let wanted = LettersWanted { limit: limit + 1, before: self.before, open: !self.settled };
        let mut found = operator.store.letters_of_all(&wanted).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|last| last.letter.id.to_string());
        Ok(OperatorLetterPage { dead_letters: found.into_iter().map(Into::into).collect(), next })
    }
}

/// Lists the dead letters of all tenants, newest first.
#[utoipa::path(
    get, path = "/api/admin/dead-letters", tag = "operations", params(AllLetters),
    responses((status = 200, body = OperatorLetterPage))
)]
pub(crate) async fn letters(
    operator: Operator,
    Query(wanted): Query<AllLetters>,
) -> Result<Json<OperatorLetterPage>, Problem> {
    Ok(Json(wanted.page(&operator).await?))
}

/// Reads one dead letter, with the whole job and all its attempts: what a replay would take up.
#[utoipa::path(
    get, path = "/api/admin/dead-letters/{id}", tag = "operations", params(("id" = Uuid, Path)),
    responses((status = 200, body = OperatorLetter))
)]
pub(crate) async fn letter(operator: Operator, id: Path<String>) -> Result<Json<OperatorLetter>, Problem> {
    let id = dead_letters::named(&id)?;
    let found = operator.store.letter_of_any(id).await?;
    found.map(|found| Json(found.into())).ok_or_else(|| dead_letters::not_found(id))
}

/// Puts a dead job back into its queue, whoever's it is.
#[utoipa::path(
    post, path = "/api/admin/dead-letters/{id}/replay", tag = "operations", params(("id" = Uuid, Path)),
    responses((status = 202, body = Settled))
)]
pub(crate) async fn replay(
    parts: Data<Parts>,
    operator: Operator,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = dead_letters::named(&id)?;
    let LetterOfTenant { tenant, .. } =
        operator.store.letter_of_any(id).await?.ok_or_else(|| dead_letters::not_found(id))?;
    dead_letters::replay_of(&parts, tenant, operator.caller.user, id).await
}

/// Discards a dead letter, whoever's it is. It is kept, and cannot be replayed any more.
#[utoipa::path(
    post, path = "/api/admin/dead-letters/{id}/discard", tag = "operations", request_body = DiscardRequest,
    params(("id" = Uuid, Path)), responses((status = 200, body = Settled))
)]
pub(crate) async fn discard(
    parts: Data<Parts>,
    operator: Operator,
    id: Path<String>,
    Body(body): Body<DiscardRequest>,
) -> Result<Json<Settled>, Problem> {
    let id = dead_letters::named(&id)?;
    let LetterOfTenant { tenant, .. } =
        operator.store.letter_of_any(id).await?.ok_or_else(|| dead_letters::not_found(id))?;
    dead_letters::discard_of(&parts, tenant, operator.caller.user, id, &body).await
}

/// Lists the newest messages whose bytes could not be read.
#[utoipa::path(get, path = "/api/admin/poison", tag = "operations", responses((status = 200, body = PoisonList)))]
pub(crate) async fn poison(operator: Operator) -> Result<Json<PoisonList>, Problem> {
    let messages = operator.store.poison_lines().await?;
    Ok(Json(PoisonList { messages: messages.into_iter().map(Into::into).collect() }))
}
