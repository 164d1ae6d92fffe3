//! RUNNING → COMPLETED, while the migration waits for its owner's word: who waits for a person holds no job.

use super::{
    Fenced, Lease, ended, fence,
    moves::{self, Move},
    settle,
};
use crate::{
    Result, Store,
    migrations::advance,
    tx::{Tx, Work},
};
use domain::{
    TenantId,
    event::NewEvent,
    job::{Cause, JobState},
};

impl Store {
    /// Ends a job whose run goes on with another one, when its owner has approved the plan. Answers where it went:
    /// COMPLETED, or CANCELLED when somebody asked to cancel it. Said again, it changes nothing and answers the same.
    pub async fn park_job(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<JobState>> {
        self.run(&Park { lease, events }).await
    }
}

struct Park<'a> {
    lease: &'a Lease,
    events: &'a [NewEvent],
}

impl Work for Park<'_> {
    type Out = Fenced<JobState>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else {
            return ended::again(tx, lease, &[Cause::Parked, Cause::CancelRequested]).await;
        };
        if held.cancel_requested {
            settle::cancel(tx, lease, &held, None, &[]).await?;
            return Ok(Fenced::Done(JobState::Cancelled));
        }
        let (to, cause) = (JobState::Completed, Cause::Parked);
        let step = Move { to, cause, actor: lease.actor(), trace: &lease.trace, failure: None, wait: None };
        moves::apply(tx, &held.row, &step).await?;
        fence::release(tx, lease, cause).await?;
        advance::await_answer(tx, lease.migration_run()?.record(lease.tenant)).await?;
        held.tell(tx, lease, self.events).await?;
        Ok(Fenced::Done(JobState::Completed))
    }
}
