//! The transaction runner: what it tries again, what it bounds, and how it gets over a lost connection.

use crate::{
    tasks::{task, wish},
    world::{World, done, event},
};
use domain::Kind;
use std::time::Duration;
use store::{EnqueueOutcome, Error, Fenced, Options, Store};

#[tokio::test]
async fn the_loser_of_a_deadlock_is_run_again() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    // Against the order in which the store locks: first the migration, then its job.
    world.sql.batch_execute("BEGIN; SET LOCAL deadlock_timeout = '60s'").await.expect("a transaction");
    let sql = "UPDATE migrations SET seed = 1 WHERE id = $1";
    world.sql.execute(sql, &[&request.migration.0]).await.expect("a lock");
    let (written, ()) = futures::future::join(world.worker.append_events(&lease, 1, &[event(30)]), async {
        world.until_blocked().await;
        // The other side looks for deadlocks first, so the store's transaction is the one that is ended.
        let sql = "SELECT FROM jobs WHERE id = $1 FOR UPDATE";
        world.sql.execute(sql, &[&lease.job.0]).await.expect("the lock that the store had");
        world.sql.batch_execute("COMMIT").await.expect("the end of it");
    })
    .await;
    done(written);
    let ended: i64 = world
        .sql
        .query_one(
            "SELECT count(*) FROM events WHERE migration_id = $1 AND progress = 30",
            &[&request.migration.0],
        )
        .await
        .expect("a look")
        .get(0);
    assert_eq!(ended, 1, "written once");
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_given_up_and_may_pass_later() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let options = Options { statement_timeout: Duration::from_millis(300), ..world.db.worker() };
    let impatient = Store::connect(&options).await.expect("the test database answers");
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    world.sql.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", &[&lease.job.0]).await.expect("a lock");
    let before = world.everything().await;
    let error = impatient.append_events(&lease, 1, &[event(30)]).await.expect_err("the row is locked");
    assert!(matches!(error, Error::Unavailable { doing: "job.fence", .. }), "{error:?}");
    assert_eq!(world.everything().await, before);
    world.sql.batch_execute("ROLLBACK").await.expect("the end of it");
    done(impatient.append_events(&lease, 1, &[event(30)]).await);
}

#[tokio::test]
async fn a_heartbeat_that_gets_no_answer_is_given_up_while_there_is_time_for_another() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    world
        .sql
        .execute("SELECT FROM leases WHERE job_id = $1 FOR UPDATE", &[&lease.job.0])
        .await
        .expect("a lock");
    let ttl = Duration::from_secs(3);
    let held = [(lease.job, lease.epoch)];
    let error = world.worker.heartbeat(lease.worker, &held, ttl).await.expect_err("nobody answers");
    // Not by the time that any transaction has, which is longer than the lease.
    assert!(matches!(error, Error::Unavailable { doing: "store.transaction", .. }), "{error:?}");
    world.sql.batch_execute("ROLLBACK").await.expect("the end of it");
    assert_eq!(world.worker.heartbeat(lease.worker, &held, ttl).await.expect("an answer").len(), 1);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_any_more_may_be_another_one_next_time() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    // As after a failover that kept the sessions: what was the primary is one no more.
    let role = format!("ALTER ROLE resettle_worker IN DATABASE {}", world.db.name());
    world.sql.batch_execute(&format!("{role} SET default_transaction_read_only = on")).await.expect("set");
    let store = Store::connect(&world.db.worker()).await.expect("the test database answers");
    let error = store.append_events(&lease, 1, &[event(30)]).await.expect_err("it takes no writes");
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    world.sql.batch_execute(&format!("{role} RESET default_transaction_read_only")).await.expect("reset");
    // The session that was refused would be refused again.
    done(store.append_events(&lease, 1, &[event(30)]).await);
}

