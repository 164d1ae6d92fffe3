//! A real OTLP/gRPC receiver that keeps the spans it is sent, so that a trace can be checked span by span.

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// A span as it arrived, ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct Span {
    /// The `service.name` of the resource that sent it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its trace.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// Its parent's id; empty for a root.
    pub parent: String,
    /// The ids of the spans that it is linked to.
    pub links: Vec<String>,
    /// Its attributes that are text; others as they print.
    pub attributes: BTreeMap<String, String>,
}

/// What has arrived so far. A clone is the same collector; it serves until the test's runtime ends.
#[derive(Clone, Default)]
pub struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// Listens on a free loopback port.
    pub async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let service = TraceServiceServer::new(collector.clone());
        let serving =
            Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(serving);
        (collector, address)
    }

    /// Every span, in the order of arrival.
    pub fn spans(&self) -> Vec<Span> {
        self.kept().clone()
    }

    /// All spans of this name, in the order of arrival.
    pub fn named(&self, name: &str) -> Vec<Span> {
        self.kept().iter().filter(|span| span.name == name).cloned().collect()
    }

    /// The only span of this name.
    pub fn span(&self, name: &str) -> Span {
        let mut named = self.named(name);
        assert_eq!(named.len(), 1, "one span is named {name} among {:?}", self.names());
        named.remove(0)
    }

    fn names(&self) -> Vec<String> {
        self.kept().iter().map(|span| span.name.clone()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Span>> {
        self.spans.lock().expect("nobody panics while holding it")
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.map(|resource| texts(resource.attributes)).unwrap_or_default();
            let service = attributes.get("service.name").cloned().unwrap_or_default();
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.kept().extend(spans.map(|span| Span {
                service: service.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
                attributes: texts(span.attributes),
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Some(Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|one| (one.key, text(one.value.and_then(|value| value.value)))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
