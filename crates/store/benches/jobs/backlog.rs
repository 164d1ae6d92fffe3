//! Claims before a backlog of many tenants, and how Postgres finds what they take.

use crate::{Outcome, field::Field};
use std::time::Instant;

const CLAIMS: usize = 200;
const SLOTS: u32 = 20;

/// A thousand tenants; one of them has half of everything.
const CROWD: &str = "
    WITH tenants AS (
        INSERT INTO organisations (id, name, personal) SELECT gen_random_uuid(), 'bench', false
        FROM generate_series(1, 1000) RETURNING id
    ), numbered AS (SELECT id, row_number() OVER () AS n FROM tenants)
    INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, priority, run_at)
    SELECT gen_random_uuid(), numbered.id, 'noop', 'noop', '{}', 'PENDING', 3, numbered.id, job % 5,
        clock_timestamp() - random() * interval '1 h'
    FROM generate_series(1, $1::bigint) AS job
    JOIN numbered ON n = CASE WHEN job % 2 = 0 THEN 1 ELSE 1 + job / 2 % 1000 END";

pub(crate) async fn run(jobs: &str) -> Outcome {
    let jobs: i64 = jobs.parse()?;
    let field = Field::new().await?;
    field.sql.execute(CROWD, &[&jobs]).await?;
    field.sql.batch_execute("VACUUM ANALYZE jobs").await?;
    let mut took = Vec::new();
    for _ in 0..CLAIMS {
        let begun = Instant::now();
        let claimed = field.claim(SLOTS).await?.len();
        if claimed != SLOTS as usize {
            return Err(format!("{claimed} jobs of {SLOTS} were claimed").into());
        }
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    println!("claims of {SLOTS} before {jobs} waiting jobs of 1000 tenants, ms:");
    println!("p50 {:.2}, p99 {:.2}", took[CLAIMS / 2], took[CLAIMS * 99 / 100]);
    let tenants = "SELECT count(DISTINCT tenant_id), count(*) FROM leases";
    let row = field.sql.query_one(tenants, &[]).await?;
    println!("{} tenants had their turn among {} jobs", row.get::<_, i64>(0), row.get::<_, i64>(1));
    let plan = "EXPLAIN (ANALYZE, COSTS OFF, BUFFERS, SUMMARY OFF)
        SELECT id FROM jobs WHERE queue = 'noop' AND state = 'PENDING' AND NOT scheduled
          AND tenant_id = (SELECT tenant_id FROM jobs ORDER BY id LIMIT 1) AND destination = ''
        ORDER BY job_rank(run_at, priority), id LIMIT 20 FOR UPDATE SKIP LOCKED";
    for row in field.sql.query(plan, &[]).await? {
        println!("{}", row.get::<_, &str>(0));
    }
    Ok(())
}
