//! PREPARING → RUNNING, and the events that a running job tells meanwhile.

use super::{
    Fenced, Lease, fence,
    moves::{self, Move},
};
use crate::{
    Result, Store,
    events::append::append,
    migrations::advance,
    tx::{Tx, Work},
};
use domain::{
    TenantId,
    event::NewEvent,
    job::{Cause, JobState},
};

impl Store {
    /// PREPARING → RUNNING. Said again under the same lease, it changes nothing and writes no event.
    pub async fn begin_job(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        self.run(&Begin { lease, events }).await
    }

    /// Writes events.
    pub async fn append_events(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        self.run(&Append { lease, events }).await
    }
}

struct Begin<'a> {
    lease: &'a Lease,
    events: &'a [NewEvent],
}

impl Work for Begin<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else { return Ok(Fenced::Stale) };
        // After a lost answer the holder cannot know that its first call was committed.
        if held.row.state == JobState::Running {
            return Ok(Fenced::Done(()));
        }
        let (to, cause) = (JobState::Running, Cause::Started);
        let step = Move { to, cause, actor: lease.actor(), trace: &lease.trace, failure: None, wait: None };
        moves::apply(tx, &held.row, &step).await?;
        advance::stop_waiting(tx, lease.record()).await?;
        append(tx, &held.history(lease), self.events).await?;
        Ok(Fenced::Done(()))
    }
}

struct Append<'a> {
    lease: &'a Lease,
    events: &'a [NewEvent],
}

impl Work for Append<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Some(held) = fence::prove(tx, self.lease).await? else { return Ok(Fenced::Stale) };
        append(tx, &held.history(self.lease), self.events).await?;
        Ok(Fenced::Done(()))
    }
}
