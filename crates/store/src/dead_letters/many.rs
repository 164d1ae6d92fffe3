//! A replay of many dead letters: written down with its filter, carried out letter by letter by any worker, each in a
//! transaction that also counts it. So it goes on where it was, whatever happens, and can be looked at and called off.

use super::{
    read::FilterValues,
    replay::{ReplayOutcome, is_double, replay},
};
use crate::{
    Error, Result, Store, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{TenantId, UserId, dead_letter::Filter, trace::TraceContext};
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

/// Letters are counted up to this; a replay takes all of them all the same.
const COUNTED: i32 = 10_000;

/// A wish to replay many letters.
#[derive(Clone, Debug)]
pub struct NewReplay {
    /// Its id.
    pub id: Uuid,
    /// Whose letters.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// Which letters; one that leaves nothing out is refused by the database.
    pub filter: Filter,
    /// The request's trace context.
    pub trace: TraceContext,
}

/// What a replay would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// How many letters, counted up to 10000.
    pub found: i32,
    /// The oldest of them.
    pub first: Vec<Uuid>,
}

/// How far a replay has come.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayRecord {
    /// Its id.
    pub id: Uuid,
    /// Who asked.
    pub user: UserId,
    /// Which letters.
    pub filter: Filter,
    /// `running`, `completed` or `cancelled`.
    pub state: String,
    /// How many letters there were at its beginning, counted up to 10000.
    pub found: i32,
    /// How many were replayed.
    pub replayed: i32,
    /// How many could not be: their migration had gone on without them, or another one moves the site.
    pub refused: i32,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// When it was over.
    pub finished_at: Option<OffsetDateTime>,
}

impl Store {
    /// What a replay of these letters would take.
    pub async fn preview_replay(&self, tenant: TenantId, filter: &Filter) -> Result<Preview> {
        self.run(&Look { tenant, filter }).await
    }

    /// Writes a replay down; workers carry it out.
    pub async fn begin_replay(&self, new: &NewReplay) -> Result<ReplayRecord> {
        self.run(new).await
    }

    /// How far a replay has come.
    pub async fn replay(&self, tenant: TenantId, id: Uuid) -> Result<Option<ReplayRecord>> {
        self.run(&Find { tenant, id }).await
    }

    /// Calls a replay off: no further letter is taken. What it is afterwards; what was over before stays so.
    pub async fn cancel_replay(&self, tenant: TenantId, id: Uuid) -> Result<Option<ReplayRecord>> {
        self.run(&Cancel { tenant, id }).await
    }

    /// Carries replays on, by at most so many letters; answers how many jobs were put back.
    pub async fn continue_replays(&self, limit: u32) -> Result<u32> {
        let (mut left, mut replayed) = (limit, 0);
        for (id, tenant) in self.run(&Running).await? {
            while left > 0 {
                left -= 1;
                let next = Next { id, tenant, refuse: false };
                let step = match self.run(&next).await {
                    // The site has another migration since this very moment.
                    Err(error) if is_double(&error) => self.run(&Next { refuse: true, ..next }).await?,
                    decided => decided?,
                };
                match step {
                    Step::Replayed => replayed += 1,
                    Step::Refused => {}
                    Step::Over => break,
                }
            }
        }
        Ok(replayed)
    }
}

struct Look<'a> {
    tenant: TenantId,
    filter: &'a Filter,
}

impl Work for Look<'_> {
    type Out = Preview;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Preview> {
        let sql = "-- dead_letter.preview
            WITH found AS (
                SELECT id FROM dead_letters
                WHERE tenant_id = $7 AND replayed_at IS NULL AND discarded_at IS NULL
                  AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR reason = $2)
                  AND ($3::text IS NULL OR code = $3) AND ($4::uuid IS NULL OR migration_id = $4)
                  AND ($5::timestamptz IS NULL OR died_at >= $5) AND ($6::timestamptz IS NULL OR died_at < $6)
                ORDER BY id LIMIT $8
            )
            SELECT (SELECT count(*) FROM found)::integer AS found,
                   ARRAY(SELECT id FROM found ORDER BY id LIMIT 10) AS first";
        let values = FilterValues::of(self.filter);
        let most = i64::from(COUNTED);
        let own: [&(dyn ToSql + Sync); 2] = [&self.tenant.0, &most];
        let row = tx.query_one(sql, &[&values.parameters()[..], &own].concat()).await?;
        Ok(Preview { found: row.column("found")?, first: row.column("first")? })
    }
}

impl Work for NewReplay {
    type Out = ReplayRecord;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<ReplayRecord> {
        let found = Look { tenant: self.tenant, filter: &self.filter }.run(tx).await?.found;
        let sql = "-- replay.begin
            INSERT INTO replays (id, tenant_id, user_id, filter, found, trace) VALUES ($1, $2, $3, $4, $5, $6)
            RETURNING id, user_id, filter, state, found, replayed, refused, created_at, finished_at";
        let filter = serde_json::to_value(&self.filter).expect("words and times serialise");
        let (filter, trace) = (jsonb::storable(&filter), jsonb::trace(&self.trace));
        read(&tx.query_one(sql, &[&self.id, &self.tenant.0, &self.user.0, &filter, &found, &trace]).await?)
    }
}

