//! The OpenAPI 3.1 document, made of the routes' own annotations, and its viewer, which needs no other host.

use crate::{Code, routes, view};
use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_swagger_ui::SwaggerUi;

/// A refusal (RFC 9457). Members that belong to one code stand beside these.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes the document that `problem` writes")]
struct ProblemDocument {
    /// `/problems/` and the code: stable.
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
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Resettle", description = "Moves websites to a new home with nothing lost.", version = "0"),
    paths(
        routes::start::start, routes::list::list, routes::read::read, routes::events::events,
        routes::cancel::cancel, routes::artifact::artifact
    ),
    components(schemas(
        routes::start::StartRequest, view::Started, view::Migration, view::MigrationInFull, view::MigrationPage,
        view::EventPage, view::Cancel, ProblemDocument
    )),
    security(("api_key" = [])),
    modifiers(&Shared)
)]
struct Document;

/// What holds for every route: the key, and that each refusal is a problem document.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("An API key, rsk_…".into());
        if let Some(components) = document.components.as_mut() {
            components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        }
    }
}

/// The document as it is served.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).expect("the document serialises");
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
    document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] = json!(codes);
    let refusal = json!({
        "description": "A problem document that says what to do",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    });
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in paths.flat_map(|path| path.as_object_mut().into_iter().flat_map(|ops| ops.values_mut()))
    {
        if operation.get("responses").is_some() {
            operation["responses"]["default"] = refusal.clone();
        }
    }
    document
}

pub(crate) fn mount(config: &mut ServiceConfig) {
    let text = document().to_string();
    config
        .route(
            "/api/openapi.json",
            web::get().to(move || {
                let text = text.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(text) }
            }),
        )
        .route("/api/docs", web::get().to(to_the_viewer))
        .service(
            SwaggerUi::new("/api/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/api/openapi.json")),
        );
}

async fn to_the_viewer() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/api/docs/")).finish()
}
