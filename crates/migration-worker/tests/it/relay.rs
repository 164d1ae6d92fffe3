//! The relay, and what the bell brings that is no hint.

use crate::world::{BOUND, Bell, Running, World, small_site};
use bus::{Delivery, EventNote, JobHint, NoteDelivery};
use domain::{JobId, MigrationId, job::MIGRATION_QUEUE, trace::TraceContext};
use futures::StreamExt;
use lapin::{BasicProperties, Connection, ConnectionProperties, options::BasicPublishOptions};
use std::time::Duration;
use testkit::{postgres::Cluster, wait};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const UNPUBLISHED: &str = "SELECT count(*) FROM outbox WHERE published_at IS NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_nothing_is_marked_and_with_one_nothing_is_lost() {
    let (world, site) = (World::new().await, small_site().await);
    let mut away = world.config(Bell::Away, site.addr());
    away.relay.hold = Duration::from_secs(1);
    let first = Running::start(away).await;
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    first.stop().await;
    let published = world.count("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL").await;
    assert_eq!(published, 0);
    let waiting = world.count(UNPUBLISHED).await;
    assert!(waiting >= 12, "a job and its events: {waiting}");

    let silence = CancellationToken::new();
    let listener = bus::open(&world.bus(Bell::Amqp), silence.clone()).expect("a bell");
    let mut notes = listener.notes();
    let first = wait::within("the subscription", BOUND, notes.next()).await;
    assert_eq!(first, Some(NoteDelivery::Resubscribed));
    let second = Running::start(world.config(Bell::Amqp, site.addr())).await;
    wait::until_true("everything to be published", BOUND, || async { world.count(UNPUBLISHED).await == 0 })
        .await;
    let last = world.events(migration).await.last().expect("a history").seq;
    let mut heard = 0;
    while heard < last {
        match wait::within("the last note", BOUND, notes.next()).await.expect("the bell rings on") {
            NoteDelivery::Note(note) => {
                assert_eq!(note.migration, migration);
                heard = heard.max(note.seq);
            }
            NoteDelivery::Resubscribed => {}
        }
    }
    second.stop().await;
    silence.cancel();
}

/// Neither the relay nor the worker looks by itself: what the gateway commits is heard of. Also after the connection on which
/// it is heard was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_commits_is_announced_at_once() {
    let (world, site) = (World::new().await, small_site().await);
    let mut config = world.config(Bell::Amqp, site.addr());
    (config.poll, config.relay.poll) = (Duration::from_secs(3600), Duration::from_secs(3600));
    let running = Running::start(config).await;
    // The relay's first look may have found the first one.
    for _ in 0..2 {
        let (migration, _) = world.start(&site).await;
        world.reaches(migration, "completed").await;
    }
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'resettle announcements'";
    assert_eq!(world.count(cut).await, 1);
    let (migration, _) = world.start(&site).await;
    world.reaches(migration, "completed").await;
    running.stop().await;
}

/// A hundred hints for a queue that no worker serves, and a hundred notes, all different.
const MANY: &str = "
    INSERT INTO outbox (tenant_id, topic, body)
    SELECT tenant, topic, CASE topic
        WHEN 'job' THEN jsonb_build_object('queue', 'another', 'job', gen_random_uuid())
        ELSE jsonb_build_object('migration', gen_random_uuid(), 'tenant', tenant, 'seq', 1) END
    FROM (SELECT id AS tenant FROM organisations) AS tenants, unnest(ARRAY['job', 'event']) AS topic,
         generate_series(1, 100)";

