//! What a worker is doing at this moment: the border of `resettle.status.v1`.

use domain::{Epoch, JobId, phase::Phase};
use time::OffsetDateTime;

/// Generated from `/proto/status/v1`.
pub mod v1 {
    #![expect(missing_docs, reason = "generated: the documentation is in the .proto file")]
    #![expect(clippy::allow_attributes_without_reason, reason = "generated: it gives none")]
    tonic::include_proto!("resettle.status.v1");
}

/// What a job's holder knows about it right now, in the words of the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveStatus {
    /// The job asked for.
    pub job: JobId,
    /// The epoch under which the worker that answered holds it.
    pub epoch: Epoch,
    /// The phase that runs; none before the first one begins.
    pub phase: Option<Phase>,
    /// Progress of the whole migration, 0 to 100.
    pub progress: i16,
    /// What is being done, for people.
    pub step: String,
    /// When this step began, by the worker's clock.
    pub step_since: OffsetDateTime,
}

/// Why an answer from the wire is not a [`LiveStatus`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The id is not a UUID.
    #[error("the job id {given:?} is not a UUID")]
    JobId {
        /// What was sent.
        given: String,
        #[source]
        source: uuid::Error,
    },
    /// A phase that this version does not know.
    #[error("there is no phase number {0}")]
    Phase(i32),
    /// Progress that is no percentage.
    #[error("a progress of {0} is not between 0 and 100")]
    Progress(u32),
    /// A time outside the calendar.
    #[error("{given} ms is not a time")]
    Time {
        /// What was sent.
        given: i64,
        #[source]
        source: time::error::ComponentRange,
    },
}

impl TryFrom<v1::GetJobStatusResponse> for LiveStatus {
    type Error = Error;

    fn try_from(wire: v1::GetJobStatusResponse) -> Result<Self, Error> {
        let progress = i16::try_from(wire.progress).ok().filter(|p| *p <= 100);
        Ok(Self {
            job: job_id(&wire.job_id)?,
            epoch: Epoch(wire.epoch),
            phase: phase(wire.phase)?,
            progress: progress.ok_or(Error::Progress(wire.progress))?,
            step: wire.current_step,
            step_since: OffsetDateTime::from_unix_timestamp_nanos(i128::from(wire.step_since_ms) * 1_000_000)
                .map_err(|source| Error::Time { given: wire.step_since_ms, source })?,
        })
    }
}

impl From<LiveStatus> for v1::GetJobStatusResponse {
    fn from(status: LiveStatus) -> Self {
        Self {
            job_id: status.job.to_string(),
            epoch: status.epoch.0,
            phase: wire_phase(status.phase).into(),
            progress: status.progress.clamp(0, 100).unsigned_abs().into(),
            current_step: status.step,
            // Milliseconds of any calendar date fit by far.
            step_since_ms: (status.step_since.unix_timestamp_nanos() / 1_000_000) as i64,
        }
    }
}

impl TryFrom<v1::GetJobStatusRequest> for JobId {
    type Error = Error;

    fn try_from(wire: v1::GetJobStatusRequest) -> Result<Self, Error> {
        job_id(&wire.job_id)
    }
}

impl From<JobId> for v1::GetJobStatusRequest {
    fn from(job: JobId) -> Self {
        Self { job_id: job.to_string() }
    }
}

pub(crate) fn job_id(given: &str) -> Result<JobId, Error> {
    given.parse().map_err(|source| Error::JobId { given: given.to_owned(), source })
}

fn phase(number: i32) -> Result<Option<Phase>, Error> {
    match v1::Phase::try_from(number).map_err(|_| Error::Phase(number))? {
        v1::Phase::Unspecified => Ok(None),
        v1::Phase::Analyze => Ok(Some(Phase::Analyze)),
        v1::Phase::Plan => Ok(Some(Phase::Plan)),
        v1::Phase::Transform => Ok(Some(Phase::Transform)),
        v1::Phase::Verify => Ok(Some(Phase::Verify)),
        v1::Phase::Deploy => Ok(Some(Phase::Deploy)),
    }
}

fn wire_phase(phase: Option<Phase>) -> v1::Phase {
    match phase {
        None => v1::Phase::Unspecified,
        Some(Phase::Analyze) => v1::Phase::Analyze,
        Some(Phase::Plan) => v1::Phase::Plan,
        Some(Phase::Transform) => v1::Phase::Transform,
        Some(Phase::Verify) => v1::Phase::Verify,
        Some(Phase::Deploy) => v1::Phase::Deploy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(phase: Option<Phase>) -> LiveStatus {
        LiveStatus {
            job: "01985e2c-2c5b-7a4e-9f5e-0123456789ab".parse().expect("a UUID"),
            epoch: Epoch(7),
            phase,
            progress: 41,
            step: "reading /about.html".into(),
            step_since: OffsetDateTime::from_unix_timestamp_nanos(1_790_000_000_123_000_000).expect("a time"),
        }
    }

    #[test]
    fn what_goes_out_comes_back_the_same() {
        for phase in Phase::ALL.into_iter().map(Some).chain([None]) {
            let sent = live(phase);
            let wire = v1::GetJobStatusResponse::from(sent.clone());
            assert_eq!(LiveStatus::try_from(wire).expect("valid"), sent);
        }
    }

    #[test]
    fn each_broken_field_is_named() {
        let good = v1::GetJobStatusResponse::from(live(None));
        let bad = |change: fn(&mut v1::GetJobStatusResponse)| {
            let mut wire = good.clone();
            change(&mut wire);
            LiveStatus::try_from(wire).expect_err("must be refused")
        };
        assert!(matches!(bad(|w| w.job_id = "seven".into()), Error::JobId { .. }));
        assert!(matches!(bad(|w| w.phase = 99), Error::Phase(99)));
        assert!(matches!(bad(|w| w.progress = 101), Error::Progress(101)));
        assert!(matches!(bad(|w| w.step_since_ms = i64::MAX), Error::Time { .. }));
    }

    #[test]
    fn the_descriptors_name_the_services() {
        use prost::Message;
        let set = prost_types::FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET).expect("descriptors");
        let services: Vec<_> =
            set.file.iter().flat_map(|f| &f.service).filter_map(|s| s.name.as_deref()).collect();
        assert_eq!(services, ["WorkerControl", "WorkerStatus", "MigrationWatch", "StreamFigures"]);
    }
}
