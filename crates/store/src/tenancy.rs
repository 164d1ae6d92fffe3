//! Tenants and people. Runs on the owner's connection: these commands come before there is a tenant.

use crate::{Result, Store};
use domain::{TenantId, UserId};

/// A person in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The organisation.
    pub tenant: TenantId,
    /// The person.
    pub user: UserId,
}

impl Store {
    /// The user with this address and their personal organisation, made if they do not exist.
    pub async fn create_personal_tenant(&self, email: &str) -> Result<Member> {
        let _ = email;
        todo!()
    }
}
