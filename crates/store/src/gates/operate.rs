//! What an operator does with gates, on the owner's connection.

use crate::{
    Error, Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    TenantId,
    gate::{ANYBODY, MAX_GATES, MAX_KEY, MAX_WEIGHT, Scope},
};
use time::OffsetDateTime;
use tokio_postgres::Row;

/// So many starts in a time, and so many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Starts per second in the long run: more than 0.00001, at most a million.
    pub per_second: f64,
    /// Starts at once: 1 to a million.
    pub burst: u32,
}

/// What is to hold for a key; pauses stay as they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewTerms {
    /// For a tenant: the jobs of one turn, 1 to [`MAX_WEIGHT`].
    pub weight: u32,
    /// Jobs held at once; no limit without.
    pub most: Option<u32>,
    /// Starts in a time; no limit without.
    pub rate: Option<Rate>,
}

/// A gate as an operator sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct GateRecord {
    /// What it stands before.
    pub scope: Scope,
    /// Which of them, or `*`.
    pub key: String,
    /// What holds.
    pub terms: NewTerms,
    /// Since when nothing begins, and why.
    pub paused: Option<(OffsetDateTime, String)>,
}

impl Store {
    /// Sets what holds for a key. Refused: what has no meaning, and more than [`MAX_GATES`] gates.
    pub async fn set_terms(&self, scope: Scope, key: &str, terms: &NewTerms) -> Result<()> {
        check(scope, key, terms).map_err(|reason| Error::Meaningless { doing: "gate.set", reason })?;
        self.run(&Set { scope, key, terms }).await
    }

    /// Begins nothing more there until it is resumed; what runs goes on. Said again, it changes the reason alone.
    /// A pause of all has the key `*`.
    pub async fn pause(&self, scope: Scope, key: &str, reason: &str) -> Result<()> {
        let refused = |reason| Error::Meaningless { doing: "gate.pause", reason };
        check_key(scope, key).map_err(refused)?;
        if reason.is_empty() || reason.chars().count() > 500 {
            return Err(refused("a pause needs a reason of at most 500 characters".to_owned()));
        }
        self.run(&Pause { scope, key, reason }).await
    }

    /// Ends a pause; `false`, if there was none.
    pub async fn resume(&self, scope: Scope, key: &str) -> Result<bool> {
        self.run(&Resume { scope, key }).await
    }

    /// Every gate, by scope and key.
    pub async fn gates(&self) -> Result<Vec<GateRecord>> {
        self.run(&List).await
    }
}

fn check_key(scope: Scope, key: &str) -> Result<(), String> {
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(format!("a key has 1 to {MAX_KEY} bytes"));
    }
    match scope {
        Scope::All if key != ANYBODY => Err(format!("the key of everything is {ANYBODY}")),
        // Written as ids are printed: it is compared as text.
        Scope::Tenant
            if key != ANYBODY && key.parse().map(|id: TenantId| id.to_string()).as_deref() != Ok(key) =>
        {
            Err("a tenant's key is its id, in lower case and with hyphens".to_owned())
        }
        _ => Ok(()),
    }
}

fn check(scope: Scope, key: &str, terms: &NewTerms) -> Result<(), String> {
    check_key(scope, key)?;
    let own = scope == Scope::Tenant && key != ANYBODY;
    if !(1..=MAX_WEIGHT).contains(&terms.weight) || (terms.weight != 1 && !own) {
        return Err(format!("a weight is a tenant's own, 1 to {MAX_WEIGHT}"));
    }
    if terms.most.is_some_and(|most| i32::try_from(most).is_err()) {
        return Err(format!("at most {} may run at once", i32::MAX));
    }
    let Some(rate) = terms.rate else { return Ok(()) };
    if key == ANYBODY && scope != Scope::All {
        return Err("a rate needs a key of its own: each has its own bucket".to_owned());
    }
    if !(0.000_01..=1e6).contains(&rate.per_second) || !(1..=1_000_000).contains(&rate.burst) {
        return Err("a rate is 0.00001 to 1000000 per second, its burst 1 to 1000000".to_owned());
    }
    Ok(())
}

struct Set<'a> {
    scope: Scope,
    key: &'a str,
    terms: &'a NewTerms,
}

