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
use service_kit::{BoxError, grpc::Doorkeeper};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, service::interceptor::InterceptedService, transport::Server};
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
