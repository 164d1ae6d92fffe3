//! `POST /api/migration/{id}/cancel`: calls a migration off. Asking twice is asking once.

use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    view::Cancel,
};
use actix_web::{HttpResponse, web::Data};
use domain::{
    event::{EventType, NewEvent},
    migration::MigrationState,
    trace::TraceContext,
};
use serde_json::json;
use store::{CancelOutcome, CancelRequest};

pub(crate) const REFUSALS: &[Code] =
    &[Code::InvalidId, Code::Forbidden, Code::MigrationNotFound, Code::AlreadyOver];

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
    let caller = caller.who_may_write()?;
    let (traceparent, tracestate) = telemetry::current_context();
    let told = json!({"success": false, "cancelled": true});
    let request = CancelRequest {
        tenant: caller.tenant,
        user: caller.user,
        migration: id,
        trace: TraceContext { traceparent, tracestate },
        event: NewEvent::new(EventType::Done, None, 0, told),
    };
    let answer = |status| Cancel { migration_id: id.0, status };
    match parts.store.request_cancel(&request).await? {
        CancelOutcome::Cancelled | CancelOutcome::AlreadyOver(MigrationState::Cancelled) => {
            Ok(HttpResponse::Ok().json(answer("cancelled")))
        }
        CancelOutcome::Requested => Ok(HttpResponse::Accepted().json(answer("cancelling"))),
        CancelOutcome::NotFound => Err(not_found(id)),
        CancelOutcome::AlreadyOver(state) => {
            Err(Problem::new(Code::AlreadyOver, format!("It is {state}: there is nothing left to cancel."))
                .with("migrationStatus", state.to_string()))
        }
    }
}
