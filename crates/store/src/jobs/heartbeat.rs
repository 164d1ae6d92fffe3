//! Keeps leases alive, and tells their holder who wants its work stopped.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{Epoch, JobId, TenantId, WorkerId};
use std::time::Duration;
use uuid::Uuid;

/// A lease that a heartbeat renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The job.
    pub job: JobId,
    /// The lease.
    pub epoch: Epoch,
    /// Did somebody ask to cancel the job?
    pub cancel_requested: bool,
}

impl Store {
    /// Renews all held leases in one statement. Who is absent from the answer has lost its lease.
    ///
    /// A lease whose time is up but that nobody took is renewed: the database may have been away. Given up after a sixth
    /// of `ttl`, so that there is time to ask again.
    pub async fn heartbeat(
        &self,
        worker: WorkerId,
        held: &[(JobId, Epoch)],
        ttl: Duration,
    ) -> Result<Vec<Kept>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        self.run(&Heartbeat { worker, held, ttl }).await
    }
}

struct Heartbeat<'a> {
    worker: WorkerId,
    held: &'a [(JobId, Epoch)],
    ttl: Duration,
}

/// The rows are locked in the order in which a sweep locks them, so that the two cannot block each other.
const HEARTBEAT: &str = "-- lease.heartbeat
    WITH held AS (
        SELECT leases.job_id
        FROM leases JOIN unnest($2::uuid[], $3::bigint[]) AS mine (job_id, epoch) USING (job_id, epoch)
        WHERE leases.worker_id = $1
        ORDER BY leases.job_id
        FOR UPDATE OF leases
    ), kept AS (
        UPDATE leases SET heartbeat_at = now.at, expires_at = now.at + make_interval(secs => $4::float8)
        FROM held, (SELECT clock_timestamp() AS at) AS now
        WHERE leases.job_id = held.job_id
        RETURNING leases.job_id, leases.epoch
    )
    SELECT kept.job_id, kept.epoch, jobs.cancel_requested_at IS NOT NULL AS cancel_requested
    FROM kept JOIN jobs ON jobs.id = kept.job_id AND jobs.epoch = kept.epoch
    WHERE jobs.state IN ('PREPARING', 'RUNNING')";

impl Work for Heartbeat<'_> {
    type Out = Vec<Kept>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    /// Over a connection that died without a word it must be asked again on another before the leases run out.
    fn bound(&self) -> Option<Duration> {
        Some(self.ttl / 6)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let (jobs, epochs): (Vec<Uuid>, Vec<i64>) =
            self.held.iter().map(|(job, epoch)| (job.0, epoch.0)).unzip();
        let rows = tx.query(HEARTBEAT, &[&self.worker.0, &jobs, &epochs, &self.ttl.as_secs_f64()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Kept {
                    job: JobId(row.column("job_id")?),
                    epoch: Epoch(row.column("epoch")?),
                    cancel_requested: row.column("cancel_requested")?,
                })
            })
            .collect()
    }
}
