//! Reads migrations, their phases, and who holds them. Writes nothing.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, Epoch, JobId, MigrationId, TenantId, UserId, WorkerId, migration::MigrationState,
    phase::Phase,
};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;

/// One migration as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct MigrationRecord {
    /// Its id.
    pub id: MigrationId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who started it.
    pub user: UserId,
    /// The site, as it is fetched.
    pub source_url: String,
    /// The form under which two addresses count as one site.
    pub normalised_url: String,
    /// `domain::brief::Brief` as JSON.
    pub brief: Value,
    /// The brief's hash.
    pub prompt_hash: String,
    /// Where it stands.
    pub state: MigrationState,
    /// The phase that was begun last.
    pub phase: Option<Phase>,
    /// 0 to 100.
    pub progress: i16,
    /// The run, from 1.
    pub run: i32,
    /// What ties the run's traces together.
    pub correlation: CorrelationId,
    /// How often it was taken up again after a failed or lost attempt.
    pub retry_count: i32,
    /// When it will be, if it waits for that.
    pub retry_at: Option<OffsetDateTime>,
    /// The seed of everything that would otherwise be random.
    pub seed: i64,
    /// The version of the tools that carry it out.
    pub tool_contract: String,
    /// The version of the model that is asked.
    pub model_version: String,
    /// The version of its plan, from 1: a wish that makes a new plan raises it.
    pub plan_version: i32,
    /// The run whose reading of the site holds: an earlier one where its result was taken over.
    pub analysis_run: i32,
    /// Why it failed: `domain::Failure` as JSON.
    pub error: Option<Value>,
    /// The project that came of it.
    pub project_id: Option<uuid::Uuid>,
    /// When somebody asked to cancel it.
    pub cancel_requested_at: Option<OffsetDateTime>,
    /// When it was started.
    pub created_at: OffsetDateTime,
    /// When its record last changed.
    pub updated_at: OffsetDateTime,
    /// When it was over.
    pub finished_at: Option<OffsetDateTime>,
}

/// One page of a tenant's migrations, newest first.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// At most so many.
    pub limit: u32,
    /// Only those started before this one.
    pub before: Option<MigrationId>,
}

/// One phase of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseRecord {
    /// Which phase.
    pub phase: Phase,
    /// Is its result there?
    pub completed: bool,
    /// How often it was begun: 1 unless an attempt was lost in it.
    pub starts: i32,
    /// The lease that began it last, or completed it.
    pub epoch: Epoch,
    /// When it was begun last.
    pub started_at: OffsetDateTime,
    /// When its result was committed.
    pub completed_at: Option<OffsetDateTime>,
    /// Its result.
    pub result: Option<Value>,
    /// The run that did it, where this one took its result over.
    pub reused_from: Option<i32>,
}

/// Who holds a migration's job right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The job.
    pub job: JobId,
    /// The lease.
    pub epoch: Epoch,
    /// The process.
    pub worker: WorkerId,
    /// Where it answers what it is doing.
    pub grpc_address: String,
}

impl Store {
    /// One migration.
    pub async fn migration(&self, tenant: TenantId, id: MigrationId) -> Result<Option<MigrationRecord>> {
        self.run(&One { tenant, id }).await
    }

    /// A page of migrations, newest first.
    pub async fn migrations(&self, tenant: TenantId, page: &PageRequest) -> Result<Vec<MigrationRecord>> {
        self.run(&Page { tenant, page: *page }).await
    }

    /// The phases of a run that were begun, in their order.
    pub async fn phases(&self, tenant: TenantId, id: MigrationId, run: i32) -> Result<Vec<PhaseRecord>> {
        self.run(&Phases { tenant, id, run }).await
    }

    /// The worker that holds the migration's job by a lease that has not run out.
    pub async fn holder(&self, tenant: TenantId, migration: MigrationId) -> Result<Option<Holder>> {
        self.run(&FindHolder { tenant, migration }).await
    }
}

