//! Reads dead letters. Writes nothing.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    Epoch, JobId, MigrationId, TenantId, UserId,
    dead_letter::{Filter, LetterState},
};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

/// The most moves of a job that are shown with it.
const MOVES: i64 = 200;

/// A job that used up its attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// The letter's id; ids are in the order of time.
    pub id: Uuid,
    /// The job.
    pub job: JobId,
    /// Its kind.
    pub kind: String,
    /// Its migration, if it carries one out.
    pub migration: Option<MigrationId>,
    /// The lease under which it died, or from which it was taken.
    pub epoch: Epoch,
    /// The last attempt's failure: `domain::Failure` as JSON.
    pub failure: Value,
    /// What became of the letter.
    pub state: LetterState,
    /// When the job died.
    pub died_at: OffsetDateTime,
    /// When the letter was replayed or discarded.
    pub settled_at: Option<OffsetDateTime>,
    /// By whom.
    pub settled_by: Option<UserId>,
    /// Why it was discarded.
    pub discard_reason: Option<String>,
}

/// One line of a job's audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct TransitionRecord {
    /// Its place in the log: later ones have greater numbers.
    pub id: i64,
    /// The state that it left; none: the job was written.
    pub from: Option<String>,
    /// The state that it came to.
    pub to: String,
    /// Why.
    pub cause: String,
    /// By whom: `worker:…` or `user:…`.
    pub actor: String,
    /// The job's epoch then.
    pub epoch: Epoch,
    /// The number of the attempt.
    pub attempt: i32,
    /// The failure of the attempt that ended with it.
    pub failure: Option<Value>,
    /// When.
    pub at: OffsetDateTime,
}

/// A dead letter with the whole job and everything that happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterInFull {
    /// The letter.
    pub letter: DeadLetter,
    /// The job's row at its death.
    pub job: Value,
    /// The job's moves, oldest first; of very many the last.
    pub moves: Vec<TransitionRecord>,
}

/// Which letters are wanted, newest first.
#[derive(Clone, Debug)]
pub struct DeadLetterPage {
    /// At most so many.
    pub limit: u32,
    /// Only those before this one.
    pub before: Option<Uuid>,
    /// Only those of which this became.
    pub state: Option<LetterState>,
    /// Only those that fit.
    pub filter: Filter,
}

impl Store {
    /// A tenant's dead letters, newest first.
    pub async fn dead_letters(&self, tenant: TenantId, page: &DeadLetterPage) -> Result<Vec<DeadLetter>> {
        self.run(&List { tenant, page }).await
    }

    /// One dead letter, with all its job's attempts.
    pub async fn dead_letter(&self, tenant: TenantId, id: Uuid) -> Result<Option<DeadLetterInFull>> {
        self.run(&One { tenant, id }).await
    }
}

/// A filter's values as parameters, in the order in which statements take them.
pub(super) struct FilterValues<'a> {
    filter: &'a Filter,
    reason: Option<&'static str>,
    migration: Option<Uuid>,
}

impl<'a> FilterValues<'a> {
    pub(super) fn of(filter: &'a Filter) -> Self {
        let reason = filter.reason.map(|reason| reason.as_str());
        Self { filter, reason, migration: filter.migration_id.map(|id| id.0) }
    }

    pub(super) fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        let Filter { kind, code, died_after, died_before, .. } = self.filter;
        [kind, &self.reason, code, &self.migration, died_after, died_before]
    }
}

struct List<'a> {
    tenant: TenantId,
    page: &'a DeadLetterPage,
}

impl Work for List<'_> {
    type Out = Vec<DeadLetter>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- dead_letter.list
            SELECT id, job_id, kind, migration_id, epoch, failure, state, died_at,
                   coalesce(replayed_at, discarded_at) AS settled_at, settled_by, discard_reason
            FROM dead_letters
            WHERE tenant_id = $7 AND ($8::uuid IS NULL OR id < $8) AND ($9::text IS NULL OR state = $9)
              AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR reason = $2)
              AND ($3::text IS NULL OR code = $3) AND ($4::uuid IS NULL OR migration_id = $4)
              AND ($5::timestamptz IS NULL OR died_at >= $5) AND ($6::timestamptz IS NULL OR died_at < $6)
            ORDER BY id DESC LIMIT $10";
        let DeadLetterPage { limit, before, state, filter } = self.page;
        let (values, state) = (FilterValues::of(filter), state.map(LetterState::as_str));
        let limit = i64::from(*limit);
        let own: [&(dyn ToSql + Sync); 4] = [&self.tenant.0, before, &state, &limit];
        let rows = tx.query(sql, &[&values.parameters()[..], &own].concat()).await?;
        rows.iter().map(read_letter).collect()
    }
}

/// A letter, of a row with its columns.
pub(crate) fn read_letter(row: &Row) -> Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.column("id")?,
        job: JobId(row.column("job_id")?),
        kind: row.column("kind")?,
        migration: row.column::<Option<Uuid>>("migration_id")?.map(MigrationId),
        epoch: Epoch(row.column("epoch")?),
        failure: row.column("failure")?,
        state: row.word("state")?,
        died_at: row.column("died_at")?,
        settled_at: row.column("settled_at")?,
        settled_by: row.column::<Option<Uuid>>("settled_by")?.map(UserId),
        discard_reason: row.column("discard_reason")?,
    })
}

struct One {
    tenant: TenantId,
    id: Uuid,
}

impl Work for One {
    type Out = Option<DeadLetterInFull>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- dead_letter.one
            SELECT id, job_id, kind, migration_id, epoch, failure, state, died_at,
                   coalesce(replayed_at, discarded_at) AS settled_at, settled_by, discard_reason, job
            FROM dead_letters WHERE id = $1 AND tenant_id = $2";
        let Some(row) = tx.query_opt(sql, &[&self.id, &self.tenant.0]).await? else { return Ok(None) };
        let letter = read_letter(&row)?;
        let moves = moves_of(tx, self.tenant, letter.job).await?;
        Ok(Some(DeadLetterInFull { letter, job: row.column("job")?, moves }))
    }
}

/// A job's moves, oldest first; of very many the last.
pub(crate) async fn moves_of(tx: &Tx<'_>, tenant: TenantId, job: JobId) -> Result<Vec<TransitionRecord>> {
    let sql = "-- transition.of_job
        SELECT * FROM (
            SELECT id, from_state, to_state, cause, actor, epoch, attempt, failure, at
            FROM transitions WHERE job_id = $1 AND tenant_id = $2 ORDER BY id DESC LIMIT $3
        ) AS last ORDER BY id";
    tx.query(sql, &[&job.0, &tenant.0, &MOVES]).await?.iter().map(read_move).collect()
}

/// One line of the audit log.
pub(crate) fn read_move(row: &Row) -> Result<TransitionRecord> {
    Ok(TransitionRecord {
        id: row.column("id")?,
        from: row.column("from_state")?,
        to: row.column("to_state")?,
        cause: row.column("cause")?,
        actor: row.column("actor")?,
        epoch: Epoch(row.column("epoch")?),
        attempt: row.column("attempt")?,
        failure: row.column("failure")?,
        at: row.column("at")?,
    })
}
