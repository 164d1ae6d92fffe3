//! What waits for a person: dead letters of all tenants, and messages that nobody could read.

use crate::{
    DeadLetter, DeadLetterInFull, Result, Store,
    dead_letters::{moves_of, read_letter},
    tx::{Columns, Tx, Work},
};
use domain::TenantId;
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

/// Messages that are shown, newest first, and what of each.
const MESSAGES: i64 = 100;
const SHOWN_BYTES: i32 = 2000;

/// Which letters are wanted, newest first.
#[derive(Clone, Copy, Debug)]
pub struct LettersWanted {
    /// At most so many.
    pub limit: u32,
    /// Only those before this one.
    pub before: Option<Uuid>,
    /// Only those that nobody has settled.
    pub open: bool,
}

/// A letter and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterOfTenant<L> {
    /// Whose job it was.
    pub tenant: TenantId,
    /// The letter.
    pub letter: L,
}

/// A message whose bytes could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct PoisonLine {
    /// Its number.
    pub id: i64,
    /// Where it came from.
    pub queue: String,
    /// Why it could not be read.
    pub error: String,
    /// Its length.
    pub bytes: i64,
    /// How it begins.
    pub beginning: Vec<u8>,
    /// Its headers.
    pub headers: Value,
    /// When it was put aside.
    pub at: OffsetDateTime,
}

impl Store {
    /// Dead letters of all tenants. On the operators' connection.
    pub async fn letters_of_all(&self, wanted: &LettersWanted) -> Result<Vec<LetterOfTenant<DeadLetter>>> {
        self.run(wanted).await
    }

    /// One of them, with all its job's attempts. On the operators' connection.
    pub async fn letter_of_any(&self, id: Uuid) -> Result<Option<LetterOfTenant<DeadLetterInFull>>> {
        self.run(&One { id }).await
    }

    /// The newest messages that nobody could read. On the operators' connection.
    pub async fn poison_lines(&self) -> Result<Vec<PoisonLine>> {
        self.run(&Messages).await
    }
}

impl Work for LettersWanted {
    type Out = Vec<LetterOfTenant<DeadLetter>>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let open = "-- operations.open_letters
            SELECT tenant_id, id, job_id, kind, migration_id, epoch, failure, state, died_at,
                   coalesce(replayed_at, discarded_at) AS settled_at, settled_by, discard_reason
            FROM dead_letters WHERE id < $1 AND replayed_at IS NULL AND discarded_at IS NULL
            ORDER BY id DESC LIMIT $2";
        let all = "-- operations.letters
            SELECT tenant_id, id, job_id, kind, migration_id, epoch, failure, state, died_at,
                   coalesce(replayed_at, discarded_at) AS settled_at, settled_by, discard_reason
            FROM dead_letters WHERE id < $1 ORDER BY id DESC LIMIT $2";
        let sql = if self.open { open } else { all };
        let before = self.before.unwrap_or(Uuid::max());
        tx.query(sql, &[&before, &i64::from(self.limit)]).await?.iter().map(of_tenant).collect()
    }
}

fn of_tenant(row: &Row) -> Result<LetterOfTenant<DeadLetter>> {
    Ok(LetterOfTenant { tenant: TenantId(row.column("tenant_id")?), letter: read_letter(row)? })
}

struct One {
    id: Uuid,
}

impl Work for One {
    type Out = Option<LetterOfTenant<DeadLetterInFull>>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- operations.letter
            SELECT tenant_id, id, job_id, kind, migration_id, epoch, failure, state, died_at,
                   coalesce(replayed_at, discarded_at) AS settled_at, settled_by, discard_reason, job
            FROM dead_letters WHERE id = $1";
        let Some(row) = tx.query_opt(sql, &[&self.id]).await? else { return Ok(None) };
        let LetterOfTenant { tenant, letter } = of_tenant(&row)?;
        let moves = moves_of(tx, tenant, letter.job).await?;
        let letter = DeadLetterInFull { letter, job: row.column("job")?, moves };
        Ok(Some(LetterOfTenant { tenant, letter }))
    }
}

struct Messages;

impl Work for Messages {
    type Out = Vec<PoisonLine>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- operations.poison
            SELECT id, queue, error, length(body)::bigint AS bytes, substring(body FOR $2) AS beginning, headers, at
            FROM poison ORDER BY id DESC LIMIT $1";
        let message = |row: &Row| {
            Ok(PoisonLine {
                id: row.column("id")?,
                queue: row.column("queue")?,
                error: row.column("error")?,
                bytes: row.column("bytes")?,
                beginning: row.column("beginning")?,
                headers: row.column("headers")?,
                at: row.column("at")?,
            })
        };
        tx.query(sql, &[&MESSAGES, &SHOWN_BYTES]).await?.iter().map(message).collect()
    }
}
