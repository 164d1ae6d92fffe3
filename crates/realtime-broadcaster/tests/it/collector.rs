//! A real OTLP receiver, as far as these tests look: who is whose child.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

#[derive(Clone, Default)]
pub struct Collector {
    /// Name, trace and parent of each span, the latter two in hexadecimal.
    spans: Arc<Mutex<Vec<(String, String, String)>>>,
}

impl Collector {
    pub async fn start() -> (Self, SocketAddr) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let service = TraceServiceServer::new(collector.clone());
        let serving =
            Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(serving);
        (collector, address)
    }

    /// Trace and parent of all spans of this name, in the order of their arrival.
    pub fn parents(&self, name: &str) -> Vec<(String, String)> {
        let spans = self.spans.lock().expect("no panic while it is held");
        let named = spans.iter().filter(|(span, _, _)| span == name);
        named.map(|(_, trace, parent)| (trace.clone(), parent.clone())).collect()
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes =
            request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        let arrived = scopes.flat_map(|scope| scope.spans);
        let told = arrived.map(|span| (span.name, hex(&span.trace_id), hex(&span.parent_span_id)));
        self.spans.lock().expect("no panic while it is held").extend(told);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
