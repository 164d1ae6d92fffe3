//! What operators do with gates, on a role that writes nothing else. The database logs each change, with who made it.

use super::terms::{Rate, Terms, check, check_key};
use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    TenantId, UserId,
    gate::{MAX_GATES, Scope},
};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::Row;

/// The class of the lock under which gates are changed one after the other; it has one key.
const LOCK_CLASS: i32 = 9;

/// What an operator says of one gate.
#[derive(Clone, Debug, PartialEq)]
pub enum GateWish {
    /// This holds from now on; a pause stays as it is.
    Hold(Terms),
    /// Nothing more begins there, for a reason of 1 to 500 characters; what runs goes on. Said again, it changes the
    /// reason alone.
    Pause(String),
    /// The pause is over.
    Resume,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum GateOutcome {
    /// So it stands, whether or not it was so before. A gate that says nothing any more is not kept.
    Stands(GateRecord),
    /// Nothing was changed: it has no meaning, and this does.
    Meaningless(String),
    /// Nothing was changed: there are [`MAX_GATES`], and every claim reads them all.
    TooMany,
}

/// A gate as an operator sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct GateRecord {
    /// What it stands before.
    pub scope: Scope,
    /// Which of them, or `*`.
    pub key: String,
    /// What holds.
    pub terms: Terms,
    /// Since when nothing begins, and why.
    pub paused: Option<(OffsetDateTime, String)>,
}

impl GateRecord {
    /// One that says nothing.
    fn open(scope: Scope, key: &str) -> Self {
        Self { scope, key: key.to_owned(), terms: Terms::OPEN, paused: None }
    }
}

/// One line of the gates' log.
#[derive(Clone, Debug, PartialEq)]
pub struct GateChange {
    /// Its number; grows.
    pub id: i64,
    /// What the gate stands before.
    pub scope: Scope,
    /// Which of them.
    pub key: String,
    /// Who changed it; none: the schema's owner, by hand.
    pub user: Option<UserId>,
    /// What it said before; none: nothing.
    pub before: Option<Value>,
    /// What it says from then on.
    pub after: Option<Value>,
    /// When.
    pub at: OffsetDateTime,
}

impl Store {
    /// Does what an operator says of a gate. Said again, it changes nothing and leaves no line.
    pub async fn change_gate(
        &self,
        by: UserId,
        scope: Scope,
        key: &str,
        wish: &GateWish,
    ) -> Result<GateOutcome> {
        if let Err(told) = meaning(scope, key, wish) {
            return Ok(GateOutcome::Meaningless(told));
        }
        match self.run(&Change { by, scope, key, wish }).await? {
            Some(record) => Ok(GateOutcome::Stands(record)),
            None => Ok(GateOutcome::TooMany),
        }
    }

    /// Every gate, by scope and key.
    pub async fn gates(&self) -> Result<Vec<GateRecord>> {
        self.run(&List).await
    }

    /// The log of the gates, the newest line first.
    pub async fn gate_changes(&self, limit: u32, before: Option<i64>) -> Result<Vec<GateChange>> {
        self.run(&Log { limit, before }).await
    }
}

fn meaning(scope: Scope, key: &str, wish: &GateWish) -> Result<(), String> {
    check_key(scope, key)?;
    match wish {
        GateWish::Hold(terms) => check(scope, key, terms),
        GateWish::Pause(reason) if reason.is_empty() || reason.chars().count() > 500 => {
            Err("a pause needs a reason of 1 to 500 characters".to_owned())
        }
        GateWish::Pause(reason) if reason.contains('\0') => Err("a reason holds no U+0000".to_owned()),
        GateWish::Pause(_) | GateWish::Resume => Ok(()),
    }
}

struct Change<'a> {
    by: UserId,
    scope: Scope,
    key: &'a str,
    wish: &'a GateWish,
}

