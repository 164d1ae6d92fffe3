//! A new run of a migration that is over, at a person's wish: everything that follows is written in one transaction.
//!
//! What the run before stored of the phases before the first that is done anew is taken over: the rows are copied, and
//! say which run did the work. Nothing of the run before is changed.

use super::{
    enqueue::{NewJob, enqueue},
    plan,
    start::{IdempotentWrite, active},
    taken,
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
    CorrelationId, JobId, MigrationId, TenantId, UserId,
    event::NewEvent,
    idempotency::Verdict,
    migration::MigrationState,
    phase::Phase,
    rerun::{COOLDOWN, MOST_PER_REASON, NotReached, Why, Wish},
    trace::TraceContext,
};
use serde_json::Value;
use std::time::Duration;
use tokio_postgres::error::SqlState;

/// A wish for a new run.
#[derive(Clone, Debug)]
pub struct RetryMigration {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which one.
    pub migration: MigrationId,
    /// The id of the job that will carry the run out.
    pub job: JobId,
    /// Why.
    pub why: Why,
    /// The phase to begin with, if one was asked for.
    pub from: Option<Phase>,
    /// Are seed and stored results to be taken over?
    pub reuse_seeds: bool,
    /// A brief in place of the one before.
    pub brief: Option<NewBrief>,
    /// Seconds of AI time that this run may take beyond what the one before might.
    pub increased_budget: Option<i64>,
    /// The run's seed, unless the one before is taken over.
    pub seed: i64,
    /// What ties the run's traces together.
    pub correlation: CorrelationId,
    /// The version of the tools that carry it out.
    pub tool_contract: String,
    /// The version of the model that is asked.
    pub model_version: String,
    /// Attempts in all.
    pub max_attempts: u32,
    /// The request's trace context.
    pub trace: TraceContext,
    /// What to keep if the request carried an Idempotency-Key; its `answer` is made by the function below.
    pub idempotency: Option<IdempotentWrite>,
    /// The answer to keep, made of what came of it.
    pub answer: fn(&Self, &Retried) -> Value,
}

/// A brief and its hash.
#[derive(Clone, Debug)]
pub struct NewBrief {
    /// `domain::brief::Brief` as JSON.
    pub brief: Value,
    /// 64 hexadecimal digits.
    pub prompt_hash: String,
}

/// A new run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retried {
    /// Its number.
    pub run: i32,
    /// The first phase that is done anew; none if all results were taken over.
    pub first: Option<Phase>,
    /// The version of its plan.
    pub plan_version: i32,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum RetryOutcome {
    /// Written.
    Retried(Retried),
    /// Nothing was written: this request was answered before.
    Replayed(StoredAnswer),
    /// Nothing was written: the key was used with another body.
    KeyMismatch,
    /// Nothing was written: another request with this key is being carried out right now.
    KeyInFlight,
    /// This tenant has no such migration.
    NotFound,
    /// It is not over, or was called off.
    NotOver(MigrationState),
    /// Another migration is moving that site for that user.
    AlreadyActive(MigrationId),
    /// As many runs as are allowed were asked for with this reason.
    LimitReached,
    /// The last wish was so short ago that this much has to pass.
    TooSoon(Duration),
    /// A phase before the one that was asked for has no result.
    NotReached(NotReached),
}

impl Store {
    /// Writes run, job, transition, event, outbox rows, what was asked for and the answer in one transaction, or nothing.
    pub async fn retry_migration(&self, wish: &RetryMigration) -> Result<RetryOutcome> {
        match self.run(wish).await {
            // Somebody started another migration of the site in this very moment: the second look finds it.
            Err(Error::Refused { source, .. }) if source.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                self.run(wish).await
            }
            decided => decided,
        }
    }
}

