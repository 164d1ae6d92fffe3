//! Every statement in the sources is prepared against the real schema, so that none can rot unexecuted.

use crate::world::World;
use std::{fs, path::Path};

#[tokio::test]
async fn every_statement_fits_the_schema_and_has_a_name_of_its_own() {
    let world = World::new().await;
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(statements.len() > 50, "only {} statements were found", statements.len());
    let mut names: Vec<&str> = statements.iter().filter_map(|sql| sql.lines().next()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "two statements share a name");
    for sql in &statements {
        if let Err(error) = world.sql.prepare(sql).await {
            panic!("{error:?} in {sql}");
        }
    }
}

/// The string literals that begin with the comment that names a statement.
fn statements(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(statements(&path));
        } else {
            let source = fs::read_to_string(&path).expect("a source is text");
            let production = source.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            for piece in production.split("\"-- ").skip(1) {
                let literal = piece.split('"').next().unwrap_or_default();
                // The macro that shares a column list builds its statements from parts; they run in tests.
                if !literal.is_empty() {
                    found.push(format!(
                        "-- {}",
                        literal.replace("\\n\\\n", "\n").replace("\\n", "\n").replace("\\\n", "\n")
                    ));
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn the_claim_and_the_promotion_read_their_partial_indexes_also_with_a_generic_plan() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let sql = "INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, finished_at)
               SELECT gen_random_uuid(), $1, 'migrations', 'k', '{}', 'COMPLETED', 3, gen_random_uuid(), now()
               FROM generate_series(1, 20000)";
    world.sql.execute(sql, &[&member.tenant.0]).await.expect("the owner may");
    world.start(member, "https://example.com/").await;
    world.sql.batch_execute("ANALYZE jobs; SET plan_cache_mode = force_generic_plan").await.expect("may");
    let statements = statements(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    for (name, arguments, index) in [
        (
            "job.claim",
            "'migrations', 2, gen_random_uuid(), 30, 'PENDING', 'PREPARING', 'claimed'",
            "jobs_runnable",
        ),
        ("job.promote", "100, 'WAITING_RETRY', 'PENDING', 'retry_due', gen_random_uuid()", "jobs_due"),
        ("figures.queues", "'migrations'", "jobs_runnable"),
    ] {
        let first_line = format!("-- {name}");
        let statement =
            statements.iter().find(|sql| sql.lines().next() == Some(&first_line)).expect("it exists");
        world.sql.batch_execute(&format!("PREPARE one AS\n{statement}")).await.expect("it fits");
        let plan = world.sql.query(&format!("EXPLAIN EXECUTE one({arguments})"), &[]).await.expect("a plan");
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index), "{name} does without {index}:\n{plan}");
        assert!(!plan.contains("Seq Scan on jobs"), "{name} reads every job:\n{plan}");
        world.sql.batch_execute("DEALLOCATE one").await.expect("it was there");
    }
}
