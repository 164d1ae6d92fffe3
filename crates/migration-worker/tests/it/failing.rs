//! Attempts that fail, jobs that are called off, and what the user hears of it.

use crate::world::{BOUND, Bell, Running, World, detail, page, small_site};
use domain::{event::EventType, trace::TraceContext};
use std::time::Duration;
use store::{CancelOutcome, CancelRequest};
use testkit::{
    site::{Answer, StaticSite},
    wait,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_answers_500_gets_three_attempts_and_a_dead_letter() {
    let world = World::new().await;
    let site = StaticSite::serve([("/", Answer::status(500))]).await;
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    let (migration, job) = world.start(&site).await;
    world.reaches(migration, "failed").await;

    let moves = world.moves(job).await;
    let retries = moves.iter().filter(|one| one.contains("attempt_failed")).count();
    assert_eq!(retries, 2, "{moves:?}");
    assert_eq!(moves.last().map(String::as_str), Some("RUNNING>FAILED gave_up 3"));
    assert_eq!(world.count("SELECT count(*) FROM dead_letters").await, 1);
    let events = world.events(migration).await;
    let [.., error, done] = &events[..] else { panic!("a history of two at least: {events:?}") };
    assert_eq!((error.event_type, done.event_type), (EventType::Error, EventType::Done));
    assert_eq!(detail(error, "code"), "site_status");
    assert_eq!(detail(error, "retryable"), true);
    assert_eq!(detail(done, "success"), false);
    assert_eq!(events.iter().filter(|event| detail(event, "status") == "retrying").count(), 2);
    wait::until_true("all three runs to be measured", BOUND, || async {
        running.metric("resettle_job_run_seconds", Some(("outcome", "retried"))) == 2.0
            && running.metric("resettle_job_run_seconds", Some(("outcome", "failed"))) == 1.0
    })
    .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_pass_is_not_tried_again() {
    let world = World::new().await;
    let image = Answer::bytes("image/png", &b"\x89PNG"[..]);
    let cases = [
        (StaticSite::serve([("/", image)]).await, "not_html"),
        (StaticSite::serve([("/", Answer::html("<html><body></body></html>"))]).await, "site_empty"),
        (StaticSite::serve([("/", Answer::status(404))]).await, "site_status"),
        (
            StaticSite::serve([("/robots.txt", Answer::bytes("text/plain", "User-agent: *\nDisallow: /"))])
                .await,
            "robots_forbid",
        ),
        (StaticSite::serve([("/", Answer::redirect(302, "http://127.0.0.1:9/"))]).await, "address_forbidden"),
    ];
    let mut config = world.config(Bell::Away, cases[0].0.addr());
    config.allow_addresses = cases.iter().map(|(site, _)| site.addr()).collect();
    let running = Running::start(config).await;
    for (site, code) in &cases {
        let (migration, job) = world.start(site).await;
        world.reaches(migration, "failed").await;
        let events = world.events(migration).await;
        let error = events.iter().find(|event| event.event_type == EventType::Error).expect("an error");
        assert_eq!(detail(error, "code"), code, "{error:?}");
        assert_eq!(detail(error, "retryable"), false);
        assert!(world.moves(job).await.iter().all(|one| !one.contains("attempt_failed")));
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_recovers_is_moved_by_a_later_attempt_which_skips_nothing_it_lacks() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/", Answer::status(503));
    let mut config = world.config(Bell::Away, site.addr());
    config.retry.base = Duration::from_millis(500);
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("a failed attempt", BOUND, || async {
        world.moves(job).await.iter().any(|one| one.contains("attempt_failed"))
    })
    .await;
    site.answer("/", page("Home", "Back again."));
    world.reaches(migration, "completed").await;
    let starts: Vec<i32> = world.phases(migration).await.iter().map(|phase| phase.starts).collect();
    assert!(starts[0] >= 2 && starts[1..] == [1, 1, 1, 1], "{starts:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_is_called_off_by_the_next_heartbeat() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    config.lease.heartbeat = Duration::from_millis(100);
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    let request = CancelRequest {
        tenant: world.member.tenant,
        user: world.member.user,
        migration,
        trace: TraceContext::default(),
    };
    let outcome = world.gateway.request_cancel(&request).await.expect("a wish");
    assert_eq!(outcome, CancelOutcome::Requested);
    world.reaches(migration, "cancelled").await;
    let events = world.events(migration).await;
    let last = events.last().expect("a history");
    assert_eq!((last.event_type, detail(last, "success")), (EventType::Done, &false.into()));
    assert_eq!(detail(last, "cancelled"), true);
    assert_eq!(
        world.moves(job).await.last().map(String::as_str),
        Some("RUNNING>CANCELLED cancel_requested 1")
    );
    assert_eq!(running.stale_writes("job.heartbeat"), 0.0, "its own end is no lost lease");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_fails_again_and_again_is_left_alone_and_costs_no_attempt_meanwhile() {
    let (world, site) = (World::new().await, StaticSite::serve([("/", Answer::status(503))]).await);
    let running = Running::start(world.config(Bell::Away, site.addr())).await;
    // Two jobs of three attempts each: the fifth failure in a row opens the circuit.
    let (first, _) = world.start(&site).await;
    world.reaches(first, "failed").await;
    let (second, job) = world.start(&site).await;
    wait::until_true("the job to be put off", BOUND, || async {
        world.moves(job).await.iter().any(|one| one.contains("snoozed"))
    })
    .await;
    let asked = site.requests().len();
    let attempts = "SELECT attempts::text || ' ' || (run_at > clock_timestamp() + interval '20 s') FROM jobs WHERE id = $1";
    assert_eq!(world.text(attempts, job.0).await, "2 true", "it waits for its host, not for its attempts");
    let events = world.events(second).await;
    assert!(events.iter().any(|event| detail(event, "status") == "waiting"), "{events:?}");
    assert_eq!(site.requests().len(), asked);
    // The host is back when the circuit may be tried again.
    site.answer("/", page("Home", "Back again."));
    let back =
        "UPDATE circuits SET open_until = clock_timestamp() - interval '1 s' WHERE $1::uuid IS NOT NULL";
    assert_eq!(world.change(back, job.0).await, 1);
    world.change("UPDATE jobs SET run_at = clock_timestamp() WHERE id = $1", job.0).await;
    world.reaches(second, "completed").await;
    assert_eq!(world.count("SELECT count(*) FROM circuits").await, 0, "it answered");
    running.stop().await;
}
