//! What a worker holds as the database sees it: for a worker whose claim was cut off before its answer came, so
//! that it cannot know what it took.

use super::Lease;
use crate::{
    Result, Store,
    tx::{Tx, Work},
};
use domain::{TenantId, WorkerId};

/// More than any worker holds.
const MOST: i64 = 1000;

impl Store {
    /// Every lease of a worker, whether the worker knows of it or not.
    pub async fn leases_of(&self, worker: WorkerId) -> Result<Vec<Lease>> {
        self.run(&LeasesOf { worker }).await
    }
}

struct LeasesOf {
    worker: WorkerId,
}

impl Work for LeasesOf {
    type Out = Vec<Lease>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- lease.of_worker
            SELECT jobs.id, jobs.tenant_id, jobs.migration_id, jobs.run, jobs.epoch, jobs.trace
            FROM leases JOIN jobs ON jobs.id = leases.job_id AND jobs.epoch = leases.epoch
            WHERE leases.worker_id = $1 AND jobs.state IN ('PREPARING', 'RUNNING')
            ORDER BY jobs.id LIMIT $2";
        let rows = tx.query(sql, &[&self.worker.0, &MOST]).await?;
        rows.iter().map(|row| super::read_lease(row, self.worker)).collect()
    }
}
