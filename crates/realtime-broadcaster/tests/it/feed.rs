//! One connection for all of a tenant's migrations.

use crate::{
    client::{Stream, get},
    world::{BOUND, NEVER, World},
};
use domain::{MigrationId, event::Event};
use futures::future::join_all;
use realtime_broadcaster::Options;
use serde_json::json;
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use tokio::{sync::watch, time::timeout};

const FEED: &str = "/api/events/stream";

async fn open(world: &World, query: &str, cursor: Option<&str>) -> Stream {
    let response = get(world.address, Some(&world.me.key), &format!("{FEED}{query}"), cursor).await;
    assert_eq!(response.status(), 200, "{:?}", response.text().await);
    Stream::of(response, cursor)
}

/// The next event's migration and number.
async fn next(stream: &mut Stream) -> (MigrationId, i64) {
    let event = stream.event().await.expect("the feed goes on");
    (event.migration_id, event.seq)
}

/// Waits for the frame that moves the cursor behind everything that was sent.
async fn settled(stream: &mut Stream) {
    while stream.next().await.expect("the feed goes on").event != "cursor" {}
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_tenants_migrations_come_over_one_connection_also_those_that_are_new() {
    let world = World::new(Options { tail_check: NEVER, ..Options::default() }).await;
    world.bell_is_up().await;
    let old = world.migration(&world.me).await;
    let other = world.other().await;
    let mut feed = open(&world, "", None).await;
    assert_eq!(feed.headers["content-type"], "text/event-stream");
    assert_eq!(feed.hello().await, json!({"verdict": "started", "why": null, "heartbeatMs": 15000}));
    let foreign = world.migration(&other).await;
    world.log(foreign).await;
    let new = world.migration(&world.me).await;
    world.announce(new, 1).await;
    // What was written before, the horizon may still show: it belongs to the tenant, and comes first if at all.
    let mut first = next(&mut feed).await;
    if first.0 == old {
        first = next(&mut feed).await;
    }
    assert_eq!(first, (new, 1));
    for (migration, seq) in [(old, 2), (new, 2), (new, 3), (old, 3)] {
        assert_eq!(world.log(migration).await, seq);
        world.announce(migration, seq).await;
        assert_eq!(next(&mut feed).await, (migration, seq));
    }
    // The end of a migration is not the end of the feed.
    assert_eq!(world.done(old).await, 4);
    world.announce(old, 4).await;
    assert_eq!(next(&mut feed).await, (old, 4));
    assert_eq!(world.log(new).await, 4);
    world.announce(new, 4).await;
    assert_eq!(next(&mut feed).await, (new, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_is_told_what_it_missed_however_late_it_commits() {
    let world = World::new(Options { tail_check: Duration::from_millis(50), ..Options::default() }).await;
    let (one, two) = (world.migration(&world.me).await, world.migration(&world.me).await);
    let mut feed = open(&world, "", None).await;
    feed.hello().await;
    // Written, but not committed, when the client sees the next one's event.
    let mut slow = world.database().sql().await;
    let open_still = slow.transaction().await.expect("a transaction");
    let write = "WITH head AS (
                     UPDATE event_heads SET last_seq = last_seq + 1 WHERE migration_id = $1
                     RETURNING last_seq, tenant_id)
                 INSERT INTO events (migration_id, seq, tenant_id, run, type, progress, correlation_id, detail)
                 SELECT $1, last_seq, tenant_id, 1, 'log', 0, $1, '{}' FROM head RETURNING seq";
    let late: i64 = open_still.query_one(write, &[&one.0]).await.expect("a row").get(0);
    assert_eq!(world.log(two).await, 2);
    while next(&mut feed).await != (two, 2) {}
    settled(&mut feed).await;
    let cursor = feed.cursor.clone();
    drop(feed);
    open_still.commit().await.expect("the late one commits");
    assert_eq!(world.log(two).await, 3);
    let mut again = open(&world, "", Some(&cursor)).await;
    assert_eq!(again.hello().await["verdict"], "resumed");
    let mut missed = BTreeMap::new();
    while missed.get(&one) != Some(&late) || missed.get(&two) != Some(&3) {
        let (migration, seq) = next(&mut again).await;
        assert!(missed.insert(migration, seq).is_none_or(|before| before < seq), "in order");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_stays_until_a_backlog_is_over_gets_on_all_the_same() {
    let world = World::new(Options { page: 4, tail_check: NEVER, ..Options::default() }).await;
    let all = [world.migration(&world.me).await, world.migration(&world.me).await];
    let mut cursor = {
        let mut before = open(&world, "", None).await;
        before.hello().await;
        before.cursor.clone()
    };
    for _ in 0..12 {
        world.log(all[1]).await;
        world.log(all[0]).await;
    }
    // Migrations come by their ids. Each connection tells three events, which no cursor frame follows.
    let mut got = Vec::new();
    while got.last() != Some(&(all[1], 13)) {
        let mut feed = open(&world, "", Some(&cursor)).await;
        assert_eq!(feed.hello().await["verdict"], "resumed");
        let before = got.len();
        while got.len() < before + 3 {
            let told = next(&mut feed).await;
            // The first ones were there before; the horizon may still show them.
            if told.1 > 1 {
                got.push(told);
            }
        }
        cursor = feed.cursor.clone();
    }
    let expected: Vec<_> = all.iter().flat_map(|id| (2..=13).map(move |seq| (*id, seq))).collect();
    assert_eq!(got, expected, "each connection goes on where the one before was left");
    // Behind the backlog it is as if somebody had stayed: what comes next is new, or known from before.
    let mut feed = open(&world, "", Some(&cursor)).await;
    feed.hello().await;
    settled(&mut feed).await;
    world.bell_is_up().await;
    let seq = world.log(all[0]).await;
    world.announce(all[0], seq).await;
    while next(&mut feed).await != (all[0], 14) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cursor_gets_its_verdict_and_none_floods() {
    let world = World::new(Options { max_backlog: 5, ..Options::default() }).await;
    let other = world.other().await;
    let migration = world.migration(&world.me).await;
    let mut feed = open(&world, "", None).await;
    feed.hello().await;
    let start = feed.cursor.clone();
    let foreign = {
        let response = get(world.address, Some(&other.key), FEED, None).await;
        let mut feed = Stream::of(response, None);
        feed.hello().await;
        feed.cursor.clone()
    };
    let future = format!("{}{:x}", &start[..32], i64::MAX);
    let cases = [("-1", "malformed"), (&*foreign, "other_history"), (&*future, "future")];
    for (cursor, why) in cases {
        let mut feed = open(&world, "", Some(cursor)).await;
        let hello = feed.hello().await;
        assert_eq!((&hello["verdict"], &hello["why"]), (&json!("resumed_with_gap"), &json!(why)), "{cursor}");
        assert_eq!(feed.cursor[..32], start[..32], "the useless cursor is replaced at once");
    }
    let mut resumed = open(&world, &format!("?cursor={start}"), None).await;
    assert_eq!(resumed.hello().await["verdict"], "resumed");
    for _ in 0..6 {
        world.log(migration).await;
    }
    let mut flooded = open(&world, &format!("?lastEventId={start}"), None).await;
    let hello = flooded.hello().await;
    assert_eq!((&hello["verdict"], &hello["why"]), (&json!("resumed_with_gap"), &json!("too_old")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_of_chosen_migrations_tells_of_no_other() {
    let world = World::new(Options { tail_check: NEVER, ..Options::default() }).await;
    world.bell_is_up().await;
    let other = world.other().await;
    let (chosen, unchosen) = (world.migration(&world.me).await, world.migration(&world.me).await);
    let foreign = world.migration(&other).await;
    let mut feed = open(&world, &format!("?migrations={chosen}"), None).await;
    feed.hello().await;
    for migration in [unchosen, chosen] {
        let seq = world.log(migration).await;
        world.announce(migration, seq).await;
    }
    let mut told = next(&mut feed).await;
    if told == (chosen, 1) {
        told = next(&mut feed).await;
    }
    assert_eq!(told, (chosen, 2));
    let key = Some(&*world.me.key);
    for (query, status, code) in [
        (format!("?migrations={chosen},{foreign}"), 404, "migration_not_found"),
        ("?migrations=x".into(), 400, "invalid_query"),
        ("?migrations=".into(), 400, "invalid_query"),
        (format!("?migrations={}", vec![chosen.to_string(); 101].join(",")), 400, "invalid_query"),
    ] {
        let answer = get(world.address, key, &format!("{FEED}{query}"), None).await;
        assert_eq!(answer.status(), status, "{query}");
        let problem: serde_json::Value = answer.json().await.expect("a problem document");
        assert_eq!(problem["code"], code, "{query}");
    }
    assert_eq!(get(world.address, None, FEED, None).await.status(), 401);
}

const MIGRATIONS: usize = 12;
const EVENTS: i64 = 60;
const LISTENERS: u64 = 16;

/// Reads until all migrations' ends were seen, leaving and coming back at random.
async fn listener(
    (address, key): (SocketAddr, String),
    all: Vec<MigrationId>,
    mut feed: Stream,
    mut dice: impl FnMut() -> u64,
    started: watch::Sender<u64>,
) -> BTreeMap<MigrationId, i64> {
    feed.hello().await;
    started.send_modify(|count| *count += 1);
    let mut got: BTreeMap<MigrationId, i64> = BTreeMap::new();
    loop {
        // Within one connection nothing comes twice or out of order.
        let mut here: BTreeMap<MigrationId, i64> = BTreeMap::new();
        // It leaves after so many that are new to it: while a transaction somewhere holds the horizon, each
        // connection begins with what came since.
        let mut stays_for = dice() % 150;
        while stays_for > 0 {
            let Event { migration_id, seq, .. } = feed.event().await.expect("the feed goes on");
            let before = here.insert(migration_id, seq);
            assert!(before.is_none_or(|before| seq == before + 1), "{before:?} then {seq}");
            let known = got.entry(migration_id).or_insert(0);
            assert!(seq <= *known + 1, "{seq} follows {known}: one was lost");
            stays_for -= u64::from(seq > *known);
            *known = (*known).max(seq);
            if all.iter().all(|id| got.get(id) == Some(&EVENTS)) {
                return got;
            }
        }
        let cursor = feed.cursor.clone();
        let response = get(address, Some(&key), FEED, Some(&cursor)).await;
        feed = Stream::of(response, Some(&cursor));
        assert_eq!(feed.hello().await["verdict"], "resumed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_who_come_and_go_lose_nothing_of_many_migrations() {
    // A buffer that is smaller than what comes in bursts: falling behind is part of the test.
    let world = World::new(Options { buffer: 16, page: 7, ..Options::default() }).await;
    world.bell_is_up().await;
    let cursor = {
        let mut before = open(&world, "", None).await;
        before.hello().await;
        before.cursor.clone()
    };
    let mut all = Vec::new();
    for _ in 0..MIGRATIONS {
        all.push(world.migration(&world.me).await);
    }
    let (started, mut ready) = watch::channel(0);
    let mut listeners = Vec::new();
    for number in 0..LISTENERS {
        let feed = open(&world, "", Some(&cursor)).await;
        let mut state = number + 1;
        let dice = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let whom = (world.address, world.me.key.clone());
        listeners.push(listener(whom, all.clone(), feed, dice, started.clone()));
    }
    let writer = async {
        ready.wait_for(|count| *count == LISTENERS).await.expect("listeners are there");
        // For half the time, a transaction that has written somewhere else holds the horizon.
        let mut other = world.database().sql().await;
        let mut holding = Some(other.transaction().await.expect("a transaction"));
        let number =
            holding.as_ref().expect("it was just begun").query_one("SELECT pg_current_xact_id()::text", &[]);
        number.await.expect("a transaction number");
        for round in 2..=EVENTS {
            if round == EVENTS / 2
                && let Some(held) = holding.take()
            {
                held.commit().await.expect("it ends");
            }
            for (place, migration) in all.iter().enumerate() {
                let seq = world.log(*migration).await;
                assert_eq!(seq, round);
                // Some notes are lost.
                if place % 3 != 0 {
                    world.announce(*migration, seq).await;
                }
            }
        }
    };
    let everybody = async { tokio::join!(join_all(listeners), writer).0 };
    let got = timeout(BOUND * 4, everybody).await.expect("everybody reaches the end");
    for (number, got) in got.into_iter().enumerate() {
        assert_eq!(got, all.iter().map(|id| (*id, EVENTS)).collect(), "listener {number}");
    }
}
