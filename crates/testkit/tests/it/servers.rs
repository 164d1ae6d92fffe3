//! Whole servers stop, start again on their data, and can be killed.

use testkit::{broker::Broker, postgres::Cluster};

#[tokio::test]
async fn a_cluster_keeps_its_data_over_a_stop_and_a_kill() {
    let mut cluster = Cluster::start().await;
    let database = cluster.database().await;
    database.sql().await.batch_execute("CREATE TABLE kept AS SELECT 1 AS one").await.expect("created");
    cluster.stop().await;
    cluster.start_again().await;
    database.sql().await.batch_execute("INSERT INTO kept VALUES (2)").await.expect("the table is there");
    cluster.kill();
    cluster.start_again().await;
    let sql = database.sql().await;
    let rows: i64 = sql.query_one("SELECT count(*) FROM kept", &[]).await.expect("the table is there").get(0);
    assert_eq!(rows, 2, "what was committed outlives a kill -9");
}

#[tokio::test]
async fn two_brokers_run_side_by_side_and_keep_their_data() {
    let (mut one, two) = tokio::join!(Broker::start(), Broker::start());
    assert_ne!(one.url(), two.url());
    let declare = "rabbit_amqqueue:declare(rabbit_misc:r(<<\"/\">>, queue, <<\"kept\">>), true, false, [], none, <<\"test\">>).";
    one.ctl(&["eval", declare]).await;
    one.stop().await;
    one.start_again().await;
    assert!(one.ctl(&["list_queues", "name"]).await.contains("kept"));
    assert!(!two.ctl(&["list_queues", "name"]).await.contains("kept"));
}
