//! The OpenAPI 3.1 document, made of the routes' own annotations, and its viewer, which needs no other host.

mod events;
mod streams;

use crate::{Code, routes, view};
use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, future::ready};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_swagger_ui::SwaggerUi;

/// A refusal (RFC 9457). Members that belong to one code stand beside these.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes the document that `problem` writes")]
struct ProblemDocument {
    /// `/problems/` and the code: stable, and an address that explains it.
    r#type: String,
    title: String,
    status: u16,
    /// Stable, for programs.
    code: String,
    /// What is wrong with this request and what to do.
    detail: String,
    /// Tell it to the operator.
    #[schema(rename = "traceId")]
    trace_id: Option<String>,
    /// With `already_active`: the migration that stands in the way.
    #[schema(rename = "migrationId")]
    migration_id: Option<uuid::Uuid>,
    /// With `already_over`, `not_retryable`, `not_completed`, `not_analyzed`, `not_planned`, `plan_in_use` and
    /// `plan_not_awaited`: where the migration stands.
    #[schema(rename = "migrationStatus")]
    migration_status: Option<String>,
    /// With `plan_changed`: the hash of the plan that the migration has.
    #[schema(rename = "planHash")]
    plan_hash: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Resettle", description = "Moves websites to a new home with nothing lost.", version = "0"),
    paths(
        routes::start::start, routes::list::list, routes::read::read, routes::events::events,
        routes::cancel::cancel, routes::retry::retry,
        routes::dead_letters::list, routes::dead_letters::one, routes::dead_letters::replay, routes::dead_letters::discard,
        routes::dead_letters::replays::begin, routes::dead_letters::replays::read, routes::dead_letters::replays::cancel,
        routes::result::result, routes::result::picture,
        routes::admin::queues, routes::admin::workers, routes::admin::leases, routes::admin::jobs, routes::admin::job,
        routes::admin::letters, routes::admin::letter, routes::admin::replay, routes::admin::discard,
        routes::admin::poison, routes::admin::gates::list, routes::admin::gates::changes, routes::admin::gates::hold,
        routes::admin::gates::pause, routes::admin::gates::resume,
        routes::jobs::list, routes::jobs::enqueue::enqueue, routes::jobs::kinds, routes::jobs::one, routes::jobs::attempts,
        routes::jobs::transitions, routes::jobs::cancel, routes::jobs::retry,
        routes::schedules::list, routes::schedules::one, routes::schedules::set, routes::schedules::remove,
        routes::artifact::artifact, routes::plan::plan, routes::plan::amend, routes::analysis::analysis, routes::analysis::list,
        routes::analysis::page
    ),
    components(schemas(
        routes::start::StartRequest, view::Started, routes::retry::RetryRequest, view::RetryStarted, routes::plan::PlanChange, view::plan::PlanAmended, view::Migration, view::MigrationInFull, view::MigrationPage,
        view::EventPage, view::Cancel, view::Analysis, view::SitePages, view::SitePageInFull, view::letters::LetterPage, view::letters::LetterInFull, view::letters::Settled,
        view::letters::Replay, view::letters::Preview, routes::dead_letters::DiscardRequest,
        routes::dead_letters::replays::ReplayRequest, view::result::ResultView, view::operations::QueueOverview, view::operations::WorkerList,
        view::operations::LeaseList, view::operations::JobPage, view::operations::JobWhole,
        view::operations::OperatorLetterPage, view::operations::OperatorLetter, view::operations::PoisonList,
        view::operations::gates::Gates, view::operations::gates::GateView, view::operations::gates::GateLog,
        routes::admin::gates::GateRequest, routes::admin::gates::PauseRequest,
        routes::jobs::enqueue::JobsRequest, view::jobs::JobsEnqueued,
        view::jobs::JobList, view::jobs::JobInFull, view::jobs::JobMoves, view::jobs::Attempts, view::jobs::Kinds,
        view::jobs::JobMoved, view::schedules::Schedules, view::schedules::ScheduleInFull,
        routes::schedules::ScheduleRequest, ProblemDocument
    )),
    security(("api_key" = []), ("session" = [])),
    modifiers(&Shared)
)]
struct Document;

