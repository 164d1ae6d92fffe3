//! Starts a migration: everything that follows from the request is written in one transaction.

use crate::{Result, Store, StoredAnswer};
use domain::{CorrelationId, JobId, MigrationId, TenantId, UserId, event::NewEvent, trace::TraceContext};
use serde_json::Value;
use std::time::Duration;

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
        let _ = new;
        todo!()
    }
}
