//! Sessions of browsers that were signed in by a key, and the question which credentials have ended. Never sees a
//! session's token, only its hash.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{ApiKeyId, SessionId, TenantId, UserId};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Sessions that one key may have open; a further one ends the oldest.
const MOST_PER_KEY: i64 = 50;

/// A session to be stored.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The organisation that it opens.
    pub tenant: TenantId,
    /// The person who acts by it.
    pub user: UserId,
    /// The key that it was exchanged for; it ends with it.
    pub key: ApiKeyId,
    /// SHA-256 of its token.
    pub hash: [u8; 32],
    /// How long it lasts at most, by the database's clock.
    pub lifetime: Duration,
}

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its row.
    pub id: SessionId,
    /// The organisation that it opens.
    pub tenant: TenantId,
    /// The person who acts by it.
    pub user: UserId,
    /// The key that it was exchanged for.
    pub key: ApiKeyId,
    /// The person's role there: `owner`, `member` or `viewer`.
    pub role: String,
    /// When it ends, or its key, if that is earlier.
    pub expires_at: OffsetDateTime,
}

impl Store {
    /// Opens a session. Those of the same key that are over are forgotten, and of too many the oldest.
    pub async fn create_session(&self, session: &NewSession) -> Result<SessionId> {
        self.run(session).await
    }

    /// The session whose token has this hash, unless it, or its key, has ended by the database's clock.
    pub async fn find_session(&self, hash: [u8; 32]) -> Result<Option<SessionRecord>> {
        self.run(&Find { hash }).await
    }

    /// Ends a session of this tenant; `false` if there is none that is open.
    pub async fn revoke_session(&self, tenant: TenantId, id: SessionId) -> Result<bool> {
        self.run(&Revoke { tenant, id }).await
    }

    /// Which of these keys and sessions open nothing any more.
    pub async fn ended_credentials(&self, keys: &[ApiKeyId], sessions: &[SessionId]) -> Result<Vec<Uuid>> {
        let keys = keys.iter().map(|key| key.0).collect();
        let sessions = sessions.iter().map(|session| session.0).collect();
        self.run(&Ended { keys, sessions }).await
    }
}

impl Work for NewSession {
    type Out = SessionId;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<SessionId> {
        let sql = "-- session.tidy
            DELETE FROM sessions WHERE api_key_id = $1 AND (
                expires_at <= clock_timestamp() OR revoked_at IS NOT NULL OR id IN (
                    SELECT id FROM sessions WHERE api_key_id = $1 ORDER BY created_at DESC OFFSET $2))";
        tx.execute(sql, &[&self.key.0, &(MOST_PER_KEY - 1)]).await?;
        let id = Uuid::now_v7();
        let sql = "-- session.insert
            INSERT INTO sessions (id, tenant_id, user_id, api_key_id, hash, expires_at)
            VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $6))";
        let hash: &[u8] = &self.hash;
        let seconds = self.lifetime.as_secs_f64();
        tx.execute_one(sql, &[&id, &self.tenant.0, &self.user.0, &self.key.0, &hash, &seconds]).await?;
        Ok(SessionId(id))
    }
}

struct Find {
    hash: [u8; 32],
}

impl Work for Find {
    type Out = Option<SessionRecord>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- session.find
            SELECT id, tenant_id, user_id, api_key_id, role, expires_at FROM find_session($1)";
        let hash: &[u8] = &self.hash;
        let Some(row) = tx.query_opt(sql, &[&hash]).await? else { return Ok(None) };
        Ok(Some(SessionRecord {
            id: SessionId(row.column("id")?),
            tenant: TenantId(row.column("tenant_id")?),
            user: UserId(row.column("user_id")?),
            key: ApiKeyId(row.column("api_key_id")?),
            role: row.column("role")?,
            expires_at: row.column("expires_at")?,
        }))
    }
}

struct Revoke {
    tenant: TenantId,
    id: SessionId,
}

impl Work for Revoke {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- session.revoke
            UPDATE sessions SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL";
        Ok(tx.execute(sql, &[&self.id.0]).await? == 1)
    }
}

struct Ended {
    keys: Vec<Uuid>,
    sessions: Vec<Uuid>,
}

impl Work for Ended {
    type Out = Vec<Uuid>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<Uuid>> {
        let sql = "-- credential.ended\nSELECT id FROM ended_credentials($1, $2)";
        let rows = tx.query(sql, &[&self.keys, &self.sessions]).await?;
        rows.iter().map(|row| row.column("id")).collect()
    }
}
