//! `GET /api/migration/{id}/events`: the history, page by page, for those who cannot hold a stream open.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    view::EventPage,
};
use actix_web::web::{Data, Json, Query};
use serde::Deserialize;
use utoipa::IntoParams;

const DEFAULT_LIMIT: u32 = 100;
const MOST: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    /// The sequence number after which to begin; 0, the beginning, if absent.
    since_id: Option<i64>,
    /// How many, 1 to 1000; 100 if absent.
    limit: Option<u32>,
}

pub(crate) const REFUSALS: &[Code] = &[Code::InvalidId, Code::InvalidQuery, Code::MigrationNotFound];

/// Pages through a migration's history.
#[utoipa::path(
    get, path = "/api/migration/{id}/events", tag = "migrations", params(("id" = uuid::Uuid, Path), Since),
    responses((status = 200, body = EventPage, description = "Oldest first, without gaps"))
)]
pub(crate) async fn events(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    since: Query<Since>,
) -> Result<Json<EventPage>, Problem> {
    let limit = since.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(Code::InvalidQuery, format!("limit has to be between 1 and {MOST}.")));
    }
    let since = since.since_id.unwrap_or(0);
    if since < 0 {
        return Err(Problem::new(Code::InvalidQuery, "since_id has to be 0 or an event's seq."));
    }
    let tenant = caller.0.tenant;
    let events = parts.store.events_after(tenant, id, since, limit).await?;
    if events.is_empty() && parts.store.migration(tenant, id).await?.is_none() {
        return Err(not_found(id));
    }
    let next = events.last().map_or(since, |last| last.seq);
    Ok(Json(EventPage { events, next }))
}