macro_rules! select_migrations {
    ($name:literal, $rest:literal) => {
        concat!(
            "-- ",
            $name,
            "
            SELECT id, tenant_id, user_id, source_url, normalised_url, brief, prompt_hash, state, phase, progress,
                   run, correlation_id, retry_count, retry_at, seed, tool_contract, model_version,
                   plan_version, analysis_run, error, project_id, cancel_requested_at, created_at, updated_at, finished_at
            FROM migrations ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<MigrationRecord> {
    Ok(MigrationRecord {
        id: MigrationId(row.column("id")?),
        tenant: TenantId(row.column("tenant_id")?),
        user: UserId(row.column("user_id")?),
        source_url: row.column("source_url")?,
        normalised_url: row.column("normalised_url")?,
        brief: row.column("brief")?,
        prompt_hash: row.column("prompt_hash")?,
        state: row.word("state")?,
        phase: row.optional_word("phase")?,
        progress: row.column("progress")?,
        run: row.column("run")?,
        correlation: CorrelationId(row.column("correlation_id")?),
        retry_count: row.column("retry_count")?,
        retry_at: row.column("retry_at")?,
        seed: row.column("seed")?,
        tool_contract: row.column("tool_contract")?,
        model_version: row.column("model_version")?,
        plan_version: row.column("plan_version")?,
        analysis_run: row.column("analysis_run")?,
        error: row.column("error")?,
        project_id: row.column("project_id")?,
        cancel_requested_at: row.column("cancel_requested_at")?,
        created_at: row.column("created_at")?,
        updated_at: row.column("updated_at")?,
        finished_at: row.column("finished_at")?,
    })
}

struct One {
    tenant: TenantId,
    id: MigrationId,
}

impl Work for One {
    type Out = Option<MigrationRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = select_migrations!("migration.one", "WHERE id = $1 AND tenant_id = $2");
        tx.query_opt(sql, &[&self.id.0, &self.tenant.0]).await?.as_ref().map(read).transpose()
    }
}

struct Page {
    tenant: TenantId,
    page: PageRequest,
}

impl Work for Page {
    type Out = Vec<MigrationRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        // An unknown `before` compares with NULL: an empty page, not the first one again.
        let sql = select_migrations!(
            "migration.page",
            "WHERE tenant_id = $1
               AND ($2::uuid IS NULL OR (created_at, id) <
                    (SELECT created_at, id FROM migrations WHERE id = $2 AND tenant_id = $1))
             ORDER BY created_at DESC, id DESC LIMIT $3"
        );
        let before = self.page.before.map(|id| id.0);
        let rows = tx.query(sql, &[&self.tenant.0, &before, &i64::from(self.page.limit)]).await?;
        rows.iter().map(read).collect()
    }
}

struct Phases {
    tenant: TenantId,
    id: MigrationId,
    run: i32,
}

impl Work for Phases {
    type Out = Vec<PhaseRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- phase.of_run
            SELECT phase, state = 'completed' AS completed, starts, epoch, started_at, completed_at, result,
                   reused_from
            FROM phases WHERE migration_id = $1 AND run = $2 AND tenant_id = $3";
        let rows = tx.query(sql, &[&self.id.0, &self.run, &self.tenant.0]).await?;
        let mut phases = rows.iter().map(read_phase).collect::<Result<Vec<_>>>()?;
        phases.sort_by_key(|record| record.phase);
        Ok(phases)
    }
}

fn read_phase(row: &Row) -> Result<PhaseRecord> {
    Ok(PhaseRecord {
        phase: row.word("phase")?,
        completed: row.column("completed")?,
        starts: row.column("starts")?,
        epoch: Epoch(row.column("epoch")?),
        started_at: row.column("started_at")?,
        completed_at: row.column("completed_at")?,
        result: row.column("result")?,
        reused_from: row.column("reused_from")?,
    })
}

struct FindHolder {
    tenant: TenantId,
    migration: MigrationId,
}

impl Work for FindHolder {
    type Out = Option<Holder>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- lease.holder
            SELECT jobs.id, leases.epoch, workers.id AS worker_id, workers.grpc_address
            FROM jobs
            JOIN leases ON leases.job_id = jobs.id AND leases.epoch = jobs.epoch
            JOIN workers ON workers.id = leases.worker_id
            WHERE jobs.migration_id = $1 AND jobs.tenant_id = $2 AND jobs.state IN ('PREPARING', 'RUNNING')
              AND leases.expires_at > clock_timestamp() AND workers.stopped_at IS NULL
            ORDER BY jobs.run DESC LIMIT 1";
        let Some(row) = tx.query_opt(sql, &[&self.migration.0, &self.tenant.0]).await? else {
            return Ok(None);
        };
        read_holder(&row).map(Some)
    }
}

/// A holder out of the columns `id`, `epoch`, `worker_id` and `grpc_address`.
pub(crate) fn read_holder(row: &Row) -> Result<Holder> {
    Ok(Holder {
        job: JobId(row.column("id")?),
        epoch: Epoch(row.column("epoch")?),
        worker: WorkerId(row.column("worker_id")?),
        grpc_address: row.column("grpc_address")?,
    })
}
