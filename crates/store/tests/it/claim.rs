//! The claim: by rank, never twice, and never what is not runnable.

use crate::world::{TTL, World, done, worker};
use domain::job::MIGRATION_QUEUE;
use futures::future::join_all;
use std::{collections::HashSet, time::Duration};
use store::{ClaimRequest, Options, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_claimers_at_once_never_claim_one_job_twice() {
    const JOBS: usize = 60;
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    for n in 0..JOBS {
        world.start(member, &format!("https://{n}.example.com/")).await;
    }
    let options = Options { max_connections: 8, ..world.db.worker() };
    let store = Store::connect(&options).await.expect("the test database answers");
    let claimers = (0..8).map(|_| {
        let store = store.clone();
        async move {
            let request =
                ClaimRequest { queue: MIGRATION_QUEUE, worker: worker(), slots: 3, ttl: TTL, begin: None };
            let mut mine = Vec::new();
            loop {
                let batch = store.claim(&request).await.expect("a claim");
                assert!(batch.len() <= 3);
                if batch.is_empty() {
                    return mine;
                }
                mine.extend(batch.into_iter().map(|claimed| claimed.lease));
            }
        }
    });
    let claimed: Vec<_> = join_all(claimers).await.concat();
    // Whoever finds every row locked stops early; what is left is claimed by those who hold the locks.
    let jobs: HashSet<_> = claimed.iter().map(|lease| lease.job).collect();
    assert_eq!((claimed.len(), jobs.len()), (JOBS, JOBS));
    assert!(claimed.iter().all(|lease| lease.epoch.0 == 1));
    let rows: i64 = world.sql.query_one("SELECT count(*) FROM leases", &[]).await.expect("a look").get(0);
    assert_eq!(rows, 60);
}

#[tokio::test]
async fn the_best_ranked_job_comes_first_and_the_future_waits() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut jobs = Vec::new();
    for n in 0..4 {
        jobs.push(world.start(member, &format!("https://{n}.example.com/")).await.job);
    }
    world.change("UPDATE jobs SET priority = 5 WHERE id = $1", jobs[3]).await;
    world
        .change("UPDATE jobs SET run_at = clock_timestamp() + interval '1 hour' WHERE id = $1", jobs[0])
        .await;
    world
        .change("UPDATE jobs SET run_at = clock_timestamp() - interval '1 hour' WHERE id = $1", jobs[2])
        .await;
    let claimed = world.claim(10).await;
    assert_eq!(claimed[0].destination, "2.example.com", "what a limit on a website counts");
    let order: Vec<_> = claimed.iter().map(|claimed| claimed.lease.job).collect();
    assert_eq!(order, [jobs[2], jobs[3], jobs[1]], "an hour of waiting is worth more than five points");
    let request = ClaimRequest { queue: "another", worker: worker(), slots: 5, ttl: TTL, begin: None };
    assert_eq!(world.worker.claim(&request).await.expect("a claim"), []);
    assert_eq!(world.claim(0).await, []);
}

#[tokio::test]
async fn the_wait_is_told_by_the_databases_clock() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let job = world.start(member, "https://example.com/").await.job;
    // Both columns: the row's last change counts as well.
    let sql =
        "UPDATE jobs SET run_at = clock_timestamp() - interval '90 s', updated_at = run_at - interval '1 h'
               WHERE id = $1";
    world.change(sql, job).await;
    let waited = world.claim_one().await.waited;
    assert!((Duration::from_secs(90)..Duration::from_secs(120)).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_job_that_is_handed_back_keeps_its_rank_and_its_attempts() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let member = store::Member { tenant: request.tenant, user: request.user };
    world.start(member, "https://later.example.com/").await;
    let state = done(world.worker.hand_back(&lease).await);
    assert_eq!(state, domain::job::JobState::Pending);
    let again = world.claim_one().await;
    assert_eq!(again.lease.job, lease.job, "it goes before the one that came later");
    assert_eq!((again.attempt, again.lease.epoch.0), (1, 2), "no attempt is burned and no token used twice");
    assert!(again.waited < Duration::from_secs(20));
    let moves = world.transitions(lease.job).await;
    assert_eq!(moves[3], "RUNNING>PENDING handed_back 1 1");
    let hints: i64 = world
        .one("SELECT count(*) FROM outbox WHERE topic = 'job' AND body->>'job' = $1::uuid::text", lease.job.0)
        .await;
    assert_eq!(hints, 2, "one at the start, one at the hand-back");
}
