//! Server spans for actix: `http.<route>`, continuing the caller's `traceparent`.
//!
//! Wrap the scope of one service's routes, so that in a process of three each span finds its owner:
//! `web::scope("…").wrap(telemetry::http::spans("api-gateway"))`.

use crate::context;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::HeaderMap,
};
use opentelemetry::propagation::Extractor;
use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};
use tracing::{Instrument, Span, field::Empty};

/// The middleware for the routes of `service`.
pub fn spans(service: &'static str) -> Spans {
    Spans { service }
}

/// See [`spans`].
#[derive(Clone, Copy, Debug)]
pub struct Spans {
    service: &'static str,
}

impl<S, B> Transform<S, ServiceRequest> for Spans
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type InitError = ();
    type Transform = SpansService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SpansService { inner: Rc::new(inner), service: self.service }))
    }
}

/// The wrapped service; see [`spans`].
pub struct SpansService<S> {
    inner: Rc<S>,
    service: &'static str,
}

impl<S, B> Service<ServiceRequest> for SpansService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let span = server_span(self.service, &request);
        let inner = Rc::clone(&self.inner);
        let answered = async move {
            let answer = inner.call(request).await;
            let status = match &answer {
                Ok(response) => response.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            let span = Span::current();
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
            answer
        };
        Box::pin(answered.instrument(span))
    }
}

fn server_span(service: &'static str, request: &ServiceRequest) -> Span {
    // The pattern, never the path: paths hold ids, and a span's name must have few values.
    let route = request.match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let span = tracing::info_span!(
        "http",
        otel.name = format_args!("http.{route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        service,
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = Empty,
    );
    context::extract(&span, &Reader(request.headers()));
    span
}

struct Reader<'a>(&'a HeaderMap);

impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
