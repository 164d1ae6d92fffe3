//! A migration's plan as its owner sees, changes and approves it.
//!
//! The documents lie in the object store; here is which of them counts. What PLAN decided stays in its phase's row until
//! another plan is approved; each change is a row of its own. A plan is changed only while nobody works by it: while the
//! migration waits for its owner's word, or when it is over, for the next run.

use super::{
    advance::{self, Record},
    enqueue::{NewJob, enqueue},
    start::IdempotentWrite,
};
use crate::{
    Error, Result, Store, StoredAnswer,
    events::append::{History, append},
    idempotency,
    jobs::moves,
    jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, JobId, MigrationId, TenantId, UserId, event::NewEvent, idempotency::Verdict,
    migration::MigrationState, phase::Phase, trace::TraceContext,
};
use serde_json::Value;

/// Which plan counts.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRecord {
    /// Where the migration stands.
    pub state: MigrationState,
    /// The version of its plan, from 1.
    pub version: i32,
    /// In the form of PLAN's result, which names the document and its hash; none before there is a plan.
    pub result: Option<Value>,
}

/// A change of a plan, an approval of it, or both.
#[derive(Clone, Debug)]
pub struct AmendPlan {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which one.
    pub migration: MigrationId,
    /// The hash of the plan that is meant: 64 hexadecimal digits.
    pub base: String,
    /// What is changed, if anything is.
    pub edit: Option<PlanEdit>,
    /// What the run goes on with, if the plan is approved.
    pub approval: Option<Approval>,
    /// The request's trace context.
    pub trace: TraceContext,
    /// What to keep if the request carried an Idempotency-Key; its `answer` is made by the function below.
    pub idempotency: Option<IdempotentWrite>,
    /// The answer to keep, made of what came of it.
    pub answer: fn(&Self, &Amended) -> Value,
}

/// Another plan, whose document is stored already.
#[derive(Clone, Debug)]
pub struct PlanEdit {
    /// Its hash: 64 hexadecimal digits, not the one before.
    pub hash: String,
    /// What was asked for, for the record.
    pub edits: Value,
    /// In the form of PLAN's result; its `hash` is the one above.
    pub result: Value,
}

/// The job that carries the run on.
#[derive(Clone, Copy, Debug)]
pub struct Approval {
    /// Its id.
    pub job: JobId,
    /// Attempts in all.
    pub max_attempts: u32,
}

/// A plan that was changed or approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    /// Its version.
    pub version: i32,
    /// Its hash.
    pub hash: String,
    /// Where the migration stands now.
    pub state: MigrationState,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum AmendOutcome {
    /// Written.
    Amended(Amended),
    /// Nothing was written: this request was answered before.
    Replayed(StoredAnswer),
    /// Nothing was written: the key was used with another body.
    KeyMismatch,
    /// Nothing was written: another request with this key is being carried out right now.
    KeyInFlight,
    /// This tenant has no such migration.
    NotFound,
    /// It has no plan yet.
    NotPlanned(MigrationState),
    /// The plan is another one, with this hash.
    Changed(String),
    /// Somebody works by the plan, or nobody ever will.
    InUse(MigrationState),
    /// An approval of what waits for none.
    NotAwaited(MigrationState),
}

impl Store {
    /// The plan of a migration's last run; none if this tenant has no such migration.
    pub async fn plan(&self, tenant: TenantId, migration: MigrationId) -> Result<Option<PlanRecord>> {
        self.run(&Look { tenant, migration }).await
    }

    /// Writes the change, and with an approval job, transition, event and outbox rows, in one transaction, or nothing.
    pub async fn amend_plan(&self, wish: &AmendPlan) -> Result<AmendOutcome> {
        self.run(wish).await
    }
}

struct Look {
    tenant: TenantId,
    migration: MigrationId,
}

impl Work for Look {
    type Out = Option<PlanRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- plan.look
            SELECT state, run, plan_version FROM migrations WHERE id = $1 AND tenant_id = $2";
        let Some(row) = tx.query_opt(sql, &[&self.migration.0, &self.tenant.0]).await? else {
            return Ok(None);
        };
        let result = current(tx, self.tenant, self.migration, row.column("run")?).await?;
        Ok(Some(PlanRecord { state: row.word("state")?, version: row.column("plan_version")?, result }))
    }
}

