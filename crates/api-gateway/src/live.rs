//! Asks the worker that holds a job what it is doing right now, or to look at the record right now.
//!
//! A worker that is gone, slow or has let go of the job costs at most the deadline, never the answer: the record
//! is always enough, and the worker's next heartbeat looks at it by itself.

use proto::{
    control::{
        HeedCancel,
        v1::{HeedCancelRequest, worker_control_client::WorkerControlClient},
    },
    status::{
        LiveStatus,
        v1::{GetJobStatusRequest, worker_status_client::WorkerStatusClient},
    },
};
use service_kit::Secret;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use store::Holder;
use tonic::{
    Request,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use tracing::Instrument;

/// Connections kept; beyond that the cache starts anew. Far more than there are workers.
const MOST_CHANNELS: usize = 256;

/// Connections to workers, by address, made when first needed.
pub(crate) struct Workers {
    token: Secret,
    deadline: Duration,
    channels: Mutex<BTreeMap<String, Channel>>,
}

/// Why there is no live word.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the worker's address {0:?} is not a URL")]
    Address(String),
    #[error("the token for workers is not ASCII")]
    Token,
    #[error("the worker did not answer in time")]
    Deadline,
    #[error("the worker refused or is away")]
    Worker(#[source] Box<tonic::Status>),
    #[error("the worker's answer cannot be read")]
    Answer(#[source] proto::status::Error),
}

impl Workers {
    pub(crate) fn new(token: Secret, deadline: Duration) -> Self {
        Self { token, deadline, channels: Mutex::default() }
    }

    /// What the holder says about its job. An answer about another epoch than the record's is none.
    pub(crate) async fn ask(&self, holder: &Holder) -> Result<LiveStatus, Error> {
        let span = telemetry::grpc::client_span("GetJobStatus");
        let asked = tokio::time::timeout(self.deadline, self.call(holder)).instrument(span);
        asked.await.map_err(|_| Error::Deadline)?
    }

    async fn call(&self, holder: &Holder) -> Result<LiveStatus, Error> {
        let mut client = WorkerStatusClient::new(self.channel(&holder.grpc_address)?);
        let request = self.request(GetJobStatusRequest::from(holder.job))?;
        let answer =
            client.get_job_status(request).await.map_err(|status| Error::Worker(Box::new(status)))?;
        answer.into_inner().try_into().map_err(Error::Answer)
    }

    /// Tells the holder that somebody called its job off. True if it stops the work.
    pub(crate) async fn heed_cancel(&self, holder: &Holder) -> Result<bool, Error> {
        let span = telemetry::grpc::client_span("HeedCancel");
        let told = async {
            let mut client = WorkerControlClient::new(self.channel(&holder.grpc_address)?);
            let asked = HeedCancel { job: holder.job, epoch: holder.epoch };
            let request = self.request(HeedCancelRequest::from(asked))?;
            let answer = client.heed_cancel(request).await;
            answer.map(|answer| answer.into_inner().cancelling).map_err(|no| Error::Worker(Box::new(no)))
        };
        let told = tokio::time::timeout(self.deadline, told.instrument(span)).await;
        told.map_err(|_| Error::Deadline)?
    }

    /// With what the worker wants to be shown, and in the current span.
    fn request<T>(&self, message: T) -> Result<Request<T>, Error> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.token.expose());
        let bearer = MetadataValue::try_from(bearer).map_err(|_| Error::Token)?;
        request.metadata_mut().insert("authorization", bearer);
        request.set_timeout(self.deadline);
        telemetry::grpc::inject(&mut request);
        Ok(request)
    }

    fn channel(&self, address: &str) -> Result<Channel, Error> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(address) {
            return Ok(channel.clone());
        }
        let endpoint =
            Endpoint::from_shared(address.to_owned()).map_err(|_| Error::Address(address.to_owned()))?;
        let channel = endpoint.connect_timeout(self.deadline).connect_lazy();
        if channels.len() >= MOST_CHANNELS {
            channels.clear();
        }
        channels.insert(address.to_owned(), channel.clone());
        Ok(channel)
    }
}
