//! What needs a server of its own: one that is stopped in the middle, and one whose owner is no superuser.

use crate::world::{DEADLINES, TTL, World, done, event, worker};
use domain::retry;
use std::time::Duration;
use store::{Options, RescueRequest, Store, schema};
use testkit::postgres::Cluster;

#[tokio::test]
async fn leases_that_ran_out_while_postgres_was_away_are_renewed_and_not_swept() {
    let mut cluster = Cluster::start().await;
    let world = World::of(cluster.database().await).await;
    let (_, lease) = world.running("https://example.com/").await;
    world.expire(lease.job).await;
    cluster.stop().await;
    assert!(world.worker.ping().await.is_err(), "it is away");
    cluster.start_again().await;

    let policy = retry::Policy::default();
    let ttl = Duration::from_secs(600);
    let sweep = RescueRequest {
        worker: worker(),
        ttl,
        deadlines: &DEADLINES,
        cancel_grace: Duration::from_secs(300),
        limit: 10,
        policy: &policy,
        jitter: 0.5,
    };
    // The connections of before are dead; the store finds that out and makes new ones.
    let swept = testkit::wait::until("the store to be back", Duration::from_secs(20), async || {
        world.worker.rescue_expired(&sweep).await.ok()
    })
    .await;
    assert_eq!(swept, []);
    let kept =
        world.worker.heartbeat(lease.worker, &[(lease.job, lease.epoch)], TTL).await.expect("a heartbeat");
    assert_eq!(kept.len(), 1);
    done(world.worker.append_events(&lease, 1, &[event(30)]).await);
    let attempts = "SELECT attempts FROM jobs WHERE id = $1";
    let row = world.db.sql().await.query_one(attempts, &[&lease.job.0]).await.expect("a look");
    assert_eq!(row.get::<_, i32>(0), 0, "no attempt is burned");
}

/// One server process dies and takes all others along: the postmaster stays, and its start tells nothing of it.
#[tokio::test]
async fn leases_that_ran_out_during_a_crash_recovery_are_not_swept() {
    let mut cluster = Cluster::start().await;
    let world = World::of(cluster.database().await).await;
    let (_, lease) = world.running("https://example.com/").await;
    world.expire(lease.job).await;
    cluster.crash().await;

    let store = Store::connect(&world.db.worker()).await.expect("it is back");
    let look = world.db.sql().await;
    let (started, recovered) = ages(&look).await;
    // The postmaster has been up for longer than this, the server it looks after has not.
    let ttl = Duration::from_secs_f64((started + recovered) / 2.0);
    let policy = retry::Policy::default();
    let sweep = RescueRequest {
        worker: worker(),
        ttl,
        deadlines: &DEADLINES,
        cancel_grace: Duration::from_secs(300),
        limit: 10,
        policy: &policy,
        jitter: 0.5,
    };
    let swept = store.rescue_expired(&sweep).await.expect("a sweep");
    let (_, recovered) = ages(&look).await;
    // On a machine that stood still in between, the ttl may have passed after all.
    assert!(swept.is_empty() || recovered > ttl.as_secs_f64(), "swept {recovered} s after the recovery");
    let later = RescueRequest { ttl: Duration::from_millis(1), ..sweep };
    assert_eq!(store.rescue_expired(&later).await.expect("a sweep").len(), 1);
}

/// How long ago, in seconds, the postmaster started, and the server processes after the last recovery.
async fn ages(sql: &tokio_postgres::Client) -> (f64, f64) {
    let ages = "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8,
                       extract(epoch FROM clock_timestamp() - backend_start)::float8
                FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    let row = sql.query_one(ages, &[]).await.expect("a superuser may look");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn an_owner_that_may_create_roles_and_nothing_more_is_enough() {
    let cluster = Cluster::start().await;
    let database = cluster.database().await;
    let admin = database.sql().await;
    // Nobody has made the services' roles here yet either: those of the template get out of the way.
    let sql = "DROP SCHEMA public CASCADE; CREATE ROLE plain_owner LOGIN CREATEROLE;
               ALTER ROLE resettle_gateway RENAME TO template_gateway;
               ALTER ROLE resettle_worker RENAME TO template_worker;
               ALTER ROLE resettle_broadcaster RENAME TO template_broadcaster";
    admin.batch_execute(sql).await.expect("a superuser may");
    let name = database.name();
    admin
        .batch_execute(&format!("ALTER DATABASE {name} OWNER TO plain_owner"))
        .await
        .expect("a superuser may");
    admin.batch_execute("CREATE SCHEMA public AUTHORIZATION plain_owner").await.expect("a superuser may");
    let owner = Options { url: database.url("plain_owner"), ..Options::default() };
    let applied = schema::migrate(&owner).await.expect("the steps run");
    assert_eq!(applied.version, schema::VERSION);
    let owner = Store::connect(&owner).await.expect("it answers");
    let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
    let gateway = Store::connect(&database.gateway()).await.expect("it answers");
    gateway.check_schema().await.expect("its role may read what it needs");
    assert_eq!(gateway.find_api_key("prefix000001").await.expect("its role may look"), None);
    let request = crate::world::start_request(member, "https://example.com/");
    assert_eq!(gateway.start_migration(&request).await.expect("an answer"), store::StartOutcome::Started);
}
