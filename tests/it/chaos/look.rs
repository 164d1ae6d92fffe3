//! A look at the record while things break: on one connection that is kept as long as it lasts, since a new one for each
//! question would cost more than what is looked at.

use super::{arena::BOUND, history::Accepted};
use testkit::{postgres::Database, wait};
use tokio::sync::Mutex;
use tokio_postgres::Client;

#[derive(Default)]
pub(crate) struct Look(Mutex<Option<Client>>);

impl Look {
    /// The number that a query answers; none when the database cannot be asked right now.
    pub(crate) async fn number(&self, database: &Database, sql: &str) -> Option<i64> {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_none_or(Client::is_closed) {
            *kept = Some(database.sql().await);
        }
        let answer = kept.as_ref()?.query_one(sql, &[]).await;
        answer.ok().map(|row| row.get(0))
    }

    /// Waits until a query answers this number.
    pub(crate) async fn until(&self, database: &Database, sql: &str, wanted: i64) {
        let awaited = format!("{wanted} from {sql}");
        wait::until_true(&awaited, BOUND, || async { self.number(database, sql).await == Some(wanted) })
            .await;
    }

    /// Waits until a query answers more than this.
    pub(crate) async fn until_more(&self, database: &Database, sql: &str, than: i64) {
        let awaited = format!("more than {than} from {sql}");
        let is_more = || async { self.number(database, sql).await.is_some_and(|now| now > than) };
        wait::until_true(&awaited, BOUND, is_more).await;
    }

    /// How jobs ended: `site COMPLETED attempts=1 epoch=2, 8 chores COMPLETED, …`.
    pub(crate) async fn told(&self, database: &Database, accepted: &Accepted) -> String {
        let sql = "SELECT CASE WHEN migration_id IS NULL THEN 'chores' ELSE 'sites' END || ' ' || state
                          || ' attempts=' || attempts AS told, count(*)
                   FROM jobs WHERE migration_id::text = ANY ($1) OR id::text = ANY ($2) GROUP BY 1 ORDER BY 1";
        let client = database.sql().await;
        let rows =
            client.query(sql, &[&accepted.migrations, &accepted.chores]).await.expect("the query runs");
        let told = rows.iter().map(|row| format!("{} {}", row.get::<_, i64>(1), row.get::<_, &str>(0)));
        told.collect::<Vec<_>>().join(", ")
    }
}
