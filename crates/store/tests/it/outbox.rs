//! The outbox: each row to one relay at a time, to another when the first one's hold is over.

use crate::world::{TRACEPARENT, World, worker};
use serde_json::json;
use std::time::Duration;
use store::{OutboxTopic, Poison, Store};

const HOLD: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_row_is_one_relays_until_its_hold_is_over() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let request = world.start(member, "https://example.com/").await;
    let (one, two) = (worker(), worker());
    let rows = world.worker.claim_outbox(one, 10, HOLD).await.expect("rows");
    let topic = OutboxTopic::Job { queue: domain::job::MIGRATION_QUEUE.to_owned(), job: request.job };
    assert_eq!(rows[0].topic, topic);
    let (migration, tenant) = (request.migration, request.tenant);
    assert_eq!(rows[1].topic, OutboxTopic::Event { migration, tenant, seq: 1 });
    assert!(rows.iter().all(|row| row.trace.traceparent.as_deref() == Some(TRACEPARENT)));
    assert_eq!(world.worker.claim_outbox(two, 10, HOLD).await.expect("rows"), []);

    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    world.sql.batch_execute("UPDATE outbox SET claimed_until = now() - interval '1 s'").await.expect("may");
    assert_eq!(world.worker.claim_outbox(two, 1, HOLD).await.expect("rows"), rows[..1]);
    assert_eq!(world.worker.mark_published(one, &ids).await.expect("a mark"), 1, "one row is another's now");
    assert_eq!(world.worker.mark_published(two, &ids).await.expect("a mark"), 1);
    assert_eq!(world.worker.mark_published(two, &ids).await.expect("a mark"), 0, "once");
    world.sql.batch_execute("UPDATE outbox SET claimed_until = now() - interval '1 s'").await.expect("may");
    assert_eq!(world.worker.claim_outbox(one, 10, HOLD).await.expect("rows"), []);
}

/// A server that dies may forget who took a row, or that it was published: it is published again. Nothing else is so light.
#[tokio::test]
async fn relays_do_not_wait_for_the_disk_and_others_do() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.start(member, "https://example.com/").await;
    let witness = "CREATE TABLE seen (what text, durable text);
        GRANT INSERT ON seen TO resettle_worker;
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO seen VALUES (TG_OP, current_setting('synchronous_commit'));
            RETURN NULL;
        END $$;
        CREATE TRIGGER seen AFTER UPDATE OR DELETE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION see()";
    world.sql.batch_execute(witness).await.expect("the owner may");
    let strict = format!("ALTER DATABASE {} SET synchronous_commit = 'on'", world.db.name());
    world.sql.batch_execute(&strict).await.expect("the owner may");
    // One connection: what one transaction asked for must not stay for the next.
    let options = store::Options { max_connections: 1, ..world.db.worker() };
    let store = Store::connect(&options).await.expect("the test database answers");
    let relay = worker();
    let rows = store.claim_outbox(relay, 10, HOLD).await.expect("rows");
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    assert_eq!(store.mark_published(relay, &ids).await.expect("a mark"), ids.len() as u64);
    store.purge_published(Duration::ZERO, 10).await.expect("a purge");
    let seen = world.sql.query("SELECT what || ' ' || durable FROM seen", &[]).await.expect("may");
    let seen: Vec<String> = seen.iter().map(|row| row.get(0)).collect();
    assert_eq!(seen, ["UPDATE off", "UPDATE off", "DELETE on"]);
}

#[tokio::test]
async fn two_relays_at_once_share_the_rows() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    for n in 0..20 {
        world.start(member, &format!("https://{n}.example.com/")).await;
    }
    let (a, b) = futures::future::join(
        world.worker.claim_outbox(worker(), 25, HOLD),
        world.worker.claim_outbox(worker(), 25, HOLD),
    )
    .await;
    let mut ids: Vec<i64> = [a.expect("rows"), b.expect("rows")].concat().iter().map(|row| row.id).collect();
    let rest = world.worker.claim_outbox(worker(), 50, HOLD).await.expect("rows");
    ids.extend(rest.iter().map(|row| row.id));
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((all, ids.len()), (40, 40));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_does_not_hold_up_the_others() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.start(member, "https://example.com/").await;
    world.sql.batch_execute("UPDATE outbox SET body = '{}' WHERE topic = 'job'").await.expect("may");
    let rows = world.worker.claim_outbox(worker(), 10, HOLD).await.expect("rows");
    assert!(matches!(rows.as_slice(), [row] if matches!(row.topic, OutboxTopic::Event { .. })));
}

#[tokio::test]
async fn only_published_rows_that_are_old_enough_are_purged() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    world.start(member, "https://example.com/").await;
    let relay = worker();
    let rows = world.worker.claim_outbox(relay, 1, HOLD).await.expect("rows");
    world.worker.mark_published(relay, &[rows[0].id]).await.expect("a mark");
    assert_eq!(world.worker.purge_published(Duration::from_secs(60), 10).await.expect("a purge"), 0);
    world
        .sql
        .batch_execute("UPDATE outbox SET published_at = published_at - interval '2 min'")
        .await
        .expect("may");
    assert_eq!(world.worker.purge_published(Duration::from_secs(60), 10).await.expect("a purge"), 1);
    assert_eq!(world.worker.purge_published(Duration::from_secs(60), 10).await.expect("a purge"), 0);
}

#[tokio::test]
async fn bytes_that_cannot_be_read_are_kept() {
    let world = World::new().await;
    let poison = Poison {
        queue: "resettle.jobs.migrations".to_owned(),
        body: vec![0xff; 2 * 1024 * 1024],
        headers: json!({"x-death": "a\0b"}),
        error: "not\0 JSON".to_owned(),
    };
    world.worker.keep_poison(&poison).await.expect("it is kept");
    let row =
        world.sql.query_one("SELECT length(body), headers, error FROM poison", &[]).await.expect("a look");
    assert_eq!(row.get::<_, i32>(0), 1024 * 1024);
    assert_eq!(row.get::<_, serde_json::Value>(1), json!({"x-death": "ab"}));
    assert_eq!(row.get::<_, String>(2), "not JSON");
}
