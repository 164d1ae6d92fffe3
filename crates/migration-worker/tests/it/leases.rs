//! Leases that end otherwise than by the job's end: stolen, given back, resumed by somebody else.

use crate::world::{BOUND, Bell, Running, World, detail, page, small_site};
use domain::{
    JobId, WorkerId, deadline::Deadlines, event::EventType, job::MIGRATION_QUEUE, phase::Phase, retry,
};
use std::time::Duration;
use store::{ClaimRequest, RescueRequest, Store};
use testkit::{site::Answer, wait};
use tokio::time::Instant;
use uuid::Uuid;

/// Lets a job's lease run out, as the database sees it.
async fn steal(world: &World, job: JobId) {
    let sql = "UPDATE leases SET expires_at = claimed_at + interval '1 microsecond' WHERE job_id = $1";
    assert_eq!(world.change(sql, job.0).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_worker_gives_its_job_back_without_an_attempt_and_another_completes_it() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Amqp, site.addr());
    config.finish_within = Duration::ZERO;
    let first = Running::start(config.clone()).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    first.stop().await;
    assert_eq!(world.moves(job).await.last().map(String::as_str), Some("RUNNING>PENDING handed_back 1"));
    assert_eq!(world.count("SELECT count(*) FROM workers WHERE stopped_at IS NOT NULL").await, 1);

    site.answer("/about.html", page("About", "Here now."));
    let second = Running::start(config).await;
    world.reaches(migration, "completed").await;
    assert_eq!(world.moves(job).await.last().map(String::as_str), Some("RUNNING>COMPLETED completed 1"));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_worker_lets_a_job_finish_that_can() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", page("About", "A little late.").delayed(Duration::from_millis(500)));
    // With one slot no claim can be on its way at the moment of the stop; what waits would be claimed when it is free.
    let mut config = world.config(Bell::Amqp, site.addr());
    config.concurrency = 1;
    let running = Running::start(config).await;
    let (migration, _) = world.start(&site).await;
    wait::until_true("the crawl to be on its way", BOUND, || async { site.hits("/about.html") > 0 }).await;
    running.ask_to_stop();
    let (waiting, _) = world.start_at("http://127.0.0.1:9/").await;
    running.stop().await;
    assert_eq!(world.migration_state(migration).await, "completed");
    let last = world.events(migration).await.pop().expect("a history");
    assert_eq!(last.event_type, EventType::Done);
    assert_eq!(world.migration_state(waiting).await, "queued", "nothing new is taken after the stop");
    let unpublished =
        "SELECT count(*) FROM outbox WHERE published_at IS NULL AND body->>'migration' IS NOT NULL";
    assert_eq!(world.count(unpublished).await, 0, "what the last job announced was published");
}

/// The first worker hangs in ANALYZE and hears nothing by heartbeat; the second takes the job over. What the
/// first then tries is refused, counted once, and leaves no trace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_lease_writes_nothing_more() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", page("About", "Late.").delayed(Duration::from_secs(3)));
    let mut config = world.config(Bell::Away, site.addr());
    config.lease.heartbeat = Duration::from_secs(10);
    // The first one neither rescues its own job nor takes it again.
    config.sweep = Duration::from_secs(3600);
    config.concurrency = 1;
    let first = Running::start(config.clone()).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    steal(&world, job).await;
    site.answer("/about.html", page("About", "In time."));
    let second = Running::start(config).await;
    let policy = retry::Policy { base: Duration::from_millis(40), ..retry::Policy::default() };
    let sweep = RescueRequest {
        worker: second.worker.id(),
        ttl: Duration::from_millis(1),
        deadlines: &Deadlines::default(),
        cancel_grace: Duration::from_secs(300),
        limit: 10,
        policy: &policy,
        jitter: 0.5,
    };
    let store = Store::connect(&world.db.worker()).await.expect("the test database answers");
    assert_eq!(store.rescue_expired(&sweep).await.expect("a sweep").len(), 1);
    world.reaches(migration, "completed").await;
    wait::until_true("the first worker to be refused", BOUND, || async {
        first.metric("resettle_stale_writes_refused_total", None) > 0.0
    })
    .await;
    // It may notice at the next telling of progress or at the phase's end; either way once, and then it stops.
    wait::until_true("the first worker to drop the job", BOUND, || async {
        first.metric("resettle_job_run_seconds", Some(("outcome", "lost"))) == 1.0
    })
    .await;
    assert_eq!(first.metric("resettle_stale_writes_refused_total", None), 1.0);
    assert_eq!(second.metric("resettle_stale_writes_refused_total", None), 0.0);
    let done = world.events(migration).await.iter().filter(|e| e.event_type == EventType::Done).count();
    assert_eq!(done, 1);
    let moves = world.moves(job).await;
    assert!(moves.contains(&"RUNNING>WAITING_RETRY lease_expired 1".to_owned()), "{moves:?}");
    first.stop().await;
    second.stop().await;
}

