//! The control service: looks at the record before the next heartbeat would. It never takes a caller's word for
//! anything: what it answers is what Postgres said.

use crate::{heartbeat, worker::Workshop};
use proto::control::{
    HeedCancel,
    v1::{HeedCancelRequest, HeedCancelResponse, worker_control_server::WorkerControl},
};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use tracing::Instrument;

pub(crate) struct Control(pub(crate) Arc<Workshop>);

#[tonic::async_trait]
impl WorkerControl for Control {
    async fn heed_cancel(
        &self,
        request: Request<HeedCancelRequest>,
    ) -> Result<Response<HeedCancelResponse>, Status> {
        let span = telemetry::grpc::server_span(crate::SERVICE, "HeedCancel", &request);
        async {
            let asked = HeedCancel::try_from(request.into_inner())
                .map_err(|error| Status::invalid_argument(error.to_string()))?;
            let hold = self.0.held.get(asked.job, asked.epoch);
            let hold = hold.ok_or_else(|| Status::not_found("this worker does not hold the job"))?;
            if !hold.cancelled.is_cancelled() {
                heartbeat::renew(&self.0).await.map_err(|error| {
                    tracing::info!(error = service_kit::exit::chain(&error), "the record cannot be asked");
                    Status::unavailable("the record cannot be asked now: the next heartbeat does")
                })?;
            }
            Ok(Response::new(HeedCancelResponse { cancelling: hold.cancelled.is_cancelled() }))
        }
        .instrument(span)
        .await
    }
}
