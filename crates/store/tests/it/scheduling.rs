//! Whose turn it is, and what holds jobs back: against real rows, with real workers that claim at once.

use crate::world::{TTL, World, done, worker};
use domain::{JobId, TenantId, gate::Scope, job::MIGRATION_QUEUE};
use futures::future::join_all;
use serde_json::json;
use std::collections::HashSet;
use store::{ClaimRequest, Claimed, GateOutcome, GateRecord, GateWish, Lease, Options, Rate, Store, Terms};
use uuid::Uuid;

const OPEN: Terms = Terms::OPEN;

/// What an operator says of a gate, and how it stands then.
async fn said(world: &World, scope: Scope, key: &str, wish: GateWish) -> GateRecord {
    let user = world.member("operator@example.com").await.user;
    match world.operator.change_gate(user, scope, key, &wish).await.expect("an answer") {
        GateOutcome::Stands(record) => record,
        refused => panic!("{refused:?}"),
    }
}

async fn hold(world: &World, scope: Scope, key: &str, terms: Terms) {
    assert_eq!(said(world, scope, key, GateWish::Hold(terms)).await.terms, terms);
}

/// Jobs of a tenant that have been runnable for an hour: so many runs of one migration.
async fn crowd(world: &World, tenant: TenantId, destination: &str, jobs: i32) -> Vec<JobId> {
    let sql = "
        WITH moved AS (
            INSERT INTO migrations (id, tenant_id, user_id, source_url, normalised_url, brief, prompt_hash, state,
                correlation_id, seed, tool_contract, model_version)
            SELECT gen_random_uuid(), $1, user_id, 'https://x', gen_random_uuid()::text, '{}', repeat('ab', 32),
                'queued', gen_random_uuid(), 1, '1', 'none'
            FROM members WHERE tenant_id = $1 RETURNING id, tenant_id
        ), heads AS (
            INSERT INTO event_heads (migration_id, tenant_id) SELECT id, tenant_id FROM moved
        )
        INSERT INTO jobs (id, tenant_id, queue, kind, payload, migration_id, run, state, max_attempts, correlation_id,
            destination, run_at)
        SELECT gen_random_uuid(), tenant_id, 'migrations', 'migrate_website', '{}', id, n, 'PENDING', 3, id, $3,
            clock_timestamp() - interval '1 h'
        FROM moved, generate_series(1, $2::integer) AS n RETURNING id";
    let rows = world.sql.query(sql, &[&tenant.0, &jobs, &destination]).await.expect("the owner may");
    rows.iter().map(|row| JobId(row.get::<_, Uuid>(0))).collect()
}

async fn one_more(world: &World, slots: u32) -> Vec<Claimed> {
    world.claim(slots).await
}

/// A store of its own, as another process has it: it goes round by itself.
async fn process(world: &World) -> Store {
    let options = Options { max_connections: 2, ..world.db.worker() };
    Store::connect(&options).await.expect("the test database answers")
}

#[tokio::test]
async fn behind_a_hundred_thousand_jobs_of_one_tenant_anothers_first_starts_within_two_rounds_of_the_slots() {
    const WORKERS: usize = 4;
    const SLOTS: u32 = 3;
    let world = World::new().await;
    let (many, one) = (world.member("many@example.com").await, world.member("one@example.com").await);
    crowd(&world, many.tenant, "", 100_000).await;
    world.sql.batch_execute("ANALYZE jobs").await.expect("the owner may");
    let stores = join_all((0..WORKERS).map(|_| process(&world))).await;
    let request =
        ClaimRequest { queue: MIGRATION_QUEUE, worker: worker(), slots: SLOTS, ttl: TTL, begin: None };
    for store in &stores {
        assert_eq!(store.claim(&request).await.expect("a claim").len(), SLOTS as usize);
    }
    let late = crowd(&world, one.tenant, "", 1).await[0];
    let mut started = 0;
    'rounds: for _ in 0..100 {
        for store in &stores {
            for claimed in store.claim(&ClaimRequest { slots: 1, ..request }).await.expect("a claim") {
                started += 1;
                if claimed.lease.job == late {
                    break 'rounds;
                }
            }
        }
    }
    assert!(started <= 2 * WORKERS * SLOTS as usize, "{started} others went before it");
}

