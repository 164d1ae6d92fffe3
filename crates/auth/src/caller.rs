//! From an `Authorization` header to a caller.

use crate::{Session, key};
use domain::{ApiKeyId, Kind, TenantId, UserId};
use store::Store;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

/// Who is calling, and for which tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant whose rows may be seen.
    pub tenant: TenantId,
    /// The person that the key belongs to.
    pub user: UserId,
    /// The key's row.
    pub key: ApiKeyId,
    /// What the person may do in the tenant.
    pub role: Role,
    /// When the key or the session stops working, if ever: a long answer must end by then.
    pub expires_at: Option<OffsetDateTime>,
    /// The session of the browser, if the caller did not show the key itself.
    pub session: Option<Session>,
}

/// A member's role in a tenant, from the least to the most that it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and works.
    Member,
    /// Everything.
    Owner,
}

impl Role {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "viewer" => Some(Self::Viewer),
            "member" => Some(Self::Member),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }
}

/// Why a caller is not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was no `Authorization` header.
    #[error("no API key was sent")]
    Missing,
    /// The header is not `Bearer rsk_…`.
    #[error("the Authorization header does not hold an API key")]
    Malformed,
    /// No such key, or it is revoked or expired: which of them is not told.
    #[error("the API key is not valid")]
    Unknown,
    /// The cookie's session is over, or there never was one.
    #[error("you are signed out")]
    SignedOut,
    /// A cookie came to a host name that is not ours.
    #[error("pages are not served at the host {0:?}")]
    Host(String),
    /// A cookie came with a request of somebody else's page.
    #[error("the request comes from another place: {0:?}")]
    Origin(String),
    /// A cookie came without the token that forms carry.
    #[error("the form's token is missing or belongs to another session")]
    FormToken,
    /// The row names a role that this version does not know.
    #[error("the member's role {0:?} is unknown to this version")]
    Role(String),
    /// The key could not be looked up.
    #[error("the API key could not be looked up")]
    Store(#[source] store::Error),
}

impl Error {
    /// What sort of refusal this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::Malformed | Self::Unknown | Self::SignedOut => Kind::Unauthenticated,
            Self::Host(_) | Self::Origin(_) | Self::FormToken => Kind::Forbidden,
            Self::Role(_) => Kind::Internal,
            Self::Store(source) => source.kind(),
        }
    }
}

/// Finds out who sends this `Authorization` header.
///
/// An unknown prefix costs the same look-up, hash and comparison as a wrong secret.
pub async fn authenticate(store: &Store, authorization: Option<&str>) -> Result<Caller, Error> {
    let plaintext = bearer(authorization.ok_or(Error::Missing)?).ok_or(Error::Malformed)?;
    let prefix = key::prefix_of(plaintext).ok_or(Error::Malformed)?;
    let record = store.find_api_key(prefix).await.map_err(Error::Store)?;
    let expected = record.as_ref().map_or(&[0_u8; 32][..], |found| &found.hash);
    let matches = bool::from(key::hash(plaintext).ct_eq(expected));
    let record = record.filter(|_| matches).ok_or(Error::Unknown)?;
    let role = Role::parse(&record.role).ok_or(Error::Role(record.role))?;
    Ok(Caller {
        tenant: record.tenant,
        user: record.user,
        key: record.id,
        role,
        expires_at: record.expires_at,
        session: None,
    })
}

/// The token of a `Bearer` header; the scheme's case does not matter (RFC 9110, 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
