//! The answers kept under Idempotency-Keys.

use crate::{Result, Store};
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
    /// `start_migration` can tell.
    pub async fn stored_answer(
        &self,
        tenant: TenantId,
        route: &str,
        key: &str,
        request_hash: &str,
    ) -> Result<Verdict<StoredAnswer>> {
        let _ = (tenant, route, key, request_hash);
        todo!()
    }
}
