//! PREPARING → RUNNING of a job that tells of its beginning, and what a running job tells meanwhile.

use super::{
    Fenced, Lease, fence,
    moves::{self, Move},
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

/// What became of a batch of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is written.
    Now,
    /// Its number is not above the last one's: it was written before, and nothing happened.
    Before,
}

impl Store {
    /// PREPARING → RUNNING. Said again under the same lease, it changes nothing and writes no event.
    pub async fn begin_job(&self, lease: &Lease, events: &[NewEvent]) -> Result<Fenced<()>> {
        self.run(&Begin { lease, events }).await
    }

    /// Writes a batch of events. The holder numbers its batches upwards from 1 under each lease, so that one that
    /// is said again is known by its number.
    pub async fn append_events(
        &self,
        lease: &Lease,
        batch: i64,
        events: &[NewEvent],
    ) -> Result<Fenced<Told>> {
        self.run(&Append { lease, batch, events }).await
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
        if let Some(record) = lease.record() {
            advance::stop_waiting(tx, record).await?;
        }
        held.tell(tx, lease, self.events).await?;
        Ok(Fenced::Done(()))
    }
}

struct Append<'a> {
    lease: &'a Lease,
    batch: i64,
    events: &'a [NewEvent],
}

impl Work for Append<'_> {
    type Out = Fenced<Told>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let Some(held) = fence::prove(tx, self.lease).await? else { return Ok(Fenced::Stale) };
        let sql = "-- lease.number_batch
            UPDATE leases SET last_batch = $3 WHERE job_id = $1 AND epoch = $2 AND last_batch < $3";
        if tx.execute(sql, &[&self.lease.job.0, &self.lease.epoch.0, &self.batch]).await? == 0 {
            return Ok(Fenced::Done(Told::Before));
        }
        held.tell(tx, self.lease, self.events).await?;
        Ok(Fenced::Done(Told::Now))
    }
}