#[tokio::test]
async fn tenants_take_turns_by_their_weights_whatever_waits() {
    let world = World::new().await;
    let mut members = Vec::new();
    for (name, jobs) in [("a@example.com", 90), ("b@example.com", 40), ("c@example.com", 400)] {
        let member = world.member(name).await;
        crowd(&world, member.tenant, "", jobs).await;
        members.push(member.tenant);
    }
    let heavy = Terms { weight: 3, ..OPEN };
    hold(&world, Scope::Tenant, &members[0].to_string(), heavy).await;
    let mut begun = Vec::new();
    for slots in [1, 2, 7, 1, 1, 13, 50, 1, 4, 20] {
        begun.extend(one_more(&world, slots).await.into_iter().map(|claimed| claimed.lease.tenant));
    }
    let of = |tenant| begun.iter().filter(|begun| **begun == tenant).count();
    assert_eq!(members.iter().map(|tenant| of(*tenant)).collect::<Vec<_>>(), [60, 20, 20]);
}

#[tokio::test]
async fn a_job_gains_a_point_of_priority_for_each_minute() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant;
    let jobs = crowd(&world, tenant, "", 3).await;
    let sql =
        "UPDATE jobs SET priority = $2, run_at = clock_timestamp() - make_interval(mins => $3) WHERE id = $1";
    for (job, (priority, minutes)) in jobs.iter().zip([(0_i16, 11), (10_i16, 0), (-20_i16, 32)]) {
        world.sql.execute(sql, &[&job.0, &priority, &minutes]).await.expect("the owner may");
    }
    let order: Vec<_> = one_more(&world, 3).await.iter().map(|claimed| claimed.lease.job).collect();
    assert_eq!(order, [jobs[2], jobs[0], jobs[1]]);
}

#[tokio::test]
async fn what_is_still_to_come_is_in_nobodys_way_and_comes_when_it_is_due() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant;
    let jobs = crowd(&world, tenant, "", 40).await;
    let later = "UPDATE jobs SET priority = 100, run_at = clock_timestamp() + interval '1 h' WHERE id = $1";
    for job in &jobs[1..] {
        world.change(later, *job).await;
    }
    assert_eq!(one_more(&world, 50).await.len(), 1);
    world.sql.batch_execute("DELETE FROM outbox").await.expect("the owner may");
    // As if an hour had gone by: the clock is Postgres's own.
    world.sql.batch_execute("SET session_replication_role = replica").await.expect("may");
    world.sql.batch_execute("UPDATE jobs SET run_at = run_at - interval '2 h'").await.expect("may");
    assert_eq!(one_more(&world, 50).await, [], "nobody has looked at the clock yet");
    assert_eq!(world.worker.promote_due(worker(), 30).await.expect("a promotion"), 30);
    assert_eq!(world.worker.promote_due(worker(), 30).await.expect("a promotion"), 9);
    assert_eq!(one_more(&world, 50).await.len(), 39);
    let hints: i64 = world.sql.query_one("SELECT count(*) FROM outbox", &[]).await.expect("a look").get(0);
    assert_eq!(hints, 16 + 9, "a few for many");
}

