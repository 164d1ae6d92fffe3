//! Many jobs of no migration at once: begun in one statement, finished in one. Each of them is fenced by itself: one that
//! is not its holder's any more holds up no other.

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
use std::{collections::HashMap, time::Duration};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

/// The most jobs of one statement.
pub const MAX_AT_ONCE: usize = 1000;

impl Store {
    /// [`Store::begin_task`] for many, at most [`MAX_AT_ONCE`], each with how long it may run; answers in their order.
    pub async fn begin_tasks(&self, tasks: &[(&Lease, Duration)]) -> Result<Vec<Fenced<u32>>> {
        let leases: Vec<&Lease> = tasks.iter().map(|(lease, _)| *lease).collect();
        let limits: Vec<f64> = tasks.iter().map(|(_, limit)| limit.as_secs_f64()).collect();
        let begun = self.run(&Many { leases: &leases, step: Step::Begin(&limits) }).await?;
        let mut told = Vec::with_capacity(tasks.len());
        for (lease, limit) in tasks {
            told.push(match begun.get(&lease.job) {
                Some(run) => Fenced::Done(*run),
                // Begun before, or another's: the one knows what the many cannot.
                None => self.begin_alone(lease, *limit).await?,
            });
        }
        Ok(told)
    }

    /// [`Store::finish_task`] for many, at most [`MAX_AT_ONCE`], each with its result; answers in their order.
    pub async fn finish_tasks(&self, tasks: &[(&Lease, &Value)]) -> Result<Vec<Fenced<()>>> {
        let leases: Vec<&Lease> = tasks.iter().map(|(lease, _)| *lease).collect();
        let results: Vec<Value> = tasks.iter().map(|(_, result)| jsonb::storable(result)).collect();
        let finished = self.run(&Many { leases: &leases, step: Step::Finish(&results) }).await?;
        let mut told = Vec::with_capacity(tasks.len());
        for (lease, result) in tasks {
            told.push(match finished.contains_key(&lease.job) {
                true => Fenced::Done(()),
                false => self.finish_alone(lease, result).await?,
            });
        }
        Ok(told)
    }
}

enum Step<'a> {
    Begin(&'a [f64]),
    Finish(&'a [Value]),
}

/// A step of many jobs; answers which of them made it, and in which run each is.
struct Many<'a> {
    leases: &'a [&'a Lease],
    step: Step<'a>,
}

/// The arrays hide their length, as in a claim: one plan does for any. A row lock beforehand would only be another write: who
/// is named here is nobody else's, or no row is hit. What was never claimed before was never replayed.
const BEGIN: &str = "-- job.begin_many
    WITH named AS MATERIALIZED (
        SELECT * FROM unnest((SELECT $1::uuid[]), (SELECT $2::bigint[]), (SELECT $3::text[]), (SELECT $4::text[]),
                             (SELECT $8::float8[])) AS named (id, epoch, actor, trace_id, seconds)
    ), moved AS (
        UPDATE jobs SET state = 'RUNNING' FROM named
        WHERE jobs.id = named.id AND jobs.epoch = named.epoch AND state = 'PREPARING' AND migration_id IS NULL
        RETURNING jobs.id, tenant_id, jobs.epoch, attempts, named.actor, named.trace_id, named.seconds
    ), limited AS (
        UPDATE leases SET overdue_at = clock_timestamp() + make_interval(secs => moved.seconds) FROM moved
        WHERE leases.job_id = moved.id AND leases.epoch = moved.epoch
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, tenant_id, $5, $6, $7, actor, epoch, attempts + 1, trace_id FROM moved
    )
    SELECT id, CASE WHEN epoch = 1 THEN 0 ELSE
                   (SELECT count(*)::integer FROM transitions
                    WHERE transitions.job_id = moved.id AND cause = 'replayed') END AS replays
    FROM moved";

const FINISH: &str = "-- job.finish_many
    WITH named AS MATERIALIZED (
        SELECT * FROM unnest((SELECT $1::uuid[]), (SELECT $2::bigint[]), (SELECT $3::text[]), (SELECT $4::text[]),
                             (SELECT $8::jsonb[])) AS named (id, epoch, actor, trace_id, result)
    ), moved AS (
        UPDATE jobs SET state = 'COMPLETED', result = named.result, finished_at = clock_timestamp() FROM named
        WHERE jobs.id = named.id AND jobs.epoch = named.epoch AND state = 'RUNNING' AND migration_id IS NULL
        RETURNING jobs.id, tenant_id, jobs.epoch, attempts, named.actor, named.trace_id
    ), released AS (
        DELETE FROM leases USING moved WHERE leases.job_id = moved.id AND leases.epoch = moved.epoch
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, from_state, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, tenant_id, $5, $6, $7, actor, epoch, attempts + 1, trace_id FROM moved
    )
    SELECT id, 0 AS replays FROM moved";

impl Work for Many<'_> {
    type Out = HashMap<JobId, u32>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        if self.leases.is_empty() {
            return Ok(HashMap::new());
        }
        if self.leases.len() > MAX_AT_ONCE {
            return Err(Error::TooMany { doing: "job.many", most: MAX_AT_ONCE });
        }
        let (from, to, cause) = match self.step {
            Step::Begin(_) => (JobState::Preparing, JobState::Running, Cause::Started),
            Step::Finish(_) => (JobState::Running, JobState::Completed, Cause::Completed),
        };
        let to = from.to(to).map_err(|source| Error::Illegal { doing: "job.many", source })?;
        let ids: Vec<Uuid> = self.leases.iter().map(|lease| lease.job.0).collect();
        let epochs: Vec<i64> = self.leases.iter().map(|lease| lease.epoch.0).collect();
        let actors: Vec<String> = self.leases.iter().map(|lease| lease.actor().to_string()).collect();
        let traces: Vec<Option<&str>> = self.leases.iter().map(|lease| lease.trace.trace_id()).collect();
        let (sql, own): (_, &(dyn ToSql + Sync)) = match &self.step {
            Step::Begin(limits) => (BEGIN, limits),
            Step::Finish(results) => (FINISH, results),
        };
        let (from, to, cause) = (from.as_str(), to.as_str(), cause.as_str());
        let rows = tx.query_last(sql, &[&ids, &epochs, &actors, &traces, &from, &to, &cause, own]).await?;
        let made = |row: &Row| {
            let replays: i32 = row.column("replays")?;
            Ok((JobId(row.column("id")?), replays.unsigned_abs() + 1)) // a count is not negative
        };
        rows.iter().map(made).collect()
    }
}
