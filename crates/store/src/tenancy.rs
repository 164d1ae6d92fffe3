//! Tenants and people. Runs on the owner's connection: these commands come before there is a tenant.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, UserId};
use uuid::Uuid;

/// The longest name of an organisation.
const NAME_CHARACTERS: usize = 200;

/// A person in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The organisation.
    pub tenant: TenantId,
    /// The person.
    pub user: UserId,
}

impl Store {
    /// The user with this address and their personal organisation, made if they do not exist. On the owner's
    /// connection.
    pub async fn create_personal_tenant(&self, email: &str) -> Result<Member> {
        self.run(&Personal { email }).await
    }
}

struct Personal<'a> {
    email: &'a str,
}

impl Work for Personal<'_> {
    type Out = Member;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Member> {
        // The update changes nothing but locks the row, so that a second caller waits here and then finds the
        // first one's organisation.
        let sql = "-- user.upsert
            INSERT INTO users (id, email) VALUES ($1, $2)
            ON CONFLICT (lower(email)) DO UPDATE SET email = users.email
            RETURNING id";
        let user: Uuid = tx.query_one(sql, &[&Uuid::now_v7(), &self.email]).await?.column("id")?;
        let tenant = match personal_tenant(tx, user).await? {
            Some(tenant) => tenant,
            None => create_tenant(tx, user, self.email).await?,
        };
        Ok(Member { tenant: TenantId(tenant), user: UserId(user) })
    }
}

async fn personal_tenant(tx: &Tx<'_>, user: Uuid) -> Result<Option<Uuid>> {
    let sql = "-- organisation.personal
        SELECT organisations.id
        FROM members JOIN organisations ON organisations.id = members.tenant_id
        WHERE members.user_id = $1 AND organisations.personal
        ORDER BY organisations.created_at LIMIT 1";
    tx.query_opt(sql, &[&user]).await?.map(|row| row.column("id")).transpose()
}

async fn create_tenant(tx: &Tx<'_>, user: Uuid, email: &str) -> Result<Uuid> {
    let tenant = Uuid::now_v7();
    let name: String = email.chars().take(NAME_CHARACTERS).collect();
    let sql = "-- organisation.insert\nINSERT INTO organisations (id, name, personal) VALUES ($1, $2, true)";
    tx.execute_one(sql, &[&tenant, &name]).await?;
    let sql = "-- member.insert\nINSERT INTO members (tenant_id, user_id, role) VALUES ($1, $2, 'owner')";
    tx.execute_one(sql, &[&tenant, &user]).await?;
    Ok(tenant)
}
