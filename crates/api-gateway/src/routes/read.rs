//! `GET /api/migration/{id}`: the record, joined with what its worker says about this moment.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    view::{Live, MigrationInFull, PhaseView},
};
use actix_web::web::{Data, Json};
use domain::{MigrationId, TenantId};
use proto::status::LiveStatus;

pub(crate) const REFUSALS: &[Code] = &[Code::InvalidId, Code::MigrationNotFound];

/// Reads one migration, with what its worker is doing at this moment.
#[utoipa::path(
    get, path = "/api/migration/{id}", tag = "migrations", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = MigrationInFull))
)]
pub(crate) async fn read(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
) -> Result<Json<MigrationInFull>, Problem> {
    let tenant = caller.0.tenant;
    let record = parts.store.migration(tenant, id).await?.ok_or_else(|| not_found(id))?;
    let phases = parts.store.phases(tenant, id, record.run).await?;
    let live = if record.state.is_active() { ask_holder(&parts, tenant, id).await? } else { None };
    let phases = phases.into_iter().map(PhaseView::from).collect();
    Ok(Json(MigrationInFull { migration: record.into(), phases, live: live.map(Live::from) }))
}

async fn ask_holder(parts: &Parts, tenant: TenantId, id: MigrationId) -> Result<Option<LiveStatus>, Problem> {
    let Some(holder) = parts.store.holder(tenant, id).await? else { return Ok(None) };
    match parts.workers.ask(&holder).await {
        Ok(status) if status.epoch == holder.epoch => {
            parts.metrics.live("answered");
            Ok(Some(status))
        }
        Ok(_) => {
            parts.metrics.live("other_epoch");
            Ok(None)
        }
        Err(error) => {
            parts.metrics.live("no_answer");
            tracing::info!(error = service_kit::exit::chain(&error), worker = %holder.worker, "no live status");
            Ok(None)
        }
    }
}
