//! Sessions in which AI time is spent (`domain::tracking`). Opened and closed inside the transactions that begin and
//! end what they cover, never apart from them.

use crate::{
    Result,
    jobs::{Lease, fence::Held},
    tx::Tx,
};
use domain::{
    phase::Phase,
    tracking::{Outcome, PHASE_PURPOSE},
};
use serde_json::json;

/// A phase begins under this lease.
pub(crate) async fn open(tx: &Tx<'_>, lease: &Lease, held: &Held, phase: Phase) -> Result<()> {
    let sql = "-- tracking.open
        INSERT INTO tracking_sessions (migration_id, run, phase, purpose, tenant_id, job_id, epoch, context)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let of = lease.migration_run()?;
    let context = json!({"worker": lease.worker, "attempt": held.row.attempts + 1});
    let (phase, tenant) = (phase.as_str(), lease.tenant.0);
    tx.execute_one(
        sql,
        &[&of.migration.0, &of.run, &phase, &PHASE_PURPOSE, &tenant, &lease.job.0, &lease.epoch.0, &context],
    )
    .await
}

/// What is open of this lease ends: all of it, or one phase's. The clock may have been set back meanwhile.
pub(crate) async fn close(tx: &Tx<'_>, lease: &Lease, phase: Option<Phase>, outcome: Outcome) -> Result<()> {
    let sql = "-- tracking.close
        UPDATE tracking_sessions SET closed_at = greatest(opened_at, clock_timestamp()), outcome = $3
        WHERE job_id = $1 AND epoch <= $2 AND closed_at IS NULL AND ($4::text IS NULL OR phase = $4)";
    let key: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&lease.job.0, &lease.epoch.0, &outcome.as_str(), &phase.map(Phase::as_str)];
    tx.execute(sql, &key).await.map(drop)
}
