//! What dies, freezes or goes away in the middle of a migration, and how it ends well all the same.

use crate::{
    example,
    faults::Gate,
    moves::assert_success,
    record,
    stack::{Stack, Terms},
};
use std::time::Duration;
use testkit::{
    broker::Broker,
    postgres::{Cluster, Database},
    site::{Answer, StaticSite},
    wait,
};

const BOUND: Duration = Duration::from_secs(90);
const SHORT: Duration = Duration::from_secs(3);
/// What a worker says when the database refuses it: the heartbeat, and any other write.
const SAYS_REFUSED: [&str; 2] = ["the lease is lost", "the write was refused"];

async fn until_running(stack: &Stack, id: &str, phase: &str) {
    let sql = format!("SELECT phase FROM phases WHERE migration_id::text = $1 AND phase = '{phase}'");
    wait::until_true(&format!("{phase} to begin"), BOUND, || async {
        !record::texts(&stack.database, &sql, id).await.is_empty()
    })
    .await;
}

/// kill -9 between TRANSFORM's start event and its commit: nothing finished is done again, one result exists.
async fn a_killed_worker_is_replaced(terms: Terms, site: &StaticSite) {
    let stack = Stack::start(Database::create().await, terms.ttl(SHORT)).await;
    let gate = Gate::before_completion_of("TRANSFORM", &stack.database).await;
    let mut first = stack.worker().await;
    let id = stack.client.start(&site.url()).await.expect("it starts");
    until_running(&stack, &id, "TRANSFORM").await;
    first.process.kill();
    gate.open_after_cutting_those_who_wait().await;
    let _second = stack.worker().await;
    assert_success(&stack.client.follow_to_the_end(&id).await.expect("a history"));
    assert_eq!(
        record::starts(&stack.database, &id).await,
        ["ANALYZE x1", "PLAN x1", "TRANSFORM x2", "VERIFY x1", "DEPLOY x1"]
    );
    assert_eq!(
        record::moves(&stack.database, &id).await,
        [
            ">PENDING enqueued #0",
            "PENDING>PREPARING claimed #1",
            "PREPARING>RUNNING started #1",
            "RUNNING>WAITING_RETRY lease_expired #1",
            "WAITING_RETRY>PENDING retry_due #1",
            "PENDING>PREPARING claimed #2",
            "PREPARING>RUNNING started #2",
            "RUNNING>COMPLETED completed #2"
        ]
    );
    assert_eq!(record::job(&stack.database, &id).await, "COMPLETED attempts=1 epoch=2");
    stack.client.artifact(&id).await.expect("one result");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_killed_in_the_middle() {
    let site = example::site().await;
    a_killed_worker_is_replaced(Terms::with_shared_broker(site.addr()), &site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_killed_while_there_is_no_broker_at_all() {
    let site = example::site().await;
    let broker = Broker::absent();
    let terms = Terms { amqp: broker.url(), ..Terms::with_shared_broker(site.addr()) };
    a_killed_worker_is_replaced(terms, &site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_restarts_in_the_middle() {
    let site = example::site().await;
    let mut broker = Broker::start().await;
    let terms = Terms { amqp: broker.url(), ..Terms::with_shared_broker(site.addr()) };
    let stack = Stack::start(Database::create().await, terms).await;
    let gate = Gate::before_completion_of("PLAN", &stack.database).await;
    let _worker = stack.worker().await;
    let id = stack.client.start(&site.url()).await.expect("it starts");
    until_running(&stack, &id, "PLAN").await;
    broker.stop().await;
    broker.start_again().await;
    gate.open().await;
    assert_success(&stack.client.follow_to_the_end(&id).await.expect("a history"));
    assert_eq!(record::job(&stack.database, &id).await, "COMPLETED attempts=0 epoch=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_restarts_in_the_middle_and_no_attempt_is_burned() {
    let site = example::site().await;
    site.answer(
        "/studio.html",
        Answer::html("<title>Studio</title><p>Slow to come.</p>").delayed(Duration::from_secs(4)),
    );
    let mut cluster = Cluster::start().await;
    let database = cluster.database().await;
    let stack = Stack::start(database, Terms::with_shared_broker(site.addr()).ttl(SHORT)).await;
    let _worker = stack.worker().await;
    let id = stack.client.start(&site.url()).await.expect("it starts");
    until_running(&stack, &id, "ANALYZE").await;
    cluster.stop().await;
    cluster.start_again().await;
    assert_success(&stack.client.follow_to_the_end(&id).await.expect("a history"));
    let job = record::job(&stack.database, &id).await;
    assert!(job.starts_with("COMPLETED attempts=0 "), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_worker_that_wakes_up_changes_nothing() {
    let site = example::site().await;
    site.answer(
        "/studio.html",
        Answer::html("<title>Studio</title><p>Slow to come.</p>").delayed(Duration::from_secs(2)),
    );
    let stack =
        Stack::start(Database::create().await, Terms::with_shared_broker(site.addr()).ttl(SHORT)).await;
    let first = stack.worker().await;
    let id = stack.client.start(&site.url()).await.expect("it starts");
    until_running(&stack, &id, "ANALYZE").await;
    first.process.freeze();
    let second = stack.worker().await;
    wait::until_true("the other worker to hold the job", BOUND, || async {
        record::job(&stack.database, &id).await == "RUNNING attempts=1 epoch=2"
    })
    .await;
    first.process.thaw();
    assert_success(&stack.client.follow_to_the_end(&id).await.expect("a history"));
    // It wakes with a heartbeat and a write due at once: either is refused, and it tries nothing after that.
    let refused = || record::metric(&first.admin, "resettle_stale_writes_refused_total");
    let said = || SAYS_REFUSED.iter().map(|words| first.process.log().matches(words).count()).sum::<usize>();
    wait::until_true("the refusals, each counted", BOUND, || async {
        said() >= 1 && refused().await == said() as f64
    })
    .await;
    assert!(SAYS_REFUSED.iter().all(|words| first.process.log().matches(words).count() <= 1));
    assert_eq!(record::metric(&second.admin, "resettle_stale_writes_refused_total").await, 0.0);
    let rescues = record::metric(&second.admin, "resettle_job_rescues_total").await;
    assert_eq!(rescues, 1.0);
    let moves = record::moves(&stack.database, &id).await;
    assert_eq!(moves.last().map(String::as_str), Some("RUNNING>COMPLETED completed #2"));
    assert_eq!(
        moves.iter().filter(|one| one.ends_with("#1")).count(),
        4,
        "nothing of epoch 1 after it was taken: {moves:?}"
    );
}