/// None: there are too many.
impl Work for Change<'_> {
    type Out = Option<GateRecord>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- gate.change
            SELECT pg_advisory_xact_lock($1, 0), set_config('app.user', $2, true)";
        tx.query(sql, &[&LOCK_CLASS, &self.by.to_string()]).await?;
        let gates = List.run(tx).await?;
        let standing = gates.iter().find(|gate| gate.scope == self.scope && gate.key == self.key);
        let before = standing.cloned().unwrap_or_else(|| GateRecord::open(self.scope, self.key));
        let terms = if let GateWish::Hold(terms) = self.wish { *terms } else { before.terms };
        let reason = match self.wish {
            GateWish::Hold(_) => before.paused.as_ref().map(|(_, reason)| reason.as_str()),
            GateWish::Pause(reason) => Some(reason.as_str()),
            GateWish::Resume => None,
        };
        if terms == before.terms && reason == before.paused.as_ref().map(|(_, reason)| reason.as_str()) {
            return Ok(Some(before));
        }
        if terms == Terms::OPEN && reason.is_none() {
            let sql = "-- gate.remove\nDELETE FROM gates WHERE scope = $1 AND key = $2";
            tx.execute_one(sql, &[&self.scope.as_str(), &self.key]).await?;
            return Ok(Some(GateRecord::open(self.scope, self.key)));
        }
        if standing.is_none() && gates.len() >= MAX_GATES {
            return Ok(None);
        }
        self.write(tx, &terms, reason).await.map(Some)
    }
}

impl Change<'_> {
    async fn write(&self, tx: &Tx<'_>, terms: &Terms, reason: Option<&str>) -> Result<GateRecord> {
        // A bucket stays as full as it is unless it becomes another one.
        let sql = "-- gate.set
            INSERT INTO gates AS old (scope, key, weight, most, per_second, burst, pause_reason, paused_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $7::text IS NOT NULL THEN clock_timestamp() END)
            ON CONFLICT (scope, key) DO UPDATE SET
                weight = $3, most = $4, per_second = $5, burst = $6, pause_reason = $7,
                paused_at = CASE WHEN $7::text IS NOT NULL THEN coalesce(old.paused_at, clock_timestamp()) END,
                tokens = CASE WHEN (old.per_second, old.burst) IS NOT DISTINCT FROM ($5, $6) THEN old.tokens END,
                metered_at = CASE WHEN (old.per_second, old.burst) IS NOT DISTINCT FROM ($5, $6) THEN old.metered_at END,
                changed_at = clock_timestamp()
            RETURNING scope, key, weight, most, per_second, burst, paused_at, pause_reason";
        let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX); // checked before
        let (weight, most) = (number(terms.weight), terms.most.map(number));
        let rate = terms.rate.map(|rate| rate.per_second);
        let burst = terms.rate.map(|rate| number(rate.burst));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&self.scope.as_str(), &self.key, &weight, &most, &rate, &burst, &reason];
        record(&tx.query_one(sql, &values).await?)
    }
}

struct List;

impl Work for List {
    type Out = Vec<GateRecord>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- gate.list
            SELECT scope, key, weight, most, per_second, burst, paused_at, pause_reason
            FROM gates ORDER BY scope, key LIMIT 1001";
        tx.query(sql, &[]).await?.iter().map(record).collect()
    }
}

fn record(row: &Row) -> Result<GateRecord> {
    let count = |value: i32| u32::try_from(value).unwrap_or(0); // the columns are positive
    let (rate, burst): (Option<f64>, Option<i32>) = (row.column("per_second")?, row.column("burst")?);
    let (since, reason): (Option<OffsetDateTime>, Option<String>) =
        (row.column("paused_at")?, row.column("pause_reason")?);
    Ok(GateRecord {
        scope: row.word("scope")?,
        key: row.column("key")?,
        terms: Terms {
            weight: count(row.column("weight")?),
            most: row.column::<Option<i32>>("most")?.map(count),
            rate: rate.zip(burst).map(|(per_second, burst)| Rate { per_second, burst: count(burst) }),
        },
        paused: since.zip(reason),
    })
}

struct Log {
    limit: u32,
    before: Option<i64>,
}

impl Work for Log {
    type Out = Vec<GateChange>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- gate.log
            SELECT id, scope, key, user_id, before, after, at FROM gate_changes
            WHERE $2::bigint IS NULL OR id < $2 ORDER BY id DESC LIMIT $1";
        let line = |row: &Row| {
            Ok(GateChange {
                id: row.column("id")?,
                scope: row.word("scope")?,
                key: row.column("key")?,
                user: row.column::<Option<uuid::Uuid>>("user_id")?.map(UserId),
                before: row.column("before")?,
                after: row.column("after")?,
                at: row.column("at")?,
            })
        };
        tx.query(sql, &[&i64::from(self.limit), &self.before]).await?.iter().map(line).collect()
    }
}
