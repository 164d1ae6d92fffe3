//! `POST /api/migration/{id}/cancel`: calls a migration off. Asking twice is asking once.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    view::Cancel,
};
use actix_web::{HttpResponse, web::Data};
use domain::{MigrationId, TenantId, migration::MigrationState, trace::TraceContext};
use store::{CancelOutcome, CancelRequest, Holder};

pub(crate) const REFUSALS: &[Code] =
    &[Code::InvalidId, Code::Forbidden, Code::StaleForm, Code::MigrationNotFound, Code::AlreadyOver];

/// Calls a migration off.
#[utoipa::path(
    post, path = "/api/migration/{id}/cancel", tag = "migrations", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 200, body = Cancel, description = "It is cancelled"),
        (status = 202, body = Cancel, description = "Its worker lets go of it; the stream tells when"))
)]
pub(crate) async fn cancel(
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
) -> Result<HttpResponse, Problem> {
    match call_off(&parts, &caller, id).await? {
        Cancelled::Now => Ok(HttpResponse::Ok().json(Cancel { migration_id: id.0, status: "cancelled" })),
        Cancelled::Soon => {
            Ok(HttpResponse::Accepted().json(Cancel { migration_id: id.0, status: "cancelling" }))
        }
    }
}

/// What a cancel led to.
pub(crate) enum Cancelled {
    /// It is over.
    Now,
    /// Its worker lets go of it.
    Soon,
}

/// The same for every way in.
pub(crate) async fn call_off(parts: &Parts, caller: &Caller, id: MigrationId) -> Result<Cancelled, Problem> {
    let caller = caller.who_may_write()?;
    let (traceparent, tracestate) = telemetry::current_context();
    let request = CancelRequest {
        tenant: caller.tenant,
        user: caller.user,
        migration: id,
        trace: TraceContext { traceparent, tracestate },
    };
    match parts.store.request_cancel(&request).await? {
        CancelOutcome::Cancelled | CancelOutcome::AlreadyOver(MigrationState::Cancelled) => {
            Ok(Cancelled::Now)
        }
        CancelOutcome::Requested => {
            tell_holder(parts, request.tenant, id).await?;
            Ok(Cancelled::Soon)
        }
        CancelOutcome::NotFound => Err(not_found(id)),
        CancelOutcome::AlreadyOver(state) => {
            Err(Problem::new(Code::AlreadyOver, format!("It is {state}: there is nothing left to cancel."))
                .with("migrationStatus", state.to_string()))
        }
    }
}

/// Lets the holder know at once. The wish is written: a holder that does not answer sees it with its next heartbeat.
async fn tell_holder(parts: &Parts, tenant: TenantId, id: MigrationId) -> Result<(), Problem> {
    if let Some(holder) = parts.store.holder(tenant, id).await? {
        tell(parts, &holder).await;
    }
    Ok(())
}

/// The same, where it is known who that is.
pub(crate) async fn tell(parts: &Parts, holder: &Holder) {
    match parts.workers.heed_cancel(holder).await {
        Ok(heeded) => parts.metrics.told_to_cancel(if heeded { "heeded" } else { "not_seen" }),
        Err(error) => {
            parts.metrics.told_to_cancel("no_answer");
            tracing::info!(error = service_kit::exit::chain(&error), worker = %holder.worker, "not told to cancel");
        }
    }
}
