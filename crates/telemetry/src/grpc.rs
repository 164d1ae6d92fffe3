//! Trace context through gRPC: put into a request's metadata by the caller, taken up by the server.

use crate::context;
use opentelemetry::propagation::{Extractor, Injector};
use tonic::{
    Request,
    metadata::{MetadataKey, MetadataMap, MetadataValue},
};
use tracing::Span;

/// Puts the current span's context into the metadata of a request about to be sent.
pub fn inject<T>(request: &mut Request<T>) {
    context::inject(&mut Carrier(request.metadata_mut()));
}

/// The server's span of a received request, `grpc.<method>`, a child of the caller's span.
///
/// `service` says whose span it is (see the crate's documentation); instrument the handler with it.
pub fn server_span<T>(service: &'static str, method: &'static str, request: &Request<T>) -> Span {
    let span = tracing::info_span!(
        "grpc",
        otel.name = format_args!("grpc.{method}"),
        otel.kind = "server",
        service,
        rpc.system = "grpc",
        rpc.method = method,
    );
    context::extract(&span, &Reader(request.metadata()));
    span
}

/// The caller's span of a request, `grpc.<method>`: enter or instrument with it, then [`inject`].
pub fn client_span(method: &'static str) -> Span {
    tracing::info_span!(
        "grpc",
        otel.name = format_args!("grpc.{method}"),
        otel.kind = "client",
        rpc.system = "grpc",
        rpc.method = method,
    )
}

struct Carrier<'a>(&'a mut MetadataMap);

impl Injector for Carrier<'_> {
    fn set(&mut self, key: &str, value: String) {
        // Both are ASCII by the W3C's grammar; anything else is not worth failing a request for.
        if let (Ok(key), Ok(value)) = (key.parse::<MetadataKey<_>>(), value.parse::<MetadataValue<_>>()) {
            self.0.insert(key, value);
        }
    }
}

struct Reader<'a>(&'a MetadataMap);

impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .filter_map(|key| match key {
                tonic::metadata::KeyRef::Ascii(name) => Some(name.as_str()),
                tonic::metadata::KeyRef::Binary(_) => None,
            })
            .collect()
    }
}