/// It may have started because the database came back just now: then the holders have not renewed yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_takes_no_job_from_others_within_a_ttl_of_its_own_start() {
    let (world, site) = (World::new().await, small_site().await);
    let (migration, job) = world.start(&site).await;
    let store = Store::connect(&world.db.worker()).await.expect("the test database answers");
    let lost = WorkerId(Uuid::now_v7());
    let request = ClaimRequest {
        queue: MIGRATION_QUEUE,
        worker: lost,
        slots: 1,
        ttl: Duration::from_secs(1),
        begin: None,
    };
    assert_eq!(store.claim(&request).await.expect("a claim").len(), 1);
    steal(&world, job).await;
    let mut config = world.config(Bell::Away, site.addr());
    (config.lease.ttl, config.lease.heartbeat, config.lease.margin) =
        (Duration::from_secs(2), Duration::from_millis(500), Duration::from_millis(500));
    let (began, ttl) = (Instant::now(), config.lease.ttl);
    let running = Running::start(config).await;
    wait::until_true("the job to be rescued", BOUND, || async {
        running.metric("resettle_job_rescues_total", Some(("cause", "lease_expired"))) == 1.0
    })
    .await;
    assert!(began.elapsed() >= ttl, "rescued {:?} after the start", began.elapsed());
    world.reaches(migration, "completed").await;
    running.stop().await;
}

