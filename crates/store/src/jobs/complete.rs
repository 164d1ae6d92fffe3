//! RUNNING → COMPLETED, and the migration with it.

use super::{
    Fenced, Lease, ended, fence,
    moves::{self, Move},
};
use crate::{
    Result, Store,
    events::append::append,
    migrations::advance::{self, End},
    tx::{Tx, Work},
};
use domain::{
    TenantId,
    event::NewEvent,
    job::{Cause, JobState},
};
use uuid::Uuid;

/// The end of a job that succeeded.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The project that came of it.
    pub project_id: Uuid,
    /// The last events, `done` included.
    pub events: Vec<NewEvent>,
}

impl Store {
    /// RUNNING → COMPLETED, and the migration with it. Said again, it changes nothing and answers the same.
    pub async fn complete_job(&self, lease: &Lease, completion: &Completion) -> Result<Fenced<()>> {
        self.run(&Complete { lease, completion }).await
    }
}

struct Complete<'a> {
    lease: &'a Lease,
    completion: &'a Completion,
}

impl Work for Complete<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else {
            return Ok(ended::again(tx, lease, &[Cause::Completed]).await?.map(drop));
        };
        let (to, cause) = (JobState::Completed, Cause::Completed);
        let step = Move { to, cause, actor: lease.actor(), trace: &lease.trace, failure: None, wait: None };
        moves::apply(tx, &held.row, &step).await?;
        fence::release(tx, lease, cause).await?;
        advance::end(tx, lease.record(), &End::Completed(self.completion.project_id)).await?;
        append(tx, &held.history(lease), &self.completion.events).await?;
        Ok(Fenced::Done(()))
    }
}
