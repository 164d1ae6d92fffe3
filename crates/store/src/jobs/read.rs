//! Reads jobs and what happened to them, for their tenant. Writes nothing.

use crate::{
    Result, Store, TransitionRecord,
    dead_letters::read_move,
    jsonb,
    migrations::{Holder, read_holder},
    tx::{Columns, Tx, Work},
};
use domain::{CorrelationId, Epoch, JobId, MigrationId, TenantId, job::JobState, task::Needs};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

/// Rows that one page looks at, at most: a filter that fits few of very many must not read them all.
const LOOKED_AT: i64 = 10_000;

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRecord {
    /// Its id; ids are in the order of time.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// −100 to 100; higher goes first.
    pub priority: i16,
    /// When it may run, or could.
    pub run_at: OffsetDateTime,
    /// The lease's fencing token: how often it was claimed.
    pub epoch: Epoch,
    /// Attempts that failed or were lost.
    pub attempts: i32,
    /// Attempts in all.
    pub max_attempts: i32,
    /// No second job of the kind is written with this key while this one is not over.
    pub unique_key: Option<String>,
    /// The migration that it carries out.
    pub migration: Option<MigrationId>,
    /// Why the last attempt failed: `domain::Failure` as JSON.
    pub last_error: Option<Value>,
    /// What ties the request's traces together.
    pub correlation: CorrelationId,
    /// Somebody called it off.
    pub cancel_requested: bool,
    /// When it was written.
    pub created_at: OffsetDateTime,
    /// When it was claimed last.
    pub last_attempt_at: Option<OffsetDateTime>,
    /// When it was over.
    pub finished_at: Option<OffsetDateTime>,
    /// What it needs of its worker's machine, beyond what its kind needs.
    pub needs: Needs,
    /// What the work is; none in a list.
    pub payload: Option<Value>,
    /// What came of it; none in a list.
    pub result: Option<Value>,
}

/// Which jobs are wanted, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobPage {
    /// At most so many.
    pub limit: u32,
    /// Only those before this one.
    pub before: Option<Uuid>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only in this state.
    pub state: Option<JobState>,
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobsFound {
    /// Those that fit, without payload and result.
    pub jobs: Vec<JobRecord>,
    /// From where to go on: the last job that was looked at. There may be none that fits after it.
    pub next: Option<Uuid>,
}

/// Which moves of a job are wanted, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct MovesPage {
    /// At most so many.
    pub limit: u32,
    /// Only those after this one.
    pub after: i64,
}

impl Store {
    /// A page of a tenant's jobs.
    pub async fn jobs(&self, tenant: TenantId, page: &JobPage) -> Result<JobsFound> {
        self.run(&List { tenant, page }).await
    }

    /// One job, with payload and result.
    pub async fn job(&self, tenant: TenantId, id: JobId) -> Result<Option<JobRecord>> {
        self.run(&One { tenant, id }).await
    }

    /// A job's moves.
    pub async fn job_moves(
        &self,
        tenant: TenantId,
        id: JobId,
        page: MovesPage,
    ) -> Result<Vec<TransitionRecord>> {
        self.run(&Moves { tenant, id, page }).await
    }

    /// Who holds a job, if its lease has not run out.
    pub async fn job_holder(&self, tenant: TenantId, id: JobId) -> Result<Option<Holder>> {
        self.run(&FindHolder { tenant, id }).await
    }
}

struct List<'a> {
    tenant: TenantId,
    page: &'a JobPage,
}

