//! `/api/dead-letters`: what died, for an organisation's owners, who look into it, replay it or discard it.

pub(crate) mod replays;

use super::{nothing_here, taking};
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{self, Body, Caller},
    view::letters::{LetterInFull, LetterPage, Settled},
};
use actix_web::{
    HttpResponse,
    middleware::from_fn,
    web::{self, Data, Json, Path, Query, ServiceConfig},
};
use domain::{
    JobId, MigrationId, TenantId, UserId,
    dead_letter::{Filter, LetterState},
    failure::Reason,
    trace::TraceContext,
};
use serde::Deserialize;
use std::str::FromStr;
use store::{DeadLetterPage, DiscardOutcome, ReplayOutcome};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const DEFAULT_LIMIT: u32 = 20;
const MOST: u32 = 100;
/// Characters of a reason.
const LONGEST_REASON: usize = 500;

/// The routes, all behind a key.
pub(crate) fn mount(config: &mut ServiceConfig) {
    let letters = web::scope("/api/dead-letters")
        .wrap(from_fn(input::authenticated))
        .service(taking("GET", web::resource("").get(list)))
        .service(taking("POST", web::resource("/replays").post(replays::begin)))
        .service(taking("GET", web::resource("/replays/{id}").get(replays::read)))
        .service(taking("POST", web::resource("/replays/{id}/cancel").post(replays::cancel)))
        .service(taking("GET", web::resource("/{id}").get(one)))
        .service(taking("POST", web::resource("/{id}/replay").post(replay)))
        .service(taking("POST", web::resource("/{id}/discard").post(discard)))
        .default_service(web::to(nothing_here));
    config.service(letters);
}

pub(crate) const LIST_REFUSALS: &[Code] = &[Code::InvalidQuery, Code::Forbidden];
pub(crate) const REFUSALS: &[Code] = &[Code::InvalidId, Code::Forbidden, Code::LetterNotFound];
pub(crate) const REPLAY_REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::Forbidden,
    Code::LetterNotFound,
    Code::LetterSettled,
    Code::AlreadyActive,
    Code::UniqueKeyTaken,
];
pub(crate) const DISCARD_REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::InvalidBody,
    Code::Forbidden,
    Code::LetterNotFound,
    Code::RequestTimeout,
    Code::LetterSettled,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wanted {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    before: Option<Uuid>,
    /// Only `open`, `replayed` or `discarded` ones.
    state: Option<String>,
    /// Only of jobs of this kind.
    kind: Option<String>,
    /// Only those whose last attempt failed for this reason.
    reason: Option<String>,
    /// Only those whose last failure has this code.
    code: Option<String>,
    /// Only of this migration.
    migration_id: Option<Uuid>,
    /// Only those that died at this time or later (RFC 3339).
    died_after: Option<String>,
    /// Only those that died before this time (RFC 3339).
    died_before: Option<String>,
}

/// Lists your organisation's dead letters.
#[utoipa::path(
    get, path = "/api/dead-letters", tag = "dead letters", params(Wanted),
    responses((status = 200, body = LetterPage, description = "Newest first"))
)]
pub(crate) async fn list(
    parts: Data<Parts>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<LetterPage>, Problem> {
    let caller = caller.who_administers()?;
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(Code::InvalidQuery, format!("limit has to be between 1 and {MOST}.")));
    }
    let filter = Filter {
        kind: wanted.kind,
        reason: word("reason", wanted.reason.as_deref(), &Reason::ALL.map(Reason::as_str))?,
        code: wanted.code,
        migration_id: wanted.migration_id.map(MigrationId),
        died_after: moment("diedAfter", wanted.died_after.as_deref())?,
        died_before: moment("diedBefore", wanted.died_before.as_deref())?,
    };
    let state = word("state", wanted.state.as_deref(), &LetterState::ALL.map(LetterState::as_str))?;
    // One more than asked for tells whether there is a next page.
    let page = DeadLetterPage { limit: limit + 1, before: wanted.before, state, filter };
    let mut found = parts.store.dead_letters(caller.tenant, &page).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(LetterPage { dead_letters: found.into_iter().map(Into::into).collect(), next }))
}

pub(super) fn word<T: FromStr>(
    name: &str,
    given: Option<&str>,
    known: &[&str],
) -> Result<Option<T>, Problem> {
    let refused =
        |_| Problem::new(Code::InvalidQuery, format!("{name} has to be one of {}.", known.join(", ")));
    given.map(str::parse).transpose().map_err(refused)
}

fn moment(name: &str, given: Option<&str>) -> Result<Option<OffsetDateTime>, Problem> {
    let refused = |_| {
        Problem::new(Code::InvalidQuery, format!("{name} has to be a time such as 2026-01-31T12:00:00Z."))
    };
    given.map(|text| OffsetDateTime::parse(text, &Rfc3339)).transpose().map_err(refused)
}

