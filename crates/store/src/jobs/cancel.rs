//! PREPARING or RUNNING → CANCELLED, by the holder, who saw the wish with a heartbeat.

use super::{Fenced, Lease, ended, fence, settle};
use crate::{
    Result, Store,
    tx::{Tx, Work},
};
use domain::{TenantId, event::NewEvent, job::Cause};

impl Store {
    /// PREPARING or RUNNING → CANCELLED, and the migration with it; the last events of
    /// `NewEvent::cancelled` are added if there is no `done` among `events`. Said again, it changes nothing.
    pub async fn cancel_job(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        self.run(&Cancel { lease, events }).await
    }
}

struct Cancel<'a> {
    lease: &'a Lease,
    events: &'a [NewEvent],
}

impl Work for Cancel<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Some(held) = fence::prove(tx, self.lease).await? else {
            return Ok(ended::again(tx, self.lease, &[Cause::CancelRequested]).await?.map(drop));
        };
        settle::cancel(tx, self.lease, &held, None, self.events).await?;
        Ok(Fenced::Done(()))
    }
}
