//! `/api/dead-letters/replays`: many letters at once, looked at beforehand, followed and called off.

use super::named;
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Body, Caller},
    view::letters::{Preview, Replay},
};
use actix_web::{
    HttpResponse,
    http::header,
    web::{Data, Json, Path},
};
use domain::{dead_letter::Filter, trace::TraceContext};
use serde::Deserialize;
use store::NewReplay;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidBody,
    Code::Forbidden,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::EmptyFilter,
];
pub(crate) const ONE_REFUSALS: &[Code] = &[Code::InvalidId, Code::Forbidden, Code::ReplayNotFound];

/// Which letters, and whether they are only to be counted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    /// At least one of `kind`, `reason`, `code`, `migrationId`, `diedAfter` and `diedBefore`: letters that fit all of them.
    #[schema(value_type = Object, example = json!({"reason": "network"}))]
    filter: Filter,
    /// Tell what would be taken, and do nothing.
    #[serde(default)]
    preview: bool,
}

/// Replays many dead letters, or tells which it would be.
///
/// Open letters that died before this request are taken, oldest first.
#[utoipa::path(
    post, path = "/api/dead-letters/replays", tag = "dead letters", request_body = ReplayRequest,
    responses(
        (status = 200, body = Preview, description = "With `preview`: what would be taken"),
        (status = 202, body = Replay, description = "Written down; workers carry it out",
            headers(("Location" = String, description = "Where its progress is read"))))
)]
pub(crate) async fn begin(
    parts: Data<Parts>,
    caller: Caller,
    Body(body): Body<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.who_administers()?;
    if body.filter.is_empty() {
        let told = "Give at least one of kind, reason, code, migrationId, diedAfter and diedBefore.";
        return Err(Problem::new(Code::EmptyFilter, told));
    }
    if body.preview {
        let found = parts.store.preview_replay(caller.tenant, &body.filter).await?;
        return Ok(HttpResponse::Ok().json(Preview { found: found.found, first: found.first }));
    }
    let (traceparent, tracestate) = telemetry::current_context();
    let new = NewReplay {
        id: Uuid::now_v7(),
        tenant: caller.tenant,
        user: caller.user,
        filter: body.filter,
        trace: TraceContext { traceparent, tracestate },
    };
    let begun = parts.store.begin_replay(&new).await?;
    let location = format!("/api/dead-letters/replays/{}", begun.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(Replay::from(begun)))
}

/// Tells how far a replay has come.
#[utoipa::path(
    get, path = "/api/dead-letters/replays/{id}", tag = "dead letters", params(("id" = Uuid, Path)),
    responses((status = 200, body = Replay))
)]
pub(crate) async fn read(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<Replay>, Problem> {
    let caller = caller.who_administers()?;
    let id = named(&id)?;
    let found = parts.store.replay(caller.tenant, id).await?;
    found.map(|found| Json(found.into())).ok_or_else(|| not_found(id))
}

/// Calls a replay off: no further letter is taken. Asking twice is asking once.
#[utoipa::path(
    post, path = "/api/dead-letters/replays/{id}/cancel", tag = "dead letters", params(("id" = Uuid, Path)),
    responses((status = 200, body = Replay, description = "What it came to"))
)]
pub(crate) async fn cancel(
    parts: Data<Parts>,
    caller: Caller,
    id: Path<String>,
) -> Result<Json<Replay>, Problem> {
    let caller = caller.who_administers()?;
    let id = named(&id)?;
    let found = parts.store.cancel_replay(caller.tenant, id).await?;
    found.map(|found| Json(found.into())).ok_or_else(|| not_found(id))
}

fn not_found(id: Uuid) -> Problem {
    Problem::new(Code::ReplayNotFound, format!("No replay of yours has the id {id}."))
}
