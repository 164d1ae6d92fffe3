//! Who we are to the database. Row-level security keeps tenants apart only as long as the role that a service logs in
//! with is bound by it, so a service looks before it does anything else.

use crate::{
    Error, Result,
    tx::{Columns, Tx, Work},
};
use domain::TenantId;

/// A service's look at its own role.
pub(crate) struct Check;

impl Work for Check {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    /// What a role inherits counts, too: the rights of an owner come with the membership in it, and the two attributes
    /// by `SET ROLE`.
    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- role.check
            SELECT current_user::text AS name,
                   EXISTS (SELECT FROM pg_roles
                           WHERE rolsuper AND pg_has_role(current_user, oid, 'MEMBER')) AS superuser,
                   EXISTS (SELECT FROM pg_roles
                           WHERE rolbypassrls AND pg_has_role(current_user, oid, 'MEMBER')) AS bypasses,
                   EXISTS (SELECT FROM pg_class
                           WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                             AND pg_has_role(current_user, relowner, 'MEMBER')) AS owner";
        let row = tx.query_one(sql, &[]).await?;
        let is = |column| row.column::<bool>(column);
        let how = match (is("superuser")?, is("bypasses")?, is("owner")?) {
            (true, _, _) => "a superuser",
            (_, true, _) => "allowed to bypass row-level security",
            (_, _, true) => "an owner of tables",
            (false, false, false) => return Ok(()),
        };
        Err(Error::UnboundRole { role: row.column("name")?, how })
    }
}
