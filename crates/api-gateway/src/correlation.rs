//! The correlation id: taken from the request or made up, handed to the route, and sent back on every answer.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use domain::CorrelationId;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-correlation-id");

/// The middleware. A header that is not a UUID counts as none: the id goes into a column of that type.
pub(crate) async fn carry(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let sent = request.headers().get(&HEADER).and_then(|value| value.to_str().ok());
    let id = sent.and_then(|text| text.parse().ok()).unwrap_or_else(|| CorrelationId(Uuid::now_v7()));
    request.extensions_mut().insert(id);
    tracing::Span::current().record("correlation_id", tracing::field::display(id));
    let mut response = next.call(request).await?;
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HEADER, value);
    }
    Ok(response)
}

/// The id of this request.
pub(crate) fn of(request: &HttpRequest) -> CorrelationId {
    let carried = request.extensions().get::<CorrelationId>().copied();
    carried.unwrap_or_else(|| CorrelationId(Uuid::now_v7()))
}
