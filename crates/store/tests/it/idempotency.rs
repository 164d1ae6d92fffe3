//! The Idempotency-Key: one effect, one answer, however often and however simultaneously it is asked.

use crate::world::{World, keyed, start_request};
use domain::idempotency::Verdict;
use futures::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};
use store::{Options, StartOutcome, Store, StoredAnswer};
use uuid::Uuid;

const ROUTE: &str = "POST /api/migration/start";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_at_once_with_one_key_make_one_migration() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let options =
        Options { max_connections: 32, acquire_timeout: Duration::from_secs(30), ..world.db.gateway() };
    let store = Store::connect(&options).await.expect("the test database answers");
    let outcomes = join_all((0..32).map(|_| {
        let (store, request) = (store.clone(), keyed(member, "https://example.com/", "one-key", "a"));
        async move { (request.migration, store.start_migration(&request).await.expect("an answer")) }
    }))
    .await;
    let started: Vec<_> = outcomes
        .iter()
        .filter(|(_, o)| *o == StartOutcome::Started)
        .map(|(migration, _)| *migration)
        .collect();
    assert_eq!(started.len(), 1);
    let answer = StoredAnswer { status: 202, answer: json!({"migrationId": started[0]}) };
    for (_, outcome) in &outcomes {
        match outcome {
            StartOutcome::Started | StartOutcome::KeyInFlight => {}
            StartOutcome::Replayed(stored) => assert_eq!(*stored, answer),
            other => panic!("{other:?}"),
        }
    }
    let rows: i64 = world.sql.query_one("SELECT count(*) FROM migrations", &[]).await.expect("a look").get(0);
    assert_eq!(rows, 1);
    let late = store.start_migration(&keyed(member, "https://example.com/", "one-key", "a")).await;
    assert_eq!(late.expect("an answer"), StartOutcome::Replayed(answer));
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused_and_writes_nothing() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let first = keyed(member, "https://example.com/", "k", "a");
    assert_eq!(world.gateway.start_migration(&first).await.expect("an answer"), StartOutcome::Started);
    let before = world.everything().await;
    let other = keyed(member, "https://other.example.com/", "k", "b");
    assert_eq!(world.gateway.start_migration(&other).await.expect("an answer"), StartOutcome::KeyMismatch);
    assert_eq!(world.everything().await, before);
    let look = async |body: &str| {
        world.gateway.stored_answer(member.tenant, ROUTE, "k", &body.repeat(64)).await.expect("an answer")
    };
    let answer = StoredAnswer { status: 202, answer: json!({"migrationId": first.migration}) };
    assert_eq!(look("a").await, Verdict::Replay(answer));
    assert_eq!(look("b").await, Verdict::Mismatch);
}

#[tokio::test]
async fn a_request_with_the_key_of_one_that_runs_is_told_at_once() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let first = keyed(member, "https://example.com/", "k", "a");
    // The first one is held up in its transaction, with the key's lock in its hand.
    world.sql.batch_execute("BEGIN; LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let store = world.gateway.clone();
    let (held_up, ()) = futures::future::join(store.start_migration(&first), async {
        testkit::wait::until("the first to hold the key's lock", Duration::from_secs(10), async || {
            let sql = "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                       WHERE locktype = 'advisory' AND d.datname = current_database()";
            let rows = world.sql.query(sql, &[]).await.expect("a look");
            (!rows.is_empty()).then_some(())
        })
        .await;
        let second = keyed(member, "https://example.com/", "k", "a");
        let told = world.gateway.start_migration(&second).await.expect("an answer");
        assert_eq!(told, StartOutcome::KeyInFlight);
        world.sql.batch_execute("ROLLBACK").await.expect("the end of it");
    })
    .await;
    assert_eq!(held_up.expect("an answer"), StartOutcome::Started);
}

#[tokio::test]
async fn a_key_is_scoped_to_its_tenant_and_its_route_and_expires() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    let start = async |request| world.gateway.start_migration(&request).await.expect("an answer");
    assert_eq!(start(keyed(one, "https://example.com/", "k", "a")).await, StartOutcome::Started);
    assert_eq!(start(keyed(two, "https://example.com/", "k", "a")).await, StartOutcome::Started);
    let look = async |route: &str| {
        world.gateway.stored_answer(one.tenant, route, "k", &"a".repeat(64)).await.expect("an answer")
    };
    assert_eq!(look("POST /elsewhere").await, Verdict::Fresh);
    assert!(matches!(look(ROUTE).await, Verdict::Replay(_)));
    let sql = "UPDATE idempotency_records SET expires_at = clock_timestamp() - interval '1 second'";
    world.sql.execute(sql, &[]).await.expect("the owner may");
    assert_eq!(look(ROUTE).await, Verdict::Fresh);
    // The record is replaced, by another body even.
    assert_eq!(start(keyed(one, "https://another.example.com/", "k", "b")).await, StartOutcome::Started);
}

