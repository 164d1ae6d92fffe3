//! Writes events at the end of a migration's history, and announces them.
//!
//! The history's head is the last lock of its transaction: two writers of one migration queue up there, so
//! sequence numbers follow commits without gaps. The caller must already hold the migration's job row (or have
//! just written it), which makes the read of the progress below a safe one.

use crate::{
    Result, jsonb,
    tx::{Columns, Tx},
};
use domain::{CorrelationId, MigrationId, TenantId, event::NewEvent, trace::TraceContext};
use serde_json::Value;

/// Whose history is written, and in which span.
pub(crate) struct History<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) migration: MigrationId,
    pub(crate) run: i32,
    pub(crate) correlation: CorrelationId,
    pub(crate) trace: &'a TraceContext,
}

/// Appends the events, raises the migration's progress to theirs, and writes one announcement for all.
pub(crate) async fn append(tx: &Tx<'_>, history: &History<'_>, events: &[NewEvent]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let progress = raise_progress(tx, history, events).await?;
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    let phases: Vec<Option<&str>> =
        events.iter().map(|event| event.phase.map(|phase| phase.as_str())).collect();
    let details: Vec<Value> =
        events.iter().map(|event| Value::Object(jsonb::map_storable(&event.detail))).collect();
    let sql = "-- event.append
        WITH head AS (
            UPDATE event_heads SET last_seq = last_seq + cardinality($6::text[])
            WHERE migration_id = $1 AND tenant_id = $2
            RETURNING last_seq
        ), written AS (
            INSERT INTO events (migration_id, seq, tenant_id, run, type, phase, progress, correlation_id,
                                detail, trace)
            SELECT $1, head.last_seq - cardinality($6::text[]) + new.place, $2, $3, new.type, new.phase,
                   new.progress, $4, new.detail, $5
            FROM head, unnest($6::text[], $7::text[], $8::smallint[], $9::jsonb[])
                 WITH ORDINALITY AS new (type, phase, progress, detail, place)
        )
        INSERT INTO outbox (tenant_id, topic, body, trace)
        SELECT $2, 'event', jsonb_build_object('migration', $1::uuid, 'tenant', $2::uuid, 'seq', head.last_seq), $5
        FROM head";
    let trace = jsonb::trace(history.trace);
    tx.announces();
    tx.execute_one(
        sql,
        &[
            &history.migration.0,
            &history.tenant.0,
            &history.run,
            &history.correlation.0,
            &trace,
            &types,
            &phases,
            &progress,
            &details,
        ],
    )
    .await
}

/// The events' progress as it is stored, after raising the migration's to the last of it.
async fn raise_progress(tx: &Tx<'_>, history: &History<'_>, events: &[NewEvent]) -> Result<Vec<i16>> {
    let sql = "-- migration.progress\nSELECT progress FROM migrations WHERE id = $1 AND tenant_id = $2";
    let row = tx.query_one(sql, &[&history.migration.0, &history.tenant.0]).await?;
    let before: i16 = row.column("progress")?;
    let told: Vec<i16> = events.iter().map(|event| event.progress).collect();
    let stored = never_falling(before, &told);
    if let Some(&after) = stored.last().filter(|after| **after > before) {
        let sql = "-- migration.raise_progress
            UPDATE migrations SET progress = $3 WHERE id = $1 AND tenant_id = $2";
        tx.execute_one(sql, &[&history.migration.0, &history.tenant.0, &after]).await?;
    }
    Ok(stored)
}

/// Within 0 to 100, and never under what was said before in the run.
fn never_falling(before: i16, told: &[i16]) -> Vec<i16> {
    let mut highest = before;
    told.iter()
        .map(|progress| {
            highest = highest.max((*progress).clamp(0, 100));
            highest
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::never_falling;

    #[test]
    fn progress_never_falls_and_stays_a_percentage() {
        assert_eq!(never_falling(10, &[5, 12, 11, 300]), [10, 12, 12, 100]);
        assert_eq!(never_falling(0, &[-4]), [0]);
        assert!(never_falling(7, &[]).is_empty());
    }
}