/// What a browser shows in place of a key.
const SESSION: &str = "What a browser gets for an API key at `/sign-in`; over https its name is \
    `__Host-resettle_session`. It counts only at the origins of the pages, and with a request that changes something only \
    with the form's token in `X-Form-Token`.";

/// What holds for every route: the key, and that each refusal is a problem document.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("An API key, rsk_…".into());
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
            let session = ApiKeyValue::with_description("resettle_session", SESSION);
            components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
        }
    }
}

/// Refused by every route that needs a key.
const EVERYWHERE: [Code; 4] =
    [Code::Unauthenticated, Code::UntrustedOrigin, Code::Unavailable, Code::Internal];

/// What each route refuses, beside [`EVERYWHERE`].
const REFUSALS: &[(&str, &[Code])] = &[
    ("/api/migration/{id}/result", routes::result::REFUSALS),
    ("/api/migration/{id}/result/pictures/{hash}", routes::result::PICTURE_REFUSALS),
    ("/api/admin/queues", routes::admin::REFUSALS),
    ("/api/admin/workers", routes::admin::REFUSALS),
    ("/api/admin/leases", routes::admin::REFUSALS),
    ("/api/admin/jobs", routes::admin::LIST_REFUSALS),
    ("/api/admin/jobs/{id}", routes::admin::JOB_REFUSALS),
    ("/api/admin/dead-letters", routes::admin::LIST_REFUSALS),
    ("/api/admin/dead-letters/{id}", routes::admin::LETTER_REFUSALS),
    ("/api/admin/dead-letters/{id}/replay", routes::admin::REPLAY_REFUSALS),
    ("/api/admin/dead-letters/{id}/discard", routes::admin::DISCARD_REFUSALS),
    ("/api/admin/poison", routes::admin::REFUSALS),
    ("/api/admin/gates", routes::admin::REFUSALS),
    ("/api/admin/gates/changes", routes::admin::LIST_REFUSALS),
    ("/api/admin/gates/{scope}/{key}", routes::admin::gates::REFUSALS),
    ("/api/admin/gates/{scope}/{key}/pause", routes::admin::gates::REFUSALS),
    ("/api/admin/gates/{scope}/{key}/resume", routes::admin::gates::REFUSALS),
    ("/api/migration/start", routes::start::REFUSALS),
    ("/api/migration", routes::list::REFUSALS),
    ("/api/migration/{id}", routes::read::REFUSALS),
    ("/api/migration/{id}/events", routes::events::REFUSALS),
    ("/api/migration/{id}/cancel", routes::cancel::REFUSALS),
    ("/api/migration/{id}/retry", routes::retry::REFUSALS),
    ("/api/migration/{id}/plan", routes::plan::REFUSALS),
    ("/api/dead-letters", routes::dead_letters::LIST_REFUSALS),
    ("/api/dead-letters/{id}", routes::dead_letters::REFUSALS),
    ("/api/dead-letters/{id}/replay", routes::dead_letters::REPLAY_REFUSALS),
    ("/api/dead-letters/{id}/discard", routes::dead_letters::DISCARD_REFUSALS),
    ("/api/dead-letters/replays", routes::dead_letters::replays::REFUSALS),
    ("/api/dead-letters/replays/{id}", routes::dead_letters::replays::ONE_REFUSALS),
    ("/api/dead-letters/replays/{id}/cancel", routes::dead_letters::replays::ONE_REFUSALS),
    ("/api/jobs", routes::jobs::enqueue::REFUSALS),
    ("/api/jobs/kinds", &[]),
    ("/api/jobs/{id}", routes::jobs::REFUSALS),
    ("/api/jobs/{id}/attempts", routes::jobs::REFUSALS),
    ("/api/jobs/{id}/transitions", routes::jobs::MOVES_REFUSALS),
    ("/api/jobs/{id}/cancel", routes::jobs::CANCEL_REFUSALS),
    ("/api/jobs/{id}/retry", routes::jobs::RETRY_REFUSALS),
    ("/api/schedules", &[]),
    ("/api/schedules/{name}", routes::schedules::REFUSALS),
    ("/api/migration/{id}/artifact", routes::artifact::REFUSALS),
    ("/api/migration/{id}/analysis", routes::analysis::REFUSALS),
    ("/api/migration/{id}/analysis/pages", routes::analysis::REFUSALS),
    ("/api/migration/{id}/analysis/pages/{number}", routes::analysis::PAGE_REFUSALS),
];

