//! The table of moves: the code's and the database's are the same, and the database holds to it.

use crate::world::World;
use domain::job::JobState;
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
