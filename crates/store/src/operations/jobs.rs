//! Jobs of all tenants: a list, and one with everything that happened to it. Payloads are the tenants' and not shown.

use crate::{
    Result, Store, TransitionRecord,
    dead_letters::moves_of,
    operations::workers::seconds,
    tx::{Columns, Tx, Work},
};
use domain::{Epoch, JobId, MigrationId, TenantId, WorkerId, event::EventType, job::JobState, phase::Phase};
use serde_json::Value;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

/// Jobs that one page looks through for those that fit.
const LOOKED_AT: i64 = 5000;
/// The last lines of a history that are shown with a job.
const EVENTS: i64 = 50;

/// Which jobs are wanted, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobWanted {
    /// At most so many.
    pub limit: u32,
    /// Only those before this one.
    pub before: Option<JobId>,
    /// Only those in this state.
    pub state: Option<JobState>,
    /// Only those of this kind.
    pub kind: Option<String>,
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobLines {
    /// Those that fit, newest first.
    pub jobs: Vec<JobLine>,
    /// Where to look on: the last job that was looked at; none at the end.
    pub next: Option<JobId>,
}

/// One job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobLine {
    /// Its id; ids are in the order of time.
    pub id: JobId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What is to be done.
    pub kind: String,
    /// Where it waits.
    pub queue: String,
    /// The migration that it carries out, and its run.
    pub migration: Option<(MigrationId, i32)>,
    /// Where it stands.
    pub state: JobState,
    /// Which goes first.
    pub priority: i16,
    /// When it may run.
    pub run_at: OffsetDateTime,
    /// How often it was claimed.
    pub epoch: Epoch,
    /// Attempts that failed or were lost, and how many may.
    pub attempts: i32,
    /// The same.
    pub max_attempts: i32,
    /// When somebody called it off.
    pub cancel_requested_at: Option<OffsetDateTime>,
    /// When it was written.
    pub created_at: OffsetDateTime,
    /// When it was over.
    pub finished_at: Option<OffsetDateTime>,
    /// Why the last attempt failed: `domain::Failure` as JSON.
    pub last_error: Option<Value>,
    /// W3C trace context of the request that wrote it.
    pub traceparent: Option<String>,
}

/// Who holds a job.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldLease {
    /// The process.
    pub worker: WorkerId,
    /// The token that fences its writes.
    pub epoch: Epoch,
    /// What it is in.
    pub phase: Option<Phase>,
    /// Since when.
    pub claimed_at: OffsetDateTime,
    /// How long the holder has said nothing.
    pub silent: Duration,
}

/// One line of the history that a job writes.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldEvent {
    /// Its number.
    pub seq: i64,
    /// Its type.
    pub event_type: EventType,
    /// Its phase.
    pub phase: Option<Phase>,
    /// 0 to 100.
    pub progress: i16,
    /// What it says for people.
    pub notes: Option<String>,
    /// When.
    pub at: OffsetDateTime,
}

/// A job with everything that happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobInFull {
    /// The job.
    pub job: JobLine,
    /// Who holds it.
    pub lease: Option<HeldLease>,
    /// Its moves, oldest first; of very many the last.
    pub moves: Vec<TransitionRecord>,
    /// The last lines of its migration's history, oldest first.
    pub events: Vec<ToldEvent>,
}

impl Store {
    /// A page of jobs. On the operators' connection.
    pub async fn job_lines(&self, wanted: &JobWanted) -> Result<JobLines> {
        self.run(wanted).await
    }

    /// One job. On the operators' connection.
    pub async fn job_in_full(&self, id: JobId) -> Result<Option<JobInFull>> {
        self.run(&One { id }).await
    }
}

