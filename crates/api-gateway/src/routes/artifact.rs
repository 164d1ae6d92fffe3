//! `GET /api/migration/{id}/artifact`: the finished project as a zip, streamed from where it is kept.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    stored,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentDisposition, DispositionParam, DispositionType, ETag, EntityTag},
    web::Data,
};
use domain::{Kind, migration::MigrationState, phase::Phase};
use serde::Deserialize;

/// What DEPLOY left behind.
#[derive(Deserialize)]
struct Deployed {
    artifact: String,
    sha256: String,
}

pub(crate) const REFUSALS: &[Code] = &[Code::InvalidId, Code::MigrationNotFound, Code::NotCompleted];

/// Downloads the finished project.
#[utoipa::path(
    get, path = "/api/migration/{id}/artifact", tag = "migrations", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, content_type = "application/zip", description = "The project",
            headers(("ETag" = String, description = "Its SHA-256"))),
        (status = 304, description = "It is the one that If-None-Match named"))
)]
pub(crate) async fn artifact(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
) -> Result<HttpResponse, Problem> {
    let tenant = caller.0.tenant;
    let record = parts.store.migration(tenant, id).await?.ok_or_else(|| not_found(id))?;
    if record.state != MigrationState::Completed {
        let detail = format!("It is {}. The project is there once it is completed.", record.state);
        return Err(
            Problem::new(Code::NotCompleted, detail).with("migrationStatus", record.state.to_string())
        );
    }
    let phases = parts.store.phases(tenant, id, record.run).await?;
    let result = phases.into_iter().find(|found| found.phase == Phase::Deploy).and_then(|found| found.result);
    let deployed: Deployed = serde_json::from_value(result.unwrap_or_default())
        .map_err(|error| Problem::from_source(Kind::Internal, &error))?;
    let tag = EntityTag::new_strong(deployed.sha256.clone());
    if stored::is_known(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header(ETag(tag)).finish());
    }
    let found = stored::open(&parts, &deployed.artifact).await?;
    let name = format!("{id}.zip");
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header(ETag(tag))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(name)],
        })
        .no_chunking(found.meta.size)
        .streaming(found.into_stream()))
}
