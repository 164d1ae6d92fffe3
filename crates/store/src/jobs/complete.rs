//! RUNNING → COMPLETED, and the migration with it; or with a result of its own, where the job is of another kind.

use super::{
    Fenced, Lease, ended, fence,
    moves::{self, Move},
};
use crate::{
    Error, Result, Store,
    migrations::advance::{self, End},
    tx::{Tx, Work},
};
use domain::{
    TenantId,
    event::NewEvent,
    job::{Cause, JobState},
};
use serde_json::Value;
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

impl Store {
    /// [`Store::finish_task`] in a transaction of its own.
    pub(crate) async fn finish_alone(&self, lease: &Lease, result: &Value) -> Result<Fenced<()>> {
        self.run(&Finish { lease, result }).await
    }
}

struct Finish<'a> {
    lease: &'a Lease,
    result: &'a Value,
}

impl Work for Finish<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else {
            return Ok(ended::again(tx, lease, &[Cause::Completed]).await?.map(drop));
        };
        if lease.carries.is_some() {
            return Err(Error::corrupt(format!("job {} carries out a migration", lease.job)));
        }
        let (to, cause) = (JobState::Completed, Cause::Completed);
        let step = Move { to, cause, actor: lease.actor(), trace: &lease.trace, failure: None, wait: None };
        moves::apply_with(tx, &held.row, &step, Some(self.result)).await?;
        fence::release(tx, lease, cause).await?;
        Ok(Fenced::Done(()))
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
        let record = lease.migration_run()?.record(lease.tenant);
        advance::end(tx, record, &End::Completed(self.completion.project_id)).await?;
        held.tell(tx, lease, &self.completion.events).await?;
        Ok(Fenced::Done(()))
    }
}
