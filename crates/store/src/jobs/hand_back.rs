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
    event::NewEvent,
    job::{Cause, JobState},
};
use std::time::Duration;

impl Store {
    /// Gives a job back unfinished; no attempt is counted, and it keeps its rank. Answers where it went:
    /// PENDING, or CANCELLED when somebody asked to cancel it. Said again, it changes nothing and answers the same.
    pub async fn hand_back(&self, lease: &Lease) -> Result<Fenced<JobState>> {
        self.run(&HandBack { lease, snooze: None, events: &[] }).await
    }

    /// Puts a job off: as [`Store::hand_back`], but it may not be claimed before `wait` is over, and `events` tell of it.
    pub async fn snooze(
        &self,
        lease: &Lease,
        wait: Duration,
        events: &[NewEvent],
    ) -> Result<Fenced<JobState>> {
        self.run(&HandBack { lease, snooze: Some(wait), events }).await
    }
}

struct HandBack<'a> {
    lease: &'a Lease,
    /// How long it may not be claimed.
    snooze: Option<Duration>,
    events: &'a [NewEvent],
}

impl Work for HandBack<'_> {
    type Out = Fenced<JobState>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let cause = if self.snooze.is_some() { Cause::Snoozed } else { Cause::HandedBack };
        let Some(held) = fence::prove(tx, lease).await? else {
            return ended::again(tx, lease, &[cause, Cause::CancelRequested]).await;
        };
        if held.cancel_requested {
            settle::cancel(tx, lease, &held, None, &[]).await?;
            return Ok(Fenced::Done(JobState::Cancelled));
        }
        let (to, wait) = (JobState::Pending, self.snooze);
        let step = Move { to, cause, actor: lease.actor(), trace: &lease.trace, failure: None, wait };
        moves::apply(tx, &held.row, &step).await?;
        fence::release(tx, lease, cause).await?;
        // A job that was put off is found by polling when its time has come.
        if wait.is_none() {
            outbox::announce_job(tx, lease.tenant, &held.queue, lease.job, &lease.trace).await?;
        }
        held.tell(tx, lease, self.events).await?;
        Ok(Fenced::Done(JobState::Pending))
    }
}