/// The plan of a run: its last edit, or else what PLAN decided.
async fn current(tx: &Tx<'_>, tenant: TenantId, migration: MigrationId, run: i32) -> Result<Option<Value>> {
    match edited(tx, tenant, migration, run).await? {
        Some(result) => Ok(Some(result)),
        None => decided(tx, tenant, migration, run).await,
    }
}

async fn edited(tx: &Tx<'_>, tenant: TenantId, migration: MigrationId, run: i32) -> Result<Option<Value>> {
    let sql = "-- plan.last_edit
        SELECT result FROM plan_edits WHERE migration_id = $1 AND run = $2 AND tenant_id = $3
        ORDER BY version DESC LIMIT 1";
    let row = tx.query_opt(sql, &[&migration.0, &run, &tenant.0]).await?;
    row.map(|row| row.column("result")).transpose()
}

async fn decided(tx: &Tx<'_>, tenant: TenantId, migration: MigrationId, run: i32) -> Result<Option<Value>> {
    let sql = "-- plan.decided
        SELECT result FROM phases
        WHERE migration_id = $1 AND run = $2 AND phase = 'PLAN' AND tenant_id = $3 AND state = 'completed'";
    let row = tx.query_opt(sql, &[&migration.0, &run, &tenant.0]).await?;
    row.map(|row| row.column("result")).transpose()
}

/// The plan of a run as it was edited after the run had used it; none if it was not.
pub(super) async fn edited_since(
    tx: &Tx<'_>,
    tenant: TenantId,
    migration: MigrationId,
    run: i32,
) -> Result<Option<Value>> {
    let Some(edited) = edited(tx, tenant, migration, run).await? else { return Ok(None) };
    let used = decided(tx, tenant, migration, run).await?;
    Ok(Some(edited).filter(|edited| used.as_ref() != Some(edited)))
}

impl Work for AmendPlan {
    type Out = AmendOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<AmendOutcome> {
        if let Some(write) = &self.idempotency {
            match idempotency::enter(tx, self.tenant, write).await? {
                Verdict::Fresh => {}
                Verdict::Replay(answer) => return Ok(AmendOutcome::Replayed(answer)),
                Verdict::Mismatch => return Ok(AmendOutcome::KeyMismatch),
                Verdict::InFlight => return Ok(AmendOutcome::KeyInFlight),
            }
        }
        // The job first (law 13): it may be on its way to its end just now.
        moves::lock_last(tx, self.tenant, self.migration).await?;
        let Some(found) = self.find(tx).await? else { return Ok(AmendOutcome::NotFound) };
        let plan = current(tx, self.tenant, self.migration, found.run).await?;
        let plan = match self.refuse(&found, plan) {
            Ok(plan) => plan,
            Err(refused) => return Ok(refused),
        };
        let amended = self.write(tx, &found, plan).await?;
        if let Some(write) = &self.idempotency {
            let write = IdempotentWrite { answer: (self.answer)(self, &amended), ..write.clone() };
            idempotency::keep(tx, self.tenant, &write).await?;
        }
        Ok(AmendOutcome::Amended(amended))
    }
}

/// What a migration's record says about it, locked.
struct Found {
    state: MigrationState,
    run: i32,
    version: i32,
    user: UserId,
    source_url: String,
    correlation: CorrelationId,
    phase: Option<Phase>,
    progress: i16,
}

impl AmendPlan {
    async fn find(&self, tx: &Tx<'_>) -> Result<Option<Found>> {
        let sql = "-- migration.find_to_amend
            SELECT state, run, plan_version, user_id, source_url, correlation_id, phase, progress
            FROM migrations WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
        let Some(row) = tx.query_opt(sql, &[&self.migration.0, &self.tenant.0]).await? else {
            return Ok(None);
        };
        Ok(Some(Found {
            state: row.word("state")?,
            run: row.column("run")?,
            version: row.column("plan_version")?,
            user: UserId(row.column("user_id")?),
            source_url: row.column("source_url")?,
            correlation: CorrelationId(row.column("correlation_id")?),
            phase: row.optional_word("phase")?,
            progress: row.column("progress")?,
        }))
    }

