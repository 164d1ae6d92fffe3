//! `GET /api/migration`: the tenant's migrations, newest first, page by page.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::Caller,
    view::{Migration, MigrationPage},
};
use actix_web::web::{Data, Json, Query};
use serde::Deserialize;
use store::PageRequest;
use utoipa::IntoParams;

const DEFAULT_LIMIT: u32 = 20;
const MOST: u32 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// How many, 1 to 100; 20 if absent.
    limit: Option<u32>,
    /// `next` of the page before.
    before: Option<String>,
}

pub(crate) const REFUSALS: &[Code] = &[Code::InvalidQuery];

/// Lists your organisation's migrations.
#[utoipa::path(
    get, path = "/api/migration", tag = "migrations", params(Paging),
    responses((status = 200, body = MigrationPage, description = "Newest first"))
)]
pub(crate) async fn list(
    parts: Data<Parts>,
    caller: Caller,
    paging: Query<Paging>,
) -> Result<Json<MigrationPage>, Problem> {
    let limit = paging.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(Code::InvalidQuery, format!("limit has to be between 1 and {MOST}.")));
    }
    let before =
        paging.before.as_deref().map(str::parse).transpose().map_err(|_| {
            Problem::new(Code::InvalidQuery, "before has to be the `next` of an earlier page.")
        })?;
    // One more than asked for tells whether there is a next page.
    let mut found =
        parts.store.migrations(caller.0.tenant, &PageRequest { limit: limit + 1, before }).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(MigrationPage { migrations: found.into_iter().map(Migration::from).collect(), next }))
}