impl Work for RetryMigration {
    type Out = RetryOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<RetryOutcome> {
        if let Some(write) = &self.idempotency {
            match idempotency::enter(tx, self.tenant, write).await? {
                Verdict::Fresh => {}
                Verdict::Replay(answer) => return Ok(RetryOutcome::Replayed(answer)),
                Verdict::Mismatch => return Ok(RetryOutcome::KeyMismatch),
                Verdict::InFlight => return Ok(RetryOutcome::KeyInFlight),
            }
        }
        // The job first (law 13): it may be on its way to its end just now.
        moves::lock_last(tx, self.tenant, self.migration).await?;
        let Some(before) = self.find(tx).await? else { return Ok(RetryOutcome::NotFound) };
        if let Some(refused) = self.refuse(tx, &before).await? {
            return Ok(refused);
        }
        let completed = taken::completed(tx, self.tenant, self.migration, before.run).await?;
        let edited = plan::edited_since(tx, self.tenant, self.migration, before.run).await?;
        let wish = self.wish(edited.is_some());
        let first = match wish.first_phase(&completed, before.tool_contract == self.tool_contract) {
            Ok(first) => first,
            Err(not_reached) => return Ok(RetryOutcome::NotReached(not_reached)),
        };
        // A plan that is made anew is another version of it.
        let planned_anew =
            completed.contains(&Phase::Plan) && first.is_some_and(|first| first <= Phase::Plan);
        let plan_version = before.plan_version + i32::from(planned_anew);
        let retried = Retried { run: before.run + 1, first, plan_version };
        self.begin(tx, &before, &retried, edited.as_ref()).await?;
        if let Some(write) = &self.idempotency {
            let write = IdempotentWrite { answer: (self.answer)(self, &retried), ..write.clone() };
            idempotency::keep(tx, self.tenant, &write).await?;
        }
        Ok(RetryOutcome::Retried(retried))
    }
}

/// What a migration's record says about it, locked.
struct Before {
    state: MigrationState,
    run: i32,
    user: UserId,
    source_url: String,
    normalised_url: String,
    tool_contract: String,
    plan_version: i32,
    review_plan: bool,
}

impl RetryMigration {
    fn wish(&self, edited_plan: bool) -> Wish {
        let (from, reuse_seeds) = (self.from, self.reuse_seeds);
        Wish { from, reuse_seeds, new_brief: self.brief.is_some(), edited_plan }
    }

    async fn find(&self, tx: &Tx<'_>) -> Result<Option<Before>> {
        let sql = "-- migration.find_to_retry
            SELECT state, run, user_id, source_url, normalised_url, tool_contract, plan_version,
                   review_plan
            FROM migrations WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
        let Some(row) = tx.query_opt(sql, &[&self.migration.0, &self.tenant.0]).await? else {
            return Ok(None);
        };
        Ok(Some(Before {
            state: row.word("state")?,
            run: row.column("run")?,
            user: UserId(row.column("user_id")?),
            source_url: row.column("source_url")?,
            normalised_url: row.column("normalised_url")?,
            tool_contract: row.column("tool_contract")?,
            plan_version: row.column("plan_version")?,
            review_plan: row.column("review_plan")?,
        }))
    }

    /// Why there is no new run, if so. The record's lock keeps it so to the end of the transaction.
    async fn refuse(&self, tx: &Tx<'_>, before: &Before) -> Result<Option<RetryOutcome>> {
        // Who waits for a budget may be queued again, too; but that is no new run.
        if before.state.is_active() || !before.state.allows(MigrationState::Queued) {
            return Ok(Some(RetryOutcome::NotOver(before.state)));
        }
        if let Some(other) = active(tx, self.tenant, before.user, &before.normalised_url).await? {
            return Ok(Some(RetryOutcome::AlreadyActive(other)));
        }
        let sql = "-- retry.count
            SELECT count(*) FILTER (WHERE reason = $3) AS with_reason,
                   extract(epoch FROM max(created_at) - clock_timestamp())::double precision + $4 AS wait
            FROM retries WHERE migration_id = $1 AND tenant_id = $2";
        let cooldown = COOLDOWN.as_secs_f64();
        let row =
            tx.query_one(sql, &[&self.migration.0, &self.tenant.0, &self.why.as_str(), &cooldown]).await?;
        if row.column::<i64>("with_reason")? >= i64::from(MOST_PER_REASON) {
            return Ok(Some(RetryOutcome::LimitReached));
        }
        let wait = row.column::<Option<f64>>("wait")?.filter(|wait| *wait > 0.0);
        Ok(wait.map(|wait| RetryOutcome::TooSoon(Duration::from_secs_f64(wait))))
    }

