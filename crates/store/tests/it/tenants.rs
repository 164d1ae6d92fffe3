//! Law 10: a tenant sees its own rows, also when the query forgets its filter; each role sees its own tables.

use crate::plan_edits::change;
use crate::schedules::{created, offer, yearly};
use crate::world::{
    World, broken, done, keyed, retry_request, site_analysis, site_page, start_request, trace, visit,
};
use domain::{analysis::Depth, dead_letter::Filter, retry::Verdict, schedule::Missed};
use std::time::Duration;
use store::{
    AmendOutcome, FailedAttempt, Member, NewApiKey, NewReplay, NewSession, RetryOutcome, StartOutcome,
};
use time::OffsetDateTime;
use tokio_postgres::{Client, error::SqlState};
use uuid::Uuid;

/// A tenant with rows in every table: a dead letter, a job that runs, and a key.
async fn furnish(world: &World, member: Member, prefix: &str) {
    let (planned, lease) = world.planned_by(member, true).await;
    done(world.worker.park_job(&lease, &[]).await);
    let edited = world.gateway.amend_plan(&change(&planned, "a", "b")).await;
    assert!(matches!(edited, Ok(AmendOutcome::Amended(_))), "{edited:?}");
    let first = world.start(member, "https://dead.example.com/").await;
    let dead = world.claim_one().await.lease;
    let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
    done(world.worker.fail_attempt(&dead, &failed).await);
    let retry = retry_request(&first);
    assert!(matches!(world.gateway.retry_migration(&retry).await, Ok(RetryOutcome::Retried(_))));
    let again = world.claim_one().await.lease;
    done(world.worker.fail_attempt(&again, &failed).await);
    let filter = Filter { code: Some("none".to_owned()), ..Filter::default() };
    let (tenant, user, trace) = (member.tenant, member.user, trace());
    let replay = NewReplay { id: Uuid::now_v7(), tenant, user, filter, trace };
    world.gateway.begin_replay(&replay).await.expect("written");
    let request = keyed(member, "https://example.com/", "k", "a");
    assert_eq!(world.gateway.start_migration(&request).await.expect("an answer"), StartOutcome::Started);
    let lease = world.claim_one().await.lease;
    done(world.worker.begin_job(&lease, &[]).await);
    done(world.worker.begin_phase(&lease, domain::phase::Phase::Analyze, &[]).await);
    done(world.worker.record_visits(&lease, &[visit(1, b"{}")]).await);
    done(world.worker.keep_analysis(&lease, &site_analysis(Depth::Shallow)).await);
    done(world.worker.write_site_pages(&lease, 1, &[site_page("/", "home", &[])]).await);
    offer(world, None).await;
    let schedule = created(world, &yearly(member, "report", Missed::Once)).await;
    let past = "UPDATE schedules SET next_at = next_at - interval '1 year' WHERE id = $1";
    world.sql.execute(past, &[&schedule.id]).await.expect("the owner may");
    assert_eq!(world.worker.fire_schedules(10).await.expect("a sweep"), 1);
    let key = world.owner.create_api_key(&new_key(member, prefix)).await.expect("a key");
    let mut hash = [0; 32];
    hash[..prefix.len()].copy_from_slice(prefix.as_bytes());
    let session = NewSession { tenant, user, key, hash, lifetime: Duration::from_secs(3600) };
    world.gateway.create_session(&session).await.expect("a session");
}

fn new_key(member: Member, prefix: &str) -> NewApiKey {
    NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: "of the test".to_owned(),
        prefix: prefix.to_owned(),
        hash: [7; 32],
        expires_at: None,
    }
}

