//! API keys: their prefix, to find them, and their hash, to prove them. Never sees a key's plain text.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{ApiKeyId, TenantId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

/// A key to be stored.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The organisation that it opens.
    pub tenant: TenantId,
    /// The person who acts by it.
    pub user: UserId,
    /// What it is for, in its owner's words.
    pub name: String,
    /// The 12 characters by which it is found.
    pub prefix: String,
    /// SHA-256 of the plain text.
    pub hash: [u8; 32],
    /// When it stops working.
    pub expires_at: Option<OffsetDateTime>,
}

/// What is needed to prove a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// The key's row.
    pub id: ApiKeyId,
    /// The organisation that it opens.
    pub tenant: TenantId,
    /// The person who acts by it.
    pub user: UserId,
    /// The person's role there: `owner`, `member` or `viewer`.
    pub role: String,
    /// SHA-256 of the plain text.
    pub hash: Vec<u8>,
    /// When it stops working.
    pub expires_at: Option<OffsetDateTime>,
}

impl Store {
    /// Stores a key. On the owner's connection.
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<ApiKeyId> {
        self.run(key).await
    }

    /// Ends a key; `false` if there is none or it had ended. On the owner's connection.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<bool> {
        self.run(&Revoke { id }).await
    }

    /// The key with this prefix, unless it was revoked or has expired by the database's clock.
    pub async fn find_api_key(&self, prefix: &str) -> Result<Option<ApiKeyRecord>> {
        self.run(&Find { prefix }).await
    }
}

impl Work for NewApiKey {
    type Out = ApiKeyId;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<ApiKeyId> {
        let id = Uuid::now_v7();
        let sql = "-- api_key.insert
            INSERT INTO api_keys (id, tenant_id, user_id, name, prefix, hash, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let hash: &[u8] = &self.hash;
        tx.execute_one(
            sql,
            &[&id, &self.tenant.0, &self.user.0, &self.name, &self.prefix, &hash, &self.expires_at],
        )
        .await?;
        Ok(ApiKeyId(id))
    }
}

struct Revoke {
    id: ApiKeyId,
}

impl Work for Revoke {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- api_key.revoke
            UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL";
        Ok(tx.execute(sql, &[&self.id.0]).await? == 1)
    }
}

struct Find<'a> {
    prefix: &'a str,
}

impl Work for Find<'_> {
    type Out = Option<ApiKeyRecord>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql =
            "-- api_key.find\nSELECT id, tenant_id, user_id, role, hash, expires_at FROM find_api_key($1)";
        let Some(row) = tx.query_opt(sql, &[&self.prefix]).await? else { return Ok(None) };
        Ok(Some(ApiKeyRecord {
            id: ApiKeyId(row.column("id")?),
            tenant: TenantId(row.column("tenant_id")?),
            user: UserId(row.column("user_id")?),
            role: row.column("role")?,
            hash: row.column("hash")?,
            expires_at: row.column("expires_at")?,
        }))
    }
}
