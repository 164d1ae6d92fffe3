//! How jobs reach a worker: hints, polling, slots, and what cannot be read.

use crate::world::{BOUND, Bell, Running, World, page, small_site};
use std::{fs, time::Duration};
use testkit::{
    site::{Answer, StaticSite},
    wait,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_wakes_a_worker_that_hardly_ever_polls() {
    for bell in [Bell::Amqp, Bell::Notify] {
        let (world, site) = (World::new().await, small_site().await);
        let mut config = world.config(bell, site.addr());
        config.poll = Duration::from_secs(3600);
        let running = Running::start(config).await;
        // The first look and the subscription's own are over before the job is there.
        let (first, _) = world.start(&site).await;
        world.reaches(first, "completed").await;
        let (second, _) = world.start(&site).await;
        world.reaches(second, "completed").await;
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_jobs_than_slots_and_the_rest_follows() {
    let world = World::new().await;
    // Every front page waits, so that jobs stay in their slots for a while.
    let slow = page("Slow", "Takes its time.").delayed(Duration::from_millis(400));
    let mut sites = Vec::new();
    for _ in 0..5 {
        sites.push(
            StaticSite::serve([("/", slow.clone()), ("/style.css", Answer::file("style.css", ""))]).await,
        );
    }
    let mut config = world.config(Bell::Amqp, sites[0].addr());
    config.allow_addresses = sites.iter().map(StaticSite::addr).collect();
    for site in &sites {
        world.start(site).await;
    }
    let running = Running::start(config).await;
    wait::until_true("all to complete", BOUND, || async {
        let leases = world.count("SELECT count(*) FROM leases").await;
        assert!(leases <= 2, "{leases} leases at concurrency 2");
        world.count("SELECT count(*) FROM migrations WHERE state = 'completed'").await == 5
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gauges_show_what_waits() {
    let (world, site) = (World::new().await, small_site().await);
    let mut config = world.config(Bell::Away, site.addr());
    // This worker serves another queue: the job and its announcement stay where they are.
    config.queue = "another".into();
    world.start(&site).await;
    let running = Running::start(config).await;
    let queue = Some(("queue", "migrations"));
    wait::until_true("the gauges to be read", BOUND, || async {
        running.metric("resettle_job_queue_depth", queue) == 1.0
            && running.metric("resettle_job_queue_lag_seconds", queue) > 0.0
            && running.metric("resettle_outbox_oldest_age_seconds", None) > 0.0
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_room_takes_nothing_and_says_so_and_takes_again_when_there_is_room() {
    let (world, site) = (World::new().await, small_site().await);
    let cgroup = tempfile::tempdir().expect("a folder");
    let uses = |bytes: u32| {
        // Whole at once: what is read meanwhile is one number or the other.
        let (file, next) = (cgroup.path().join("memory.current"), cgroup.path().join("next"));
        fs::write(&next, format!("{bytes}\n")).and_then(|()| fs::rename(next, file)).expect("written");
    };
    fs::write(cgroup.path().join("memory.max"), "1000\n").expect("written");
    uses(990);
    let mut config = world.config(Bell::Notify, site.addr());
    config.resources.cgroup = Some(cgroup.path().to_owned());
    config.resources.every = Duration::from_millis(20);
    config.needs.memory = 600;
    let (id, job) = world.start(&site).await;
    let running = Running::start(config).await;
    let slots = || running.metric("resettle_worker_slots", Some(("queue", "migrations")));
    let share = || running.metric("resettle_worker_memory_ratio", None);
    wait::until_true("the memory to be told", BOUND, || async { share() == 0.99 && slots() == 0.0 }).await;
    // Room for jobs, and none for one with such needs.
    uses(400);
    wait::until_true("the slots to be told", BOUND, || async { slots() == 2.0 }).await;
    assert_eq!(world.moves(job).await.len(), 1, "it was not even claimed");
    uses(299);
    world.reaches(id, "completed").await;
    running.stop().await;
}
