//! What a worker is asked to look at: the border of `resettle.control.v1`.

use crate::status::{Error, job_id};
use domain::{Epoch, JobId};

/// Generated from `/proto/control/v1`.
pub mod v1 {
    #![expect(missing_docs, reason = "generated: the documentation is in the .proto file")]
    #![expect(clippy::allow_attributes_without_reason, reason = "generated: it gives none")]
    tonic::include_proto!("resettle.control.v1");
}

/// Somebody asked to cancel a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeedCancel {
    /// The job.
    pub job: JobId,
    /// The lease under which it is thought to be held.
    pub epoch: Epoch,
}

impl TryFrom<v1::HeedCancelRequest> for HeedCancel {
    type Error = Error;

    fn try_from(wire: v1::HeedCancelRequest) -> Result<Self, Error> {
        Ok(Self { job: job_id(&wire.job_id)?, epoch: Epoch(wire.epoch) })
    }
}

impl From<HeedCancel> for v1::HeedCancelRequest {
    fn from(asked: HeedCancel) -> Self {
        Self { job_id: asked.job.to_string(), epoch: asked.epoch.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_comes_back_the_same_and_nonsense_is_named() {
        let job = "01985e2c-2c5b-7a4e-9f5e-0123456789ab".parse().expect("a UUID");
        let asked = HeedCancel { job, epoch: Epoch(7) };
        let mut wire = v1::HeedCancelRequest::from(asked);
        assert_eq!(HeedCancel::try_from(wire.clone()).expect("valid"), asked);
        wire.job_id = "seven".into();
        assert!(matches!(HeedCancel::try_from(wire), Err(Error::JobId { .. })));
    }
}
