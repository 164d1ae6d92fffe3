//! Many jobs of no migration finished in one statement. Each of them is fenced by itself: one that is not its holder's any
//! more holds up no other.

use super::{Fenced, Lease};
use crate::{
    Error, Result, Store, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{
    JobId, TenantId,
    job::{Cause, JobState},
};
use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

/// The most jobs of one statement.
pub const MAX_AT_ONCE: usize = 1000;

impl Store {
    /// [`Store::finish_task`] for many, at most [`MAX_AT_ONCE`], each with its result; answers in their order.
    pub async fn finish_tasks(&self, tasks: &[(&Lease, &Value)]) -> Result<Vec<Fenced<()>>> {
        let finished = self.run(&Finish { tasks }).await?;
        let mut told = Vec::with_capacity(tasks.len());
        for (lease, result) in tasks {
            told.push(match finished.contains(&lease.job) {
                true => Fenced::Done(()),
                // Finished before, or another's: the one knows what the many cannot.
                false => self.finish_alone(lease, result).await?,
            });
        }
        Ok(told)
    }
}

/// The end of many jobs; answers which of them came to it.
struct Finish<'a> {
    tasks: &'a [(&'a Lease, &'a Value)],
}

/// The arrays hide their length, as in a claim: one plan does for any. A row lock beforehand would only be another write: who
/// is named here is nobody else's, or no row is hit.
const FINISH: &str = "-- job.finish_many
    WITH named AS MATERIALIZED (
        SELECT * FROM unnest((SELECT $1::uuid[]), (SELECT $2::bigint[]), (SELECT $3::text[]), (SELECT $4::text[]),
                             (SELECT $8::jsonb[])) AS named (id, epoch, actor, trace_id, result)
    ), moved AS (
        UPDATE jobs SET state = 'COMPLETED', result = named.result, finished_at = clock_timestamp(),
                        updated_at = clock_timestamp()
        FROM named
        WHERE jobs.id = named.id AND jobs.epoch = named.epoch AND state = 'RUNNING' AND migration_id IS NULL
        RETURNING jobs.id, tenant_id, jobs.epoch, attempts, named.actor, named.trace_id
    ), released AS (
        DELETE FROM leases USING moved WHERE leases.job_id = moved.id AND leases.epoch = moved.epoch
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, tenant_id, $5, $6, $7, actor, epoch, attempts + 1, trace_id FROM moved
    )
    SELECT id FROM moved";

impl Work for Finish<'_> {
    type Out = HashSet<JobId>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        if self.tasks.is_empty() {
            return Ok(HashSet::new());
        }
        if self.tasks.len() > MAX_AT_ONCE {
            return Err(Error::TooMany { doing: "job.finish_many", most: MAX_AT_ONCE });
        }
        let from = JobState::Running;
        let to = from
            .to(JobState::Completed)
            .map_err(|source| Error::Illegal { doing: "job.finish_many", source })?;
        let leases = || self.tasks.iter().map(|(lease, _)| lease);
        let ids: Vec<Uuid> = leases().map(|lease| lease.job.0).collect();
        let epochs: Vec<i64> = leases().map(|lease| lease.epoch.0).collect();
        let actors: Vec<String> = leases().map(|lease| lease.actor().to_string()).collect();
        let traces: Vec<Option<&str>> = leases().map(|lease| lease.trace.trace_id()).collect();
        let results: Vec<Value> = self.tasks.iter().map(|(_, result)| jsonb::storable(result)).collect();
        let (from, to, cause) = (from.as_str(), to.as_str(), Cause::Completed.as_str());
        let rows =
            tx.query_last(FINISH, &[&ids, &epochs, &actors, &traces, &from, &to, &cause, &results]).await?;
        rows.iter().map(|row| Ok(JobId(row.column("id")?))).collect()
    }
}
