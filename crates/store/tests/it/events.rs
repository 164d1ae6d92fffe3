//! Law 11: an event's order is its commit order, without gaps, and progress never falls.

use crate::world::{TRACEPARENT, World, done, event};
use domain::event::{EventType, NewEvent};
use futures::future::{join, join_all};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use store::{Options, OutboxTopic, Store, Tail, Told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_events_of_eight_writers_are_read_once_each_and_in_order() {
    const WRITERS: usize = 8;
    const EACH: usize = 125;
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let before = i64::try_from(world.told(request.migration).await.len()).expect("a few");
    let options = Options { max_connections: WRITERS, ..world.db.worker() };
    let store = Store::connect(&options).await.expect("the test database answers");
    let (over, numbers) = (AtomicBool::new(false), &AtomicI64::new(0));
    let writers = join_all((0..WRITERS).map(|writer| {
        let (store, lease) = (store.clone(), lease.clone());
        async move {
            let mut written = 0;
            while written < EACH {
                // Batches of different sizes, so that writers are out of step.
                let size = (writer % 3 + 1).min(EACH - written);
                let batch: Vec<_> = (written..written + size)
                    .map(|n| NewEvent::new(EventType::Log, None, 5, json!({"writer": writer, "n": n})))
                    .collect();
                // A number that another writer overtook is refused as told before; the next one is not.
                let number = numbers.fetch_add(1, Ordering::SeqCst) + 1;
                if done(store.append_events(&lease, number, &batch).await) == Told::Now {
                    written += size;
                }
            }
        }
    }));
    let writing = async {
        writers.await;
        over.store(true, Ordering::SeqCst);
    };
    // A reader that pages by the last number that it saw, while they write.
    let reading = async {
        let mut read = Vec::new();
        let mut since = before;
        loop {
            let last_round = over.load(Ordering::SeqCst);
            let page = world.broadcaster.events_after(request.tenant, request.migration, since, 40).await;
            let page = page.expect("a page");
            since = page.last().map_or(since, |event| event.seq);
            let empty = page.is_empty();
            read.extend(page);
            if last_round && empty {
                return read;
            }
        }
    };
    let ((), read) = join(writing, reading).await;
    let total = i64::try_from(WRITERS * EACH).expect("a thousand");
    assert_eq!(
        read.iter().map(|e| e.seq).collect::<Vec<_>>(),
        (before + 1..=before + total).collect::<Vec<_>>()
    );
    for writer in 0..WRITERS {
        let own: Vec<_> =
            read.iter().filter(|e| e.detail["writer"] == json!(writer)).map(|e| &e.detail["n"]).collect();
        assert_eq!(own, (0..EACH).map(|n| json!(n)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_event_carries_its_envelope_its_trace_and_one_announcement() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let odd = NewEvent::new(EventType::Log, None, 7, json!({"notes": "a\0b"}));
    done(world.worker.append_events(&lease, 1, &[event(30), event(12), odd]).await);
    let events = world.gateway.events_after(request.tenant, request.migration, 2, 10).await.expect("events");
    assert_eq!(events.iter().map(|e| (e.seq, e.progress)).collect::<Vec<_>>(), [(3, 30), (4, 30), (5, 30)]);
    assert_eq!(events[2].detail["notes"], "ab", "what jsonb cannot hold is dropped");
    assert!(events.iter().all(|e| e.correlation_id == request.correlation && e.run == 1));
    assert!(events.iter().all(|e| e.ts > 1_700_000_000_000));
    let trace: String = world
        .one(
            "SELECT trace->>'traceparent' FROM events WHERE migration_id = $1 AND seq = 5",
            request.migration.0,
        )
        .await;
    assert_eq!(trace, TRACEPARENT);
    let progress: i16 = world.one("SELECT progress FROM migrations WHERE id = $1", request.migration.0).await;
    assert_eq!(progress, 30);
    let rows = world.worker.claim_outbox(crate::world::worker(), 50, crate::world::TTL).await.expect("rows");
    let seqs: Vec<i64> = rows
        .iter()
        .filter_map(|row| match &row.topic {
            OutboxTopic::Event { migration, tenant, seq } => {
                assert_eq!((*migration, *tenant), (request.migration, request.tenant));
                Some(*seq)
            }
            OutboxTopic::Job { .. } => None,
        })
        .collect();
    assert_eq!(seqs, [1, 2, 5], "one per transaction, with its last number");
}

#[tokio::test]
async fn the_tail_tells_whether_more_can_come() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let tail =
        async || world.broadcaster.event_tail(request.tenant, request.migration).await.expect("a look");
    assert_eq!(tail().await, Some(Tail { last_seq: 2, over: false }));
    done(world.worker.cancel_job(&lease, &[]).await);
    assert_eq!(tail().await, Some(Tail { last_seq: 4, over: true }));
    let other = world.member("two@example.com").await;
    assert_eq!(world.broadcaster.event_tail(other.tenant, request.migration).await.expect("a look"), None);
    let incarnation = world.broadcaster.log_incarnation().await.expect("a look");
    assert_eq!(world.gateway.log_incarnation().await.expect("a look"), incarnation);
}

#[tokio::test]
async fn those_histories_are_named_that_grew_whoever_they_belong_to() {
    let world = World::new().await;
    let (one, _) = world.running("https://one.example/").await;
    let (two, lease) = world.running("https://two.example/").await;
    let grown = async |one_at, two_at| {
        let followed = [(one.migration, one_at), (two.migration, two_at)];
        world.broadcaster.grown_histories(&followed).await.expect("an answer")
    };
    assert_eq!(grown(2, 2).await, []);
    done(world.worker.append_events(&lease, 1, &[event(30)]).await);
    assert_eq!(grown(2, 2).await, [two.migration]);
    assert_eq!(grown(1, 3).await, [one.migration]);
    assert_eq!(world.broadcaster.grown_histories(&[]).await.expect("an answer"), []);
}
