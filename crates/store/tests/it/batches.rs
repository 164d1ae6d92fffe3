//! Many jobs finished at once: each is fenced by itself, and what is said again changes nothing.

use crate::{
    tasks::{KIND, enqueue, task},
    world::{TTL, World, worker},
};
use domain::WorkerId;
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use store::{ClaimRequest, Fenced, Lease};

async fn claimed(world: &World, worker: WorkerId, slots: u32, begin: Option<Duration>) -> Vec<Lease> {
    let request = ClaimRequest { queue: KIND, worker, slots, ttl: TTL, begin };
    let claimed = world.worker.claim(&request).await.expect("a claim");
    claimed.into_iter().map(|claimed| claimed.lease).collect()
}

#[tokio::test]
async fn many_jobs_end_at_once_and_one_that_was_lost_holds_up_no_other() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    enqueue(&world, member, (0..6).map(task).collect()).await;
    let leases = claimed(&world, worker(), 5, Some(TTL)).await;
    // One is lost before it ends, and another's by now, who has not begun it.
    assert_eq!(
        world.worker.hand_back(&leases[1]).await.expect("an answer"),
        Fenced::Done(domain::job::JobState::Pending)
    );
    let other = claimed(&world, worker(), 1, None).await;
    assert_eq!(other[0].job, leases[1].job, "it kept its rank");
    fn stale_second(told: Vec<Fenced<()>>) {
        let expected: Vec<Fenced<()>> =
            (0..5).map(|n| if n == 1 { Fenced::Stale } else { Fenced::Done(()) }).collect();
        assert_eq!(told, expected);
    }
    let before = world.everything().await;
    let results: Vec<Value> = (0..5).map(|n| json!({"n": n, "text": "a\0b"})).collect();
    let results: Vec<(&Lease, &Value)> = leases.iter().zip(&results).collect();
    let unbegun = world.worker.finish_tasks(&[(&other[0], &json!(1))]).await;
    assert!(unbegun.is_err(), "it was not begun");
    assert_eq!(world.everything().await, before, "what is refused changes nothing");
    stale_second(world.worker.finish_tasks(&results).await.expect("an answer"));
    let finished = world.everything().await;
    stale_second(world.worker.finish_tasks(&results).await.expect("said again"));
    assert_eq!(world.everything().await, finished, "what is said again changes nothing");
    for (n, lease) in leases.iter().enumerate().filter(|(n, _)| *n != 1) {
        let moves = world.transitions(lease.job).await;
        let expected = [
            "∅>PENDING enqueued 0 0",
            "PENDING>PREPARING claimed 1 1",
            "PREPARING>RUNNING started 1 1",
            "RUNNING>COMPLETED completed 1 1",
        ];
        assert_eq!(moves[1..], expected[1..]);
        let kept: Value = world.one("SELECT result FROM jobs WHERE id = $1", lease.job.0).await;
        assert_eq!(kept["n"], n);
    }
    let left: i64 = world.sql.query_one("SELECT count(*) FROM leases", &[]).await.expect("a look").get(0);
    assert_eq!(left, 1, "the other's");
}

#[tokio::test]
async fn a_batch_is_bounded_and_takes_leases_of_several_workers() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    enqueue(&world, member, (0..2).map(task).collect()).await;
    let one = claimed(&world, worker(), 1, Some(TTL)).await;
    let two = claimed(&world, worker(), 1, Some(TTL)).await;
    let done = json!(null);
    let many = vec![(&one[0], &done); store::MAX_AT_ONCE + 1];
    let refused = world.worker.finish_tasks(&many).await.expect_err("too many");
    assert!(refused.to_string().contains("at most 1000"), "{refused}");
    assert_eq!(world.worker.finish_tasks(&[]).await.expect("nothing"), []);
    let told = world.worker.finish_tasks(&[(&one[0], &done), (&two[0], &done)]).await.expect("an answer");
    assert_eq!(told, [Fenced::Done(()), Fenced::Done(())]);
    for (lease, worker) in [(&one[0], one[0].worker), (&two[0], two[0].worker)] {
        let sql = "SELECT actor FROM transitions WHERE job_id = $1 AND cause = 'completed'";
        assert_eq!(world.one::<String>(sql, lease.job.0).await, format!("worker:{worker}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_ends_at_one_moment_shares_a_commit_and_each_hears_of_its_own() {
    const JOBS: u32 = 60;
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    enqueue(&world, member, (0..JOBS).map(task).collect()).await;
    let leases = claimed(&world, worker(), JOBS, Some(TTL)).await;
    // Every third is lost by the time that all of them end.
    for lease in leases.iter().step_by(3) {
        assert!(matches!(world.worker.hand_back(lease).await, Ok(Fenced::Done(_))));
    }
    let every_third_is_stale: Vec<Fenced<()>> =
        (0..JOBS).map(|n| if n % 3 == 0 { Fenced::Stale } else { Fenced::Done(()) }).collect();
    let commits = async || -> i64 {
        let sql = "SELECT count(DISTINCT xmin::text) FROM transitions WHERE cause = 'completed'";
        world.sql.query_one(sql, &[]).await.expect("a look").get(0)
    };
    let result = json!({"all": "well"});
    for _ in 0..2 {
        // One whose caller goes away takes nobody's answer with it.
        let gone = tokio::time::timeout(Duration::ZERO, world.worker.finish_task(&leases[1], &result)).await;
        assert!(gone.is_err() || gone.is_ok_and(|told| told.is_ok()));
        let told = join_all(leases.iter().map(|lease| world.worker.finish_task(lease, &result))).await;
        let told: Vec<_> = told.into_iter().map(|told| told.expect("an answer")).collect();
        assert_eq!(told, every_third_is_stale);
    }
    assert!(commits().await <= 5, "{} commits for 40 jobs", commits().await);
}
