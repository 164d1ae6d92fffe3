//! Lets a dead letter stay dead, for a reason that somebody gives.

use crate::{
    Result, Store, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, UserId, dead_letter::LetterState};
use uuid::Uuid;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscardOutcome {
    /// It is discarded now.
    Discarded,
    /// This tenant has no such letter.
    NotFound,
    /// It was settled before, in this way.
    Settled(LetterState),
}

impl Store {
    /// Discards an open letter; `reason` has 1 to 500 characters.
    pub async fn discard_dead_letter(
        &self,
        tenant: TenantId,
        user: UserId,
        id: Uuid,
        reason: &str,
    ) -> Result<DiscardOutcome> {
        self.run(&Discard { tenant, user, id, reason }).await
    }
}

struct Discard<'a> {
    tenant: TenantId,
    user: UserId,
    id: Uuid,
    reason: &'a str,
}

impl Work for Discard<'_> {
    type Out = DiscardOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<DiscardOutcome> {
        let Some(state) = lock(tx, self.tenant, self.id).await? else { return Ok(DiscardOutcome::NotFound) };
        if state != LetterState::Open {
            return Ok(DiscardOutcome::Settled(state));
        }
        let sql = "-- dead_letter.discard
            UPDATE dead_letters SET discarded_at = clock_timestamp(), discard_reason = $3, settled_by = $4
            WHERE id = $1 AND tenant_id = $2 AND state = 'open'";
        let reason = jsonb::text_storable(self.reason);
        tx.execute_one(sql, &[&self.id, &self.tenant.0, &reason, &self.user.0]).await?;
        Ok(DiscardOutcome::Discarded)
    }
}

/// Locks a letter; answers what became of it so far.
pub(super) async fn lock(tx: &Tx<'_>, tenant: TenantId, id: Uuid) -> Result<Option<LetterState>> {
    let sql =
        "-- dead_letter.lock\nSELECT state FROM dead_letters WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
    tx.query_opt(sql, &[&id, &tenant.0]).await?.map(|row| row.word("state")).transpose()
}
