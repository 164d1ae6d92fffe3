//! When the database is away: said as what it is, and nothing needs a restart afterwards.

use crate::server::{Server, refused};
use reqwest::Method;
use std::time::Duration;
use testkit::{postgres::Cluster, wait};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_no_fault_of_the_client() {
    let mut cluster = Cluster::start().await;
    let server = Server::start_on(cluster.database().await, |_| ()).await;
    let body = server.wish("/");
    cluster.stop().await;
    let answer = server.start_request(&body).header("idempotency-key", "again").send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.headers()["retry-after"], "1");
    refused(answer, 503, "unavailable").await;
    let status = async |path| server.request(Method::GET, path).send().await.expect("an answer").status();
    assert_eq!((status("/readyz").await.as_u16(), status("/livez").await.as_u16()), (503, 200));

    cluster.start_again().await;
    wait::until_true("the gateway to serve again", Duration::from_secs(30), async || {
        let retry = server.start_request(&body).header("idempotency-key", "again").send().await;
        retry.expect("an answer").status() == 202
    })
    .await;
    assert_eq!(server.count("migrations").await, 1);
}