/// The tables with rows of tenants, and the column that says whose.
async fn tenant_tables(sql: &Client) -> Vec<(String, String)> {
    let query = "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns c
                 JOIN information_schema.tables t USING (table_schema, table_name)
                 WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
                   AND (c.column_name = 'tenant_id' OR (c.table_name = 'organisations' AND c.column_name = 'id'))
                 ORDER BY 1";
    sql.query(query, &[]).await.expect("the catalogue").iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn set_tenant(client: &Client, tenant: &str) {
    client.execute("SELECT set_config('app.tenant', $1, false)", &[&tenant]).await.expect("a setting");
}

#[tokio::test]
async fn a_query_that_forgets_its_filter_sees_no_rows_of_others() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    furnish(&world, one, "prefix000001").await;
    furnish(&world, two, "prefix000002").await;
    let gateway = world.db.sql_as("resettle_gateway").await;
    let tables = tenant_tables(&world.sql).await;
    assert!(tables.len() >= 13, "{tables:?}");
    let mut seen = Vec::new();
    for (table, column) in &tables {
        let rows = format!("SELECT count(*) FILTER (WHERE {column} = $1), count(*) FROM {table}");
        let there: i64 = world.sql.query_one(&rows, &[&two.tenant.0]).await.expect("the owner may").get(0);
        assert!(there > 0, "{table} has no row of the second tenant, so it proves nothing");
        set_tenant(&gateway, "").await;
        match gateway.query_one(&rows, &[&one.tenant.0]).await {
            Ok(row) => assert_eq!(row.get::<_, i64>(1), 0, "{table} without a tenant"),
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{table}");
                continue;
            }
        }
        set_tenant(&gateway, &one.tenant.to_string()).await;
        let row = gateway.query_one(&rows, &[&one.tenant.0]).await.expect("it may read this table");
        let (own, all): (i64, i64) = (row.get(0), row.get(1));
        assert!(own > 0 && own == all, "{table}: {own} own rows of {all} seen");
        seen.push(table.as_str());
    }
    assert!(seen.len() >= 11, "{seen:?}");
}

#[tokio::test]
async fn no_role_owns_a_table_or_bypasses_row_level_security() {
    let world = World::new().await;
    let sql =
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'resettle\\_%' AND (rolbypassrls OR rolsuper)";
    assert_eq!(world.sql.query_one(sql, &[]).await.expect("the catalogue").get::<_, i64>(0), 0);
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner LIKE 'resettle\\_%'";
    assert_eq!(world.sql.query_one(sql, &[]).await.expect("the catalogue").get::<_, i64>(0), 0);
    for (table, _) in tenant_tables(&world.sql).await {
        let sql = "SELECT relrowsecurity FROM pg_class WHERE oid = $1::text::regclass";
        let guarded: bool = world.sql.query_one(sql, &[&table]).await.expect("the catalogue").get(0);
        assert!(guarded, "{table} has no row-level security");
    }
}

#[tokio::test]
async fn the_gateway_cannot_write_a_row_of_another_tenant() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    let request = world.start(two, "https://example.com/").await;
    let gateway = world.db.sql_as("resettle_gateway").await;
    set_tenant(&gateway, &one.tenant.to_string()).await;
    let changed =
        gateway.execute("UPDATE migrations SET progress = 99", &[]).await.expect("it may update its own");
    assert_eq!(changed, 0);
    let sql = "INSERT INTO transitions (job_id, tenant_id, to_state, cause, actor, epoch, attempt)
               VALUES ($1, $2, 'PENDING', 'enqueued', 'user:x', 0, 0)";
    let refused = gateway.execute(sql, &[&request.job.0, &two.tenant.0]).await.expect_err("a row of another");
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    let mut mixed = start_request(one, "https://mixed.example.com/");
    mixed.user = two.user;
    // A foreign user in one's own tenant is one's own row: the tenant is the wall, the caller's key the door.
    assert_eq!(world.gateway.start_migration(&mixed).await.expect("an answer"), StartOutcome::Started);
}

/// Writes a bare job of each.
const BARE_JOB: &str =
    "INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id)
    SELECT gen_random_uuid(), tenant, 'any', 'any', '{}', 'PENDING', 1, gen_random_uuid()
    FROM unnest($1::uuid[]) AS tenant";

async fn bare_jobs(sql: &Client, of: &[Uuid]) -> Result<u64, tokio_postgres::Error> {
    sql.execute(BARE_JOB, &[&of]).await
}

async fn end(sql: &Client, organisation: Uuid) -> Result<u64, tokio_postgres::Error> {
    sql.execute("DELETE FROM organisations WHERE id = $1", &[&organisation]).await
}

#[tokio::test]
async fn a_job_is_an_organisations_and_an_organisation_that_has_jobs_stays() {
    let world = World::new().await;
    let (one, two) =
        (world.member("one@example.com").await.tenant.0, world.member("two@example.com").await.tenant.0);
    let refused = |told: Result<u64, tokio_postgres::Error>, code: &SqlState, said: &str| {
        let error = told.expect_err("refused");
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.as_db_error().expect("the database's").message(), said);
    };
    let nobodys = bare_jobs(&world.sql, &[one, Uuid::now_v7(), two]).await;
    refused(nobodys, &SqlState::FOREIGN_KEY_VIOLATION, "a job belongs to an organisation that is not there");
    let jobs = "SELECT count(*) FROM jobs WHERE tenant_id <> $1";
    assert_eq!(world.one::<i64>(jobs, Uuid::nil()).await, 0, "none of the three");
    assert_eq!(bare_jobs(&world.sql, &[one, one]).await.expect("two of one's own"), 2);
    let ended = end(&world.sql, one).await;
    refused(ended, &SqlState::FOREIGN_KEY_VIOLATION, "an organisation that has jobs cannot go");
    let moved = world.sql.execute("UPDATE jobs SET tenant_id = $1", &[&two]).await;
    refused(moved, &SqlState::CHECK_VIOLATION, "a job stays its organisation's");
    assert_eq!(end(&world.sql, two).await.expect("it has none"), 1);
}

