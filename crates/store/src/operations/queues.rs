//! The whole at one glance: queues, states, throughput, and what waits for a person.

use crate::{
    Error, Figures, Result, Store, figures,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, job::JobState};
use serde_json::Value;
use std::time::Duration;

/// The newest rows that are looked at; what lies beyond is estimated.
const LOOKED_AT: i64 = 10_000;
/// Letters, messages and replays are counted up to here.
const COUNTED: i64 = 1000;
/// What counts as now.
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A number, and how far it is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Counted.
    Exact(i64),
    /// Counted up to here, and there are more.
    AtLeast(i64),
    /// What the planner makes of its statistics.
    Estimated(i64),
}

impl Count {
    fn up_to(bound: i64, counted: i64) -> Self {
        if counted > bound { Self::AtLeast(bound) } else { Self::Exact(counted) }
    }
}

/// How many jobs are in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateCount {
    /// The state.
    pub state: JobState,
    /// How many.
    pub count: Count,
}

/// What was done in the last minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throughput {
    /// How long was looked back: five minutes, or less where more happened than is looked at.
    pub window: Duration,
    /// Jobs that were taken by a worker.
    pub claimed: i64,
    /// Jobs that were completed.
    pub completed: i64,
    /// Attempts that failed or were lost and will be made again.
    pub retried: i64,
    /// Jobs that died.
    pub failed: i64,
}

/// All of it, of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// Depth and lag of each queue, and of the log.
    pub figures: Figures,
    /// Jobs by state, in the order of their life.
    pub states: Vec<StateCount>,
    /// What was done lately.
    pub throughput: Throughput,
    /// Dead letters that nobody has settled.
    pub open_letters: Count,
    /// Messages whose bytes could not be read.
    pub poison: Count,
}

impl Store {
    /// The whole at one glance. On the operators' connection.
    pub async fn overview(&self) -> Result<Overview> {
        self.run(&Look).await
    }
}

struct Look;

impl Work for Look {
    type Out = Overview;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Overview> {
        let sql = "-- operations.counts
            SELECT (SELECT count(*) FROM (SELECT FROM dead_letters
                    WHERE replayed_at IS NULL AND discarded_at IS NULL ORDER BY id LIMIT $1::bigint + 1) AS counted) AS letters,
                   (SELECT count(*) FROM (SELECT FROM poison ORDER BY id LIMIT $1::bigint + 1) AS counted) AS poison";
        let counts = tx.query_one(sql, &[&COUNTED]).await?;
        Ok(Overview {
            figures: figures::read(tx).await?,
            states: states(tx).await?,
            throughput: throughput(tx).await?,
            open_letters: Count::up_to(COUNTED, counts.column("letters")?),
            poison: Count::up_to(COUNTED, counts.column("poison")?),
        })
    }
}

/// Counted where there are few jobs; of many, what is held is counted and the rest estimated.
async fn states(tx: &Tx<'_>) -> Result<Vec<StateCount>> {
    let sql = "-- operations.newest_states
        SELECT state, count(*) AS jobs FROM (SELECT state FROM jobs ORDER BY id DESC LIMIT $1::bigint + 1) AS newest
        GROUP BY state";
    let newest = by_state(tx, sql, &[&LOOKED_AT]).await?;
    let few = newest.iter().map(|(_, jobs)| jobs).sum::<i64>() <= LOOKED_AT;
    let sql = "-- operations.held_states
        SELECT state, count(*) AS jobs
        FROM (SELECT (SELECT state FROM jobs WHERE jobs.id = leases.job_id) AS state FROM leases) AS held
        GROUP BY state";
    let counted = if few { newest } else { by_state(tx, sql, &[]).await? };
    let mut all = Vec::with_capacity(JobState::ALL.len());
    for state in JobState::ALL {
        let exact = counted.iter().find(|(of, _)| *of == state).map_or(0, |(_, jobs)| *jobs);
        let count = match estimate_of(state).filter(|_| !few) {
            Some(sql) => Count::Estimated(estimated(tx, sql).await?),
            None => Count::Exact(exact),
        };
        all.push(StateCount { state, count });
    }
    Ok(all)
}

async fn by_state(
    tx: &Tx<'_>,
    sql: &'static str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Vec<(JobState, i64)>> {
    let rows = tx.query(sql, parameters).await?;
    rows.iter().map(|row| Ok((row.word("state")?, row.column("jobs")?))).collect()
}

/// The question that is planned and not asked; none for states whose jobs are held, which are counted by their leases.
fn estimate_of(state: JobState) -> Option<&'static str> {
    match state {
        JobState::Preparing | JobState::Running => None,
        JobState::Pending => {
            Some("-- operations.pending\nEXPLAIN (FORMAT JSON) SELECT FROM jobs WHERE state = 'PENDING'")
        }
        JobState::WaitingRetry => Some(
            "-- operations.retrying\nEXPLAIN (FORMAT JSON) SELECT FROM jobs WHERE state = 'WAITING_RETRY'",
        ),
        JobState::Completed => {
            Some("-- operations.completed\nEXPLAIN (FORMAT JSON) SELECT FROM jobs WHERE state = 'COMPLETED'")
        }
        JobState::Failed => {
            Some("-- operations.failed\nEXPLAIN (FORMAT JSON) SELECT FROM jobs WHERE state = 'FAILED'")
        }
        JobState::Cancelled => {
            Some("-- operations.cancelled\nEXPLAIN (FORMAT JSON) SELECT FROM jobs WHERE state = 'CANCELLED'")
        }
    }
}

async fn estimated(tx: &Tx<'_>, sql: &'static str) -> Result<i64> {
    let plan: Value = tx.query_one(sql, &[]).await?.column("QUERY PLAN")?;
    let rows = plan[0]["Plan"]["Plan Rows"].as_f64();
    rows.map(|rows| rows as i64).ok_or_else(|| Error::corrupt("a plan without a number of rows"))
}

async fn throughput(tx: &Tx<'_>) -> Result<Throughput> {
    let sql = "-- operations.throughput
        SELECT count(*) FILTER (WHERE cause = 'claimed') AS claimed,
               count(*) FILTER (WHERE to_state = 'COMPLETED') AS completed,
               count(*) FILTER (WHERE to_state = 'WAITING_RETRY') AS retried,
               count(*) FILTER (WHERE to_state = 'FAILED') AS failed,
               CASE WHEN count(*) < $1 THEN $2::float8
                    ELSE extract(epoch FROM clock_timestamp() - min(at))::float8 END AS seconds
        FROM (SELECT cause, to_state, at FROM transitions ORDER BY id DESC LIMIT $1) AS newest
        WHERE at > clock_timestamp() - make_interval(secs => $2::float8)";
    let row = tx.query_one(sql, &[&LOOKED_AT, &WINDOW.as_secs_f64()]).await?;
    let seconds: f64 = row.column("seconds")?;
    Ok(Throughput {
        window: Duration::try_from_secs_f64(seconds.max(1.0)).unwrap_or(WINDOW),
        claimed: row.column("claimed")?,
        completed: row.column("completed")?,
        retried: row.column("retried")?,
        failed: row.column("failed")?,
    })
}
