//! What holds for every answer, whoever gave it: its form when it is a refusal, its headers, its figure.
//!
//! Parts that are not ours refuse in forms of their own (the viewer, the probes, actix itself): those become problem
//! documents here, so that a client needs to understand one form only.

use crate::{Code, Problem, gateway::Parts, pages, routes::wrong_method};
use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE as TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    web::Data,
};
use std::time::Instant;

/// The middleware.
pub(crate) async fn in_one_form(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let begun = Instant::now();
    let parts = request.app_data::<Data<Parts>>().expect("mounted with the gateway's parts").clone();
    let response = next.call(request).await?;
    let mut response = match foreign_refusal(&response) {
        Some(ours) => response.into_response(ours).map_into_right_body(),
        None => response.map_into_left_body(),
    };
    let private = is_private(response.request().path());
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if private && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let method = known(response.request().method());
    parts.metrics.request(route, method, response.status().as_u16(), begun.elapsed());
    Ok(response)
}

/// Answers of these are a tenant's own and are kept nowhere on the way.
fn is_private(path: &str) -> bool {
    ["/api/migration", "/api/dead-letters", "/api/admin"].iter().any(|prefix| path.starts_with(prefix))
}

/// HEAD is GET without the body (RFC 9110, section 9.3.2): the routes see a GET, and the server leaves the body out.
pub(crate) async fn head_as_get(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    next.call(request).await
}

/// Our own words for a refusal that is not a problem document. A probe's refusal stays as orchestrators know it.
fn foreign_refusal<B>(response: &ServiceResponse<B>) -> Option<HttpResponse> {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    let ours = response.headers().get(TYPE).is_some_and(|value| value == service_kit::problem::CONTENT_TYPE);
    let probe = response.request().path() == "/readyz" && status == StatusCode::SERVICE_UNAVAILABLE;
    let page = response.response().extensions().contains::<pages::Page>();
    (refused && !ours && !probe && !page).then(|| translated(response.request(), status))
}

fn translated(request: &HttpRequest, status: StatusCode) -> HttpResponse {
    let at = request.path();
    let problem = match status {
        // What others serve beside our routes is there to be read only.
        StatusCode::METHOD_NOT_ALLOWED => return wrong_method(request, "GET"),
        StatusCode::NOT_FOUND => {
            Problem::new(Code::RouteNotFound, format!("Nothing is served at {at}; see /api/docs."))
        }
        status if status.is_client_error() => Problem::new(
            Code::InvalidBody,
            format!("The request cannot be served ({status}); see /api/docs."),
        ),
        status => {
            tracing::error!(path = at, %status, "a part that is not ours failed");
            Problem::new(Code::Internal, "This was logged. If it stays, tell the operator the trace id.")
        }
    };
    problem.error_response()
}

/// Methods have few values in figures, whatever a client makes up.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