/// Eight workers claim and end jobs as fast as they can; a watcher counts what is open at any moment.
async fn race(world: &World, most: i64, counted: &str) -> Vec<Lease> {
    let stores = join_all((0..8).map(|_| process(world))).await;
    let racers = stores.iter().map(async |store| {
        let request =
            ClaimRequest { queue: MIGRATION_QUEUE, worker: worker(), slots: 5, ttl: TTL, begin: None };
        let mut mine = Vec::new();
        for _ in 0..12 {
            let batch = store.claim(&request).await.expect("a claim");
            for claimed in batch {
                done(store.begin_job(&claimed.lease, &[]).await);
                done(store.hand_back(&claimed.lease).await);
                mine.push(claimed.lease);
            }
        }
        mine
    });
    let (over, mut open) = (tokio::sync::Notify::new(), 0);
    let sql = format!("SELECT count(*) FROM leases JOIN jobs ON jobs.id = job_id WHERE {counted}");
    let watch = async {
        let mut over = std::pin::pin!(over.notified());
        while futures::poll!(over.as_mut()).is_pending() {
            open = open.max(world.sql.query_one(&sql, &[]).await.expect("a look").get::<_, i64>(0));
        }
    };
    let race = async {
        let begun = join_all(racers).await.concat();
        over.notify_one();
        begun
    };
    let ((), begun) = tokio::join!(watch, race);
    assert!((1..=most).contains(&open), "{open} were open at once, {most} may be");
    begun
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_exactly_while_eight_workers_claim_at_once() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    crowd(&world, one.tenant, "slow.example.com", 30).await;
    crowd(&world, two.tenant, "slow.example.com", 30).await;
    crowd(&world, two.tenant, "", 30).await;
    let at_most = |most| Terms { most: Some(most), ..OPEN };
    let limits = [
        (
            Scope::Destination,
            "slow.example.com".to_owned(),
            3,
            "jobs.destination = 'slow.example.com'".to_owned(),
        ),
        (Scope::Tenant, two.tenant.to_string(), 4, format!("jobs.tenant_id = '{}'", two.tenant)),
        (Scope::Queue, MIGRATION_QUEUE.to_owned(), 5, "jobs.queue = 'migrations'".to_owned()),
    ];
    for (scope, key, most, counted) in &limits {
        hold(&world, *scope, key, at_most(*most)).await;
        let begun = race(&world, i64::from(*most), counted).await;
        assert!(begun.len() > *most as usize, "{scope}: room was given again");
    }
    // With nobody who ends anything, as many are held as may be, and not one more.
    let stores = join_all((0..8).map(|_| process(&world))).await;
    let request = ClaimRequest { queue: MIGRATION_QUEUE, worker: worker(), slots: 5, ttl: TTL, begin: None };
    let held = join_all(stores.iter().map(|store| store.take(&request))).await;
    let held: Vec<_> = held.into_iter().map(|taken| taken.expect("a claim")).collect();
    assert_eq!(held.iter().map(|taken| taken.jobs.len()).sum::<usize>(), 5);
    assert!(held.iter().all(|taken| taken.held_back == (taken.jobs.len() < 5)), "who got less knows why");
    let destinations: Vec<_> =
        held.iter().flat_map(|taken| &taken.jobs).filter(|job| !job.destination.is_empty()).collect();
    assert!(destinations.len() <= 3);
}

#[tokio::test]
async fn a_full_destination_is_in_nobodys_way() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant;
    crowd(&world, tenant, "a.example.com", 200).await;
    let free = crowd(&world, tenant, "b.example.com", 1).await[0];
    let closed = Terms { most: Some(1), ..OPEN };
    hold(&world, Scope::Destination, "*", closed).await;
    let begun: HashSet<_> = one_more(&world, 10).await.into_iter().map(|job| job.lease.job).collect();
    assert!(begun.len() == 2 && begun.contains(&free), "{begun:?}");
    let roomy = Terms { most: Some(4), ..OPEN };
    hold(&world, Scope::Destination, "a.example.com", roomy).await;
    assert_eq!(one_more(&world, 10).await.len(), 3, "its own gate stands in for everybody's");
}