/// What is served without a key: path, media type, what it is.
const OPEN: [(&str, &str, &str); 8] = [
    ("/healthz", "text/plain", "The process answers"),
    ("/livez", "text/plain", "The same, by its newer name"),
    (
        "/readyz",
        "application/json",
        "It can serve: what it needs is there and it is not stopping; 503 otherwise",
    ),
    ("/metrics", "text/plain", "Figures, as Prometheus reads them"),
    ("/problems/{code}", "text/plain", "What a problem's type means and what to do"),
    ("/api/openapi.json", "application/json", "This document"),
    ("/api/docs", "text/html", "Leads to the viewer"),
    ("/api/docs/", "text/html", "The viewer of this document"),
];

/// The document as it is served.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).expect("the document serialises");
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
    let types: Vec<String> = codes.iter().map(|code| format!("/problems/{code}")).collect();
    let members = &mut document["components"]["schemas"]["Problem"]["properties"];
    members["code"]["enum"] = json!(codes);
    members["type"]["examples"] = json!(types);
    for (path, refusals) in REFUSALS {
        let operations = document["paths"][*path].as_object_mut().into_iter();
        for operation in operations.flat_map(|methods| methods.values_mut()) {
            add_refusals(&mut operation["responses"], refusals);
        }
    }
    events::add(&mut document["components"]["schemas"]);
    for (path, stream) in streams::all() {
        document["paths"][path] = stream;
    }
    for (path, media_type, told) in OPEN {
        document["paths"][path] = open_route(path, media_type, told);
    }
    document
}

/// One response for each status, which lists its problems.
fn add_refusals(responses: &mut Value, refusals: &[Code]) {
    let mut by_status: BTreeMap<u16, Vec<&Code>> = BTreeMap::new();
    for code in refusals.iter().chain(&EVERYWHERE) {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let told: Vec<String> =
            codes.iter().map(|code| format!("- `{}`: {}", code.slug(), code.title())).collect();
        responses[status.to_string()] = refusal(&told.join("\n"));
    }
    responses["default"] = refusal("Any other refusal, in the same form");
}

fn refusal(description: &str) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    json!({"description": description, "content": {(service_kit::problem::CONTENT_TYPE): {"schema": schema}}})
}

fn open_route(path: &str, media_type: &str, told: &str) -> Value {
    let answer = match path {
        "/api/docs" => json!({"308": {"description": told}}),
        _ => json!({"200": {"description": told, "content": {media_type: {}}}}),
    };
    let mut responses = answer;
    responses["default"] = refusal("A refusal");
    let mut operation = json!({"tags": ["service"], "summary": told, "security": [], "responses": responses});
    if path.contains("{code}") {
        operation["parameters"] =
            json!([{"name": "code", "in": "path", "required": true, "schema": {"type": "string"}}]);
    }
    json!({"get": operation})
}

pub(crate) fn mount(config: &mut ServiceConfig) {
    let text = document().to_string();
    let served = move || ready(HttpResponse::Ok().content_type("application/json").body(text.clone()));
    let viewer =
        SwaggerUi::new("/api/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/api/openapi.json"));
    config
        .service(routes::taking("GET", web::resource("/api/openapi.json").get(served)))
        .service(routes::taking("GET", web::resource("/api/docs").get(to_the_viewer)))
        .service(viewer);
}

async fn to_the_viewer() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/api/docs/")).finish()
}
