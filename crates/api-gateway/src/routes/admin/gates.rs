//! `/api/admin/gates`: what operators say of how much runs: limits, rates, weights and pauses, of everything, a queue (each
//! kind of job has its own), a tenant or a destination. A gate is said whole and said again without harm; each change
//! leaves a line in the log.

use super::limit;
use crate::{
    Code, Problem,
    input::{Body, Operator},
    view::operations::gates::{GateLog, GateView, Gates},
};
use actix_web::web::{Json, Path, Query};
use domain::gate::{MAX_GATES, Scope};
use serde::Deserialize;
use store::{GateOutcome, GateWish, Rate, Terms};
use utoipa::{IntoParams, ToSchema};

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidBody,
    Code::NotOperator,
    Code::RouteNotFound,
    Code::RequestTimeout,
    Code::TooManyGates,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidGate,
];

/// Lists every gate, by scope and key. What has none runs as it comes.
#[utoipa::path(get, path = "/api/admin/gates", tag = "operations", responses((status = 200, body = Gates)))]
pub(crate) async fn list(operator: Operator) -> Result<Json<Gates>, Problem> {
    let gates = operator.store.gates().await?;
    Ok(Json(Gates { gates: gates.into_iter().map(Into::into).collect() }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogWanted {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    before: Option<i64>,
}

/// Tells who changed which gate, newest first.
#[utoipa::path(
    get, path = "/api/admin/gates/changes", tag = "operations", params(LogWanted),
    responses((status = 200, body = GateLog))
)]
pub(crate) async fn changes(
    operator: Operator,
    Query(wanted): Query<LogWanted>,
) -> Result<Json<GateLog>, Problem> {
    let limit = limit(wanted.limit)?;
    // One more than asked for tells whether there is a next page.
    let mut found = operator.store.gate_changes(limit + 1, wanted.before).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id);
    Ok(Json(GateLog { changes: found.into_iter().map(Into::into).collect(), next }))
}

/// What holds at a gate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GateRequest {
    /// Of a tenant with a gate of its own: jobs that it begins before it is another's turn, 1 to 100. 1 if absent.
    weight: Option<u32>,
    /// Jobs held at once; no limit if absent.
    most: Option<u32>,
    /// Jobs begun in a time; no limit if absent.
    rate: Option<RateRequest>,
}

/// So many starts in a time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RateRequest {
    /// In the long run: 0.00001 to 1000000.
    per_second: f64,
    /// At once, after a pause: 1 to 1000000.
    burst: u32,
}

/// Says what holds at a gate, in the place of what held; a pause stays. Said again, it changes nothing.
#[utoipa::path(
    put, path = "/api/admin/gates/{scope}/{key}", tag = "operations", request_body = GateRequest,
    params(
        ("scope" = String, Path, description = "`all`, `queue`, `tenant` or `destination`"),
        ("key" = String, Path, description = "Which of them; `*` is everybody who has no gate of their own")),
    responses((status = 200, body = GateView))
)]
pub(crate) async fn hold(
    operator: Operator,
    gate: Path<(String, String)>,
    Body(body): Body<GateRequest>,
) -> Result<Json<GateView>, Problem> {
    let rate = body.rate.map(|rate| Rate { per_second: rate.per_second, burst: rate.burst });
    let terms = Terms { weight: body.weight.unwrap_or(1), most: body.most, rate };
    change(&operator, &gate.0, &gate.1, &GateWish::Hold(terms)).await.map(Json)
}

/// Why nothing more is to begin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PauseRequest {
    /// For those who look later: 1 to 500 characters.
    reason: String,
}

/// Begins nothing more there; what runs goes on. Said again, it changes the reason alone.
#[utoipa::path(
    post, path = "/api/admin/gates/{scope}/{key}/pause", tag = "operations", request_body = PauseRequest,
    params(("scope" = String, Path), ("key" = String, Path)), responses((status = 200, body = GateView))
)]
pub(crate) async fn pause(
    operator: Operator,
    gate: Path<(String, String)>,
    Body(body): Body<PauseRequest>,
) -> Result<Json<GateView>, Problem> {
    let wish = GateWish::Pause(body.reason.trim().to_owned());
    change(&operator, &gate.0, &gate.1, &wish).await.map(Json)
}

/// Ends a pause. Where there is none, nothing changes.
#[utoipa::path(
    post, path = "/api/admin/gates/{scope}/{key}/resume", tag = "operations",
    params(("scope" = String, Path), ("key" = String, Path)), responses((status = 200, body = GateView))
)]
pub(crate) async fn resume(
    operator: Operator,
    gate: Path<(String, String)>,
) -> Result<Json<GateView>, Problem> {
    change(&operator, &gate.0, &gate.1, &GateWish::Resume).await.map(Json)
}

/// Does what an operator says of a gate; also for the pages.
pub(crate) async fn change(
    operator: &Operator,
    scope: &str,
    key: &str,
    wish: &GateWish,
) -> Result<GateView, Problem> {
    let invalid = |told: String| Problem::new(Code::InvalidGate, format!("{told}."));
    let scope: Scope = scope.parse().map_err(|unknown| invalid(format!("{unknown}")))?;
    match operator.store.change_gate(operator.caller.user, scope, key, wish).await? {
        GateOutcome::Stands(record) => Ok(record.into()),
        GateOutcome::Meaningless(told) => Err(invalid(told)),
        GateOutcome::TooMany => {
            let told = format!("There are {MAX_GATES} gates. Take one away, or set one for `*`.");
            Err(Problem::new(Code::TooManyGates, told))
        }
    }
}
