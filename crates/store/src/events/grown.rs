//! Which of many histories have grown: one question for all that somebody follows, across tenants.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{MigrationId, TenantId};

impl Store {
    /// Those of the histories that hold an event after the one that each was read to. Ask for some thousands at a
    /// time at most.
    pub async fn grown_histories(&self, followed: &[(MigrationId, i64)]) -> Result<Vec<MigrationId>> {
        self.run(&Grown { followed }).await
    }
}

struct Grown<'a> {
    followed: &'a [(MigrationId, i64)],
}

impl Work for Grown<'_> {
    type Out = Vec<MigrationId>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- event.grown\nSELECT migration_id FROM grown_histories($1, $2)";
        let (ids, read_to): (Vec<_>, Vec<_>) = self.followed.iter().map(|(id, seq)| (id.0, *seq)).unzip();
        let rows = tx.query(sql, &[&ids, &read_to]).await?;
        rows.iter().map(|row| Ok(MigrationId(row.column("migration_id")?))).collect()
    }
}
