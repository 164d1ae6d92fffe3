//! `GET /api/migration/{id}/result`: what came of a migration, for whoever has to judge it: before and after of each page,
//! what was changed, and what needs a person. And the pictures of both sides, by their hash.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    stored,
    view::result::{Found, PlanNotes, Report, ResultView, Results},
};
use actix_web::{
    HttpResponse,
    http::header,
    web::{Data, Json, Path},
};
use domain::{Kind, MigrationId, TenantId, phase::Phase};
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::MigrationRecord;

/// No report and no plan of ours is larger: a site has a bounded number of pages.
const LARGEST: u64 = 64 * 1024 * 1024;

pub(crate) const REFUSALS: &[Code] = &[Code::InvalidId, Code::MigrationNotFound, Code::NotCompleted];
pub(crate) const PICTURE_REFUSALS: &[Code] =
    &[Code::InvalidId, Code::MigrationNotFound, Code::NotCompleted, Code::PictureNotFound];

/// Tells what came of a migration: pages before and after, what was changed, and what needs a person.
#[utoipa::path(
    get, path = "/api/migration/{id}/result", tag = "migrations", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = ResultView))
)]
pub(crate) async fn result(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
) -> Result<Json<ResultView>, Problem> {
    Ok(Json(told(&parts, caller.0.tenant, id).await?.1))
}

/// The migration and what came of it.
pub(crate) async fn told(
    parts: &Parts,
    tenant: TenantId,
    id: MigrationId,
) -> Result<(MigrationRecord, ResultView), Problem> {
    let (record, results) = results(parts, tenant, id).await?;
    let report: Report = document(parts, &results.verified.report).await?;
    let plan: PlanNotes = document(parts, &results.planned.plan).await?;
    let view = ResultView::of(Found { migration: id, run: record.run, results, report, plan });
    Ok((record, view))
}

/// What the phases of the last run left, once VERIFY has.
async fn results(
    parts: &Parts,
    tenant: TenantId,
    id: MigrationId,
) -> Result<(MigrationRecord, Results), Problem> {
    let record = parts.store.migration(tenant, id).await?.ok_or_else(|| not_found(id))?;
    let phases = parts.store.phases(tenant, id, record.run).await?;
    let left = |phase| {
        let found = phases.iter().find(|found| found.phase == phase && found.completed);
        found.and_then(|found| found.result.clone())
    };
    if left(Phase::Verify).is_none() {
        let detail = format!("It is {}. The result is there once the project was checked.", record.state);
        return Err(
            Problem::new(Code::NotCompleted, detail).with("migrationStatus", record.state.to_string())
        );
    }
    let results = Results {
        analyzed: read(left(Phase::Analyze))?,
        planned: read(left(Phase::Plan))?,
        transformed: read(left(Phase::Transform))?,
        verified: read(left(Phase::Verify))?,
        deployed: left(Phase::Deploy).is_some(),
    };
    Ok((record, results))
}

fn read<T: DeserializeOwned>(result: Option<Value>) -> Result<T, Problem> {
    serde_json::from_value(result.unwrap_or_default())
        .map_err(|error| Problem::from_source(Kind::Internal, &error))
}

/// A document that a phase left behind.
async fn document<T: DeserializeOwned>(parts: &Parts, key: &str) -> Result<T, Problem> {
    let found = stored::open(parts, key).await?;
    if found.meta.size > LARGEST {
        let told = std::io::Error::other(format!("{key} has {} bytes", found.meta.size));
        return Err(Problem::from_source(Kind::Internal, &told));
    }
    let bytes = found.bytes().await.map_err(|error| Problem::from_source(Kind::Unavailable, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::from_source(Kind::Internal, &error))
}

/// Shows a picture of a page, by the hash that the result names.
///
/// What has a hash never changes: browsers may keep it.
#[utoipa::path(
    get, path = "/api/migration/{id}/result/pictures/{hash}", tag = "migrations",
    params(("id" = uuid::Uuid, Path), ("hash" = String, Path)),
    responses((status = 200, content_type = "image/png", description = "The picture"))
)]
pub(crate) async fn picture(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let tenant = caller.0.tenant;
    let (_, results) = results(&parts, tenant, id).await?;
    let report: Report = document(&parts, &results.verified.report).await?;
    let hash = &path.1;
    if !report.has(hash) {
        let told = format!("The result of {id} names no picture {hash}. Take a hash from the result.");
        return Err(Problem::new(Code::PictureNotFound, told));
    }
    let found = stored::open(&parts, &format!("tenants/{tenant}/bodies/{hash}")).await?;
    Ok(HttpResponse::Ok()
        .content_type("image/png")
        .insert_header((header::CACHE_CONTROL, "private, max-age=31536000, immutable"))
        // A picture of somebody else's page: should a browser ever take it for a document, it may do nothing.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .no_chunking(found.meta.size)
        .streaming(found.into_stream()))
}
