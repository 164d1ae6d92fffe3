//! Sessions of browsers: a key is exchanged for a token that lives in a cookie, and for its forms' token.
//!
//! The cookie's token has 256 bits of randomness, as a key has, and only its hash is kept. The forms' token is made
//! from it by another hash: a page of ours can know it, and who has it cannot go back to the cookie.

use crate::{
    Caller, Error, Origins, Plaintext, Role, Sent, authenticate,
    key::{self, random_text},
};
use domain::SessionId;
use sha2::{Digest, Sha256};
use std::{fmt, time::Duration};
use store::{NewSession, Store};
use subtle::ConstantTimeEq;

const SCHEME: &str = "rss_";
const SECRET_LENGTH: usize = 43;

/// The session by which a caller is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Its row.
    pub id: SessionId,
    /// What forms of its pages carry.
    pub form_token: String,
}

/// Without the form's token.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.id)
    }
}

/// Opens a session for whoever shows this key. It ends with the key at the latest.
pub async fn sign_in(store: &Store, key: &str, lifetime: Duration) -> Result<Plaintext, Error> {
    let caller = authenticate(store, Some(&format!("Bearer {}", key.trim()))).await?;
    let token = format!("{SCHEME}{}", random_text(SECRET_LENGTH));
    let session = NewSession {
        tenant: caller.tenant,
        user: caller.user,
        key: caller.key,
        hash: key::hash(&token),
        lifetime,
    };
    store.create_session(&session).await.map_err(Error::Store)?;
    Ok(Plaintext::new(token))
}

/// Ends the caller's session; whoever came with a key has none.
pub async fn sign_out(store: &Store, caller: &Caller) -> Result<(), Error> {
    let Some(session) = &caller.session else { return Ok(()) };
    // Ended already, by another tab, is as good.
    store.revoke_session(caller.tenant, session.id).await.map_err(Error::Store)?;
    Ok(())
}

/// Finds out who sends a request: by its key, or else by its cookie, if a page of ours sent that.
pub async fn identify(store: &Store, origins: &Origins, sent: &Sent<'_>) -> Result<Caller, Error> {
    if sent.authorization.is_some() {
        return authenticate(store, sent.authorization).await;
    }
    let token = origins.token(sent)?;
    let record = store.find_session(key::hash(token)).await.map_err(Error::Store)?;
    let record = record.ok_or(Error::SignedOut)?;
    let role = Role::parse(&record.role).ok_or(Error::Role(record.role))?;
    Ok(Caller {
        tenant: record.tenant,
        user: record.user,
        key: record.key,
        role,
        expires_at: Some(record.expires_at),
        session: Some(Session { id: record.id, form_token: form_token(token) }),
    })
}

impl Caller {
    /// May this caller's request change something? With a key yes; with a cookie only if a page of ours sent it,
    /// with the form's token.
    pub fn may_change(
        &self,
        origins: &Origins,
        sent: &Sent<'_>,
        form_token: Option<&str>,
    ) -> Result<(), Error> {
        let Some(session) = &self.session else { return Ok(()) };
        origins.sent_by_us(sent)?;
        let shown = form_token.unwrap_or_default().as_bytes();
        let same = bool::from(shown.ct_eq(session.form_token.as_bytes()));
        if same { Ok(()) } else { Err(Error::FormToken) }
    }
}

fn form_token(token: &str) -> String {
    let hash = Sha256::new().chain_update("resettle form ").chain_update(token).finalize();
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
