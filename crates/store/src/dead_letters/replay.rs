//! Puts a dead job back into its queue: FAILED → PENDING, with all its attempts before it again, and the migration that it
//! carried out with it, in the same run. What its phases stored stays; it goes on where it died.

use super::discard::lock;
use crate::{
    Error, Result, Store,
    events::append::{History, append},
    jobs::moves::{self, Actor, Locked, Move},
    migrations::{advance, start::active},
    outbox,
    tx::{Columns, Tx, Work},
};
use domain::{
    CorrelationId, JobId, MigrationId, TenantId, UserId,
    dead_letter::LetterState,
    event::NewEvent,
    job::{Cause, JobState},
    migration::MigrationState,
    phase::Phase,
    trace::TraceContext,
};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// The job waits for a worker.
    Replayed(JobId),
    /// This tenant has no such letter.
    NotFound,
    /// It was settled before, in this way.
    Settled(LetterState),
    /// The migration has gone on without this job: it is in this state, in this run.
    Superseded(MigrationState, i32),
    /// Another migration moves that site for that user.
    AlreadyActive(MigrationId),
    /// Another job of the kind is not over and has the same unique key.
    UniqueTaken(JobId),
}

impl Store {
    /// Replays one open letter.
    pub async fn replay_dead_letter(
        &self,
        tenant: TenantId,
        user: UserId,
        id: Uuid,
        trace: &TraceContext,
    ) -> Result<ReplayOutcome> {
        let one = One { tenant, user, id, trace };
        match self.run(&one).await {
            // Somebody started another migration of the site in this very moment: the second look finds it.
            Err(error) if is_double(&error) => self.run(&one).await,
            decided => decided,
        }
    }
}

/// Was a second active migration of a site refused?
pub(super) fn is_double(error: &Error) -> bool {
    matches!(error, Error::Refused { source, .. } if source.code() == Some(&SqlState::UNIQUE_VIOLATION))
}

struct One<'a> {
    tenant: TenantId,
    user: UserId,
    id: Uuid,
    trace: &'a TraceContext,
}

impl Work for One<'_> {
    type Out = ReplayOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<ReplayOutcome> {
        replay(tx, self.tenant, self.user, self.id, self.trace).await
    }
}

/// A dead job, locked.
struct Dead {
    job: Locked,
    queue: String,
    unique_key: Option<String>,
    carried: Option<Carried>,
}

/// The migration that it carried out, locked.
struct Carried {
    run: i32,
    migration: MigrationId,
    state: MigrationState,
    current_run: i32,
    user: UserId,
    normalised_url: String,
    correlation: CorrelationId,
    phase: Option<Phase>,
    progress: i16,
}

/// Replays a letter, if it can be.
pub(super) async fn replay(
    tx: &Tx<'_>,
    tenant: TenantId,
    user: UserId,
    id: Uuid,
    trace: &TraceContext,
) -> Result<ReplayOutcome> {
    let Some(dead) = find(tx, tenant, id).await? else { return Ok(ReplayOutcome::NotFound) };
    // After the job (law 13).
    match lock(tx, tenant, id).await? {
        Some(LetterState::Open) => {}
        Some(settled) => return Ok(ReplayOutcome::Settled(settled)),
        None => return Ok(ReplayOutcome::NotFound),
    }
    if let Some(refused) = refuse(tx, tenant, &dead).await? {
        return Ok(refused);
    }
    let step = Move {
        to: JobState::Pending,
        cause: Cause::Replayed,
        actor: Actor::User(user),
        trace,
        failure: None,
        wait: Some(Duration::ZERO),
    };
    moves::apply(tx, &dead.job, &step).await?;
    if let Some(carried) = &dead.carried {
        advance::queue_again(tx, advance::Record { tenant, id: carried.migration }).await?;
    }
    let sql = "-- dead_letter.replay
        UPDATE dead_letters SET replayed_at = clock_timestamp(), settled_by = $3
        WHERE id = $1 AND tenant_id = $2 AND state = 'open'";
    tx.execute_one(sql, &[&id, &tenant.0, &user.0]).await?;
    outbox::announce_job(tx, tenant, &dead.queue, dead.job.job, trace).await?;
    if let Some(Carried { migration, run, correlation, phase, progress, .. }) = dead.carried {
        let history = History { tenant, migration, run, correlation, trace };
        append(tx, &history, &[NewEvent::replayed(phase, progress)]).await?;
    }
    Ok(ReplayOutcome::Replayed(dead.job.job))
}

