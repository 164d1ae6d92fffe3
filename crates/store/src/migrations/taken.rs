//! What a new run takes over of the one before: the results of its phases, copied, with the run that did the work.

use super::Retried;
use crate::{
    Result,
    tx::{Columns, Tx},
};
use domain::{MigrationId, TenantId, phase::Phase};
use serde_json::Value;

/// The phases of a run that have a result.
pub(super) async fn completed(
    tx: &Tx<'_>,
    tenant: TenantId,
    migration: MigrationId,
    run: i32,
) -> Result<Vec<Phase>> {
    let sql = "-- phase.completed
        SELECT phase FROM phases
        WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND state = 'completed'";
    let rows = tx.query(sql, &[&migration.0, &run, &tenant.0]).await?;
    rows.iter().map(|row| row.word("phase")).collect()
}

/// Copies the results of the phases before the first that is done anew; `plan` in the place of PLAN's, if there is one.
pub(super) async fn take_over(
    tx: &Tx<'_>,
    tenant: TenantId,
    migration: MigrationId,
    retried: &Retried,
    plan: Option<&Value>,
) -> Result<()> {
    let sql = "-- phase.take_over
        INSERT INTO phases (migration_id, run, phase, tenant_id, state, starts, epoch, started_at, completed_at, result,
                            reused_from)
        SELECT migration_id, $3, phase, tenant_id, state, starts, epoch, started_at, completed_at,
               CASE WHEN phase = 'PLAN' THEN coalesce($5, result) ELSE result END, coalesce(reused_from, run)
        FROM phases
        WHERE migration_id = $1 AND tenant_id = $2 AND run = $3 - 1 AND state = 'completed' AND phase = ANY($4)";
    let taken: Vec<&str> = Phase::ALL
        .into_iter()
        .filter(|phase| retried.first.is_none_or(|first| *phase < first))
        .map(Phase::as_str)
        .collect();
    tx.execute(sql, &[&migration.0, &tenant.0, &retried.run, &taken, &plan]).await.map(drop)
}