    /// Writes the new run.
    async fn begin(
        &self,
        tx: &Tx<'_>,
        before: &Before,
        retried: &Retried,
        plan: Option<&Value>,
    ) -> Result<()> {
        self.record(tx, retried).await?;
        self.queue(tx, retried).await?;
        taken::take_over(tx, self.tenant, self.migration, retried, plan).await?;
        let new = NewJob {
            job: self.job,
            tenant: self.tenant,
            user: self.user,
            migration: self.migration,
            run: retried.run,
            source_url: &before.source_url,
            // What was approved stays approved.
            review_plan: before.review_plan && retried.first.is_some_and(|first| first <= Phase::Plan),
            max_attempts: self.max_attempts,
            correlation: self.correlation,
            trace: &self.trace,
        };
        enqueue(tx, &new).await?;
        let history = History {
            tenant: self.tenant,
            migration: self.migration,
            run: retried.run,
            correlation: self.correlation,
            trace: &self.trace,
        };
        append(tx, &history, &[NewEvent::queued_again(self.why, retried.first)]).await
    }

    /// Keeps what was asked for, and where the run before had ended: while the record still says so.
    async fn record(&self, tx: &Tx<'_>, retried: &Retried) -> Result<()> {
        let sql = "-- retry.record
            INSERT INTO retries (migration_id, run, tenant_id, user_id, reason, previous_state, previous_phase,
                previous_error, previous_project_id, from_phase, reuse_seeds, new_brief, increased_budget, seed,
                prompt_hash, plan_version)
            SELECT id, $3, tenant_id, $4, $5, state, phase, error, project_id, $6, $7, $8, $9,
                   CASE WHEN $7 THEN seed ELSE $10 END, coalesce($11, prompt_hash), $12
            FROM migrations WHERE id = $1 AND tenant_id = $2";
        tx.execute_one(
            sql,
            &[
                &self.migration.0,
                &self.tenant.0,
                &retried.run,
                &self.user.0,
                &self.why.as_str(),
                &retried.first.map(Phase::as_str),
                &self.reuse_seeds,
                &self.brief.is_some(),
                &self.increased_budget,
                &self.seed,
                &self.brief.as_ref().map(|brief| brief.prompt_hash.as_str()),
                &retried.plan_version,
            ],
        )
        .await
    }

    /// The record of the migration, as at a start but for what is taken over.
    async fn queue(&self, tx: &Tx<'_>, retried: &Retried) -> Result<()> {
        let sql = "-- migration.queue_again
            UPDATE migrations SET
                state = 'queued', run = $3, phase = NULL, progress = 0, retry_count = 0, retry_at = NULL,
                error = NULL, project_id = NULL, cancel_requested_at = NULL, finished_at = NULL,
                correlation_id = $4, tool_contract = $5, model_version = $6, plan_version = $7,
                seed = CASE WHEN $8 THEN seed ELSE $9 END,
                brief = coalesce($10, brief), prompt_hash = coalesce($11, prompt_hash),
                analysis_run = CASE WHEN $12 THEN $3 ELSE analysis_run END
            WHERE id = $1 AND tenant_id = $2 AND run = $3 - 1 AND state IN ('completed', 'failed')";
        let reads_anew = retried.first == Some(Phase::Analyze);
        tx.execute_one(
            sql,
            &[
                &self.migration.0,
                &self.tenant.0,
                &retried.run,
                &self.correlation.0,
                &self.tool_contract,
                &self.model_version,
                &retried.plan_version,
                &self.reuse_seeds,
                &self.seed,
                &self.brief.as_ref().map(|brief| jsonb::storable(&brief.brief)),
                &self.brief.as_ref().map(|brief| brief.prompt_hash.as_str()),
                &reads_anew,
            ],
        )
        .await
    }
}
