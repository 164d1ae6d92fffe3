//! Law 11 across migrations: whoever goes on from a horizon misses nothing, however late a transaction commits.

use crate::world::{World, done, event};
use domain::{MigrationId, TenantId, phase::Phase};
use std::collections::BTreeMap;
use store::{Horizon, Lease, Member, StartMigration, Store, Touched};

/// Follows a tenant as a reader would: what is new since the horizon, each event once.
struct Follower {
    tenant: TenantId,
    at: Horizon,
    told: BTreeMap<MigrationId, i64>,
}

impl Follower {
    async fn look(&mut self, store: &Store, limit: u32) -> Vec<(MigrationId, i64)> {
        let mut new = Vec::new();
        let (mut after, mut horizon) = (None, None);
        loop {
            let page = store.events_touched(self.tenant, self.at, after, limit).await.expect("a page");
            horizon.get_or_insert(page.horizon);
            for touched in &page.touched {
                let told = self.told.get(&touched.migration).copied().unwrap_or(0);
                let since = told.max(touched.first - 1);
                let read = store.placed_events_after(self.tenant, touched.migration, since, 1000).await;
                for placed in read.expect("events") {
                    new.push((touched.migration, placed.event.seq));
                    self.told.insert(touched.migration, placed.event.seq);
                }
            }
            let Some(last) = page.touched.last().filter(|_| page.touched.len() == limit as usize) else {
                break;
            };
            after = Some(last.migration);
        }
        self.at = horizon.expect("a page was read");
        new
    }
}

/// A member's migration with a running job.
async fn running(world: &World, member: Member, url: &str) -> (StartMigration, Lease) {
    let request = world.start(member, url).await;
    let lease = world.claim_one().await.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    done(world.worker.begin_phase(&lease, Phase::Analyze, &[event(1)]).await);
    (request, lease)
}

#[tokio::test]
async fn an_event_that_commits_late_is_not_passed_over() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let (early, early_lease) = running(&world, member, "https://early.example/").await;
    let (late, _) = running(&world, member, "https://late.example/").await;
    let at = world.broadcaster.event_tip().await.expect("a tip").horizon;
    let mut follower = Follower { tenant: early.tenant, at, told: BTreeMap::new() };
    follower.look(&world.broadcaster, 10).await;
    // A transaction that has its number, has written, and does not commit yet.
    let mut slow = world.db.sql().await;
    let open = slow.transaction().await.expect("a transaction");
    let write = "WITH head AS (
                     UPDATE event_heads SET last_seq = last_seq + 1 WHERE migration_id = $1
                     RETURNING last_seq, tenant_id)
                 INSERT INTO events (migration_id, seq, tenant_id, run, type, progress, correlation_id, detail)
                 SELECT $1, last_seq, tenant_id, 1, 'log', 0, $1, '{}' FROM head RETURNING seq";
    let seq: i64 = open.query_one(write, &[&late.migration.0]).await.expect("a row").get(0);
    let before = follower.at;
    done(world.worker.append_events(&early_lease, 1, &[event(30), event(31)]).await);
    let seen = follower.look(&world.broadcaster, 10).await;
    assert_eq!(seen.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [early.migration; 2]);
    assert!(follower.at >= before, "a horizon never goes back");
    assert_eq!(
        follower.look(&world.broadcaster, 10).await,
        [],
        "nothing is told twice while the horizon is held"
    );
    open.commit().await.expect("the late one commits");
    assert_eq!(follower.look(&world.broadcaster, 10).await, [(late.migration, seq)]);
    assert_eq!(follower.look(&world.broadcaster, 10).await, []);
}

#[tokio::test]
async fn pages_of_touched_migrations_meet_without_gap_and_show_no_other_tenant() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut mine = Vec::new();
    for number in 0..5 {
        mine.push(world.start(member, &format!("https://{number}.example/")).await.migration);
    }
    mine.sort_unstable();
    let tenant = member.tenant;
    let since = Horizon(0);
    let all = world.broadcaster.events_touched(tenant, since, None, 10).await.expect("a page").touched;
    assert_eq!(all.iter().map(|touched| touched.migration).collect::<Vec<_>>(), mine);
    let mut paged: Vec<Touched> = Vec::new();
    while paged.len() < 5 {
        let after = paged.last().map(|touched| touched.migration);
        let page = world.broadcaster.events_touched(tenant, since, after, 2).await.expect("a page").touched;
        assert!(!page.is_empty(), "five are found in pages of two");
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let stranger = world.member("stranger@example.com").await.tenant;
    let none = world.broadcaster.events_touched(stranger, since, None, 10).await.expect("a page");
    assert_eq!(none.touched, []);
    assert_eq!(world.broadcaster.events_since(stranger, since, 10).await.expect("a count"), 0);
    assert_eq!(
        world.broadcaster.events_since(tenant, since, 3).await.expect("a count"),
        3,
        "counts no further"
    );
    let known = world.broadcaster.migrations_with_events(stranger, &mine).await.expect("an answer");
    assert_eq!(known, []);
    let known = world.broadcaster.migrations_with_events(tenant, &mine).await.expect("an answer");
    assert_eq!(known.len(), 5);
    let tip = world.broadcaster.event_tip().await.expect("a tip");
    assert!(tip.horizon <= tip.next);
    let later = world.broadcaster.events_touched(tenant, tip.next, None, 10).await.expect("a page");
    assert_eq!(later.touched, [], "nothing was written by a transaction that has not begun");
}
