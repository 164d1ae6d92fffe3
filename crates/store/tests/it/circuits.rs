//! Circuits, as all workers see them, and jobs that are snoozed because of one.

use crate::world::{World, done, worker};
use domain::{
    circuit::OPENS_AT,
    event::{EventType, NewEvent},
    job::JobState,
};
use serde_json::json;
use std::time::Duration;

const HOST: &str = "shop.example.com";

impl World {
    async fn may_ask(&self) -> Option<Duration> {
        self.worker.enter_circuit(HOST).await.expect("an answer")
    }

    async fn host_fails(&self) -> Option<Duration> {
        self.worker.circuit_failed(HOST).await.expect("an answer")
    }

    async fn later(&self, column: &str) {
        let sql = format!("UPDATE circuits SET {column} = {column} - interval '2 h'");
        self.sql.batch_execute(&sql).await.expect("the owner may");
    }
}

#[tokio::test]
async fn failures_in_a_row_open_a_circuit_and_then_one_tries_for_all() {
    let world = World::new().await;
    for _ in 1..OPENS_AT {
        assert_eq!(world.host_fails().await, None);
        assert_eq!(world.may_ask().await, None);
    }
    assert_eq!(world.host_fails().await, Some(Duration::from_secs(30)));
    let wait = world.may_ask().await.expect("it is open");
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(30), "{wait:?}");
    assert_eq!(world.worker.enter_circuit("other.example.com").await.expect("an answer"), None);

    world.later("open_until").await;
    assert_eq!(world.may_ask().await, None, "the first tries");
    let wait = world.may_ask().await.expect("the second waits for what comes of it");
    assert!(wait > Duration::from_secs(60), "{wait:?}");
    assert_eq!(world.host_fails().await, Some(Duration::from_secs(60)), "it is open for longer");
    assert!(world.may_ask().await.is_some());

    world.later("open_until").await;
    assert_eq!(world.may_ask().await, None);
    world.worker.circuit_passed(HOST).await.expect("closed");
    assert_eq!((world.may_ask().await, world.may_ask().await), (None, None));
    assert_eq!(world.host_fails().await, None, "it begins anew");
}

#[tokio::test]
async fn what_lies_far_back_is_forgotten() {
    let world = World::new().await;
    for _ in 0..OPENS_AT {
        world.host_fails().await;
    }
    world.later("updated_at").await;
    assert_eq!(world.host_fails().await, None, "the first in a row again");
    assert_eq!(world.worker.forget_circuits(10).await.expect("a turn"), 0);
    world.later("updated_at").await;
    assert_eq!(world.worker.forget_circuits(10).await.expect("a turn"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_come_at_once_one_tries() {
    let world = World::new().await;
    for _ in 0..OPENS_AT {
        world.host_fails().await;
    }
    world.later("open_until").await;
    let all = futures::future::join_all((0..8).map(|_| world.may_ask())).await;
    assert_eq!(all.iter().filter(|wait| wait.is_none()).count(), 1, "{all:?}");
}

#[tokio::test]
async fn a_snoozed_job_waits_counts_no_attempt_and_is_told_of() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let told = [NewEvent::new(EventType::Log, None, 1, json!({"status": "waiting"}))];
    for _ in 0..2 {
        let to = done(world.worker.snooze(&lease, Duration::from_secs(600), &told).await);
        assert_eq!(to, JobState::Pending, "said again, it answers the same");
    }
    assert_eq!(
        world.transitions(request.job).await.last().map(String::as_str),
        Some("RUNNING>PENDING snoozed 1 1")
    );
    let sql = "SELECT attempts::float8 + 1000 * (run_at > clock_timestamp() + interval '9 min')::integer FROM jobs WHERE id = $1";
    assert_eq!(world.one::<f64>(sql, request.job.0).await, 1000.0);
    assert_eq!(world.told(request.migration).await, ["log", "phase_update", "log"]);
    assert!(world.claim(5).await.is_empty(), "its time has not come");
    world.make_due(request.job).await;
    assert_eq!(world.claim_one().await.attempt, 1);
    assert_eq!(world.worker.promote_due(worker(), 10).await.expect("a look"), 0);
}