/// The work hangs, its worker lives and renews: it is the deadline that takes the job away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_hangs_is_given_up_and_the_next_one_completes() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    (config.lease.ttl, config.lease.heartbeat, config.lease.margin) =
        (Duration::from_secs(2), Duration::from_millis(200), Duration::from_millis(500));
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    site.answer("/about.html", page("About", "Here now."));
    let sql = "UPDATE leases SET phase_began_at = phase_began_at - interval '1 day' WHERE job_id = $1";
    assert_eq!(world.change(sql, job.0).await, 1);
    world.reaches(migration, "completed").await;
    assert_eq!(running.metric("resettle_job_rescues_total", Some(("cause", "phase_overdue"))), 1.0);
    wait::until_true("both runs to be measured", BOUND, || async {
        running.metric("resettle_job_run_seconds", Some(("outcome", "lost"))) == 1.0
            && running.metric("resettle_job_run_seconds", Some(("outcome", "completed"))) == 1.0
    })
    .await;
    assert_eq!(
        running.metric("resettle_stale_writes_refused_total", None),
        1.0,
        "the one that hung was told once"
    );
    let moves = world.moves(job).await;
    assert!(moves.contains(&"RUNNING>WAITING_RETRY phase_overdue 1".to_owned()), "{moves:?}");
    let told = world.events(migration).await;
    assert!(told.iter().any(|event| detail(event, "code") == "phase_overdue"), "{told:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_that_is_refused_ends_the_work() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    config.lease.heartbeat = Duration::from_millis(200);
    config.sweep = Duration::from_secs(3600);
    let running = Running::start(config).await;
    let (_, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    // The first look is the last that is written before the crawl hangs, but for progress.
    let looked = || async { world.count("SELECT count(*) FROM site_analyses").await == 1 };
    wait::until_true("the first look", BOUND, looked).await;
    let lately = "SELECT count(*) FROM events WHERE at > clock_timestamp() - interval '1500 milliseconds'";
    wait::until_true("the history to be quiet", BOUND, || async { world.count(lately).await == 0 }).await;
    // Taken by somebody else: the epoch has moved on.
    let sql = "WITH stolen AS (UPDATE jobs SET epoch = epoch + 1 WHERE id = $1 RETURNING id, epoch)
               UPDATE leases SET epoch = stolen.epoch FROM stolen WHERE job_id = stolen.id";
    assert_eq!(world.change(sql, job.0).await, 1);
    wait::until_true("the work to be dropped", BOUND, || async {
        running.metric("resettle_job_run_seconds", Some(("outcome", "lost"))) == 1.0
    })
    .await;
    assert_eq!(running.stale_writes("job.heartbeat"), 1.0);
    assert_eq!(running.metric("resettle_stale_writes_refused_total", None), 1.0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phases_that_are_complete_are_not_done_again() {
    let (world, site) = (World::new().await, small_site().await);
    let config = world.config(Bell::Away, site.addr());
    // TRANSFORM cannot store its list of files where a folder stands in the way.
    let (migration, job) = world.start(&site).await;
    // However long it takes to clear the way.
    world.change("UPDATE jobs SET max_attempts = 1000 WHERE id = $1", job.0).await;
    let run = format!("objects/tenants/{}/migrations/{migration}/run-1", world.member.tenant);
    let obstacle = world.folder.path().join(run).join("project.json");
    std::fs::create_dir_all(obstacle.join("in-the-way")).expect("a folder");
    let running = Running::start(config).await;
    wait::until_true("an attempt to fail", BOUND, || async {
        world.moves(job).await.iter().any(|one| one.contains("attempt_failed"))
    })
    .await;
    std::fs::remove_dir_all(&obstacle).expect("the way is free");
    world.reaches(migration, "completed").await;
    let phases = world.phases(migration).await;
    for phase in &phases {
        let again = phase.phase == Phase::Transform;
        assert_eq!(phase.starts > 1, again, "{phase:?}");
    }
    let hits = site.hits("/about.html");
    assert_eq!(hits, 1, "the site was read once");
    running.stop().await;
}

/// What the last claim before the stop took is given back, although its answer never came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_in_doubt_at_the_stop_is_given_back_without_an_attempt() {
    let (world, site) = (World::new().await, small_site().await);
    let mut config = world.config(Bell::Away, site.addr());
    config.store.statement_timeout = Duration::from_millis(200);
    config.sweep = Duration::from_secs(3600);
    let running = Running::start(config).await;
    // No claim gets an answer from here on, and no question what the last one took.
    let held = world.db.sql().await;
    held.batch_execute("BEGIN; LOCK TABLE leases IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let (migration, job) = world.start(&site).await;
    let failed = || running.metric("resettle_claims_failed_total", None);
    wait::until_true("a claim to fail", BOUND, || async { failed() > 0.0 }).await;
    running.ask_to_stop();
    // A worker that still claims fails again within the statement's bound and a poll.
    let last = std::sync::Mutex::new((failed(), Instant::now()));
    wait::until_true("the last claim", BOUND, || async {
        let mut last = last.lock().expect("no panic");
        if last.0 != failed() {
            *last = (failed(), Instant::now());
        }
        last.1.elapsed() > Duration::from_secs(1)
    })
    .await;
    // The last one took a job all the same.
    let taken = "WITH taken AS (
            UPDATE jobs SET state = 'PREPARING', epoch = epoch + 1 WHERE id = $1 AND state = 'PENDING'
            RETURNING id, tenant_id, epoch
        )
        INSERT INTO leases (job_id, tenant_id, worker_id, epoch, claimed_at, heartbeat_at, expires_at)
        SELECT id, tenant_id, $2, epoch, now(), now(), now() + interval '1 hour' FROM taken";
    let worker = running.worker.id().0;
    assert_eq!(held.execute(taken, &[&job.0, &worker]).await.expect("the owner may"), 1);
    held.batch_execute("COMMIT").await.expect("it was taken");
    running.stop().await;
    assert_eq!(world.moves(job).await.last().map(String::as_str), Some("PREPARING>PENDING handed_back 1"));
    assert_eq!(world.migration_state(migration).await, "queued");
}
