//! PREPARING or RUNNING → PENDING: the holder stops before the work is done, through no fault of the work.

use super::{
    Fenced, Lease, ended, fence,
    moves::{self, Move},
    settle,
};
use crate::{
    Result, Store, outbox,
    tx::{Tx, Work},
};
use domain::{
    TenantId,
    job::{Cause, JobState},
};

impl Store {
    /// Gives a job back unfinished; no attempt is counted, and it keeps its rank. Answers where it went:
    /// PENDING, or CANCELLED when somebody asked to cancel it. Said again, it changes nothing and answers the same.
    pub async fn hand_back(&self, lease: &Lease) -> Result<Fenced<JobState>> {
        self.run(&HandBack { lease }).await
    }
}

struct HandBack<'a> {
    lease: &'a Lease,
}

impl Work for HandBack<'_> {
    type Out = Fenced<JobState>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else {
            return ended::again(tx, lease, &[Cause::HandedBack, Cause::CancelRequested]).await;
        };
        if held.cancel_requested {
            settle::cancel(tx, lease, &held, None, &[]).await?;
            return Ok(Fenced::Done(JobState::Cancelled));
        }
        let (to, cause) = (JobState::Pending, Cause::HandedBack);
        let step = Move { to, cause, actor: lease.actor(), trace: &lease.trace, failure: None, wait: None };
        moves::apply(tx, &held.row, &step).await?;
        fence::release(tx, lease, cause).await?;
        outbox::announce_job(tx, lease.tenant, &held.queue, lease.job, &lease.trace).await?;
        Ok(Fenced::Done(JobState::Pending))
    }
}
