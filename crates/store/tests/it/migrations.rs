//! Starting and listing migrations.

use crate::world::{World, start_request, text};
use domain::MigrationId;
use futures::future::join_all;
use store::{PageRequest, StartOutcome};
use uuid::Uuid;

#[tokio::test]
async fn a_second_active_migration_of_a_site_names_the_first() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let first = world.start(member, "https://example.com/").await;
    let before = world.everything().await;
    let second = start_request(member, "https://example.com");
    let told = world.gateway.start_migration(&second).await.expect("an answer");
    assert_eq!(told, StartOutcome::AlreadyActive(first.migration));
    assert_eq!(world.everything().await, before, "nothing half-written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_starts_of_one_site_at_once_one_wins_and_is_named() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let outcomes = join_all((0..8).map(|_| {
        let request = start_request(member, "https://example.com/");
        let store = world.gateway.clone();
        async move { (request.migration, store.start_migration(&request).await.expect("an answer")) }
    }))
    .await;
    let winner = outcomes.iter().find(|(_, o)| *o == StartOutcome::Started).expect("one of them").0;
    let others = outcomes.iter().filter(|(_, o)| *o == StartOutcome::AlreadyActive(winner)).count();
    assert_eq!(others, 7);
}

#[tokio::test]
async fn two_tenants_move_the_same_site_and_do_not_see_each_other() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    let first = world.start(one, "https://example.com/").await;
    let second = world.start(two, "https://example.com/").await;
    assert_eq!(world.claim(5).await.len(), 2, "both run");
    assert!(world.gateway.migration(one.tenant, first.migration).await.expect("a look").is_some());
    assert_eq!(world.gateway.migration(one.tenant, second.migration).await.expect("a look"), None);
    assert_eq!(world.gateway.events_after(one.tenant, second.migration, 0, 9).await.expect("a look"), []);
    assert_eq!(world.gateway.phases(one.tenant, second.migration, 1).await.expect("a look"), []);
    assert_eq!(world.gateway.holder(one.tenant, second.migration).await.expect("a look"), None);
}

#[tokio::test]
async fn pages_run_from_the_newest_to_the_oldest_without_gap_or_double() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut newest_first = Vec::new();
    for n in 0..7 {
        newest_first.insert(0, world.start(member, &format!("https://{n}.example.com/")).await.migration);
    }
    let mut read: Vec<MigrationId> = Vec::new();
    loop {
        let page = PageRequest { limit: 3, before: read.last().copied() };
        let records = world.gateway.migrations(member.tenant, &page).await.expect("a page");
        if records.is_empty() {
            break;
        }
        read.extend(records.iter().map(|record| record.id));
    }
    assert_eq!(read, newest_first);
    let unknown = PageRequest { limit: 3, before: Some(MigrationId(Uuid::now_v7())) };
    assert_eq!(world.gateway.migrations(member.tenant, &unknown).await.expect("a page"), []);
}

#[tokio::test]
async fn a_start_writes_everything_that_follows_from_it() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let request = world.start(member, "https://example.com/").await;
    assert_eq!(world.transitions(request.job).await, [">PENDING enqueued 0 0"]);
    assert_eq!(world.told(request.migration).await, ["log"]);
    let sql = "SELECT jsonb_agg(topic ORDER BY id) FROM outbox WHERE tenant_id = $1";
    let topics: serde_json::Value = world.one(sql, member.tenant.0).await;
    assert_eq!(topics, serde_json::json!(["job", "event"]));
    let trace: serde_json::Value = world.one("SELECT trace FROM jobs WHERE id = $1", request.job.0).await;
    assert_eq!(text(&trace, "traceparent"), crate::world::TRACEPARENT);
}