/// Reads one dead letter, with the whole job and all its attempts.
#[utoipa::path(
    get, path = "/api/dead-letters/{id}", tag = "dead letters", params(("id" = Uuid, Path)),
    responses((status = 200, body = LetterInFull))
)]
pub(crate) async fn one(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<LetterInFull>, Problem> {
    let caller = caller.who_administers()?;
    let id = named(&id)?;
    let found = parts.store.dead_letter(caller.tenant, id).await?.ok_or_else(|| not_found(id))?;
    Ok(Json(found.into()))
}

pub(crate) fn named(given: &str) -> Result<Uuid, Problem> {
    given
        .parse()
        .map_err(|_| Problem::new(Code::InvalidId, "The id is a UUID, as a list or an answer told it."))
}

pub(crate) fn not_found(id: Uuid) -> Problem {
    Problem::new(Code::LetterNotFound, format!("No dead letter of yours has the id {id}."))
}

/// Puts a dead job back into its queue, with all its attempts before it again.
#[utoipa::path(
    post, path = "/api/dead-letters/{id}/replay", tag = "dead letters", params(("id" = Uuid, Path)),
    responses((status = 202, body = Settled, description = "Its job waits for a worker"))
)]
pub(crate) async fn replay(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_administers()?;
    replay_of(&parts, caller.tenant, caller.user, named(&id)?).await
}

/// Replays a tenant's letter: at its owner's wish, or at an operator's.
pub(crate) async fn replay_of(
    parts: &Parts,
    tenant: TenantId,
    user: UserId,
    id: Uuid,
) -> Result<HttpResponse, Problem> {
    let (traceparent, tracestate) = telemetry::current_context();
    let trace = TraceContext { traceparent, tracestate };
    match parts.store.replay_dead_letter(tenant, user, id, &trace).await? {
        ReplayOutcome::Replayed(_) => {
            Ok(HttpResponse::Accepted().json(Settled { id, state: LetterState::Replayed.as_str() }))
        }
        ReplayOutcome::NotFound => Err(not_found(id)),
        ReplayOutcome::Settled(state) => Err(settled(state)),
        ReplayOutcome::Superseded(state, run) => {
            let told =
                format!("Its migration has gone on without it and is {state} in run {run}. Retry that one.");
            Err(Problem::new(Code::LetterSettled, told).with("migrationStatus", state.to_string()))
        }
        ReplayOutcome::AlreadyActive(other) => {
            let told = format!("Migration {other} moves the site. Follow that one, or cancel it first.");
            Err(Problem::new(Code::AlreadyActive, told).with("migrationId", other.to_string()))
        }
        ReplayOutcome::UniqueTaken(other) => Err(unique_taken(other)),
    }
}

pub(crate) fn unique_taken(other: JobId) -> Problem {
    let told = format!("Job {other} has the same unique key and is not over. Wait for it, or cancel it.");
    Problem::new(Code::UniqueKeyTaken, told).with("jobId", other.to_string())
}

fn settled(state: LetterState) -> Problem {
    let told = format!("It was {} before. Only open letters can be replayed or discarded.", state.as_str());
    Problem::new(Code::LetterSettled, told).with("state", state.as_str())
}

/// Why a letter stays dead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscardRequest {
    /// For those who look later: 1 to 500 characters.
    pub(crate) reason: String,
}

/// Discards a dead letter. It is kept, and cannot be replayed any more.
#[utoipa::path(
    post, path = "/api/dead-letters/{id}/discard", tag = "dead letters", request_body = DiscardRequest,
    params(("id" = Uuid, Path)), responses((status = 200, body = Settled))
)]
pub(crate) async fn discard(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
    Body(body): Body<DiscardRequest>,
) -> Result<Json<Settled>, Problem> {
    let caller = caller.who_administers()?;
    discard_of(&parts, caller.tenant, caller.user, named(&id)?, &body).await
}

/// Discards a tenant's letter: at its owner's wish, or at an operator's.
pub(crate) async fn discard_of(
    parts: &Parts,
    tenant: TenantId,
    user: UserId,
    id: Uuid,
    body: &DiscardRequest,
) -> Result<Json<Settled>, Problem> {
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let told = format!("Give a reason of 1 to {LONGEST_REASON} characters.");
        return Err(Problem::new(Code::InvalidBody, told));
    }
    match parts.store.discard_dead_letter(tenant, user, id, reason).await? {
        DiscardOutcome::Discarded => Ok(Json(Settled { id, state: LetterState::Discarded.as_str() })),
        DiscardOutcome::NotFound => Err(not_found(id)),
        DiscardOutcome::Settled(state) => Err(settled(state)),
    }
}
