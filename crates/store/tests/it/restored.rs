//! A database that came out of a backup.

use crate::world::{World, done, worker};
use domain::Epoch;
use std::time::Duration;
use store::{Error, Fenced, Options, Store, restored};
use testkit::{postgres::Database, wait};

const BOUND: Duration = Duration::from_secs(20);

/// The database without its services: their connections are closed.
async fn stopped(world: World) -> Database {
    let World { db, gateway, worker, broadcaster, operator, .. } = world;
    drop((gateway, worker, broadcaster, operator));
    let sql = db.sql().await;
    let connected = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND usename LIKE 'resettle_%'";
    wait::until_true("the services to be gone", BOUND, || async {
        sql.query_one(connected, &[]).await.expect("a look").get::<_, i64>(0) == 0
    })
    .await;
    db
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_from_before_a_restore_counts_after_it() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let before = world.broadcaster.log_incarnation().await.expect("a look");
    let owner = world.db.owner();
    let refused = restored(&owner).await;
    assert!(matches!(refused, Err(Error::InUse { connections: 1.. })), "{refused:?}");
    // As a dump from a cluster that has seen more: its transactions are this one's future.
    world.sql.batch_execute("UPDATE events SET xact = '900000000000'").await.expect("the owner may");
    let events: i64 =
        world.one("SELECT count(*) FROM events WHERE migration_id = $1", request.migration.0).await;

    let db = stopped(world).await;
    let found = restored(&owner).await.expect("it is done");
    assert_eq!((found.jobs, found.events), (1, u64::try_from(events).expect("a count")));
    let connect = async |options: Options| Store::connect(&options).await.expect("it answers");
    let (broadcaster, worker_store) = (connect(db.broadcaster()).await, connect(db.worker()).await);
    assert_eq!(broadcaster.log_incarnation().await.expect("a look"), found.incarnation);
    assert_ne!(found.incarnation, before);
    let ahead = "SELECT count(*) FROM events WHERE xact >= pg_snapshot_xmax(pg_current_snapshot())";
    let ahead: i64 = db.sql().await.query_one(ahead, &[]).await.expect("a look").get(0);
    assert_eq!(ahead, 0, "every event can be read");
    // Who slept through the restore is refused, until its lease runs out as any does.
    assert_eq!(worker_store.append_events(&lease, 1, &[]).await.expect("an answer"), Fenced::Stale);
    let raised = store::Lease { epoch: Epoch(lease.epoch.0 + 1_000_000), ..lease.clone() };
    assert_eq!(worker_store.leases_of(lease.worker).await.expect("a look")[0].epoch, raised.epoch);
    done(worker_store.hand_back(&raised).await);
    let request = store::ClaimRequest {
        queue: domain::job::MIGRATION_QUEUE,
        worker: worker(),
        slots: 1,
        ttl: Duration::from_secs(30),
        begin: None,
    };
    let claimed = worker_store.claim(&request).await.expect("a claim");
    assert_eq!(claimed[0].lease.epoch, Epoch(raised.epoch.0 + 1));
}
