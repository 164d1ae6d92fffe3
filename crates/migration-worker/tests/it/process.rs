//! The program itself: killed, frozen, traced, stopped by SIGTERM, and refusing what it cannot work with.

use crate::world::{BOUND, Bell, Running, TOKEN, World, page, small_site};
use domain::{event::EventType, phase::Phase};
use serde_json::Value;
use std::{fmt::Write, net::SocketAddr, process::Command, time::Duration};
use testkit::{
    otlp::Collector,
    process::Child,
    site::{Answer, StaticSite},
    wait,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const REQUEST: &str = "00f067aa0ba902b7";

/// What every program here is told; `more` goes before the sections.
pub(crate) fn settings(world: &World, bell: Bell, site: &StaticSite, more: &str) -> String {
    let (kind, url, prefix) = match world.bus(bell) {
        bus::Options::Amqp { url, prefix } => ("amqp", url, prefix),
        bus::Options::Notify { url, prefix } => ("notify", url, prefix),
    };
    let mut text = String::new();
    write!(
        text,
        "admin_listen = \"127.0.0.1:0\"\ngrpc_listen = \"127.0.0.1:0\"\ngrpc_token = \"{TOKEN}\"\n\
         allow_addresses = [\"{}\"]\npoll = \"100ms\"\nsweep = \"100ms\"\nsample = \"100ms\"\n{more}\n\
         [store]\nurl = \"{}\"\n[bus]\nkind = \"{kind}\"\nurl = \"{url}\"\nprefix = \"{prefix}\"\n\
         [objects]\nurl = \"file://{}/objects\"\n",
        site.addr(),
        world.db.url("resettle_worker"),
        world.folder.path().display(),
    )
    .expect("a String takes every write");
    text
}

pub(crate) fn program(
    world: &World,
    settings: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Child {
    let file = world.folder.path().join("migration-worker.toml");
    std::fs::write(&file, settings).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_migration-worker"));
    command
        .arg("--config")
        .arg(file)
        .args(arguments)
        .env("RESETTLE_MIGRATION_WORKER__TELEMETRY__LOG", "json");
    for (name, value) in environment {
        command.env(format!("RESETTLE_MIGRATION_WORKER__{name}"), value);
    }
    Child::spawn("migration-worker", command)
}

/// Where the program's figures are.
async fn admin(program: &mut Child) -> SocketAddr {
    let line: Value = serde_json::from_str(&program.line("listening", BOUND).await).expect("a JSON line");
    line["address"].as_str().expect("an address").parse().expect("an address")
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

/// The sum of a counter over all labels.
fn sum(metrics: &str, name: &str) -> f64 {
    let samples = metrics.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_holds_the_request_the_job_its_phases_and_every_announcement() {
    let (world, site) = (World::new().await, small_site().await);
    let (collector, otlp) = Collector::start().await;
    let otlp = format!("http://{otlp}");
    // Only a hint wakes it, so that there is one to be linked with.
    let told = settings(&world, Bell::Amqp, &site, "").replace("poll = \"100ms\"", "poll = \"1h\"");
    let mut program = program(&world, &told, &[], &[("TELEMETRY__OTLP_ENDPOINT", &otlp)]);
    let admin = admin(&mut program).await;
    assert!(get(admin, "/readyz").await.starts_with("HTTP/1.1 200"));
    // The first may be found by the worker's first look; when the second comes, only a hint can wake it.
    for _ in 0..2 {
        let (migration, _) = world.start(&site).await;
        world.reaches(migration, "completed").await;
    }
    wait::until_true("the gauges to be read", BOUND, || async {
        get(admin, "/metrics").await.contains("resettle_job_queue_depth")
    })
    .await;
    let metrics = get(admin, "/metrics").await;
    for name in [
        "resettle_job_queue_depth",
        "resettle_job_queue_lag_seconds",
        "resettle_job_wait_seconds_count",
        "resettle_outbox_oldest_age_seconds",
        "resettle_event_horizon_lag_seconds",
        "resettle_job_pauses",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    program.terminate();
    assert_eq!(program.exited(BOUND).await.code(), Some(0), "{}", program.log());

    let jobs = collector.named("job.migrate_website");
    assert!(
        jobs.len() == 2 && jobs.iter().all(|job| (&*job.trace, &*job.parent) == (TRACE, REQUEST)),
        "{jobs:?}"
    );
    let hints = collector.named("amqp.jobs.publish");
    assert!(hints.len() == 2 && hints.iter().all(|hint| (&*hint.trace, &*hint.parent) == (TRACE, REQUEST)));
    assert_eq!(jobs[1].links, [hints[1].id.clone()]);
    let notes = collector.named("amqp.events.publish");
    assert!(notes.iter().all(|note| note.trace == TRACE));
    for phase in Phase::ALL {
        let spans = collector.named(&format!("phase.{}", phase.as_str().to_lowercase()));
        assert_eq!(spans.len(), 2, "{phase}");
        for (span, job) in spans.iter().zip(&jobs) {
            assert_eq!((&*span.trace, &span.parent), (TRACE, &job.id), "{phase}");
            assert!(notes.iter().any(|note| note.parent == span.id), "a note of {phase}");
        }
    }
    let strangers = "SELECT count(*) FROM events WHERE trace->>'traceparent' NOT LIKE '00-4bf92f3577b34da6a3ce929d0e0e4736-%'";
    assert_eq!(world.count(strangers).await, 0);
}

/// A worker that is killed between TRANSFORM's start and its commit: another one takes over within the lease,
/// does not do again what was finished, and there is one result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_loses_one_phase_and_nothing_else() {
    let (world, site) = (World::new().await, small_site().await);
    let lease = "[lease]\nttl = \"3s\"\nheartbeat = \"500ms\"\nmargin = \"1s\"\n";
    let told = settings(&world, Bell::Away, &site, "") + lease;
    // TRANSFORM's commit waits for a lock that the test holds.
    let sql = world.db.sql().await;
    let gate = "SELECT pg_advisory_lock(4711);
        CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$;
        CREATE TRIGGER gate BEFORE UPDATE OF state ON phases FOR EACH ROW
        WHEN (NEW.phase = 'TRANSFORM' AND NEW.state = 'completed') EXECUTE FUNCTION wait_at_the_gate();";
    sql.batch_execute(gate).await.expect("a gate");
    let mut first = program(&world, &told, &[], &[]);
    let (migration, job) = world.start(&site).await;
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted";
    wait::until_true("TRANSFORM to be at its commit", BOUND, || async { world.count(waiting).await == 1 })
        .await;
    first.kill();
    sql.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("the gate is open");

    let mut config = world.config(Bell::Away, site.addr());
    config.lease.ttl = Duration::from_secs(3);
    config.lease.heartbeat = Duration::from_millis(500);
    config.lease.margin = Duration::from_secs(1);
    let second = Running::start(config).await;
    world.reaches(migration, "completed").await;
    let starts: Vec<i32> = world.phases(migration).await.iter().map(|phase| phase.starts).collect();
    assert_eq!(starts, [1, 1, 2, 1, 1]);
    assert_eq!(site.hits("/about.html"), 1, "the site was read once");
    let moves = world.moves(job).await;
    assert!(moves.contains(&"RUNNING>WAITING_RETRY lease_expired 1".to_owned()), "{moves:?}");
    assert_eq!(moves.last().map(String::as_str), Some("RUNNING>COMPLETED completed 2"));
    let done = world.events(migration).await.iter().filter(|e| e.event_type == EventType::Done).count();
    assert_eq!(done, 1);
    assert_eq!(second.metric("resettle_job_rescues_total", Some(("cause", "lease_expired"))), 1.0);
    second.stop().await;
}

/// What a worker says when the database refuses it: the heartbeat, and any other write.
const SAYS_REFUSED: [&str; 2] = ["the lease is lost", "the write was refused"];

/// A worker that is frozen past its lease, and wakes when another one has done its job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_wakes_after_its_lease_is_refused_and_says_so() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/about.html", Answer::stalled("text/html"));
    let lease = "[lease]\nttl = \"3s\"\nheartbeat = \"500ms\"\nmargin = \"1s\"\n";
    // It must not rescue its own job before it hears that it is lost.
    let told = settings(&world, Bell::Away, &site, "").replace("sweep = \"100ms\"", "sweep = \"1h\"") + lease;
    let mut first = program(&world, &told, &[], &[]);
    let admin = admin(&mut first).await;
    let (migration, _) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/about.html") > 0 }).await;
    let lately = "SELECT count(*) FROM events WHERE at > clock_timestamp() - interval '1500 milliseconds'";
    wait::until_true("the history to be quiet", BOUND, || async { world.count(lately).await == 0 }).await;
    first.freeze();

    site.answer("/about.html", page("About", "Here now."));
    let mut config = world.config(Bell::Away, site.addr());
    config.lease.ttl = Duration::from_secs(3);
    config.lease.heartbeat = Duration::from_millis(500);
    config.lease.margin = Duration::from_secs(1);
    let second = Running::start(config).await;
    world.reaches(migration, "completed").await;
    let history = world.events(migration).await;
    first.thaw();
    // It wakes with a heartbeat due, and maybe a write: each that is refused is counted, and neither comes twice.
    let said = || SAYS_REFUSED.map(|words| first.log().matches(words).count());
    let counted = async || sum(&get(admin, "/metrics").await, "resettle_stale_writes_refused_total");
    wait::until_true("the refusals, each counted", BOUND, || async {
        let said: usize = said().iter().sum();
        said >= 1 && counted().await == said as f64
    })
    .await;
    wait::until_true("the job to be dropped", BOUND, || async {
        get(admin, "/metrics").await.contains("outcome=\"lost\"")
    })
    .await;
    assert_eq!(world.events(migration).await, history);
    assert!(said().iter().all(|times| *times <= 1), "{}", first.log());
    first.terminate();
    assert_eq!(first.exited(BOUND).await.code(), Some(0), "{}", first.log());
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_says_why_by_its_exit_code() {
    let (world, site) = (World::new().await, small_site().await);
    let good = settings(&world, Bell::Away, &site, "");
    let mut fine = program(&world, &good, &["check-config"], &[]);
    assert_eq!(fine.exited(BOUND).await.code(), Some(0), "{}", fine.log());
    let mut typo = program(&world, &good, &["check-config"], &[("LEASE__HEARTBEET", "1s")]);
    assert_eq!(typo.exited(BOUND).await.code(), Some(64), "{}", typo.log());
    assert!(typo.log().contains("heartbeet"), "{}", typo.log());
    let mut nonsense = program(&world, &good, &[], &[("LEASE__TTL", "2s")]);
    assert_eq!(nonsense.exited(BOUND).await.code(), Some(64), "{}", nonsense.log());
    assert!(nonsense.log().contains("lease.heartbeat"), "{}", nonsense.log());

    let unbound = good.replace(&world.db.url("resettle_worker"), &world.db.url("postgres"));
    let mut unbound = program(&world, &unbound, &[], &[]);
    assert_eq!(unbound.exited(BOUND).await.code(), Some(64), "{}", unbound.log());
    assert!(unbound.log().contains("the role postgres is a superuser"), "{}", unbound.log());

    let sql = world.db.sql().await;
    sql.batch_execute("DELETE FROM refinery_schema_history").await.expect("an older database");
    let mut behind = program(&world, &good, &[], &[]);
    assert_eq!(behind.exited(BOUND).await.code(), Some(75), "{}", behind.log());
    assert!(behind.log().contains("--migrate"), "{}", behind.log());
    let mut ownerless = program(&world, &good, &["--migrate"], &[]);
    assert_eq!(ownerless.exited(BOUND).await.code(), Some(64), "{}", ownerless.log());
}
