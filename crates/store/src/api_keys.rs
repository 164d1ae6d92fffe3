//! API keys: their prefix, to find them, and their hash, to prove them. Never sees a key's plain text.

use crate::{Result, Store};
use domain::{ApiKeyId, TenantId, UserId};
use time::OffsetDateTime;

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
        let _ = key;
        todo!()
    }

    /// Ends a key; `false` if there is none or it had ended. On the owner's connection.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<bool> {
        let _ = id;
        todo!()
    }

    /// The key with this prefix, unless it was revoked or has expired by the database's clock.
    pub async fn find_api_key(&self, prefix: &str) -> Result<Option<ApiKeyRecord>> {
        let _ = prefix;
        todo!()
    }
}
