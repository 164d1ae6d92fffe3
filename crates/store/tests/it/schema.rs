//! The schema's steps: applied once, by one, and judged by the services before they start.

use crate::world::World;
use domain::Kind;
use futures::future::join_all;
use store::{
    Error, Store,
    schema::{VERSION, migrate},
};

/// Takes a database back to before the first step.
async fn emptied() -> World {
    let world = World::new().await;
    world.sql.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.expect("the owner may");
    world
}

#[tokio::test]
async fn every_step_is_applied_once_and_the_second_time_none() {
    let world = emptied().await;
    let applied = migrate(&world.db.owner()).await.expect("the steps run");
    assert_eq!(applied.steps.len(), usize::try_from(VERSION).expect("a small number"));
    assert_eq!((applied.steps[0].as_str(), applied.version), ("V1__roles", VERSION));
    let again = migrate(&world.db.owner()).await.expect("nothing to do");
    assert_eq!((again.steps.len(), again.version), (0, VERSION));
    for options in [world.db.gateway(), world.db.worker(), world.db.broadcaster(), world.db.operator()] {
        let store = Store::connect(&options).await.expect("the test database answers");
        store.check_schema().await.expect("its role may read what it needs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_four_that_migrate_at_once_one_applies_the_steps() {
    let world = emptied().await;
    let owner = world.db.owner();
    let applied = join_all((0..4).map(|_| migrate(&owner))).await;
    let mut counts: Vec<_> = applied.into_iter().map(|a| a.expect("the steps run").steps.len()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 0, usize::try_from(VERSION).expect("a small number")]);
}

#[tokio::test]
async fn a_service_refuses_to_run_behind_the_schema_and_says_what_to_do() {
    let world = World::new().await;
    world
        .sql
        .execute("DELETE FROM refinery_schema_history WHERE version = $1", &[&VERSION])
        .await
        .expect("may");
    let error = world.gateway.check_schema().await.expect_err("a step is missing");
    assert!(
        matches!(error, Error::SchemaBehind { database, binary } if database == VERSION - 1 && binary == VERSION)
    );
    assert!(error.to_string().contains("--migrate"), "{error}");
    assert_eq!(error.kind(), Kind::Unavailable);
    world.sql.batch_execute("DROP TABLE refinery_schema_history").await.expect("may");
    let error = world.worker.check_schema().await.expect_err("an empty database");
    assert!(matches!(error, Error::SchemaBehind { database: 0, .. }));
}

#[tokio::test]
async fn an_older_binary_runs_on_an_additive_step_and_not_on_one_that_raises_the_reader() {
    let world = World::new().await;
    let sql = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
               VALUES ($1, 'of_tomorrow', '2030-01-01T00:00:00Z', '1')";
    world.sql.execute(sql, &[&(VERSION + 1)]).await.expect("may");
    world.gateway.check_schema().await.expect("an additive step is no obstacle");
    let applied = migrate(&world.db.owner()).await.expect("nothing to do");
    assert_eq!((applied.steps.len(), applied.version), (0, VERSION + 1));
    let sql = "UPDATE schema_compatibility SET min_reader = $1";
    world.sql.execute(sql, &[&(VERSION + 1)]).await.expect("may");
    for refused in [world.gateway.check_schema().await, migrate(&world.db.owner()).await.map(drop)] {
        let error = refused.expect_err("this binary is too old");
        assert!(matches!(error, Error::SchemaTooNew { min_reader, .. } if min_reader == VERSION + 1));
        assert!(error.to_string().contains("newer release"), "{error}");
    }
}

#[tokio::test]
async fn a_step_that_was_changed_after_it_landed_is_noticed() {
    let world = World::new().await;
    world
        .sql
        .batch_execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 2")
        .await
        .expect("may");
    assert!(matches!(migrate(&world.db.owner()).await, Err(Error::Migrate { .. })));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable_and_options_do_not_tell_the_password() {
    let world = World::new().await;
    let mut options = world.db.gateway();
    options.url = options.url.replace(world.db.name(), "no_such_database");
    let error = Store::connect(&options).await.expect_err("there is none");
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    options.url = "postgres://user:secret@[/db".to_owned();
    let error = Store::connect(&options).await.expect_err("no address");
    assert!(matches!(error, Error::BadOptions { .. }), "{error:?}");
    assert!(!format!("{error:?} {error} {options:?}").contains("secret"));
}
