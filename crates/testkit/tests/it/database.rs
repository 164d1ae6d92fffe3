//! A database per test: migrated, apart from all others, and gone afterwards.

use testkit::postgres::Database;

#[tokio::test]
async fn each_test_gets_a_migrated_database_of_its_own_that_is_gone_afterwards() {
    let (one, two) = tokio::join!(Database::create(), Database::create());
    assert_ne!(one.name(), two.name());
    let sql = one.sql().await;
    let migrated: bool =
        sql.query_one("SELECT to_regclass('jobs') IS NOT NULL", &[]).await.expect("asked").get(0);
    assert!(migrated);

    let watcher = two.sql().await;
    let name = one.name().to_owned();
    drop(one); // `sql` is still connected: that must not keep the database
    let left = watcher.query_one("SELECT count(*) FROM pg_database WHERE datname = $1", &[&name]).await;
    assert_eq!(left.expect("asked").get::<_, i64>(0), 0);
}

#[tokio::test]
async fn service_roles_connect_and_own_nothing() {
    let database = Database::create().await;
    for role in ["resettle_gateway", "resettle_worker", "resettle_broadcaster", "resettle_operator"] {
        let sql = database.sql_as(role).await;
        let created = sql.batch_execute("CREATE TABLE mine (id int)").await;
        assert!(created.is_err(), "{role} may not create tables");
    }
}
