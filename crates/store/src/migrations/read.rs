//! Reads migrations, their phases, and who holds them. Writes nothing.

use crate::{Result, Store};
use domain::{
    CorrelationId, Epoch, JobId, MigrationId, TenantId, UserId, WorkerId, migration::MigrationState, phase::Phase,
};
use serde_json::Value;
use time::OffsetDateTime;

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
        let _ = (tenant, id);
        todo!()
    }

    /// A page of migrations, newest first.
    pub async fn migrations(&self, tenant: TenantId, page: &PageRequest) -> Result<Vec<MigrationRecord>> {
        let _ = (tenant, page);
        todo!()
    }

    /// The phases of a run that were begun, in their order.
    pub async fn phases(&self, tenant: TenantId, id: MigrationId, run: i32) -> Result<Vec<PhaseRecord>> {
        let _ = (tenant, id, run);
        todo!()
    }

    /// The worker that holds the migration's job by a lease that has not run out.
    pub async fn holder(&self, tenant: TenantId, migration: MigrationId) -> Result<Option<Holder>> {
        let _ = (tenant, migration);
        todo!()
    }
}