#[tokio::test]
async fn a_rate_lets_a_burst_pass_and_then_as_many_as_the_databases_clock_allows() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant;
    crowd(&world, tenant, "host", 50).await;
    let slowly = Terms { rate: Some(Rate { per_second: 0.001, burst: 4 }), ..OPEN };
    hold(&world, Scope::Destination, "host", slowly).await;
    let request = ClaimRequest { queue: MIGRATION_QUEUE, worker: worker(), slots: 3, ttl: TTL, begin: None };
    let begun = async || {
        let taken = world.worker.take(&request).await.expect("a claim");
        (taken.jobs.len(), taken.held_back)
    };
    assert_eq!((begun().await, begun().await, begun().await), ((3, false), (1, true), (0, true)));
    let elapsed = "UPDATE gates SET metered_at = metered_at - interval '2100 s'";
    world.sql.batch_execute(elapsed).await.expect("the owner may");
    assert_eq!((begun().await, begun().await), ((2, true), (0, true)));
    let elapsed = "UPDATE gates SET metered_at = metered_at - interval '1 year'";
    world.sql.batch_execute(elapsed).await.expect("the owner may");
    assert_eq!(
        (begun().await, begun().await),
        ((3, false), (1, true)),
        "a bucket holds no more than its burst"
    );
}

#[tokio::test]
async fn what_is_paused_begins_nothing_and_goes_on_when_it_is_resumed() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    crowd(&world, one.tenant, "", 8).await;
    crowd(&world, two.tenant, "host", 8).await;
    let running = one_more(&world, 2).await;
    for (scope, key, begun) in [
        (Scope::All, "*".to_owned(), 0),
        (Scope::Queue, MIGRATION_QUEUE.to_owned(), 0),
        (Scope::Queue, "another".to_owned(), 2),
        (Scope::Tenant, one.tenant.to_string(), 2),
        (Scope::Destination, "host".to_owned(), 2),
        (Scope::Tenant, "*".to_owned(), 0),
    ] {
        let pause = async |why: &str| {
            let stands = said(&world, scope, &key, GateWish::Pause(why.to_owned())).await;
            stands.paused.expect("it is paused")
        };
        let (since, why) = pause("the site is being repaired").await;
        let (still, again) = pause("still").await;
        assert_eq!((since, why.as_str(), again.as_str()), (still, "the site is being repaired", "still"));
        assert_eq!(world.worker.figures().await.expect("figures").pauses, 1);
        assert_eq!(one_more(&world, 2).await.len(), begun, "{scope} {key}");
        for _ in 0..2 {
            assert_eq!(said(&world, scope, &key, GateWish::Resume).await.paused, None);
        }
        assert_eq!(world.operator.gates().await.expect("gates"), [], "a gate that says nothing is gone");
    }
    done(world.worker.begin_job(&running[0].lease, &[]).await);
    assert_eq!(one_more(&world, 50).await.len(), 16 - 2 - 6);
}

