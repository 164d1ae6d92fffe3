//! The end of an attempt that failed: WAITING_RETRY, FAILED or CANCELLED.

use super::{
    Fenced, Lease, ended, fence,
    settle::{Attempt, settle},
};
use crate::{
    Result, Store,
    tx::{Tx, Work},
};
use domain::{
    Failure, TenantId,
    event::NewEvent,
    job::{Cause, JobState},
    retry,
};

/// The end of an attempt that failed.
#[derive(Clone, Debug)]
pub struct FailedAttempt {
    /// Why.
    pub failure: Failure,
    /// What follows.
    pub verdict: retry::Verdict,
    /// What to tell. A job that is over without a `done` among these gets the last events of
    /// `NewEvent::failed` or `NewEvent::cancelled` added; one that is tried again, and is told nothing here,
    /// `NewEvent::retrying`.
    pub events: Vec<NewEvent>,
}

impl Store {
    /// Counts a failed attempt; answers where the job went: WAITING_RETRY, FAILED (also when the verdict says
    /// retry and the attempts are used up) or CANCELLED (when somebody asked to cancel it, whatever the verdict says). Said again, it changes nothing and answers the same.
    pub async fn fail_attempt(&self, lease: &Lease, failed: &FailedAttempt) -> Result<Fenced<JobState>> {
        self.run(&Fail { lease, failed }).await
    }
}

/// What an attempt's failure may be written as.
const ENDS: [Cause; 3] = [Cause::AttemptFailed, Cause::GaveUp, Cause::CancelRequested];

struct Fail<'a> {
    lease: &'a Lease,
    failed: &'a FailedAttempt,
}

impl Work for Fail<'_> {
    type Out = Fenced<JobState>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Some(held) = fence::prove(tx, self.lease).await? else {
            return ended::again(tx, self.lease, &ENDS).await;
        };
        let attempt = Attempt {
            lease: self.lease,
            held: &held,
            failure: &self.failed.failure,
            verdict: self.failed.verdict,
            cause: Cause::AttemptFailed,
            events: &self.failed.events,
        };
        Ok(Fenced::Done(settle(tx, &attempt).await?))
    }
}
