//! How claims fare while somebody holds a snapshot: a report, a backup, a session that was forgotten. What they leave behind
//! cannot be cleared away until that one ends.
//!
//! Not a test: `make bench-snapshot` runs it. Jobs are claimed, begun and completed through the store, first with nobody looking, then
//! beside an idle REPEATABLE READ transaction that begins before the first claim. Each row is one window of the same run.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use domain::{WorkerId, task::MAX_ATTEMPTS};
use serde_json::json;
use std::time::{Duration, Instant};
use store::{ClaimRequest, Fenced, Store};
use testkit::postgres::Database;
use tokio_postgres::Client;
use uuid::Uuid;

const QUEUE: &str = "noop";
const TTL: Duration = Duration::from_secs(60);
const SLOTS: u32 = 10;
const WINDOWS: u32 = 8;

/// One window's figures.
struct Window {
    /// Milliseconds of one claim of [`SLOTS`] jobs: the median.
    claim_ms: f64,
    jobs_a_second: f64,
    dead: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Cargo says `--bench`; a number is jobs in a window.
    let jobs = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(5000_u32);
    for held in [false, true] {
        let told = if held { "beside a held snapshot" } else { "with nobody looking" };
        println!(
            "{told}: {WINDOWS} windows of {jobs} jobs\n  claim ms   jobs/s   dead rows of jobs and leases"
        );
        for window in run(jobs, held).await {
            println!("  {:8.2} {:8.0} {:8}", window.claim_ms, window.jobs_a_second, window.dead);
        }
    }
}

async fn run(jobs: u32, held: bool) -> Vec<Window> {
    let database = Database::create().await;
    let (store, sql, reader) = (connect(&database).await, database.sql().await, database.sql().await);
    fill(&database, &sql, jobs * WINDOWS).await;
    if held {
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM organisations";
        reader.batch_execute(sql).await.expect("a reader");
    }
    let mut windows = Vec::new();
    for _ in 0..WINDOWS {
        windows.push(window(&store, &sql, jobs).await);
    }
    windows
}

async fn connect(database: &Database) -> Store {
    Store::connect(&database.worker()).await.expect("the test database answers")
}

/// So many jobs, at once.
async fn fill(database: &Database, sql: &Client, jobs: u32) {
    let owner = Store::connect(&database.owner()).await.expect("the test database answers");
    let member = owner.create_personal_tenant("bench@example.com").await.expect("a tenant");
    let insert =
        "INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, run_at)
                  SELECT gen_random_uuid(), $1, $2, $2, '{}', 'PENDING', $3, gen_random_uuid(),
                         clock_timestamp() - interval '1 h' + n * interval '1 ms'
                  FROM generate_series(1, $4::bigint) AS n";
    let most = i32::try_from(MAX_ATTEMPTS).expect("a small number");
    sql.execute(insert, &[&member.tenant.0, &QUEUE, &most, &i64::from(jobs)]).await.expect("the owner may");
    sql.batch_execute("VACUUM ANALYZE jobs").await.expect("the owner may");
}

async fn window(store: &Store, sql: &Client, jobs: u32) -> Window {
    let worker = WorkerId(Uuid::now_v7());
    let request = ClaimRequest { queue: QUEUE, worker, slots: SLOTS, ttl: TTL, begin: Some(TTL) };
    let began = Instant::now();
    let mut claims = Vec::new();
    let mut done = 0;
    while done < jobs {
        let asked = Instant::now();
        let claimed = store.claim(&request).await.expect("a claim");
        claims.push(asked.elapsed().as_secs_f64() * 1000.0);
        assert!(!claimed.is_empty(), "there are enough jobs");
        let finishing = claimed.iter().map(|job| async {
            assert!(matches!(store.finish_task(&job.lease, &json!(null)).await, Ok(Fenced::Done(()))));
        });
        futures::future::join_all(finishing).await;
        done += u32::try_from(claimed.len()).expect("at most as many as slots");
    }
    let jobs_a_second = f64::from(done) / began.elapsed().as_secs_f64();
    claims.sort_by(f64::total_cmp);
    Window { claim_ms: claims[claims.len() / 2], jobs_a_second, dead: dead(sql).await }
}

/// What a scan of the two tables has to step over.
async fn dead(sql: &Client) -> i64 {
    let flushed = "SELECT pg_stat_force_next_flush()";
    sql.batch_execute(flushed).await.expect("a statistic");
    let counted = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables WHERE relname IN ('jobs', 'leases')";
    sql.query_one(counted, &[]).await.expect("a statistic").get(0)
}
