//! The schema's steps, embedded, and which of them a binary can live with.
//!
//! Steps only go forward. An older binary runs on a newer schema as long as `schema_compatibility.min_reader`
//! allows it; a newer binary never runs on an older schema.

use crate::{
    Error, Options, Result, pool,
    tx::{Columns, Tx, Work},
};
use domain::TenantId;
use tokio_postgres::{Client, error::SqlState};

mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// The highest embedded step.
pub const VERSION: i32 = match i32::from_str_radix(env!("RESETTLE_SCHEMA_VERSION"), 10) {
    Ok(version) => version,
    Err(_) => panic!("the build script writes a number"),
};

/// Any number will do, as long as every release takes the same one: refinery itself takes no lock.
const LOCK: i64 = 0x5265_7365_7474_6c65;

/// Steps may run long, so no statement timeout; but whoever waits for the lock, or for a table, gives up.
const SETTINGS: &str = "-c statement_timeout=0 -c lock_timeout=120s";

const VERSION_SQL: &str = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";

/// What [`migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The steps that were applied now, in order, like `V3__tenancy`.
    pub steps: Vec<String>,
    /// The database's step afterwards.
    pub version: i32,
}

/// Applies the steps that are missing, as the owner. Safe to run from many processes at once.
///
/// On a database that is ahead of this binary nothing is applied, and the answer is `Ok` as long as the binary
/// may run on it.
pub async fn migrate(options: &Options) -> Result<Applied> {
    let pool = pool::pool(options, SETTINGS, 1)?;
    let mut connection = pool.get().await.map_err(pool::unavailable)?;
    let client: &mut Client = &mut connection;
    // A session's lock, since refinery commits each step; it goes with the connection if we fail below.
    run(client, "schema.lock", &format!("SELECT pg_advisory_lock({LOCK})")).await?;
    let applied = apply(client).await?;
    run(client, "schema.unlock", &format!("SELECT pg_advisory_unlock({LOCK})")).await?;
    Ok(applied)
}

async fn apply(client: &mut Client) -> Result<Applied> {
    let before = version(client).await?;
    if before > VERSION {
        judge(before, min_reader(client).await?)?;
    }
    // Steps of a newer release are unknown here and no fault; a step of ours that was changed or skipped is.
    let runner = embedded::migrations::runner().set_abort_missing(before <= VERSION);
    let report = runner.run_async(client).await.map_err(|e| Error::Migrate { source: Box::new(e) })?;
    // The table is refinery's, so no step can grant it; the services read it to know where they are.
    let grant = "GRANT SELECT ON refinery_schema_history TO resettle_gateway, resettle_worker, resettle_broadcaster, resettle_operator";
    run(client, "schema.grant", grant).await?;
    Ok(Applied {
        steps: report.applied_migrations().iter().map(ToString::to_string).collect(),
        version: version(client).await?,
    })
}

async fn run(client: &Client, doing: &'static str, sql: &str) -> Result<()> {
    client.batch_execute(sql).await.map_err(|e| Error::from_driver(doing, e))
}

async fn version(client: &Client) -> Result<i32> {
    match client.query_one(VERSION_SQL, &[]).await {
        Ok(row) => Ok(row.get(0)), // an integer by its definition in refinery
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(Error::from_driver("schema.version", error)),
    }
}

async fn min_reader(client: &Client) -> Result<i32> {
    let row = client.query_one("SELECT min_reader FROM schema_compatibility", &[]).await;
    row.map(|row| row.get(0)).map_err(|e| Error::from_driver("schema.min_reader", e))
}

/// May this binary run on a database at this step?
fn judge(database: i32, min_reader: i32) -> Result<()> {
    if database < VERSION {
        return Err(Error::SchemaBehind { database, binary: VERSION });
    }
    if min_reader > VERSION {
        return Err(Error::SchemaTooNew { database, min_reader, binary: VERSION });
    }
    Ok(())
}

/// A service's own look at the schema, with its own role.
pub(crate) struct Check;

impl Work for Check {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        // Asked by name first: a query of a missing table would end the transaction.
        let sql = "-- schema.exists\nSELECT to_regclass('refinery_schema_history') IS NOT NULL AS migrated";
        if !tx.query_one(sql, &[]).await?.column::<bool>("migrated")? {
            return judge(0, 1);
        }
        let sql = "-- schema.check\n\
            SELECT (SELECT coalesce(max(version), 0) FROM refinery_schema_history) AS version, \
                   (SELECT min_reader FROM schema_compatibility) AS min_reader";
        let row = tx.query_one(sql, &[]).await?;
        judge(row.column("version")?, row.column::<Option<i32>>("min_reader")?.unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_highest_embedded_step() {
        let runner = embedded::migrations::runner();
        assert_eq!(runner.get_migrations().iter().map(refinery::Migration::version).max(), Some(VERSION));
    }

    #[test]
    fn older_is_behind_and_newer_is_fine_until_the_database_says_otherwise() {
        assert!(matches!(judge(VERSION - 1, 1), Err(Error::SchemaBehind { .. })));
        assert!(judge(VERSION, 1).is_ok());
        assert!(judge(VERSION + 3, VERSION).is_ok());
        assert!(matches!(judge(VERSION + 3, VERSION + 1), Err(Error::SchemaTooNew { .. })));
    }
}