impl Work for Set<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let NewTerms { weight, most, rate } = *self.terms;
        let sql = "-- gate.set
            INSERT INTO gates (scope, key, weight, most, per_second, burst) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (scope, key) DO UPDATE SET
                weight = $3, most = $4, per_second = $5, burst = $6, tokens = NULL, metered_at = NULL,
                changed_at = clock_timestamp()";
        let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX); // checked above
        let (weight, most) = (number(weight), most.map(number));
        let (per_second, burst) = (rate.map(|rate| rate.per_second), rate.map(|rate| number(rate.burst)));
        tx.execute_one(sql, &[&self.scope.as_str(), &self.key, &weight, &most, &per_second, &burst]).await?;
        bound(tx).await
    }
}

/// Claims read all gates, so that there must be few.
async fn bound(tx: &Tx<'_>) -> Result<()> {
    let sql = "-- gate.count\nSELECT count(*) AS gates FROM gates";
    let gates: i64 = tx.query_one(sql, &[]).await?.column("gates")?;
    if usize::try_from(gates).is_ok_and(|gates| gates > MAX_GATES) {
        let reason = format!(
            "there are {MAX_GATES} gates already: take one away, or set one for everybody ({ANYBODY})"
        );
        return Err(Error::Meaningless { doing: "gate.set", reason });
    }
    Ok(())
}

struct Pause<'a> {
    scope: Scope,
    key: &'a str,
    reason: &'a str,
}

impl Work for Pause<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- gate.pause
            INSERT INTO gates (scope, key, paused_at, pause_reason) VALUES ($1, $2, clock_timestamp(), $3)
            ON CONFLICT (scope, key) DO UPDATE SET
                paused_at = coalesce(gates.paused_at, clock_timestamp()), pause_reason = $3,
                changed_at = clock_timestamp()";
        tx.execute_one(sql, &[&self.scope.as_str(), &self.key, &self.reason]).await?;
        bound(tx).await
    }
}

struct Resume<'a> {
    scope: Scope,
    key: &'a str,
}

/// A gate that says nothing more goes with its pause.
impl Work for Resume<'_> {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- gate.resume
            UPDATE gates SET paused_at = NULL, pause_reason = NULL, changed_at = clock_timestamp()
            WHERE scope = $1 AND key = $2 AND paused_at IS NOT NULL";
        let resumed = tx.execute(sql, &[&self.scope.as_str(), &self.key]).await?;
        let sql = "-- gate.remove_idle
            DELETE FROM gates
            WHERE scope = $1 AND key = $2 AND paused_at IS NULL AND most IS NULL AND per_second IS NULL AND weight = 1";
        tx.execute(sql, &[&self.scope.as_str(), &self.key]).await?;
        Ok(resumed > 0)
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
        terms: NewTerms {
            weight: count(row.column("weight")?),
            most: row.column::<Option<i32>>("most")?.map(count),
            rate: rate.zip(burst).map(|(per_second, burst)| Rate { per_second, burst: count(burst) }),
        },
        paused: since.zip(reason),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_meaning_is_refused_with_what_has() {
        let plain = NewTerms { weight: 1, most: None, rate: None };
        let rate = |per_second, burst| NewTerms { rate: Some(Rate { per_second, burst }), ..plain };
        let tenant = TenantId(uuid::Uuid::from_u128(0xab)).to_string();
        for (scope, key, terms, fits) in [
            (Scope::Tenant, tenant.as_str(), NewTerms { weight: 100, ..plain }, true),
            (Scope::Tenant, &tenant.to_uppercase(), plain, false),
            (Scope::Tenant, "*", NewTerms { weight: 2, ..plain }, false),
            (Scope::Tenant, &tenant, NewTerms { weight: 0, ..plain }, false),
            (Scope::Tenant, "*", NewTerms { most: Some(0), ..plain }, true),
            (Scope::All, "everything", plain, false),
            (Scope::All, "*", rate(5.0, 1), true),
            (Scope::Destination, "*", rate(5.0, 1), false),
            (Scope::Destination, "host", rate(0.0, 1), false),
            (Scope::Destination, "host", rate(f64::NAN, 1), false),
            (Scope::Destination, "host", rate(1.0, 0), false),
            (Scope::Destination, "", plain, false),
        ] {
            assert_eq!(check(scope, key, &terms).is_ok(), fits, "{scope} {key} {terms:?}");
        }
    }
}