impl Work for JobWanted {
    type Out = JobLines;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    /// A rare state among many jobs would be looked for in all of them: so many are looked at, and `next` goes on there.
    async fn run(&self, tx: &Tx<'_>) -> Result<JobLines> {
        let sql = "-- operations.jobs
            SELECT id, tenant_id, kind, queue, migration_id, run, state, priority, run_at, epoch, attempts,
                   max_attempts, cancel_requested_at, created_at, finished_at, last_error,
                   trace->>'traceparent' AS traceparent
            FROM (SELECT * FROM jobs WHERE id < $1 ORDER BY id DESC LIMIT $4) AS looked_at
            WHERE ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR kind = $3)
            ORDER BY id DESC LIMIT $5";
        let before = self.before.map_or(Uuid::max(), |job| job.0);
        let state = self.state.map(JobState::as_str);
        let limit = i64::from(self.limit);
        let rows = tx.query(sql, &[&before, &state, &self.kind, &LOOKED_AT, &limit]).await?;
        let jobs: Vec<JobLine> = rows.iter().map(read).collect::<Result<_>>()?;
        let sql = "-- operations.jobs_end
            SELECT id FROM jobs WHERE id < $1 ORDER BY id DESC OFFSET $2::bigint - 1 LIMIT 1";
        let next = match jobs.last().filter(|_| jobs.len() >= self.limit as usize) {
            Some(last) => Some(last.id),
            None => tx
                .query_opt(sql, &[&before, &LOOKED_AT])
                .await?
                .map(|row| row.column("id").map(JobId))
                .transpose()?,
        };
        Ok(JobLines { jobs, next })
    }
}

fn read(row: &Row) -> Result<JobLine> {
    let run: Option<i32> = row.column("run")?;
    Ok(JobLine {
        id: JobId(row.column("id")?),
        tenant: TenantId(row.column("tenant_id")?),
        kind: row.column("kind")?,
        queue: row.column("queue")?,
        migration: row.column::<Option<Uuid>>("migration_id")?.map(MigrationId).zip(run),
        state: row.word("state")?,
        priority: row.column("priority")?,
        run_at: row.column("run_at")?,
        epoch: Epoch(row.column("epoch")?),
        attempts: row.column("attempts")?,
        max_attempts: row.column("max_attempts")?,
        cancel_requested_at: row.column("cancel_requested_at")?,
        created_at: row.column("created_at")?,
        finished_at: row.column("finished_at")?,
        last_error: row.column("last_error")?,
        traceparent: row.column("traceparent")?,
    })
}

struct One {
    id: JobId,
}

impl Work for One {
    type Out = Option<JobInFull>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- operations.job
            SELECT id, tenant_id, kind, queue, migration_id, run, state, priority, run_at, epoch, attempts,
                   max_attempts, cancel_requested_at, created_at, finished_at, last_error,
                   trace->>'traceparent' AS traceparent
            FROM jobs WHERE id = $1";
        let Some(row) = tx.query_opt(sql, &[&self.id.0]).await? else { return Ok(None) };
        let job = read(&row)?;
        let sql = "-- operations.job_lease
            SELECT worker_id, epoch, phase, claimed_at,
                   extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent
            FROM leases WHERE job_id = $1";
        let lease = tx.query_opt(sql, &[&self.id.0]).await?.as_ref().map(held).transpose()?;
        let moves = moves_of(tx, job.tenant, job.id).await?;
        let events = match job.migration {
            Some((migration, _)) => last_told(tx, migration).await?,
            None => Vec::new(),
        };
        Ok(Some(JobInFull { job, lease, moves, events }))
    }
}

fn held(row: &Row) -> Result<HeldLease> {
    Ok(HeldLease {
        worker: WorkerId(row.column("worker_id")?),
        epoch: Epoch(row.column("epoch")?),
        phase: row.optional_word("phase")?,
        claimed_at: row.column("claimed_at")?,
        silent: seconds(row.column("silent")?),
    })
}

async fn last_told(tx: &Tx<'_>, migration: MigrationId) -> Result<Vec<ToldEvent>> {
    let sql = "-- operations.events
        SELECT * FROM (
            SELECT seq, type, phase, progress, coalesce(detail->>'message', detail->>'notes') AS notes, at
            FROM events WHERE migration_id = $1 ORDER BY seq DESC LIMIT $2
        ) AS last ORDER BY seq";
    let told = |row: &Row| {
        Ok(ToldEvent {
            seq: row.column("seq")?,
            event_type: row.word("type")?,
            phase: row.optional_word("phase")?,
            progress: row.column("progress")?,
            notes: row.column("notes")?,
            at: row.column("at")?,
        })
    };
    tx.query(sql, &[&migration.0, &EVENTS]).await?.iter().map(told).collect()
}