/// What was announced, by the ids in the outbox's own words.
const ANNOUNCED: &str = "SELECT coalesce(body->>'job', body->>'migration') FROM outbox ORDER BY 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_relays_publish_each_row_and_mark_it_once() {
    let (world, site) = (World::new().await, small_site().await);
    let silence = CancellationToken::new();
    let listener = bus::open(&world.bus(Bell::Amqp), silence.clone()).expect("a bell");
    let (mut hints, mut notes) = (listener.hints("another", 100), listener.notes());
    let subscribed = wait::within("the subscription", BOUND, notes.next()).await;
    assert_eq!(subscribed, Some(NoteDelivery::Resubscribed));
    let mut config = world.config(Bell::Amqp, site.addr());
    config.relay.batch = 5;
    let (one, two) = (Running::start(config.clone()).await, Running::start(config).await);
    let sql = world.db.sql().await;
    wait::until_true("both relays to have taken rows", BOUND, || async {
        sql.execute(MANY, &[]).await.expect("the owner may");
        world.count("SELECT count(DISTINCT claimed_by) FROM outbox").await == 2
    })
    .await;
    wait::until_true("everything to be published", BOUND, || async { world.count(UNPUBLISHED).await == 0 })
        .await;
    one.stop().await;
    two.stop().await;

    // Nobody publishes any more: after these two there is nothing that could still be heard.
    let (last, trace) = (JobId(Uuid::now_v7()), TraceContext::default());
    let hint = JobHint { queue: "another".into(), job: last, trace: trace.clone() };
    listener.ring(&hint).await.expect("the broker is there");
    let note = EventNote { tenant: world.member.tenant, migration: MigrationId(last.0), seq: 1, trace };
    listener.announce(&note).await.expect("the broker is there");
    let mut heard = Vec::new();
    loop {
        match wait::within("the last hint", BOUND, hints.next()).await.expect("the bell rings on") {
            Delivery::Hint(hint) if hint.body.job == last => break,
            Delivery::Hint(hint) => {
                heard.push(hint.body.job.to_string());
                hint.ack().await.expect("the connection is up");
            }
            Delivery::Resubscribed => {}
            Delivery::Poison(poison) => panic!("{poison:?}"),
        }
    }
    loop {
        match wait::within("the last note", BOUND, notes.next()).await.expect("the bell rings on") {
            NoteDelivery::Note(note) if note.migration.0 == last.0 => break,
            NoteDelivery::Note(note) => heard.push(note.migration.to_string()),
            NoteDelivery::Resubscribed => panic!("notes may have been missed"),
        }
    }
    heard.sort();
    let rows = sql.query(ANNOUNCED, &[]).await.expect("the owner may");
    let announced: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(heard, announced, "each is heard once");
    silence.cancel();
}

/// Somebody on the broker who says what no bell would.
async fn say_nonsense(world: &World, times: usize) {
    let bus::Options::Amqp { url, prefix } = world.bus(Bell::Amqp) else { panic!("only RabbitMQ takes it") };
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("connected");
    let channel = connection.create_channel().await.expect("a channel");
    let exchange = format!("{prefix}.jobs");
    for _ in 0..times {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let (exchange, queue) = (exchange.as_str().into(), MIGRATION_QUEUE.into());
        let sent = channel.basic_publish(exchange, queue, options, b"no hint at all", properties).await;
        sent.expect("published").await.expect("published");
    }
}

/// As many unreadable hints as the broker hands out at once come while there is nowhere to keep them: they are
/// kept as soon as there is, and do not stand in the way of the next hint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_hints_wait_for_postgres_and_give_their_places_back() {
    let mut cluster = Cluster::start().await;
    let (world, site) = (World::on(cluster.database().await).await, small_site().await);
    let mut config = world.config(Bell::Amqp, site.addr());
    config.poll = Duration::from_secs(3600);
    let prefetch = config.concurrency as usize;
    let running = Running::start(config).await;
    let (first, _) = world.start(&site).await;
    world.reaches(first, "completed").await;
    cluster.stop().await;
    say_nonsense(&world, prefetch).await;
    wait::until_true("a look for work in vain", BOUND, || async {
        running.metric("resettle_claims_failed_total", None) >= 1.0
    })
    .await;
    cluster.start_again().await;
    wait::until_true("all of it to be kept", BOUND, || async {
        world.count("SELECT count(*) FROM poison").await == prefetch as i64
    })
    .await;
    let (second, _) = world.start(&site).await;
    world.reaches(second, "completed").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_that_cannot_be_read_is_kept_and_work_goes_on() {
    let (world, site) = (World::new().await, small_site().await);
    let running = Running::start(world.config(Bell::Notify, site.addr())).await;
    let (first, _) = world.start(&site).await;
    world.reaches(first, "completed").await;
    let channel = format!("{}.jobs", world.prefix());
    let sql = world.db.sql().await;
    // The worker listens by now, or will hear of the next one.
    wait::until_true("the hint to be put aside", BOUND, || async {
        sql.execute("SELECT pg_notify($1, 'no hint at all')", &[&channel]).await.expect("the owner may");
        world.count("SELECT count(*) FROM poison WHERE convert_from(body, 'UTF8') = 'no hint at all'").await
            > 0
    })
    .await;
    let (second, _) = world.start(&site).await;
    world.reaches(second, "completed").await;
    running.stop().await;
}