fn read(row: &Row) -> Result<ReplayRecord> {
    let filter = serde_json::from_value(row.column("filter")?);
    Ok(ReplayRecord {
        id: row.column("id")?,
        user: UserId(row.column("user_id")?),
        filter: filter.map_err(|error| Error::corrupt(format!("the filter of a replay: {error}")))?,
        state: row.column("state")?,
        found: row.column("found")?,
        replayed: row.column("replayed")?,
        refused: row.column("refused")?,
        created_at: row.column("created_at")?,
        finished_at: row.column("finished_at")?,
    })
}

struct Find {
    tenant: TenantId,
    id: Uuid,
}

impl Work for Find {
    type Out = Option<ReplayRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- replay.one
            SELECT id, user_id, filter, state, found, replayed, refused, created_at, finished_at
            FROM replays WHERE id = $1 AND tenant_id = $2";
        tx.query_opt(sql, &[&self.id, &self.tenant.0]).await?.as_ref().map(read).transpose()
    }
}

struct Cancel {
    tenant: TenantId,
    id: Uuid,
}

impl Work for Cancel {
    type Out = Option<ReplayRecord>;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- replay.cancel
            UPDATE replays SET state = 'cancelled', finished_at = clock_timestamp()
            WHERE id = $1 AND tenant_id = $2 AND state = 'running'";
        tx.execute(sql, &[&self.id, &self.tenant.0]).await?;
        Find { tenant: self.tenant, id: self.id }.run(tx).await
    }
}

struct Running;

impl Work for Running {
    type Out = Vec<(Uuid, TenantId)>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- replay.running
            SELECT id, tenant_id FROM replays WHERE state = 'running' ORDER BY created_at LIMIT 10";
        let rows = tx.query(sql, &[]).await?;
        rows.iter().map(|row| Ok((row.column("id")?, TenantId(row.column("tenant_id")?)))).collect()
    }
}

/// One letter of a replay.
#[derive(Clone, Copy)]
struct Next {
    id: Uuid,
    tenant: TenantId,
    /// Pass the letter over: it cannot be replayed just now.
    refuse: bool,
}

enum Step {
    Replayed,
    Refused,
    /// Nothing is left, it was called off, or another worker is at it.
    Over,
}

impl Work for Next {
    type Out = Step;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Step> {
        let sql = "-- replay.take
            SELECT user_id, filter, last_letter, trace, created_at FROM replays
            WHERE id = $1 AND tenant_id = $2 AND state = 'running' FOR UPDATE SKIP LOCKED";
        let Some(row) = tx.query_opt(sql, &[&self.id, &self.tenant.0]).await? else { return Ok(Step::Over) };
        let user = UserId(row.column("user_id")?);
        let filter: Filter = serde_json::from_value(row.column("filter")?)
            .map_err(|error| Error::corrupt(format!("the filter of replay {}: {error}", self.id)))?;
        let trace = jsonb::read_trace(row.column("trace")?);
        let begun: OffsetDateTime = row.column("created_at")?;
        let Some(letter) = self.letter(tx, &filter, row.column("last_letter")?, begun).await? else {
            let sql = "-- replay.complete
                UPDATE replays SET state = 'completed', finished_at = clock_timestamp()
                WHERE id = $1 AND tenant_id = $2 AND state = 'running'";
            tx.execute_one(sql, &[&self.id, &self.tenant.0]).await?;
            return Ok(Step::Over);
        };
        let replayed = !self.refuse
            && matches!(replay(tx, self.tenant, user, letter, &trace).await?, ReplayOutcome::Replayed(_));
        let sql = "-- replay.count
            UPDATE replays SET last_letter = $3, replayed = replayed + $4, refused = refused + 1 - $4
            WHERE id = $1 AND tenant_id = $2 AND state = 'running'";
        tx.execute_one(sql, &[&self.id, &self.tenant.0, &letter, &i32::from(replayed)]).await?;
        Ok(if replayed { Step::Replayed } else { Step::Refused })
    }
}

impl Next {
    /// The next open letter that fits. One that dies after the wish was written is none of its letters: else a job that
    /// dies again and again would be replayed for ever.
    async fn letter(
        &self,
        tx: &Tx<'_>,
        filter: &Filter,
        after: Option<Uuid>,
        begun: OffsetDateTime,
    ) -> Result<Option<Uuid>> {
        let sql = "-- dead_letter.next
            SELECT id FROM dead_letters
            WHERE tenant_id = $7 AND replayed_at IS NULL AND discarded_at IS NULL
              AND ($8::uuid IS NULL OR id > $8) AND died_at <= $9
              AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR reason = $2)
              AND ($3::text IS NULL OR code = $3) AND ($4::uuid IS NULL OR migration_id = $4)
              AND ($5::timestamptz IS NULL OR died_at >= $5) AND ($6::timestamptz IS NULL OR died_at < $6)
            ORDER BY id LIMIT 1";
        let values = FilterValues::of(filter);
        let own: [&(dyn ToSql + Sync); 3] = [&self.tenant.0, &after, &begun];
        let row = tx.query_opt(sql, &[&values.parameters()[..], &own].concat()).await?;
        row.map(|row| row.column("id")).transpose()
    }
}
