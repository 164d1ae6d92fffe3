//! How Postgres finds the rows for what is asked all the time, when there are a hundred thousand of each kind: by an
//! index, also with the generic plan that a prepared statement ends up with.

use crate::{statements::statements, world::World};
use std::path::Path;
use tokio_postgres::Client;

/// Waiting, retrying, running and finished jobs with their transitions; announcements that are published but for a
/// few, and histories.
const CROWD: &str = "
    WITH tenant AS (SELECT id FROM organisations), person AS (SELECT id FROM users),
    moved AS (
        INSERT INTO migrations (id, tenant_id, user_id, source_url, normalised_url, brief, prompt_hash, state,
            correlation_id, seed, tool_contract, model_version)
        SELECT gen_random_uuid(), tenant.id, person.id, 'https://' || n, 'https://' || n, '{}', repeat('ab', 32),
            'queued', gen_random_uuid(), 1, '1', 'none'
        FROM generate_series(1, 50000) AS n, tenant, person RETURNING id, tenant_id
    ), heads AS (
        INSERT INTO event_heads (migration_id, tenant_id, last_seq) SELECT id, tenant_id, 2 FROM moved
    ), told AS (
        INSERT INTO events (migration_id, seq, tenant_id, run, type, progress, correlation_id, detail)
        SELECT id, seq, tenant_id, 1, 'log', 0, id, '{}' FROM moved, generate_series(1, 2) AS seq
    ), working AS (
        INSERT INTO jobs (id, tenant_id, queue, kind, payload, migration_id, run, state, max_attempts, correlation_id,
            epoch, run_at, finished_at)
        SELECT gen_random_uuid(), tenant_id, 'migrations', 'k', '{}', id, 1, of.state, 3, id, 1,
            clock_timestamp() + random() * interval '2 h' - interval '1 h',
            CASE of.state WHEN 'COMPLETED' THEN clock_timestamp() END
        FROM (SELECT *, row_number() OVER () % 100 AS turn FROM moved) AS moved, LATERAL (SELECT CASE
            WHEN turn = 0 THEN 'RUNNING' WHEN turn < 10 THEN 'WAITING_RETRY' WHEN turn < 50 THEN 'PENDING'
            ELSE 'COMPLETED' END AS state) AS of
        RETURNING id, tenant_id, state, migration_id
    ), tracked AS (
        INSERT INTO tracking_sessions (migration_id, run, phase, purpose, tenant_id, job_id, epoch, context, closed_at,
            outcome)
        SELECT migration_id, 1, 'PLAN', 'phase', tenant_id, id, 1, '{}', clock_timestamp() + interval '1 h', 'completed'
        FROM working WHERE state = 'COMPLETED'
    ), replayed AS (
        INSERT INTO replays (id, tenant_id, user_id, filter, state, found, finished_at)
        SELECT gen_random_uuid(), tenant.id, person.id, '{\"kind\": \"k\"}', 'completed', 1, clock_timestamp()
        FROM generate_series(1, 20000), tenant, person
    ), leased AS (
        INSERT INTO leases (job_id, tenant_id, worker_id, epoch, expires_at)
        SELECT id, tenant_id, gen_random_uuid(), 1, clock_timestamp() + interval '1 h' FROM working
        WHERE state = 'RUNNING'
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, to_state, cause, actor, epoch, attempt)
        SELECT id, tenant_id, 'PENDING', 'enqueued', 'user:x', n, 1 FROM working, generate_series(0, 1) AS n
    )
    INSERT INTO outbox (tenant_id, topic, body, published_at)
    SELECT tenant.id, 'event', '{}', CASE WHEN n % 1000 > 0 THEN clock_timestamp() - n * interval '1 s' END
    FROM generate_series(1, 100000) AS n, tenant";