#[tokio::test]
async fn neither_a_job_nor_the_end_of_its_organisation_slips_past_the_other() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant.0;
    let second = world.db.sql().await;
    // A job that is being written: whoever ends the organisation waits for it.
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    bare_jobs(&world.sql, &[tenant]).await.expect("written");
    let (ended, ()) = tokio::join!(end(&second, tenant), async {
        world.until_blocked().await;
        world.sql.batch_execute("COMMIT").await.expect("a commit");
    });
    assert_eq!(ended.expect_err("it has a job").code(), Some(&SqlState::FOREIGN_KEY_VIOLATION));
    // An organisation that is being ended: whoever writes a job waits for that.
    world.sql.batch_execute("DELETE FROM jobs").await.expect("the owner may");
    world.sql.batch_execute("BEGIN").await.expect("a transaction");
    end(&world.sql, tenant).await.expect("it has none");
    let of = [tenant];
    let (written, ()) = tokio::join!(bare_jobs(&second, &of), async {
        world.until_blocked().await;
        world.sql.batch_execute("COMMIT").await.expect("a commit");
    });
    assert_eq!(written.expect_err("it is gone").code(), Some(&SqlState::FOREIGN_KEY_VIOLATION));
}

#[tokio::test]
async fn the_broadcaster_reads_events_and_nothing_else_of_a_tenant() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    furnish(&world, one, "prefix000001").await;
    furnish(&world, two, "prefix000002").await;
    let broadcaster = world.db.sql_as("resettle_broadcaster").await;
    set_tenant(&broadcaster, &one.tenant.to_string()).await;
    for (table, column) in tenant_tables(&world.sql).await {
        let sql = format!("SELECT count(*) FILTER (WHERE {column} = $1), count(*) FROM {table}");
        match broadcaster.query_one(&sql, &[&one.tenant.0]).await {
            Ok(row) => {
                assert_eq!(table, "events");
                let (own, all): (i64, i64) = (row.get(0), row.get(1));
                assert!(own > 0 && own == all);
            }
            Err(error) => assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{table}"),
        }
    }
    for sql in [
        "DELETE FROM events",
        "UPDATE events SET progress = 0",
        "SELECT 1 FROM users",
        "SELECT 1 FROM workers",
    ] {
        let refused = broadcaster.execute(sql, &[]).await.expect_err(sql);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
}

#[tokio::test]
async fn a_personal_tenant_is_made_once_per_address() {
    let world = World::new().await;
    let many =
        futures::future::join_all((0..8).map(|_| world.owner.create_personal_tenant("One@Example.com")))
            .await;
    let first = *many[0].as_ref().expect("a member");
    assert!(many.iter().all(|member| *member.as_ref().expect("a member") == first));
    assert_eq!(world.member("one@example.com").await, first);
    assert_ne!(world.member("two@example.com").await.tenant, first.tenant);
}

#[tokio::test]
async fn a_key_is_found_by_its_prefix_until_it_is_revoked_or_expires() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let id = world.owner.create_api_key(&new_key(member, "prefix000001")).await.expect("a key");
    let past = Some(OffsetDateTime::UNIX_EPOCH);
    let expired = NewApiKey { expires_at: past, ..new_key(member, "prefix000002") };
    world.owner.create_api_key(&expired).await.expect("a key");
    for store in [&world.gateway, &world.broadcaster] {
        let found = store.find_api_key("prefix000001").await.expect("a look").expect("the key");
        assert_eq!((found.id, found.tenant, found.user), (id, member.tenant, member.user));
        assert_eq!((found.role.as_str(), found.hash), ("owner", vec![7; 32]));
        assert_eq!(store.find_api_key("prefix000002").await.expect("a look"), None, "it has expired");
        assert_eq!(store.find_api_key("prefix000003").await.expect("a look"), None);
    }
    assert!(world.worker.find_api_key("prefix000001").await.is_err(), "the worker has no business with keys");
    assert!(world.owner.revoke_api_key(id).await.expect("a change"));
    assert!(!world.owner.revoke_api_key(id).await.expect("a change"));
    assert_eq!(world.gateway.find_api_key("prefix000001").await.expect("a look"), None);
}