#[tokio::test]
async fn only_so_many_gates_may_there_be_and_only_operators_set_them() {
    let world = World::new().await;
    let sql = "INSERT INTO gates (scope, key, most) SELECT 'destination', n::text, 1 FROM generate_series(1, 999) AS n";
    world.sql.batch_execute(sql).await.expect("the owner may");
    let user = world.member("operator@example.com").await.user;
    let one = GateWish::Hold(Terms { most: Some(1), ..Terms::OPEN });
    let outcomes =
        join_all(["a", "b", "c"].map(|queue| world.operator.change_gate(user, Scope::Queue, queue, &one)))
            .await;
    let refused = outcomes.iter().filter(|one| matches!(one, Ok(GateOutcome::TooMany))).count();
    assert_eq!(refused, 2, "{outcomes:?}");
    let paused = said(&world, Scope::Destination, "1", GateWish::Pause("why".into())).await;
    assert_eq!((paused.paused.is_some(), paused.terms.most), (true, Some(1)), "one that is there may change");
    let pause = GateWish::Pause("why".to_owned());
    for store in [&world.worker, &world.gateway] {
        assert!(store.change_gate(user, Scope::Destination, "2", &pause).await.is_err());
        assert!(store.gate_changes(1, None).await.is_err());
    }
    assert!(world.gateway.gates().await.is_err());
    assert_eq!(world.operator.gates().await.expect("gates").len(), 1000, "what was refused is not there");
    for (scope, key, wish) in [
        (Scope::All, "everything", GateWish::Resume),
        (Scope::Queue, "q", GateWish::Pause(String::new())),
        (Scope::Queue, "q", GateWish::Hold(Terms { weight: 2, ..Terms::OPEN })),
    ] {
        let outcome = world.operator.change_gate(user, scope, key, &wish).await.expect("an answer");
        assert!(matches!(outcome, GateOutcome::Meaningless(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn each_change_of_a_gate_leaves_a_line_that_nobody_can_leave_out_or_alter() {
    let world = World::new().await;
    let user = world.member("operator@example.com").await.user;
    let rate = Terms { rate: Some(Rate { per_second: 0.5, burst: 5 }), ..Terms::OPEN };
    for wish in
        [GateWish::Hold(rate), GateWish::Hold(rate), GateWish::Pause("repair".into()), GateWish::Resume]
    {
        said(&world, Scope::Destination, "host", wish).await;
    }
    said(&world, Scope::Destination, "host", GateWish::Hold(Terms::OPEN)).await;
    said(&world, Scope::Destination, "host", GateWish::Resume).await;
    let log = world.operator.gate_changes(10, None).await.expect("a log");
    let terms = json!({"weight": 1, "burst": 5, "per_second": 0.5});
    let told: Vec<_> = log.iter().map(|line| (line.before.is_some(), line.after.clone())).collect();
    assert_eq!(told.len(), 4, "what changes nothing is no line: {told:?}");
    assert_eq!(
        (&told[0], &told[1], &told[3]),
        (&(true, None), &(true, Some(terms.clone())), &(false, Some(terms)))
    );
    assert_eq!(told[2].1.as_ref().map(|after| after["pause_reason"].clone()), Some(json!("repair")));
    assert!(log.iter().all(|line| line.user == Some(user)), "{log:?}");
    assert_eq!(world.operator.gate_changes(10, Some(log[2].id)).await.expect("a page").len(), 1);
    // By hand, on the operators' role.
    let operator = world.db.sql_as("resettle_operator").await;
    for sql in [
        "INSERT INTO gates (scope, key, most) VALUES ('queue', 'q', 1)",
        "INSERT INTO gate_changes (scope, key) VALUES ('queue', 'q')",
        "UPDATE gate_changes SET user_id = NULL",
        "DELETE FROM gate_changes",
        "UPDATE jobs SET priority = 1",
    ] {
        assert!(operator.execute(sql, &[]).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_tenant_with_more_destinations_than_are_looked_at_gets_all_of_them_begun() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant;
    crowd(&world, tenant, "", 1500).await;
    world.sql.batch_execute("UPDATE jobs SET destination = id::text").await.expect("the owner may");
    let closed = Terms { most: Some(1), ..OPEN };
    hold(&world, Scope::Destination, "*", closed).await;
    let mut begun = 0;
    while begun < 1500 {
        let batch = one_more(&world, 100).await.len();
        assert!(batch > 0, "after {begun} nothing more is begun");
        begun += batch;
    }
}

#[tokio::test]
async fn a_job_waits_for_its_rank_and_not_for_the_name_of_its_destination() {
    let world = World::new().await;
    let tenant = world.member("one@example.com").await.tenant;
    let jobs = crowd(&world, tenant, "", 1200).await;
    world.sql.batch_execute("UPDATE jobs SET destination = id::text").await.expect("the owner may");
    // It has waited longest, and 1199 destinations go before its own.
    let last = "UPDATE jobs SET destination = 'z', run_at = run_at - interval '1 h' WHERE id = $1";
    world.sql.execute(last, &[&jobs[0].0]).await.expect("the owner may");
    let mut claims = 0;
    while one_more(&world, 1).await[0].lease.job != jobs[0] {
        claims += 1;
        assert!(claims < 5, "{claims} others went before it");
    }
}