#[tokio::test]
async fn expired_records_are_cleared_away_by_new_ones() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    for n in 0..3 {
        let request = keyed(member, &format!("https://{n}.example.com/"), &format!("key {n}"), "a");
        assert_eq!(world.gateway.start_migration(&request).await.expect("an answer"), StartOutcome::Started);
    }
    let sql = "UPDATE idempotency_records SET expires_at = clock_timestamp() - interval '1 second' WHERE key <> 'key 1'";
    world.sql.execute(sql, &[]).await.expect("the owner may");
    let request = keyed(member, "https://3.example.com/", "key 3", "a");
    assert_eq!(world.gateway.start_migration(&request).await.expect("an answer"), StartOutcome::Started);
    let sql = "SELECT string_agg(key, ', ' ORDER BY key) FROM idempotency_records";
    let kept: String = world.sql.query_one(sql, &[]).await.expect("a look").get(0);
    assert_eq!(kept, "key 1, key 3");
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let first = world.start(member, "https://example.com/").await;
    let second = keyed(member, "https://example.com/", "k", "a");
    let told = world.gateway.start_migration(&second).await.expect("an answer");
    assert_eq!(told, StartOutcome::AlreadyActive(first.migration));
    let look = world.gateway.stored_answer(member.tenant, ROUTE, "k", &"a".repeat(64)).await;
    assert_eq!(look.expect("an answer"), Verdict::Fresh);
    let mut broken = start_request(member, "https://two.example.com/");
    broken.prompt_hash = "too short".to_owned();
    broken.idempotency = keyed(member, "https://two.example.com/", "k", "a").idempotency;
    assert!(matches!(world.gateway.start_migration(&broken).await, Err(store::Error::Refused { .. })));
    let rows: i64 =
        world.sql.query_one("SELECT count(*) FROM idempotency_records", &[]).await.expect("a look").get(0);
    assert_eq!(rows, 0, "what was not done has no answer");
}

/// Something that a client says, or the time does: under one of three keys, with one of two bodies, of one of three sites.
#[derive(Clone, Copy, Debug)]
enum Said {
    Start { key: usize, body: usize, site: usize },
    Expire { key: usize },
}

fn said() -> impl Strategy<Value = Said> {
    let start =
        (0..3_usize, 0..2_usize, 0..3_usize).prop_map(|(key, body, site)| Said::Start { key, body, site });
    prop_oneof![9 => start, 1 => (0..3_usize).prop_map(|key| Said::Expire { key })]
}

/// What every answer has to be, from those before it alone.
#[derive(Default)]
struct Expected {
    /// By key: the body and the answer.
    kept: HashMap<usize, (usize, Value)>,
    /// By site: its migration.
    active: HashMap<usize, domain::MigrationId>,
}

impl Expected {
    fn start(&mut self, key: usize, body: usize, site: usize, new: &store::StartMigration) -> StartOutcome {
        match self.kept.get(&key) {
            Some((kept, answer)) if *kept == body => {
                StartOutcome::Replayed(StoredAnswer { status: 202, answer: answer.clone() })
            }
            Some(_) => StartOutcome::KeyMismatch,
            None if self.active.contains_key(&site) => StartOutcome::AlreadyActive(self.active[&site]),
            None => {
                self.kept.insert(key, (body, json!({"migrationId": new.migration})));
                self.active.insert(site, new.migration);
                StartOutcome::Started
            }
        }
    }
}

#[test]
fn whatever_is_said_in_whatever_order_a_key_has_one_effect_and_one_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let world = runtime.block_on(World::new());
    let config =
        ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 40, ..Default::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(said(), 1..25), |all| {
        runtime.block_on(async {
            let member = world.member(&format!("{}@example.com", Uuid::now_v7().simple())).await;
            let mut expected = Expected::default();
            for one in &all {
                match *one {
                    Said::Expire { key } => {
                        let sql = "UPDATE idempotency_records SET expires_at = clock_timestamp() - interval '1 second'
                                   WHERE tenant_id = $1 AND key = $2";
                        world.sql.execute(sql, &[&member.tenant.0, &format!("k{key}")]).await.expect("the owner may");
                        expected.kept.remove(&key);
                    }
                    Said::Start { key, body, site } => {
                        let url = format!("https://site-{site}.example.com/");
                        let new = keyed(member, &url, &format!("k{key}"), ["a", "b"][body]);
                        let told = world.gateway.start_migration(&new).await.expect("an answer");
                        prop_assert_eq!(told, expected.start(key, body, site, &new), "{:?} of {:?}", one, all);
                    }
                }
            }
            let sql = "SELECT count(*) FROM migrations WHERE tenant_id = $1";
            prop_assert_eq!(world.one::<i64>(sql, member.tenant.0).await, expected.active.len() as i64);
            Ok(())
        })
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}