    /// The plan, if it is the one that is meant and may be changed so.
    fn refuse(&self, found: &Found, plan: Option<Value>) -> std::result::Result<Value, AmendOutcome> {
        let state = found.state;
        let Some(plan) = plan else { return Err(AmendOutcome::NotPlanned(state)) };
        if !state.leaves_its_plan() {
            return Err(AmendOutcome::InUse(state));
        }
        let hash = plan["hash"].as_str().unwrap_or_default();
        if hash != self.base {
            return Err(AmendOutcome::Changed(hash.to_owned()));
        }
        if self.approval.is_some() && state != MigrationState::Questionnaire {
            return Err(AmendOutcome::NotAwaited(state));
        }
        Ok(plan)
    }

    async fn write(&self, tx: &Tx<'_>, found: &Found, plan: Value) -> Result<Amended> {
        let mut amended = Amended { version: found.version, hash: self.base.clone(), state: found.state };
        let mut events = Vec::new();
        let mut plan = plan;
        if let Some(edit) = &self.edit {
            amended.version += 1;
            amended.hash.clone_from(&edit.hash);
            self.keep(tx, found, edit, amended.version).await?;
            events.push(NewEvent::plan_edited(amended.version, &edit.hash, found.phase, found.progress));
            plan = edit.result.clone();
        }
        if let Some(approval) = &self.approval {
            self.approve(tx, found, approval, &plan).await?;
            amended.state = MigrationState::Processing;
            events.push(NewEvent::plan_approved(amended.version, &amended.hash, found.progress));
        }
        let history = History {
            tenant: self.tenant,
            migration: self.migration,
            run: found.run,
            correlation: found.correlation,
            trace: &self.trace,
        };
        append(tx, &history, &events).await?;
        Ok(amended)
    }

    async fn keep(&self, tx: &Tx<'_>, found: &Found, edit: &PlanEdit, version: i32) -> Result<()> {
        let sql = "-- plan.edit
            INSERT INTO plan_edits (migration_id, version, tenant_id, user_id, run, base_hash, hash, edits, result)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        tx.execute_one(
            sql,
            &[
                &self.migration.0,
                &version,
                &self.tenant.0,
                &self.user.0,
                &found.run,
                &self.base,
                &edit.hash,
                &jsonb::storable(&edit.edits),
                &jsonb::storable(&edit.result),
            ],
        )
        .await?;
        let sql = "-- migration.plan_edited
            UPDATE migrations SET plan_version = $3 WHERE id = $1 AND tenant_id = $2";
        tx.execute_one(sql, &[&self.migration.0, &self.tenant.0, &version]).await
    }

    /// The plan becomes PLAN's result, and another job goes on from there.
    async fn approve(&self, tx: &Tx<'_>, found: &Found, approval: &Approval, plan: &Value) -> Result<()> {
        let sql = "-- phase.approve_plan
            UPDATE phases SET result = $4
            WHERE migration_id = $1 AND run = $2 AND tenant_id = $3 AND phase = 'PLAN' AND state = 'completed'";
        let (migration, plan) = (self.migration.0, jsonb::storable(plan));
        if tx.execute(sql, &[&migration, &found.run, &self.tenant.0, &plan]).await? == 0 {
            return Err(Error::corrupt(format!(
                "migration {} waits with a plan that nobody made",
                self.migration
            )));
        }
        advance::go_on(tx, Record { tenant: self.tenant, id: self.migration }).await?;
        let new = NewJob {
            job: approval.job,
            tenant: self.tenant,
            user: found.user,
            migration: self.migration,
            run: found.run,
            source_url: &found.source_url,
            review_plan: false,
            max_attempts: approval.max_attempts,
            correlation: found.correlation,
            trace: &self.trace,
        };
        enqueue(tx, &new).await
    }
}
