//! The one transaction runner, and the thin cover over the driver that names each statement in errors.
//!
//! A transaction that lost a race that Postgres resolved by ending it (a deadlock, a serialization failure) is
//! run again from its start, so a [`Work`] must keep no state between runs. Nothing else is tried again here:
//! after a lost connection nobody knows whether the commit happened.
//!
//! Each wait for an answer takes as long as a small statement. So what sets a transaction up is sent right behind BEGIN, and a
//! statement that is the only one is sent between that and COMMIT. Of several statements none is sent before the server has said
//! that the transaction is open: else one alone could take effect. With COMMIT sent, a caller that goes away no longer stops
//! what it asked for; its lease or its key tells later what became of it.

use crate::{Error, Result, Store};
use deadpool_postgres::{ClientWrapper, Object};
use domain::TenantId;
use futures::FutureExt;
use std::{
    str::FromStr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::OnceCell;
use tokio_postgres::{
    Row, Statement,
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
        let connection = self.connection().await?;
        let bound =
            work.bound().map_or(self.transaction_timeout(), |own| own.min(self.transaction_timeout()));
        match tokio::time::timeout(bound, transact(&connection, work)).await {
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

async fn transact<W: Work>(connection: &Object, work: &W) -> Result<Done<W::Out>> {
    let tx = Tx {
        connection,
        tenant: work.tenant(),
        may_be_forgotten: work.may_be_forgotten(),
        stage: Mutex::new(Stage::New),
        open: OnceCell::new(),
        announces: AtomicBool::new(false),
    };
    // An error leaves by `?` and drops the transaction, which rolls it back.
    let out = work.run(&tx).await?;
    let announces = tx.announces.load(Ordering::Relaxed);
    tx.commit().await?;
    Ok(Done { out, announces })
}

/// A transaction. Its statements are prepared once per connection. What was not committed is rolled back when it is dropped.
pub(crate) struct Tx<'a> {
    connection: &'a ClientWrapper,
    tenant: Option<TenantId>,
    may_be_forgotten: bool,
    stage: Mutex<Stage>,
    /// The server has said so.
    open: OnceCell<()>,
    announces: AtomicBool,
}

/// What was sent of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing.
    New,
    /// Its beginning.
    Begun,
    /// Its commit.
    Closed,
}

/// What comes after a statement in its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: the commit goes with it, and what is made of its answer is made after that.
    Commit,
    /// Other statements, perhaps.
    More,
}

/// What a transaction is set to before its first statement.
struct Settings {
    tenant: Option<(Statement, String)>,
    hurry: Option<Statement>,
}

