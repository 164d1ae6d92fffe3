//! The routes, one file each, all behind a key. Mounted here; nothing else is served under `/api` but the document
//! and its viewer.

pub(crate) mod admin;
pub(crate) mod analysis;
pub(crate) mod artifact;
pub(crate) mod cancel;
pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod jobs;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod read;
pub(crate) mod result;
pub(crate) mod retry;
pub(crate) mod schedules;
pub(crate) mod start;

use crate::{Code, Problem, input, problem};
use actix_web::{
    HttpRequest, HttpResponse, Resource, ResponseError,
    http::header,
    middleware::from_fn,
    web::{self, Path, ServiceConfig},
};
use std::future::ready;

pub(crate) fn mount(config: &mut ServiceConfig) {
    let migrations = web::scope("/api/migration")
        .wrap(from_fn(input::authenticated))
        .service(taking("GET", web::resource("").get(list::list)))
        .service(taking("POST", web::resource("/start").post(start::start)))
        .service(taking("GET", web::resource("/{id}").get(read::read)))
        .service(taking("GET", web::resource("/{id}/events").get(events::events)))
        .service(taking("GET", web::resource("/{id}/analysis").get(analysis::analysis)))
        .service(taking("GET", web::resource("/{id}/analysis/pages").get(analysis::list)))
        .service(taking("GET", web::resource("/{id}/analysis/pages/{number}").get(analysis::page)))
        .service(taking(
            "GET, HEAD, PATCH",
            web::resource("/{id}/plan").get(plan::plan).route(web::patch().to(plan::amend)),
        ))
        .service(taking("POST", web::resource("/{id}/retry").post(retry::retry)))
        .service(taking("POST", web::resource("/{id}/cancel").post(cancel::cancel)))
        .service(taking("GET", web::resource("/{id}/artifact").get(artifact::artifact)))
        .service(taking("GET", web::resource("/{id}/result").get(result::result)))
        .service(taking("GET", web::resource("/{id}/result/pictures/{hash}").get(result::picture)))
        .service(taking("GET", web::resource("/{id}/stream").get(streamed_elsewhere)))
        .default_service(web::to(nothing_here));
    dead_letters::mount(config);
    admin::mount(config);
    jobs::mount(config);
    schedules::mount(config);
    config.service(migrations).service(taking("GET", web::resource("/problems/{code}").get(problem_page)));
    let feed = web::resource("/api/events/stream").get(streamed_elsewhere);
    config.service(taking("GET", feed).wrap(from_fn(input::authenticated)));
    // The probes' own routes are looked at first; what comes by here is another method.
    for probe in ["/livez", "/healthz", "/readyz", "/metrics"] {
        config.service(taking("GET", web::resource(probe)));
    }
}

/// A resource that says which method it takes when it is asked by another.
pub(crate) fn taking(method: &'static str, resource: Resource) -> Resource {
    resource.default_service(web::to(move |request: HttpRequest| ready(wrong_method(&request, method))))
}

/// The refusal of a method. RFC 9110 wants it to name those that are taken.
pub(crate) fn wrong_method(request: &HttpRequest, taken: &'static str) -> HttpResponse {
    let told = format!("{} takes {taken}, not {}; see /api/docs.", request.path(), request.method());
    let mut refusal = Problem::new(Code::MethodNotAllowed, told).error_response();
    // What can be read can be asked about.
    let allowed = if taken == "GET" { "GET, HEAD" } else { taken };
    refusal.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    refusal
}

/// A stream that was asked for here: an ingress leads it to the broadcaster, and there is none between us.
async fn streamed_elsewhere(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let told = format!(
        "{} is served by the broadcaster. Ask it at its own address, or through the ingress, which leads there; \
         `GET /api/migration/{{id}}/events` pages the same history here.",
        request.path()
    );
    Err(Problem::new(Code::RouteNotFound, told))
}

/// Every address that nobody took.
pub(crate) async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::RouteNotFound, format!("Nothing is served at {}; see /api/docs.", request.path())))
}

/// Where a problem's type leads: what it means and what to do.
async fn problem_page(request: HttpRequest, code: Path<String>) -> Result<HttpResponse, Problem> {
    match problem::page_of(&code) {
        Some(page) => Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(page)),
        None => nothing_here(request).await,
    }
}
