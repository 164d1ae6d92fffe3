//! The status service: answers from memory what this worker is doing for a job that it holds. It never asks
//! Postgres; what it does not hold it does not know.

use crate::{control::Control, worker::Workshop};
use domain::JobId;
use proto::{
    control::v1::worker_control_server::WorkerControlServer,
    status::v1::{
        GetJobStatusRequest, GetJobStatusResponse,
        worker_status_server::{WorkerStatus, WorkerStatusServer},
    },
};
use service_kit::BoxError;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Server,
};
use tracing::Instrument;

/// A caller that asks for one job needs no more.
const MOST_BYTES: usize = 4 * 1024;
const MOST_STREAMS: u32 = 100;

/// Serves status, control, health and reflection until the last job has ended: a job that finishes after the stop can
/// still be asked for.
pub(crate) fn serve(shop: &Arc<Workshop>, listener: TcpListener) -> Result<(), BoxError> {
    let status = WorkerStatusServer::new(Answers(Arc::clone(shop))).max_decoding_message_size(MOST_BYTES);
    let doorkeeper = Doorkeeper::new(shop.config.grpc_token.expose());
    let status = InterceptedService::new(status, doorkeeper.clone());
    let control = WorkerControlServer::new(Control(Arc::clone(shop))).max_decoding_message_size(MOST_BYTES);
    let control = InterceptedService::new(control, doorkeeper);
    let (health, healthy) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let drained = shop.drained.clone();
    let stopping = shop.lifecycle.stopping();
    shop.lifecycle.spawn("grpc", async move {
        health.set_serving::<WorkerStatusServer<Answers>>().await;
        let server = Server::builder()
            .max_concurrent_streams(MOST_STREAMS)
            .add_service(healthy)
            .add_service(reflection)
            .add_service(status)
            .add_service(control);
        let unhealthy = async {
            stopping.cancelled().await;
            health.set_not_serving::<WorkerStatusServer<Answers>>().await;
            drained.cancelled().await;
        };
        Ok(server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), unhealthy).await?)
    });
    Ok(())
}

/// Lets nobody pass who does not show the token.
#[derive(Clone)]
struct Doorkeeper {
    /// Hashes are compared, so that not even the token's length shows in the time that it takes.
    expected: [u8; 32],
}

impl Doorkeeper {
    fn new(token: &str) -> Self {
        Self { expected: *blake3::hash(format!("Bearer {token}").as_bytes()).as_bytes() }
    }
}

impl Interceptor for Doorkeeper {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request.metadata().get("authorization").map_or(&b""[..], |value| value.as_bytes());
        let shown = blake3::hash(shown);
        if bool::from(self.expected.ct_eq(shown.as_bytes())) {
            return Ok(request);
        }
        Err(Status::unauthenticated("a valid bearer token is needed"))
    }
}

struct Answers(Arc<Workshop>);

#[tonic::async_trait]
impl WorkerStatus for Answers {
    async fn get_job_status(
        &self,
        request: Request<GetJobStatusRequest>,
    ) -> Result<Response<GetJobStatusResponse>, Status> {
        let span = telemetry::grpc::server_span(crate::SERVICE, "GetJobStatus", &request);
        async {
            let job = JobId::try_from(request.into_inner())
                .map_err(|error| Status::invalid_argument(error.to_string()))?;
            let live = self
                .0
                .held
                .live(job)
                .ok_or_else(|| Status::not_found("this worker does not hold the job"))?;
            Ok(Response::new(live.into()))
        }
        .instrument(span)
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let mut doorkeeper = Doorkeeper::new("0123456789abcdef");
        let mut asked = |header: Option<&str>| {
            let mut request = Request::new(());
            if let Some(header) = header {
                request.metadata_mut().insert("authorization", header.parse().expect("ASCII"));
            }
            doorkeeper.call(request).is_ok()
        };
        assert!(asked(Some("Bearer 0123456789abcdef")));
        for wrong in
            [None, Some(""), Some("Bearer "), Some("Bearer 0123456789abcde"), Some("0123456789abcdef")]
        {
            assert!(!asked(wrong), "{wrong:?}");
        }
    }
}
