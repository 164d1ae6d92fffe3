//! Starts a migration: everything that follows from the request is written in one transaction.

use super::enqueue::{NewJob, enqueue};
use crate::{
    Error, Result, Store, StoredAnswer,
    events::append::{History, append},
    idempotency, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, JobId, MigrationId, TenantId, UserId, event::NewEvent, idempotency::Verdict,
    trace::TraceContext,
};
use serde_json::Value;
use std::time::Duration;

const FIRST_RUN: i32 = 1;

/// A migration to be started.
#[derive(Clone, Debug)]
pub struct StartMigration {
    /// Whose it is.
    pub tenant: TenantId,
    /// Who asked.
    pub user: UserId,
    /// The new migration's id.
    pub migration: MigrationId,
    /// The id of the job that will carry it out.
    pub job: JobId,
    /// The site, as it will be fetched.
    pub source_url: String,
    /// The form under which two addresses count as one site.
    pub normalised_url: String,
    /// `domain::brief::Brief` as JSON.
    pub brief: Value,
    /// The brief's hash, 64 hexadecimal digits.
    pub prompt_hash: String,
    /// What ties the request's traces together.
    pub correlation: CorrelationId,
    /// Is the owner to approve the plan before anything is written?
    pub review_plan: bool,
    /// The seed of everything that would otherwise be random.
    pub seed: i64,
    /// The version of the tools that carry it out.
    pub tool_contract: String,
    /// The version of the model that is asked.
    pub model_version: String,
    /// Attempts in all.
    pub max_attempts: u32,
    /// The request's trace context.
    pub trace: TraceContext,
    /// The first event of its history.
    pub event: NewEvent,
    /// The answer to keep, if the request carried an Idempotency-Key.
    pub idempotency: Option<IdempotentWrite>,
}

/// The answer to keep under an Idempotency-Key.
#[derive(Clone, Debug)]
pub struct IdempotentWrite {
    /// The route that the key is scoped to.
    pub route: String,
    /// The client's key.
    pub key: String,
    /// The request body's hash, 64 hexadecimal digits.
    pub request_hash: String,
    /// How long the answer is kept.
    pub ttl: Duration,
    /// The answer's status, 2xx.
    pub status: u16,
    /// The answer's body.
    pub answer: Value,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum StartOutcome {
    /// Written.
    Started,
    /// Nothing was written: this request was answered before.
    Replayed(StoredAnswer),
    /// Nothing was written: the key was used with another body.
    KeyMismatch,
    /// Nothing was written: another request with this key is being carried out right now.
    KeyInFlight,
    /// Nothing was written: this one is already moving that site for that user.
    AlreadyActive(MigrationId),
}

impl Store {
    /// Writes migration, job, transition, event, outbox rows and the answer in one transaction, or nothing.
    pub async fn start_migration(&self, new: &StartMigration) -> Result<StartOutcome> {
        self.run(new).await
    }
}

/// How often the search for the active migration is repeated that stood in the way and was over when it was
/// looked for.
const TRIES: u32 = 3;

impl Work for StartMigration {
    type Out = StartOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<StartOutcome> {
        if let Some(write) = &self.idempotency {
            match idempotency::enter(tx, self.tenant, write).await? {
                Verdict::Fresh => {}
                Verdict::Replay(answer) => return Ok(StartOutcome::Replayed(answer)),
                Verdict::Mismatch => return Ok(StartOutcome::KeyMismatch),
                Verdict::InFlight => return Ok(StartOutcome::KeyInFlight),
            }
        }
        for _ in 0..TRIES {
            if self.insert_migration(tx).await? {
                self.insert_job(tx).await?;
                self.begin_history(tx).await?;
                if let Some(write) = &self.idempotency {
                    idempotency::keep(tx, self.tenant, write).await?;
                }
                return Ok(StartOutcome::Started);
            }
            if let Some(active) = active(tx, self.tenant, self.user, &self.normalised_url).await? {
                return Ok(StartOutcome::AlreadyActive(active));
            }
        }
        Err(Error::corrupt("the migration that is in the way can neither be found nor passed"))
    }
}

impl StartMigration {
    /// `false`: another one is active for this tenant, user and site.
    async fn insert_migration(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- migration.insert
            INSERT INTO migrations (id, tenant_id, user_id, source_url, normalised_url, brief, prompt_hash, state,
                                    correlation_id, seed, tool_contract, model_version, review_plan)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $10, $11, $12)
            ON CONFLICT (tenant_id, user_id, normalised_url)
                WHERE state NOT IN ('completed', 'failed', 'cancelled') DO NOTHING";
        let inserted = tx
            .execute(
                sql,
                &[
                    &self.migration.0,
                    &self.tenant.0,
                    &self.user.0,
                    &self.source_url,
                    &self.normalised_url,
                    &jsonb::storable(&self.brief),
                    &self.prompt_hash,
                    &self.correlation.0,
                    &self.seed,
                    &self.tool_contract,
                    &self.model_version,
                    &self.review_plan,
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    async fn insert_job(&self, tx: &Tx<'_>) -> Result<()> {
        let new = NewJob {
            job: self.job,
            tenant: self.tenant,
            user: self.user,
            migration: self.migration,
            run: FIRST_RUN,
            source_url: &self.source_url,
            review_plan: self.review_plan,
            max_attempts: self.max_attempts,
            correlation: self.correlation,
            trace: &self.trace,
        };
        enqueue(tx, &new).await
    }

    async fn begin_history(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- event_head.insert\nINSERT INTO event_heads (migration_id, tenant_id) VALUES ($1, $2)";
        tx.execute_one(sql, &[&self.migration.0, &self.tenant.0]).await?;
        let history = History {
            tenant: self.tenant,
            migration: self.migration,
            run: FIRST_RUN,
            correlation: self.correlation,
            trace: &self.trace,
        };
        append(tx, &history, std::slice::from_ref(&self.event)).await
    }
}

/// The active migration of a site, if that user of that tenant has one.
pub(crate) async fn active(
    tx: &Tx<'_>,
    tenant: TenantId,
    user: UserId,
    normalised_url: &str,
) -> Result<Option<MigrationId>> {
    let sql = "-- migration.active
        SELECT id FROM migrations
        WHERE tenant_id = $1 AND user_id = $2 AND normalised_url = $3
          AND state NOT IN ('completed', 'failed', 'cancelled')";
    let row = tx.query_opt(sql, &[&tenant.0, &user.0, &normalised_url]).await?;
    row.map(|row| row.column("id").map(MigrationId)).transpose()
}