impl Work for List<'_> {
    type Out = JobsFound;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<JobsFound> {
        let JobPage { limit, before, kind, state } = self.page;
        // The window is cut first: `looked_at` bounds what a filter may read.
        let sql = "-- job.list
            WITH looked_at AS (
                SELECT id, kind, state, priority, run_at, epoch, attempts, max_attempts, unique_key, migration_id,
                       last_error, correlation_id, cancel_requested_at IS NOT NULL AS cancel_requested, created_at,
                       last_attempt_at, finished_at, needs
                FROM jobs WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id < $2)
                ORDER BY id DESC LIMIT $6
            ), found AS (
                SELECT * FROM looked_at
                WHERE ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR state = $4)
                ORDER BY id DESC LIMIT $5
            )
            SELECT found.*, edge.last, edge.looked
            FROM (SELECT (array_agg(id ORDER BY id))[1] AS last, count(*) AS looked FROM looked_at) AS edge
            LEFT JOIN found ON true
            ORDER BY found.id DESC";
        let most = i64::from(*limit);
        let window = if kind.is_none() && state.is_none() { most } else { LOOKED_AT };
        let state = state.map(JobState::as_str);
        let rows = tx.query(sql, &[&self.tenant.0, before, kind, &state, &most, &window]).await?;
        let Some(first) = rows.first() else { return Ok(JobsFound { jobs: Vec::new(), next: None }) };
        let window_was_full = first.column::<i64>("looked")? == window;
        let edge: Option<Uuid> = first.column("last")?;
        let jobs = rows.iter().filter(|row| matches!(row.column::<Option<Uuid>>("id"), Ok(Some(_))));
        let jobs = jobs.map(|row| read(row, None, None)).collect::<Result<Vec<_>>>()?;
        let full = jobs.len() == *limit as usize;
        let next = match jobs.last() {
            Some(last) if full => Some(last.id.0),
            _ => edge.filter(|_| window_was_full),
        };
        Ok(JobsFound { jobs, next })
    }
}

struct One {
    tenant: TenantId,
    id: JobId,
}

impl Work for One {
    type Out = Option<JobRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- job.one
            SELECT id, kind, state, priority, run_at, epoch, attempts, max_attempts, unique_key, migration_id,
                   last_error, correlation_id, cancel_requested_at IS NOT NULL AS cancel_requested, created_at,
                   last_attempt_at, finished_at, needs, payload, result
            FROM jobs WHERE id = $1 AND tenant_id = $2";
        let Some(row) = tx.query_opt(sql, &[&self.id.0, &self.tenant.0]).await? else { return Ok(None) };
        read(&row, Some(row.column("payload")?), row.column("result")?).map(Some)
    }
}

fn read(row: &Row, payload: Option<Value>, result: Option<Value>) -> Result<JobRecord> {
    Ok(JobRecord {
        id: JobId(row.column("id")?),
        kind: row.column("kind")?,
        state: row.word("state")?,
        priority: row.column("priority")?,
        run_at: row.column("run_at")?,
        epoch: Epoch(row.column("epoch")?),
        attempts: row.column("attempts")?,
        max_attempts: row.column("max_attempts")?,
        unique_key: row.column("unique_key")?,
        migration: row.column::<Option<Uuid>>("migration_id")?.map(MigrationId),
        last_error: row.column("last_error")?,
        correlation: CorrelationId(row.column("correlation_id")?),
        cancel_requested: row.column("cancel_requested")?,
        created_at: row.column("created_at")?,
        last_attempt_at: row.column("last_attempt_at")?,
        finished_at: row.column("finished_at")?,
        needs: jsonb::read_needs(row.column("needs")?),
        payload,
        result,
    })
}

struct Moves {
    tenant: TenantId,
    id: JobId,
    page: MovesPage,
}

impl Work for Moves {
    type Out = Vec<TransitionRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- transition.page
            SELECT id, from_state, to_state, cause, actor, epoch, attempt, failure, at
            FROM transitions WHERE job_id = $1 AND tenant_id = $2 AND id > $3 ORDER BY id LIMIT $4";
        let MovesPage { limit, after } = self.page;
        let rows = tx.query(sql, &[&self.id.0, &self.tenant.0, &after, &i64::from(limit)]).await?;
        rows.iter().map(read_move).collect()
    }
}

struct FindHolder {
    tenant: TenantId,
    id: JobId,
}

impl Work for FindHolder {
    type Out = Option<Holder>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- lease.holder_of_job
            SELECT jobs.id, leases.epoch, workers.id AS worker_id, workers.grpc_address
            FROM jobs
            JOIN leases ON leases.job_id = jobs.id AND leases.epoch = jobs.epoch
            JOIN workers ON workers.id = leases.worker_id
            WHERE jobs.id = $1 AND jobs.tenant_id = $2 AND jobs.state IN ('PREPARING', 'RUNNING')
              AND leases.expires_at > clock_timestamp() AND workers.stopped_at IS NULL";
        tx.query_opt(sql, &[&self.id.0, &self.tenant.0]).await?.as_ref().map(read_holder).transpose()
    }
}
