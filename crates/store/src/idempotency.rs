//! The answers kept under Idempotency-Keys, and the lock under which a key's request is carried out.
//!
//! An answer is written in the transaction of its effect, so there is never one without the other. While that
//! transaction runs it holds an advisory lock whose number is a 64-bit hash of tenant, route and key; a second
//! request with the key does not wait for it but is told at once. Two keys with the same hash (one pair in
//! 2^64) would merely be told so although they do not concern each other.

use crate::{
    IdempotentWrite, Result, Store, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, idempotency::Verdict};
use serde_json::Value;

/// An answer that was given and committed.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// Its status, 2xx.
    pub status: u16,
    /// Its body.
    pub answer: Value,
}

impl Store {
    /// Looks whether this request was answered before, without a lock: never says `InFlight`, which only
    /// the write itself can tell.
    pub async fn stored_answer(
        &self,
        tenant: TenantId,
        route: &str,
        key: &str,
        request_hash: &str,
    ) -> Result<Verdict<StoredAnswer>> {
        self.run(&Look { tenant, route, key, request_hash }).await
    }
}

struct Look<'a> {
    tenant: TenantId,
    route: &'a str,
    key: &'a str,
    request_hash: &'a str,
}

impl Work for Look<'_> {
    type Out = Verdict<StoredAnswer>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        // An expired record is none, here and where it is replaced.
        let sql = "-- idempotency.look
            SELECT request_hash, status, answer FROM idempotency_records
            WHERE tenant_id = $1 AND route = $2 AND key = $3 AND expires_at > clock_timestamp()";
        let Some(row) = tx.query_opt(sql, &[&self.tenant.0, &self.route, &self.key]).await? else {
            return Ok(Verdict::Fresh);
        };
        if row.column::<&str>("request_hash")? != self.request_hash {
            return Ok(Verdict::Mismatch);
        }
        let status: i16 = row.column("status")?;
        Ok(Verdict::Replay(StoredAnswer { status: status.unsigned_abs(), answer: row.column("answer")? }))
    }
}

/// Takes the key's lock to the end of the transaction and looks for its record.
pub(crate) async fn enter(
    tx: &Tx<'_>,
    tenant: TenantId,
    write: &IdempotentWrite,
) -> Result<Verdict<StoredAnswer>> {
    let sql = "-- idempotency.lock\nSELECT pg_try_advisory_xact_lock($1) AS locked";
    let number = lock_number(tenant, &write.route, &write.key);
    if !tx.query_one(sql, &[&number]).await?.column::<bool>("locked")? {
        return Ok(Verdict::InFlight);
    }
    Look { tenant, route: &write.route, key: &write.key, request_hash: &write.request_hash }.run(tx).await
}

/// How many expired records one new one clears away. More than one, so that they cannot pile up.
const CLEARED: i64 = 20;

/// Keeps the answer, in the place of one that has expired. Under the key's lock.
pub(crate) async fn keep(tx: &Tx<'_>, tenant: TenantId, write: &IdempotentWrite) -> Result<()> {
    let sql = "-- idempotency.forget_expired
        WITH expired AS (
            SELECT route, key FROM idempotency_records
            WHERE tenant_id = $1 AND expires_at <= (SELECT clock_timestamp())
            ORDER BY (route, key) = ($2, $3) DESC, expires_at LIMIT $4
        )
        DELETE FROM idempotency_records AS record USING expired
        WHERE record.tenant_id = $1 AND (record.route, record.key) = (expired.route, expired.key)
          AND record.expires_at <= clock_timestamp()";
    tx.execute(sql, &[&tenant.0, &write.route, &write.key, &CLEARED]).await?;
    let sql = "-- idempotency.keep
        INSERT INTO idempotency_records (tenant_id, route, key, request_hash, status, answer, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + make_interval(secs => $7::float8))";
    tx.execute_one(
        sql,
        &[
            &tenant.0,
            &write.route,
            &write.key,
            &write.request_hash,
            &i16::try_from(write.status).unwrap_or(i16::MAX), // the CHECK refuses what is not 2xx
            &jsonb::storable(&write.answer),
            &write.ttl.as_secs_f64(),
        ],
    )
    .await
}

/// Must never change between releases that run side by side: both have to take the same lock.
fn lock_number(tenant: TenantId, route: &str, key: &str) -> i64 {
    let mut hasher = blake3::Hasher::new_derive_key("resettle idempotency lock v1");
    // The lengths keep ("ab", "c") and ("a", "bc") apart.
    hasher.update(tenant.0.as_bytes());
    hasher.update(&route.len().to_be_bytes());
    hasher.update(route.as_bytes());
    hasher.update(key.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::lock_number;
    use domain::TenantId;
    use uuid::Uuid;

    #[test]
    fn a_lock_is_scoped_to_tenant_and_route() {
        let (one, other) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
        assert_eq!(lock_number(one, "start", "k"), lock_number(one, "start", "k"));
        assert_ne!(lock_number(one, "start", "k"), lock_number(other, "start", "k"));
        assert_ne!(lock_number(one, "ab", "c"), lock_number(one, "a", "bc"));
    }
}