#[tokio::test]
async fn a_refusal_of_the_database_is_not_tried_again() {
    let world = World::new().await;
    let error =
        world.gateway.register_worker(crate::world::worker(), "http://x", 1).await.expect_err("no right");
    assert!(matches!(error, Error::Refused { doing: "worker.register", .. }), "{error:?}");
    assert_eq!(error.kind(), Kind::Internal);
    let said = std::error::Error::source(&error).expect("what the database said");
    assert!(!error.to_string().contains(&said.to_string()), "no message repeats its source");
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND usename = 'resettle_worker'";
    world.sql.execute(sql, &[]).await.expect("a superuser may");
    testkit::wait::until("the worker's store to be back", Duration::from_secs(10), async || {
        match world.worker.append_events(&lease, 1, &[event(30)]).await {
            Ok(Fenced::Done(_)) => Some(()),
            Ok(Fenced::Stale) => panic!("the lease is still the job's"),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
                None
            }
        }
    })
    .await;
}

#[tokio::test]
async fn callers_wait_for_a_connection_and_no_longer_than_they_said() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let acquire_timeout = Duration::from_millis(300);
    let options = Options { max_connections: 1, acquire_timeout, ..world.db.worker() };
    let narrow = Store::connect(&options).await.expect("the test database answers");
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    world.sql.execute("SELECT FROM jobs WHERE id = $1 FOR UPDATE", &[&lease.job.0]).await.expect("a lock");
    let (written, ()) = futures::future::join(narrow.append_events(&lease, 1, &[event(30)]), async {
        world.until_blocked().await;
        let error = narrow.ping().await.expect_err("the only connection is in use");
        assert_eq!(error.kind(), Kind::Unavailable);
        world.sql.batch_execute("ROLLBACK").await.expect("the end of it");
    })
    .await;
    done(written);
    narrow.ping().await.expect("it is free again");
}

#[tokio::test]
async fn a_caller_that_goes_away_midway_leaves_nothing_behind_and_the_connection_as_it_was() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let options = Options { max_connections: 1, ..world.db.worker() };
    let narrow = Store::connect(&options).await.expect("the test database answers");
    let before = world.everything().await;
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    // The job's own row is free: the call is stopped after its first writes.
    let sql = "SELECT FROM migrations WHERE id = $1 FOR UPDATE";
    world.sql.execute(sql, &[&request.migration.0]).await.expect("a lock");
    let events = [event(30)];
    tokio::select! {
        written = narrow.append_events(&lease, 1, &events) => panic!("the row is locked: {written:?}"),
        () = world.until_blocked() => {}
    }
    world.sql.batch_execute("COMMIT").await.expect("the end of it");
    narrow.ping().await.expect("the only connection is free, and in no transaction that failed");
    assert_eq!(world.everything().await, before);
    done(narrow.append_events(&lease, 1, &[event(30)]).await);
}

#[tokio::test]
async fn a_lone_statement_that_fails_writes_nothing_and_leaves_the_connection_as_it_was() {
    let world = World::new().await;
    let member = world.member("a@example.com").await;
    let options = Options { max_connections: 1, ..world.db.gateway() };
    let narrow = Store::connect(&options).await.expect("the test database answers");
    let wish = wish(member, (0..3).map(task).collect());
    let refusing = format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.id = '{}' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION refuse()",
        wish.tasks[2].id.0
    );
    world.sql.batch_execute(&refusing).await.expect("the superuser may");
    let before = world.everything().await;
    // Its commit is on the way when it fails.
    let error = narrow.enqueue_tasks(&wish).await.expect_err("the last of the three is refused");
    assert!(format!("{error:?}").contains("refused"), "{error:?}");
    assert_eq!(world.everything().await, before, "nor are the first two written");
    world.sql.batch_execute("DROP TRIGGER refuse ON jobs").await.expect("the superuser may");
    let written =
        narrow.enqueue_tasks(&wish).await.expect("the only connection is in no transaction that failed");
    assert!(matches!(written, EnqueueOutcome::Enqueued(came) if came.len() == 3));
}
