//! The tables of moves, a job's and a migration's: the code's and the database's are the same, and the database holds to it.

use crate::{
    tasks::{enqueue, task},
    world::World,
};
use domain::{
    job::{Cause, JobState},
    migration::MigrationState,
};
use std::collections::BTreeSet;
use tokio_postgres::error::SqlState;

#[tokio::test]
async fn the_database_and_the_code_have_the_same_table_of_moves() {
    let world = World::new().await;
    for from in JobState::ALL {
        for to in JobState::ALL {
            let sql = "SELECT job_move_allowed($1, $2)";
            let row = world.sql.query_one(sql, &[&from.as_str(), &to.as_str()]).await.expect("a function");
            assert_eq!(row.get::<_, bool>(0), from.allows(to), "{from} to {to}");
        }
    }
}

#[tokio::test]
async fn the_database_and_the_code_know_the_same_causes() {
    let world = World::new().await;
    let sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'transitions_cause_check'";
    let check: String = world.sql.query_one(sql, &[]).await.expect("the constraint").get(0);
    let listed: BTreeSet<&str> = check.split('\'').skip(1).step_by(2).collect();
    assert_eq!(listed, Cause::ALL.iter().map(|cause| cause.as_str()).collect::<BTreeSet<_>>());
}

/// Puts a job into a state without asking the trigger.
const FORCE: &str = "UPDATE jobs SET state = $2, last_error = '{}',
    finished_at = CASE WHEN $2 IN ('COMPLETED', 'FAILED', 'CANCELLED') THEN clock_timestamp() END WHERE id = $1";

#[tokio::test]
async fn the_trigger_refuses_every_other_move() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let job = world.start(member, "https://example.com/").await.job;
    for from in JobState::ALL {
        for to in JobState::ALL.into_iter().filter(|to| *to != from) {
            world.sql.batch_execute("SET session_replication_role = replica").await.expect("a superuser may");
            world.sql.execute(FORCE, &[&job.0, &from.as_str()]).await.expect("no trigger is asked");
            world.sql.batch_execute("SET session_replication_role = origin").await.expect("a superuser may");
            let moved = world.sql.execute(FORCE, &[&job.0, &to.as_str()]).await;
            match moved {
                Ok(rows) => assert!(from.allows(to) && rows == 1, "{from} to {to} went through"),
                Err(error) => {
                    assert!(!from.allows(to), "{from} to {to}: {error:?}");
                    assert_eq!(error.code(), Some(&SqlState::CHECK_VIOLATION));
                    let said = error.as_db_error().expect("it came from the database").message();
                    assert_eq!(said, format!("a job cannot move from {from} to {to}"));
                }
            }
        }
    }
}

#[tokio::test]
async fn one_write_makes_two_moves_only_where_a_claim_begins_the_job() {
    let world = World::new().await;
    for from in JobState::ALL {
        for to in JobState::ALL {
            for raised in [-1_i64, 0, 1, 2] {
                for carries in [None, Some(uuid::Uuid::nil())] {
                    let sql = "SELECT job_write_allowed($1, 5, $2, 5 + $3::bigint, $4)";
                    let row =
                        world.sql.query_one(sql, &[&from.as_str(), &to.as_str(), &raised, &carries]).await;
                    let begins =
                        (from, to, raised, carries) == (JobState::Pending, JobState::Running, 1, None);
                    let expected = from == to || from.allows(to) || begins;
                    let allowed: bool = row.expect("a function").get(0);
                    assert_eq!(allowed, expected, "{from} to {to} by {raised}, {carries:?}");
                }
            }
        }
    }
    // And the trigger asks that function.
    let member = world.member("one@example.com").await;
    let of_migration = world.start(member, "https://example.com/").await.job;
    let task = enqueue(&world, member, vec![task(1)]).await[0].job;
    for (job, raised, passes) in
        [(of_migration, 1, false), (task, 0, false), (task, 2, false), (task, 1, true)]
    {
        let sql = format!("UPDATE jobs SET state = 'RUNNING', epoch = epoch + {raised} WHERE id = $1");
        assert_eq!(world.sql.execute(&sql, &[&job.0]).await.is_ok(), passes, "{raised}");
    }
}