/// Statements with arguments.
const ASKED: &[(&str, &str)] = &[
    (
        "job.survey",
        "'migrations', gen_random_uuid(), gen_random_uuid(), 2, 64, ARRAY[gen_random_uuid()], ARRAY['x'], 500",
    ),
    (
        "job.claim",
        "'migrations', ARRAY[gen_random_uuid()], ARRAY[''], ARRAY[2], ARRAY[1], gen_random_uuid(), 30, 60, 'RUNNING', \
         ARRAY['PENDING', 'PREPARING'], ARRAY['PREPARING', 'RUNNING'], ARRAY['claimed', 'started']",
    ),
    ("job.survey_further", "'migrations', gen_random_uuid(), 'x', 20, 250, ARRAY['x']"),
    ("gate.open", ""),
    ("job.come_due", "100"),
    (
        "job.finish_many",
        "ARRAY[gen_random_uuid()], ARRAY[1], ARRAY['x'], ARRAY['x'], 'RUNNING', 'COMPLETED', 'completed', ARRAY['{}'::jsonb]",
    ),
    ("job.promote", "100, 'WAITING_RETRY', 'PENDING', 'retry_due', gen_random_uuid()"),
    ("job.called_off", "100"),
    ("job.ended_by", "gen_random_uuid(), 1, 'worker:x', ARRAY['completed']"),
    ("job.lock_of_migration", "gen_random_uuid(), gen_random_uuid()"),
    ("lease.expired", "30, 100, 3600, '{}', 30"),
    ("lease.take", "gen_random_uuid(), 1, 3600, '{}', false"),
    ("tracking.close", "gen_random_uuid(), 1, 'lost', NULL"),
    ("lease.of_worker", "gen_random_uuid(), 1000"),
    ("lease.heartbeat", "gen_random_uuid(), ARRAY[gen_random_uuid()], ARRAY[1], 30"),
    ("replay.running", ""),
    ("outbox.claim", "gen_random_uuid(), 100, 10"),
    ("outbox.mark_published", "gen_random_uuid(), ARRAY[1, 2]"),
    ("outbox.purge", "3600, 10000"),
    ("operations.events", "gen_random_uuid(), 50"),
];

/// The tables that may be read whole: as many rows as jobs run at one time, and as gates there may be.
const SMALL: &[&str] = &["leases", "gates"];

/// Asked every few seconds; reads what waits, up to a bound.
const COUNTED: &[(&str, &str)] = &[("figures.queues", "'migrations', 10000, 1000"), ("figures.ages", "")];

/// What operators look at, in the order of time, as ids are made.
const PAST: &str = "
    WITH tenant AS (SELECT id FROM organisations), person AS (SELECT id FROM users),
    past AS (
        INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, finished_at)
        SELECT (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid, tenant.id, 'q', 'k', '{}',
            CASE WHEN n % 100 = 0 THEN 'RUNNING' ELSE 'COMPLETED' END, 1, gen_random_uuid(),
            CASE WHEN n % 100 > 0 THEN clock_timestamp() END
        FROM generate_series(1, 30000) AS n, tenant RETURNING id, tenant_id, state
    ), leased AS (
        INSERT INTO leases (job_id, tenant_id, worker_id, epoch, expires_at)
        SELECT id, tenant_id, gen_random_uuid(), 1, clock_timestamp() + interval '1 h' FROM past
        WHERE state = 'RUNNING'
    ), died AS (
        INSERT INTO dead_letters (id, job_id, tenant_id, epoch, job, failure, replayed_at, settled_by)
        SELECT past.id, past.id, tenant_id, 1, '{\"kind\": \"k\"}', '{}', clock_timestamp(), person.id
        FROM past, person
    ), worked AS (
        INSERT INTO workers (id, grpc_address, concurrency, stopped_at)
        SELECT gen_random_uuid(), 'x', 1, clock_timestamp() FROM generate_series(1, 20000)
    ), poisoned AS (
        INSERT INTO poison (queue, body, error) SELECT 'q', 'x', 'e' FROM generate_series(1, 20000)
    )
    INSERT INTO transitions (job_id, tenant_id, to_state, cause, actor, epoch, attempt)
    SELECT id, tenant_id, 'PENDING', 'enqueued', 'user:x', n, 1 FROM past, generate_series(0, 1) AS n";

