//! The phases of a run: begun as often as attempts are lost in them, completed once.

use super::{Fenced, Lease, fence};
use crate::{
    Error, Result, Store, jsonb,
    migrations::advance,
    tracking,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, event::NewEvent, phase::Phase, tracking::Outcome};
use serde_json::Value;

/// What beginning a phase found.
#[derive(Clone, Debug, PartialEq)]
pub enum PhaseStart {
    /// It is begun; do the work.
    Begun,
    /// An earlier attempt completed it with this result; nothing was written.
    AlreadyComplete(Value),
}

impl Store {
    /// Begins a phase, unless an earlier attempt of this run completed it.
    pub async fn begin_phase(
        &self,
        lease: &Lease,
        phase: Phase,
        events: &[NewEvent],
    ) -> Result<Fenced<PhaseStart>> {
        self.run(&BeginPhase { lease, phase, events }).await
    }

    /// Commits a phase's result with its events. Said again, it changes nothing: the first result stays.
    pub async fn complete_phase(
        &self,
        lease: &Lease,
        phase: Phase,
        result: &Value,
        events: &[NewEvent],
    ) -> Result<Fenced<()>> {
        self.run(&CompletePhase { lease, phase, result, events }).await
    }
}

struct BeginPhase<'a> {
    lease: &'a Lease,
    phase: Phase,
    events: &'a [NewEvent],
}

impl Work for BeginPhase<'_> {
    type Out = Fenced<PhaseStart>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else { return Ok(Fenced::Stale) };
        // Under one lease a phase counts as begun once, however often a lost answer makes the holder ask.
        let sql = "-- phase.begin
            INSERT INTO phases (migration_id, run, phase, tenant_id, state, starts, epoch)
            VALUES ($1, $2, $3, $4, 'running', 1, $5)
            ON CONFLICT (migration_id, run, phase) DO UPDATE SET
                starts = phases.starts + 1, epoch = excluded.epoch, started_at = clock_timestamp()
            WHERE phases.state = 'running' AND phases.epoch <> excluded.epoch";
        let of = lease.migration_run()?;
        let (migration, phase) = (of.migration.0, self.phase.as_str());
        let begun = tx.execute(sql, &[&migration, &of.run, &phase, &lease.tenant.0, &lease.epoch.0]).await?;
        if begun == 0 {
            // Complete, or begun by this very lease in a call whose answer was lost.
            let result = completed(tx, lease, self.phase).await?;
            return Ok(Fenced::Done(result.map_or(PhaseStart::Begun, PhaseStart::AlreadyComplete)));
        }
        // The deadline counts from here.
        let sql = "-- lease.enter_phase
            UPDATE leases SET phase = $3, phase_began_at = clock_timestamp() WHERE job_id = $1 AND epoch = $2";
        tx.execute(sql, &[&lease.job.0, &lease.epoch.0, &phase]).await?;
        tracking::open(tx, lease, &held, self.phase).await?;
        advance::enter_phase(tx, of.record(lease.tenant), self.phase).await?;
        held.tell(tx, lease, self.events).await?;
        Ok(Fenced::Done(PhaseStart::Begun))
    }
}

/// A phase's end; part of a larger transaction where a phase keeps more than its result.
pub(crate) struct CompletePhase<'a> {
    pub(crate) lease: &'a Lease,
    pub(crate) phase: Phase,
    pub(crate) result: &'a Value,
    pub(crate) events: &'a [NewEvent],
}

impl Work for CompletePhase<'_> {
    type Out = Fenced<()>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.lease.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let lease = self.lease;
        let Some(held) = fence::prove(tx, lease).await? else { return Ok(Fenced::Stale) };
        let sql = "-- phase.complete
            UPDATE phases SET state = 'completed', completed_at = clock_timestamp(), result = $5, epoch = $6
            WHERE migration_id = $1 AND run = $2 AND phase = $3 AND tenant_id = $4 AND state = 'running'";
        let of = lease.migration_run()?;
        let (migration, phase, result) = (of.migration.0, self.phase.as_str(), jsonb::storable(self.result));
        let key: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&migration, &of.run, &phase, &lease.tenant.0, &result, &lease.epoch.0];
        if tx.execute(sql, &key).await? == 0 {
            return match completed(tx, lease, self.phase).await? {
                Some(_) => Ok(Fenced::Done(())),
                None => Err(missing(lease, self.phase)),
            };
        }
        let sql = "-- lease.leave_phase
            UPDATE leases SET phase = NULL, phase_began_at = NULL WHERE job_id = $1 AND epoch = $2";
        tx.execute(sql, &[&lease.job.0, &lease.epoch.0]).await?;
        tracking::close(tx, lease, Some(self.phase), Outcome::Completed).await?;
        held.tell(tx, lease, self.events).await?;
        Ok(Fenced::Done(()))
    }
}

/// A phase's result, if it is complete.
async fn completed(tx: &Tx<'_>, lease: &Lease, phase: Phase) -> Result<Option<Value>> {
    let sql = "-- phase.result
        SELECT result FROM phases
        WHERE migration_id = $1 AND run = $2 AND phase = $3 AND tenant_id = $4 AND state = 'completed'";
    let of = lease.migration_run()?;
    let key: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&of.migration.0, &of.run, &phase.as_str(), &lease.tenant.0];
    tx.query_opt(sql, &key).await?.map(|row| row.column("result")).transpose()
}

fn missing(lease: &Lease, phase: Phase) -> Error {
    Error::corrupt(format!("phase {phase} of job {} was never begun", lease.job))
}