/// Why it cannot be replayed, if it cannot.
async fn refuse(tx: &Tx<'_>, tenant: TenantId, dead: &Dead) -> Result<Option<ReplayOutcome>> {
    if let Some(carried) = &dead.carried {
        let is_dead = dead.job.state == JobState::Failed && carried.state == MigrationState::Failed;
        if !is_dead || carried.current_run != carried.run {
            return Ok(Some(ReplayOutcome::Superseded(carried.state, carried.current_run)));
        }
        let other = active(tx, tenant, carried.user, &carried.normalised_url).await?;
        return Ok(other.map(ReplayOutcome::AlreadyActive));
    }
    if dead.unique_key.is_none() {
        return Ok(None);
    }
    let sql = "-- job.in_the_way
        SELECT other.id FROM jobs JOIN jobs AS other USING (tenant_id, kind, unique_key)
        WHERE jobs.id = $1 AND other.unique_key IS NOT NULL
          AND other.state IN ('PENDING', 'PREPARING', 'RUNNING', 'WAITING_RETRY')";
    let other = tx.query_opt(sql, &[&dead.job.job.0]).await?;
    other.map(|row| Ok(ReplayOutcome::UniqueTaken(JobId(row.column("id")?)))).transpose()
}

/// Finds a letter's job and locks it, then the migration that it carried out.
async fn find(tx: &Tx<'_>, tenant: TenantId, id: Uuid) -> Result<Option<Dead>> {
    let sql = "-- job.lock_dead
        SELECT jobs.id, jobs.epoch, jobs.state, jobs.queue, jobs.run, jobs.migration_id, jobs.unique_key
        FROM jobs JOIN dead_letters ON dead_letters.job_id = jobs.id
        WHERE dead_letters.id = $1 AND jobs.tenant_id = $2
        FOR UPDATE OF jobs";
    let Some(job) = tx.query_opt(sql, &[&id, &tenant.0]).await? else { return Ok(None) };
    let carried = match (job.column::<Option<Uuid>>("migration_id")?, job.column("run")?) {
        (Some(migration), Some(run)) => Some(carried(tx, tenant, MigrationId(migration), run).await?),
        _ => None,
    };
    Ok(Some(Dead {
        job: Locked {
            job: JobId(job.column("id")?),
            epoch: job.column("epoch")?,
            state: job.word("state")?,
            // All its attempts are before it again.
            attempts: 0,
        },
        queue: job.column("queue")?,
        unique_key: job.column("unique_key")?,
        carried,
    }))
}

async fn carried(tx: &Tx<'_>, tenant: TenantId, migration: MigrationId, run: i32) -> Result<Carried> {
    let sql = "-- migration.lock_dead
        SELECT state, run, user_id, normalised_url, correlation_id, phase, progress
        FROM migrations WHERE id = $1 AND tenant_id = $2 FOR UPDATE";
    let row = tx.query_one(sql, &[&migration.0, &tenant.0]).await?;
    Ok(Carried {
        run,
        migration,
        state: row.word("state")?,
        current_run: row.column("run")?,
        user: UserId(row.column("user_id")?),
        normalised_url: row.column("normalised_url")?,
        correlation: CorrelationId(row.column("correlation_id")?),
        phase: row.optional_word("phase")?,
        progress: row.column("progress")?,
    })
}