const LOOKED_AT: &[(&str, &str)] = &[
    ("operations.counts", "1000"),
    ("operations.newest_states", "10000"),
    ("operations.held_states", ""),
    ("operations.throughput", "10000, 300"),
    ("operations.workers", "500"),
    ("operations.leases", "500"),
    ("operations.jobs", "gen_random_uuid(), 'FAILED', 'k', 5000, 20"),
    ("operations.jobs_end", "gen_random_uuid(), 5000"),
    ("operations.job", "gen_random_uuid()"),
    ("operations.job_lease", "gen_random_uuid()"),
    ("operations.open_letters", "gen_random_uuid(), 20"),
    ("operations.letters", "gen_random_uuid(), 20"),
    ("operations.letter", "gen_random_uuid()"),
    ("operations.poison", "100, 2000"),
    ("transition.of_job", "gen_random_uuid(), gen_random_uuid(), 200"),
];

#[tokio::test]
async fn what_operators_look_at_is_found_by_an_index_however_much_there_is_of_it() {
    let world = World::new().await;
    world.member("one@example.com").await;
    let sql = &world.sql;
    sql.batch_execute(PAST).await.expect("the owner may");
    sql.batch_execute("ANALYZE; SET plan_cache_mode = force_generic_plan").await.expect("may");
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    find_by_index(sql, &statements, LOOKED_AT).await;
}

/// Most of what waited is called off.
const THINNED: &str = "
    UPDATE jobs SET state = 'CANCELLED', finished_at = clock_timestamp()
    WHERE state IN ('PENDING', 'WAITING_RETRY') AND random() < 0.95; VACUUM ANALYZE jobs";

#[tokio::test]
async fn what_is_asked_all_the_time_is_found_by_an_index_among_a_hundred_thousand_rows() {
    let world = World::new().await;
    world.member("one@example.com").await;
    let sql = &world.sql;
    sql.batch_execute(CROWD).await.expect("the owner may");
    sql.batch_execute("ANALYZE; SET plan_cache_mode = force_generic_plan").await.expect("may");
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    find_by_index(sql, &statements, ASKED).await;
    for step in THINNED.split(';') {
        sql.batch_execute(step).await.expect("the owner may");
    }
    find_by_index(sql, &statements, COUNTED).await;
}

/// What is said for every job. Postgres plans a statement five times for its very arguments, and keeps
/// to one plan for all of them if that looks no dearer.
#[tokio::test]
async fn what_is_said_for_every_job_is_not_planned_anew_each_time() {
    let world = World::new().await;
    world.member("one@example.com").await;
    let sql = &world.sql;
    sql.batch_execute(CROWD).await.expect("the owner may");
    sql.batch_execute("ANALYZE").await.expect("may");
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    for name in ["job.claim", "job.finish_many"] {
        let (_, arguments) = ASKED.iter().find(|(asked, _)| *asked == name).expect("it is asked");
        prepare(sql, &statements, name).await;
        for _ in 0..8 {
            sql.batch_execute(&format!("EXECUTE one({arguments})")).await.expect("it runs");
        }
        let kept = "SELECT generic_plans FROM pg_prepared_statements WHERE name = 'one'";
        let kept: i64 = sql.query_one(kept, &[]).await.expect("a look").get(0);
        assert_eq!(kept, 3, "{name} is planned for its very arguments");
        sql.batch_execute("DEALLOCATE one").await.expect("it was there");
    }
}

async fn prepare(sql: &Client, statements: &[String], name: &str) {
    let first_line = format!("-- {name}");
    let statement = statements.iter().find(|sql| sql.lines().next() == Some(&first_line)).expect("it exists");
    sql.batch_execute(&format!("PREPARE one AS\n{statement}")).await.expect("it fits");
}

async fn find_by_index(sql: &Client, statements: &[String], asked: &[(&str, &str)]) {
    for (name, arguments) in asked {
        prepare(sql, statements, name).await;
        let call = if arguments.is_empty() { "one".to_owned() } else { format!("one({arguments})") };
        let plan = sql.query(&format!("EXPLAIN EXECUTE {call}"), &[]).await.expect("a plan");
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        for line in &plan {
            let whole =
                line.split_once("Seq Scan on ").map(|(_, table)| table.split(' ').next().unwrap_or(""));
            assert!(
                whole.is_none_or(|table| SMALL.contains(&table)),
                "{name} reads all of {whole:?}:\n{}",
                plan.join("\n")
            );
        }
        sql.batch_execute("DEALLOCATE one").await.expect("it was there");
    }
}
