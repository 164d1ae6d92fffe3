//! Gates: what an operator says of how much runs. Claims read them and keep to them; operators set them.
//!
//! A limit is kept by counting open leases under the limit's advisory lock, never by a counter (law 12). A bucket is
//! filled by the database's clock (law 5) and written only under the same lock.

mod operate;
mod terms;

pub use operate::{GateChange, GateOutcome, GateRecord, GateWish};
pub use terms::{Rate, Terms};

use crate::{
    Result,
    tx::{Columns, Tx},
};
use domain::{
    TenantId,
    gate::{Gate, Gates, Limit, MAX_GATES, Open},
};

/// The class of our advisory locks; those with one key are another space.
const LOCK_CLASS: i32 = 7;

/// All gates, with what is in their buckets now.
pub(crate) async fn read(tx: &Tx<'_>) -> Result<Gates> {
    let sql = "-- gate.read
        SELECT scope, key, weight, most, paused_at IS NOT NULL AS paused,
               CASE WHEN per_second IS NOT NULL THEN coalesce(least(burst, tokens
                   + per_second * greatest(0, extract(epoch FROM clock_timestamp() - metered_at))), burst)
               END::double precision AS tokens
        FROM gates LIMIT $1";
    let most = i64::try_from(MAX_GATES).unwrap_or(i64::MAX);
    let rows = tx.query(sql, &[&most]).await?;
    rows.iter()
        .map(|row| {
            let (weight, most): (i32, Option<i32>) = (row.column("weight")?, row.column("most")?);
            Ok(Gate {
                scope: row.word("scope")?,
                key: row.column("key")?,
                weight: u32::try_from(weight).unwrap_or(1),
                most: most.and_then(|most| u32::try_from(most).ok()),
                tokens: row.column("tokens")?,
                paused: row.column("paused")?,
            })
        })
        .collect()
}

/// The open leases, by what they are counted for.
pub(crate) async fn open(tx: &Tx<'_>) -> Result<Open> {
    let sql = "-- gate.open
        SELECT queue, tenant_id, destination, count(*)::integer AS leases FROM leases GROUP BY 1, 2, 3";
    let mut open = Open::default();
    for row in tx.query(sql, &[]).await? {
        let leases: i32 = row.column("leases")?;
        let leases = u32::try_from(leases).unwrap_or(u32::MAX);
        open.add(
            row.column("queue")?,
            TenantId(row.column("tenant_id")?),
            row.column("destination")?,
            leases,
        );
    }
    Ok(open)
}

/// Waits until nobody else claims under any of these limits, and keeps others out until the commit. Taken in the order of
/// the locks' own numbers, so that two claims never wait for one another.
pub(crate) async fn lock(tx: &Tx<'_>, limits: &[Limit]) -> Result<()> {
    let keys: Vec<String> = limits.iter().map(|limit| format!("{}:{}", limit.scope, limit.key)).collect();
    let sql = "-- gate.lock
        SELECT pg_advisory_xact_lock($2, key)
        FROM (SELECT DISTINCT hashtext(key) AS key FROM unnest($1::text[]) AS key ORDER BY 1) AS sorted";
    tx.query(sql, &[&keys, &LOCK_CLASS]).await.map(drop)
}

/// Takes tokens out of a bucket.
pub(crate) async fn spend(tx: &Tx<'_>, limit: &Limit, starts: usize) -> Result<()> {
    if starts == 0 {
        return Ok(());
    }
    let sql = "-- gate.spend
        UPDATE gates SET
            tokens = coalesce(least(burst, tokens
                + per_second * greatest(0, extract(epoch FROM clock_timestamp() - metered_at))), burst) - $3::float8,
            metered_at = clock_timestamp()
        WHERE scope = $1 AND key = $2 AND per_second IS NOT NULL";
    let starts = u32::try_from(starts).unwrap_or(u32::MAX);
    tx.execute(sql, &[&limit.scope.as_str(), &limit.key, &f64::from(starts)]).await.map(drop)
}