const SET_TENANT: &str = "-- store.set_tenant\nSELECT set_config('app.tenant', $1, true)";
const HURRY: &str = "-- store.hurry\nSELECT set_config('synchronous_commit', 'off', true)";

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Tx<'_> {
    /// It has written to the outbox: relays are told when it is committed.
    pub(crate) fn announces(&self) {
        self.announces.store(true, Ordering::Relaxed);
    }

    /// Opens the transaction, if nothing has yet.
    async fn begin(&self) -> Result<()> {
        if self.stage() == Stage::Closed {
            return Err(Error::corrupt("a statement came after its transaction's commit"));
        }
        let opening = async || self.send_begin(&self.settings().await?).await;
        self.open.get_or_try_init(opening).await.map(drop)
    }

    /// What it is set to, prepared: nothing is sent later than it should be for want of that.
    async fn settings(&self) -> Result<Settings> {
        let tenant = match self.tenant {
            Some(tenant) => Some((self.prepared(SET_TENANT).await?, tenant.to_string())),
            None => None,
        };
        let hurry = if self.may_be_forgotten { Some(self.prepared(HURRY).await?) } else { None };
        Ok(Settings { tenant, hurry })
    }

    /// Sends BEGIN and the settings right behind it, when it is polled first.
    async fn send_begin(&self, settings: &Settings) -> Result<()> {
        self.enter(Stage::Begun);
        let begin = async {
            let begun = self.connection.batch_execute("-- store.begin\nBEGIN").await;
            begun.map_err(|e| Error::from_driver("store.begin", e))
        };
        let tenant = async {
            let Some((statement, tenant)) = &settings.tenant else { return Ok(()) };
            let set = self.connection.execute(statement, &[tenant]).await;
            set.map(drop).map_err(|e| Error::from_driver("store.set_tenant", e))
        };
        let hurry = async {
            let Some(statement) = &settings.hurry else { return Ok(()) };
            let set = self.connection.execute(statement, &[]).await;
            set.map(drop).map_err(|e| Error::from_driver("store.hurry", e))
        };
        // Polled in this order, and each is sent when it is polled first.
        tokio::try_join!(biased; begin, tenant, hurry).map(drop)
    }

    async fn commit(&self) -> Result<()> {
        if self.enter(Stage::Closed) == Stage::Begun {
            let committed = self.connection.batch_execute("-- store.commit\nCOMMIT").await;
            committed.map_err(|e| Error::from_driver("store.commit", e))?;
        }
        Ok(())
    }

    fn stage(&self) -> Stage {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the stage that it was in.
    fn enter(&self, stage: Stage) -> Stage {
        std::mem::replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), stage)
    }

    pub(crate) async fn query(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
        self.begin().await?;
        let statement = self.prepared(sql).await?;
        let rows = self.connection.query(&statement, parameters).await;
        rows.map_err(|e| Error::from_driver(name(sql), e))
    }

    /// A statement that may be the last one.
    pub(crate) async fn query_then(
        &self,
        then: Then,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>> {
        match then {
            Then::Commit => self.query_last(sql, parameters).await,
            Then::More => self.query(sql, parameters).await,
        }
    }

    /// The last statement of a transaction; see [`Then::Commit`].
    pub(crate) async fn query_last(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
        let statement = self.prepared(sql).await?;
        self.last(sql, self.connection.query(&statement, parameters)).await
    }

    /// The same, of a statement that answers no rows; answers how many it hit.
    pub(crate) async fn execute_last(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<u64> {
        let statement = self.prepared(sql).await?;
        self.last(sql, self.connection.execute(&statement, parameters)).await
    }

    /// Sends a statement and the commit behind it; what opens the transaction before it, if it is the only one. That one takes
    /// effect whole or not at all, whatever becomes of the others.
    async fn last<T>(
        &self,
        sql: &'static str,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let answer = async { statement.await.map_err(|e| Error::from_driver(name(sql), e)) };
        if self.stage() == Stage::New {
            let settings = self.settings().await?;
            let sent = tokio::try_join!(biased; self.send_begin(&settings), answer, self.commit());
            return sent.map(|((), answer, ())| answer);
        }
        self.begin().await?;
        tokio::try_join!(biased; answer, self.commit()).map(|(answer, ())| answer)
    }

    async fn prepared(&self, sql: &'static str) -> Result<Statement> {
        self.connection.prepare_cached(sql).await.map_err(|e| Error::from_driver(name(sql), e))
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
        self.begin().await?;
        let statement = self.prepared(sql).await?;
        let hit = self.connection.execute(&statement, parameters).await;
        hit.map_err(|e| Error::from_driver(name(sql), e))
    }

    /// For a write that has to hit exactly one row: the guard in its WHERE was proved before.
    pub(crate) async fn execute_one(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<()> {
        match self.execute(sql, parameters).await? {
            1 => Ok(()),
            rows => Err(Error::corrupt(format!("{} hit {rows} rows where it has to hit one", name(sql)))),
        }
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.stage() == Stage::Begun {
            // It is sent when it is polled first; its answer concerns nobody, and the connection's next user comes after it.
            let _sent = self.connection.batch_execute("-- store.rollback\nROLLBACK").now_or_never();
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
