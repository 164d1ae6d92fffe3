//! The pool's connections: where they live, and as whom they log in.

use crate::world::World;
use std::time::Duration;
use store::{Error, Options, Store};
use testkit::wait;

/// The server processes of the worker's connections, as the server sees them.
async fn backends(world: &World) -> Vec<i32> {
    let sql = "SELECT pid FROM pg_stat_activity
               WHERE usename = 'resettle_worker' AND datname = current_database() ORDER BY pid";
    let rows = world.sql.query(sql, &[]).await.expect("the owner may look");
    rows.iter().map(|row| row.get(0)).collect()
}

/// A server's threads have runtimes of their own, which end first when the process stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_outlives_the_small_runtime_that_asked_for_it() {
    let world = World::new().await;
    let before = backends(&world).await;
    let store = Store::connect(&Options { max_connections: 1, ..world.db.worker() }).await.expect("connects");
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE usename = 'resettle_worker' AND datname = current_database() AND NOT pid = ANY ($1)";
    assert_eq!(world.sql.query(sql, &[&before]).await.expect("the owner may").len(), 1);
    // A process that was told to end may still answer once.
    let bound = Duration::from_secs(20);
    wait::until_true("the connection to be cut", bound, || async { backends(&world).await == before }).await;
    let asking = store.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let small = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        small.block_on(async {
            // The first may still get the connection that was cut.
            let _cut = asking.ping().await;
            asking.ping().await
        })
    });
    asked.await.expect("no panic").expect("a connection was opened there");
    let opened = backends(&world).await;
    assert_eq!(opened.len(), before.len() + 1);
    store.ping().await.expect("it answers after that runtime's end");
    // Had it lived there, it would be gone by now or at any moment.
    wait::until_true("the server to have noticed what ended", bound, || async {
        backends(&world).await.len() == before.len() + 1
    })
    .await;
    assert_eq!(backends(&world).await, opened, "it is the same connection");
}

#[tokio::test]
async fn a_service_does_not_run_with_a_role_that_sees_every_tenant() {
    let world = World::new().await;
    for bound in [&world.gateway, &world.worker, &world.broadcaster] {
        bound.check_role().await.expect("row-level security binds it");
    }
    let refused = async |options: &Options| {
        let store = Store::connect(options).await.expect("it connects");
        let error = store.check_role().await.expect_err("it must not be used");
        assert!(matches!(error, Error::UnboundRole { .. }) && error.is_misconfigured(), "{error:?}");
        error.to_string()
    };
    assert!(refused(&world.db.owner()).await.contains("postgres is a superuser"));
    let suffix = world.db.name().trim_start_matches("resettle_test_").to_owned();
    let (bypassing, member, owner) =
        (format!("bypassing_{suffix}"), format!("member_{suffix}"), format!("owner_{suffix}"));
    let roles = format!(
        "CREATE ROLE {bypassing} LOGIN BYPASSRLS; CREATE ROLE {member} LOGIN; GRANT {bypassing} TO {member};
         CREATE ROLE {owner} LOGIN; ALTER TABLE poison OWNER TO {owner}"
    );
    world.sql.batch_execute(&roles).await.expect("the owner may");
    let of = |role: &str| Options { url: world.db.url(role), ..Options::default() };
    assert!(refused(&of(&bypassing)).await.contains("bypass row-level security"));
    assert!(refused(&of(&member)).await.contains("bypass row-level security"), "by SET ROLE");
    assert!(refused(&of(&owner)).await.contains("an owner of tables"));
    let gone = format!("ALTER TABLE poison OWNER TO postgres; DROP ROLE {member}, {bypassing}, {owner}");
    world.sql.batch_execute(&gone).await.expect("the owner may");
}
