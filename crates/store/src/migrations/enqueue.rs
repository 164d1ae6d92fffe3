//! Writes the job that carries out one run of a migration, with its first transition and its announcement.

use crate::{Result, jobs::moves::Actor, jsonb, outbox, tx::Tx};
use domain::{
    CorrelationId, JobId, MigrationId, TenantId, UserId,
    job::{Cause, MIGRATE_WEBSITE, MIGRATION_QUEUE},
    source_url::SourceUrl,
    trace::TraceContext,
};
use serde_json::json;

/// A job that is to be written.
pub(crate) struct NewJob<'a> {
    pub(crate) job: JobId,
    pub(crate) tenant: TenantId,
    pub(crate) user: UserId,
    pub(crate) migration: MigrationId,
    pub(crate) run: i32,
    pub(crate) source_url: &'a str,
    /// Is it to stop when the plan is made, until its owner approves it?
    pub(crate) review_plan: bool,
    pub(crate) max_attempts: u32,
    pub(crate) correlation: CorrelationId,
    pub(crate) trace: &'a TraceContext,
}

/// Writes it, PENDING.
pub(crate) async fn enqueue(tx: &Tx<'_>, new: &NewJob<'_>) -> Result<()> {
    let sql = "-- job.enqueue
        WITH enqueued AS (
            INSERT INTO jobs (id, tenant_id, queue, kind, payload, migration_id, run, state, max_attempts,
                              correlation_id, trace, destination)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', $8, $9, $10, $14)
        )
        INSERT INTO transitions (job_id, tenant_id, to_state, cause, actor, epoch, attempt, trace_id)
        VALUES ($1, $2, 'PENDING', $11, $12, 0, 0, $13)";
    let payload = json!({
        "migrationId": new.migration, "run": new.run, "sourceUrl": new.source_url, "reviewPlan": new.review_plan,
    });
    // What a limit on a website counts; an address that cannot be read is none's, and fails when it is fetched.
    let site = SourceUrl::parse(new.source_url).ok();
    let host = site.as_ref().and_then(|site| site.as_url().host_str()).unwrap_or_default();
    let max_attempts = i32::try_from(new.max_attempts).unwrap_or(i32::MAX);
    tx.execute_one(
        sql,
        &[
            &new.job.0,
            &new.tenant.0,
            &MIGRATION_QUEUE,
            &MIGRATE_WEBSITE,
            &payload,
            &new.migration.0,
            &new.run,
            &max_attempts,
            &new.correlation.0,
            &jsonb::trace(new.trace),
            &Cause::Enqueued.as_str(),
            &Actor::User(new.user).to_string(),
            &new.trace.trace_id(),
            &host,
        ],
    )
    .await?;
    outbox::announce_job(tx, new.tenant, MIGRATION_QUEUE, new.job, new.trace).await
}