#[tokio::test]
async fn what_is_put_back_by_who_says_no_more_waits_from_then_on_and_keeps_its_time() {
    for (run_at, scheduled) in [("+ interval '1 h'", true), ("- interval '1 h'", false)] {
        let world = World::new().await;
        let (request, _) = world.running("https://example.com/").await;
        let worker = world.db.sql_as("resettle_worker").await;
        let before = "UPDATE jobs SET updated_at = clock_timestamp() - interval '1 day' WHERE id = $1";
        world.change(before, request.job).await;
        let back =
            format!("UPDATE jobs SET state = 'PENDING', run_at = clock_timestamp() {run_at} WHERE id = $1");
        assert_eq!(worker.execute(&back, &[&request.job.0]).await.expect("a worker may"), 1);
        let told =
            "SELECT scheduled, clock_timestamp() - updated_at < interval '1 h' FROM jobs WHERE id = $1";
        let row = world.sql.query_one(told, &[&request.job.0]).await.expect("a look");
        assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1)), (scheduled, true), "{run_at}");
    }
}

#[tokio::test]
async fn the_database_and_the_code_have_the_same_table_of_a_migrations_moves() {
    let world = World::new().await;
    for from in MigrationState::ALL {
        for to in MigrationState::ALL {
            let sql = "SELECT migration_move_allowed($1, $2)";
            let row = world.sql.query_one(sql, &[&from.as_str(), &to.as_str()]).await.expect("a function");
            assert_eq!(row.get::<_, bool>(0), from.allows(to), "{from} to {to}");
        }
    }
}

/// The same for a migration.
const FORCE_MIGRATION: &str = "UPDATE migrations SET state = $2, error = '{}', progress = 100,
    project_id = gen_random_uuid(),
    finished_at = CASE WHEN $2 IN ('completed', 'failed', 'cancelled') THEN clock_timestamp() END WHERE id = $1";

#[tokio::test]
async fn the_trigger_refuses_every_other_move_of_a_migration() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let request = world.start(member, "https://example.com/").await;
    // Its job is over, so that it may wait for a person.
    world.sql.batch_execute("SET session_replication_role = replica").await.expect("a superuser may");
    world.sql.execute(FORCE, &[&request.job.0, &"COMPLETED"]).await.expect("no trigger is asked");
    let migration = request.migration.0;
    for from in MigrationState::ALL {
        for to in MigrationState::ALL.into_iter().filter(|to| *to != from) {
            world.sql.batch_execute("SET session_replication_role = replica").await.expect("a superuser may");
            world
                .sql
                .execute(FORCE_MIGRATION, &[&migration, &from.as_str()])
                .await
                .expect("no trigger is asked");
            world.sql.batch_execute("SET session_replication_role = origin").await.expect("a superuser may");
            match world.sql.execute(FORCE_MIGRATION, &[&migration, &to.as_str()]).await {
                Ok(rows) => assert!(from.allows(to) && rows == 1, "{from} to {to} went through"),
                Err(error) => {
                    assert!(!from.allows(to), "{from} to {to}: {error:?}");
                    let said = error.as_db_error().expect("it came from the database").message();
                    assert_eq!(said, format!("a migration cannot move from {from} to {to}"));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_migration_that_waits_for_a_person_or_a_budget_holds_no_job() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    for state in MigrationState::ALL.into_iter().filter(|state| state.waits()) {
        let refused = world.sql.execute(FORCE_MIGRATION, &[&request.migration.0, &state.as_str()]).await;
        let refused = refused.expect_err("its job runs");
        let said = refused.as_db_error().expect("it came from the database").message();
        assert_eq!(said, format!("a migration that waits ({state}) holds no job"));
    }
    world.sql.execute(FORCE, &[&lease.job.0, &"COMPLETED"]).await.expect("the job is over");
    let waits = MigrationState::Questionnaire;
    world
        .sql
        .execute(FORCE_MIGRATION, &[&request.migration.0, &waits.as_str()])
        .await
        .expect("it may wait now");
}

#[tokio::test]
async fn a_move_that_a_migration_cannot_make_is_refused_by_the_code_and_names_both_states() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    // Its migration is over although its job runs: what no command does, a hand in the database can.
    world.sql.execute(FORCE_MIGRATION, &[&request.migration.0, &"cancelled"]).await.expect("the owner may");
    let before = world.everything().await;
    let completion = store::Completion { project_id: uuid::Uuid::now_v7(), events: vec![] };
    let refused = world.worker.complete_job(&lease, &completion).await.expect_err("it is over");
    let source = std::error::Error::source(&refused).expect("which move").to_string();
    assert_eq!(source, "a migration cannot move from cancelled to completed");
    assert_eq!(world.everything().await, before, "nothing half-written");
}
