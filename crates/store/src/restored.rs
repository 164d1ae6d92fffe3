//! What has to be done to a database that was restored from a backup, before services run on it again.
//!
//! A restore takes back what clients and workers remember. The same sequence numbers will be given to other events, so
//! the log becomes another one. The same epochs would be given to other leases, and a worker that slept through the
//! restore would be let in by one of them, so they go on far above. And a dump that is read into another cluster brings
//! numbers of transactions that are still to come there, below which nobody would read.

use crate::{
    Error, Options, Result,
    tx::{Columns, Tx, Work},
};
use domain::TenantId;
use uuid::Uuid;

/// More leases than any job has had since a backup.
const EPOCHS: i64 = 1_000_000;

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The log's new incarnation.
    pub incarnation: Uuid,
    /// Jobs that are not over, whose epochs were raised.
    pub jobs: u64,
    /// Events that were written in transactions that this cluster does not know yet.
    pub events: u64,
}

/// Makes the event log another one, as the owner, while no service runs. Said twice, it does it twice, and that harms
/// nothing.
///
/// # Errors
/// [`Error::InUse`] while a service is connected.
pub async fn restored(options: &Options) -> Result<Restored> {
    crate::Store::for_maintenance(options, "-c lock_timeout=30s")?.run(&Renew).await
}

struct Renew;

impl Work for Renew {
    type Out = Restored;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Restored> {
        let sql = "-- restored.services
            SELECT count(*) AS connections FROM pg_stat_activity
            WHERE datname = current_database()
              AND usename IN ('resettle_gateway', 'resettle_worker', 'resettle_broadcaster',
                              'resettle_operator')";
        let connections: i64 = tx.query_one(sql, &[]).await?.column("connections")?;
        if connections > 0 {
            return Err(Error::InUse { connections });
        }
        let sql = "-- restored.incarnation\nUPDATE log_incarnation SET id = gen_random_uuid() RETURNING id";
        let incarnation = tx.query_one(sql, &[]).await?.column("id")?;
        let sql = "-- restored.jobs
            UPDATE jobs SET epoch = epoch + $1, updated_at = clock_timestamp()
            WHERE state IN ('PENDING', 'PREPARING', 'RUNNING', 'WAITING_RETRY')";
        let jobs = tx.execute(sql, &[&EPOCHS]).await?;
        let sql = "-- restored.leases
            UPDATE leases SET epoch = leases.epoch + $1
            FROM jobs
            WHERE jobs.id = leases.job_id AND jobs.epoch = leases.epoch + $1
              AND jobs.state IN ('PREPARING', 'RUNNING')";
        tx.execute(sql, &[&EPOCHS]).await?;
        let sql = "-- restored.events
            UPDATE events SET xact = pg_current_xact_id() WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())";
        let events = tx.execute(sql, &[]).await?;
        Ok(Restored { incarnation, jobs, events })
    }
}
