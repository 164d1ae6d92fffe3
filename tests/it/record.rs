//! What the record says, looked at as a person would with psql.

use testkit::postgres::Database;

pub(crate) async fn texts(database: &Database, sql: &str, id: &str) -> Vec<String> {
    let rows = database.sql().await.query(sql, &[&id]).await.expect("the query runs");
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

/// `PENDING>PREPARING claimed #2`: every move of the migration's job, in order, with the lease's epoch.
pub(crate) async fn moves(database: &Database, migration: &str) -> Vec<String> {
    let sql = "SELECT coalesce(from_state, '') || '>' || to_state || ' ' || cause || ' #' || t.epoch
               FROM transitions t JOIN jobs j ON j.id = t.job_id WHERE j.migration_id::text = $1 ORDER BY t.id";
    texts(database, sql, migration).await
}

/// `ANALYZE x1`: each phase and how often it was begun, in order of completion.
pub(crate) async fn starts(database: &Database, migration: &str) -> Vec<String> {
    let sql = "SELECT phase || ' x' || starts FROM phases
               WHERE migration_id::text = $1 AND state = 'completed' ORDER BY completed_at";
    texts(database, sql, migration).await
}

/// `RUNNING attempts=0 epoch=1`
pub(crate) async fn job(database: &Database, migration: &str) -> String {
    let sql = "SELECT state || ' attempts=' || attempts || ' epoch=' || epoch FROM jobs WHERE migration_id::text = $1";
    texts(database, sql, migration).await.pop().expect("a migration has a job")
}

/// One sample of a metric, summed over its labels; 0 when it was never touched.
pub(crate) async fn metric(admin: &str, name: &str) -> f64 {
    let text =
        reqwest::get(format!("{admin}/metrics")).await.expect("it answers").text().await.expect("text");
    let samples = text.lines().filter(|line| line.starts_with(name));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
