//! The one transaction runner, and the thin cover over the driver that names each statement in errors.
//!
//! A transaction that lost a race that Postgres resolved by ending it (a deadlock, a serialization failure) is
//! run again from its start, so a [`Work`] must keep no state between runs. Nothing else is tried again here:
//! after a lost connection nobody knows whether the commit happened.

use crate::{Error, Result, Store};
use deadpool_postgres::{Object, Transaction};
use domain::TenantId;
use std::{
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql},
};

const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// What happens inside one transaction. A trait and not a closure: only so can it be said that the future is
/// `Send` whatever the transaction's lifetime.
pub(crate) trait Work: Sync {
    /// What it answers.
    type Out: Send;
    /// Does it. Called again when the transaction has to be repeated.
    fn run(&self, tx: &Tx<'_>) -> impl Future<Output = Result<Self::Out>> + Send;
    /// Whose rows it may see, for tables that belong to a tenant.
    fn tenant(&self) -> Option<TenantId>;
    /// The longest that one run may take, where that is less than any transaction may.
    fn bound(&self) -> Option<Duration> {
        None
    }
    /// May the server answer before its log is on the disk? Only for what is done again, without harm, when a server that
    /// died has forgotten it: then nobody waits for the disk.
    fn may_be_forgotten(&self) -> bool {
        false
    }
}

impl Store {
    /// Runs `work` in a transaction and commits it.
    pub(crate) async fn run<W: Work>(&self, work: &W) -> Result<W::Out> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(work).await {
                Err(error) if error.is_lost_race() => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "transaction is run again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                decided => return decided,
            }
        }
        self.attempt(work).await
    }

    async fn attempt<W: Work>(&self, work: &W) -> Result<W::Out> {
        let mut connection = self.connection().await?;
        let bound =
            work.bound().map_or(self.transaction_timeout(), |own| own.min(self.transaction_timeout()));
        match tokio::time::timeout(bound, transact(&mut connection, work)).await {
            Ok(Err(error)) if error.is_read_only() => {
                drop(Object::take(connection));
                Err(error)
            }
            Ok(Ok(done)) => {
                if done.announces {
                    self.announcements().tell(connection).await;
                }
                Ok(done.out)
            }
            Ok(Err(error)) => Err(error),
            Err(elapsed) => {
                // It hangs on a peer that does not answer: the next user must not get this connection.
                drop(Object::take(connection));
                Err(Error::Unavailable { doing: "store.transaction", source: Box::new(elapsed) })
            }
        }
    }
}

/// What a transaction that was committed has come to.
struct Done<T> {
    out: T,
    /// It wrote to the outbox.
    announces: bool,
}

async fn transact<W: Work>(connection: &mut Object, work: &W) -> Result<Done<W::Out>> {
    let inner = connection.transaction().await.map_err(|e| Error::from_driver("store.begin", e))?;
    let tx = Tx { inner, announces: AtomicBool::new(false) };
    if let Some(tenant) = work.tenant() {
        tx.execute("-- store.set_tenant\nSELECT set_config('app.tenant', $1, true)", &[&tenant.to_string()])
            .await?;
    }
    if work.may_be_forgotten() {
        tx.execute("-- store.hurry\nSELECT set_config('synchronous_commit', 'off', true)", &[]).await?;
    }
    // An error leaves by `?` and drops the transaction, which rolls it back.
    let out = work.run(&tx).await?;
    let announces = tx.announces.into_inner();
    tx.inner.commit().await.map_err(|e| Error::from_driver("store.commit", e))?;
    Ok(Done { out, announces })
}

/// A transaction. Its statements are prepared once per connection.
pub(crate) struct Tx<'a> {
    inner: Transaction<'a>,
    announces: AtomicBool,
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Tx<'_> {
    /// It has written to the outbox: relays are told when it is committed.
    pub(crate) fn announces(&self) {
        self.announces.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn query(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
        let fault = |e| Error::from_driver(name(sql), e);
        let statement = self.inner.prepare_cached(sql).await.map_err(fault)?;
        self.inner.query(&statement, parameters).await.map_err(fault)
    }

    pub(crate) async fn query_opt(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>> {
        Ok(self.query(sql, parameters).await?.pop())
    }

    pub(crate) async fn query_one(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Row> {
        let none = || Error::corrupt(format!("{} found no row", name(sql)));
        self.query_opt(sql, parameters).await?.ok_or_else(none)
    }

    pub(crate) async fn execute(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<u64> {
        let fault = |e| Error::from_driver(name(sql), e);
        let statement = self.inner.prepare_cached(sql).await.map_err(fault)?;
        self.inner.execute(&statement, parameters).await.map_err(fault)
    }

    /// For a write that has to hit exactly one row: the guard in its WHERE was proved before.
    pub(crate) async fn execute_one(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<()> {
        match self.execute(sql, parameters).await? {
            1 => Ok(()),
            rows => Err(Error::corrupt(format!("{} hit {rows} rows where it has to hit one", name(sql)))),
        }
    }
}

/// A statement's name: the comment that it begins with.
fn name(sql: &'static str) -> &'static str {
    sql.lines().next().and_then(|line| line.strip_prefix("-- ")).unwrap_or("statement")
}

/// Columns by name, with errors in place of panics.
pub(crate) trait Columns {
    fn column<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T>;

    /// A column of text that is read by `FromStr`: states, phases, types.
    fn word<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T> {
        parse(column, self.column(column)?)
    }

    /// The same, where NULL means none.
    fn optional_word<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<Option<T>> {
        let text: Option<&str> = self.column(column)?;
        text.map(|text| parse(column, text)).transpose()
    }
}

impl Columns for Row {
    fn column<'a, T: FromSql<'a>>(&'a self, column: &str) -> Result<T> {
        self.try_get(column).map_err(|error| Error::corrupt(format!("column {column}: {error}")))
    }
}

fn parse<T: FromStr<Err: std::fmt::Display>>(column: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error: T::Err| Error::corrupt(format!("column {column}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_by_its_first_line() {
        assert_eq!(name("-- job.claim\nSELECT 1"), "job.claim");
        assert_eq!(name("SELECT 1"), "statement");
    }
}
