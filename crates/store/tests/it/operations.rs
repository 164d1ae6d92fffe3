//! What operators see, and what nobody else does: all tenants' jobs, by a role that writes nothing but gates.

use crate::world::{TTL, World, broken, done, trace};
use domain::{JobId, event::EventType, job::JobState, retry::Verdict};
use store::{Count, FailedAttempt, JobWanted, LettersWanted, Poison, ReplayOutcome};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

#[tokio::test]
async fn operators_are_named_by_the_owner_and_by_nobody_else() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    assert!(!world.operator.is_operator(member.user).await.expect("a look"));
    assert!(world.gateway.grant_operator(member.user).await.is_err());
    assert!(world.operator.grant_operator(member.user).await.is_err());
    assert!(world.owner.grant_operator(member.user).await.expect("the owner may"));
    assert!(!world.owner.grant_operator(member.user).await.expect("the owner may"), "once is enough");
    assert!(world.operator.is_operator(member.user).await.expect("a look"));
    assert!(
        world.gateway.is_operator(member.user).await.is_err(),
        "the gateway's own role knows nothing of it"
    );
    assert!(world.owner.revoke_operator(member.user).await.expect("the owner may"));
    assert!(!world.operator.is_operator(member.user).await.expect("a look"));
}

#[tokio::test]
async fn the_role_reads_all_tenants_jobs_and_writes_gates_alone_and_the_gateway_still_sees_its_own() {
    let world = World::new().await;
    let (one, two) = (world.member("one@example.com").await, world.member("two@example.com").await);
    world.start(one, "https://one.example/").await;
    world.start(two, "https://two.example/").await;
    let operator = world.db.sql_as("resettle_operator").await;
    let jobs: i64 = operator.query_one("SELECT count(*) FROM jobs", &[]).await.expect("may").get(0);
    assert_eq!(jobs, 2);
    let writes = "SELECT DISTINCT table_name::text FROM information_schema.role_table_grants
                  WHERE grantee = 'resettle_operator' AND privilege_type <> 'SELECT'";
    let writes = world.sql.query(writes, &[]).await.expect("the catalogue");
    assert_eq!(writes.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), ["gates"]);
    for sql in [
        "UPDATE jobs SET priority = 1",
        "DELETE FROM events",
        "SELECT FROM api_keys",
        "SELECT FROM migrations",
    ] {
        let refused = operator.execute(sql, &[]).await.expect_err(sql);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
    let gateway = world.db.sql_as("resettle_gateway").await;
    let jobs: i64 = gateway.query_one("SELECT count(*) FROM jobs", &[]).await.expect("may").get(0);
    assert_eq!(jobs, 0, "without a tenant it sees none");
    let member = "SELECT pg_has_role('resettle_gateway', 'resettle_operator', 'MEMBER')";
    assert!(!world.sql.query_one(member, &[]).await.expect("the catalogue").get::<_, bool>(0));
}

#[tokio::test]
async fn the_overview_counts_few_jobs_and_estimates_many() {
    let world = World::new().await;
    let (_, lease) = world.running("https://example.com/").await;
    let overview = world.operator.overview().await.expect("an overview");
    let count = |overview: &store::Overview, state| {
        overview.states.iter().find(|of| of.state == state).expect("every state is there").count
    };
    assert_eq!(count(&overview, JobState::Running), Count::Exact(1));
    assert_eq!(count(&overview, JobState::Failed), Count::Exact(0));
    assert_eq!((overview.throughput.claimed, overview.throughput.failed), (1, 0));
    assert_eq!((overview.open_letters, overview.poison), (Count::Exact(0), Count::Exact(0)));
    let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
    done(world.worker.fail_attempt(&lease, &failed).await);
    let many = "INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, finished_at)
                SELECT gen_random_uuid(), organisations.id, 'q', 'k', '{}', 'COMPLETED', 1, gen_random_uuid(), now()
                FROM organisations, generate_series(1, 10050); ANALYZE jobs";
    world.sql.batch_execute(many).await.expect("the owner may");
    let overview = world.operator.overview().await.expect("an overview");
    let Count::Estimated(completed) = count(&overview, JobState::Completed) else {
        panic!("{:?}", overview.states);
    };
    assert!((10_000..10_100).contains(&completed), "{completed}");
    assert_eq!(count(&overview, JobState::Running), Count::Exact(0), "what is held is counted");
    assert_eq!((overview.throughput.failed, overview.open_letters), (1, Count::Exact(1)));
}

#[tokio::test]
async fn a_job_is_shown_with_its_holder_its_moves_and_the_end_of_its_history() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    world.worker.register_worker(lease.worker, "http://10.0.0.7:50051", 2).await.expect("a row");
    world.worker.worker_heartbeat(lease.worker, Some(7 << 20)).await.expect("a heartbeat");
    let workers = world.operator.worker_lines().await.expect("a look");
    assert_eq!((workers.len(), workers[0].id, workers[0].held), (1, lease.worker, 1));
    assert_eq!((workers[0].memory_bytes, workers[0].concurrency), (Some(7 << 20), 2));
    assert!(workers[0].silent < TTL);
    let leases = world.operator.lease_lines().await.expect("a look");
    assert_eq!((leases.len(), leases[0].job, leases[0].epoch), (1, lease.job, lease.epoch));
    assert_eq!(leases[0].phase, Some(domain::phase::Phase::Analyze));
    assert!(leases[0].left.is_some_and(|left| left <= TTL));
    world.expire(lease.job).await;
    assert_eq!(world.operator.lease_lines().await.expect("a look")[0].left, None, "it has run out");

    let full = world.operator.job_in_full(lease.job).await.expect("a look").expect("it is there");
    assert_eq!((full.job.tenant, full.job.state), (request.tenant, JobState::Running));
    assert_eq!(full.job.migration, Some((request.migration, 1)));
    assert_eq!(full.job.traceparent.as_deref(), Some(crate::world::TRACEPARENT));
    assert_eq!(full.lease.as_ref().map(|held| held.worker), Some(lease.worker));
    let causes: Vec<&str> = full.moves.iter().map(|one| one.cause.as_str()).collect();
    assert_eq!(causes, ["enqueued", "claimed", "started"]);
    let last = full.events.last().expect("a history");
    assert_eq!((last.event_type, last.notes.as_deref()), (EventType::PhaseUpdate, Some("read")));
    assert_eq!(world.operator.job_in_full(JobId(Uuid::now_v7())).await.expect("a look"), None);
    world.worker.worker_stopped(lease.worker).await.expect("a row");
    assert_eq!(world.operator.worker_lines().await.expect("a look"), []);
}

#[tokio::test]
async fn a_list_of_jobs_goes_on_where_it_looked_last_whether_or_not_something_fitted() {
    let world = World::new().await;
    let member = world.member("one@example.com").await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(world.start(member, &format!("https://{n}.example/")).await.job);
    }
    ids.reverse();
    let all = JobWanted { limit: 2, ..JobWanted::default() };
    let first = world.operator.job_lines(&all).await.expect("a page");
    assert_eq!(first.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), ids[..2]);
    let rest = JobWanted { before: first.next, ..all.clone() };
    let rest = world.operator.job_lines(&rest).await.expect("a page");
    assert_eq!((rest.jobs.len(), rest.jobs[0].id, rest.next), (1, ids[2], None));
    let failed = JobWanted { state: Some(JobState::Failed), ..all.clone() };
    let failed = world.operator.job_lines(&failed).await.expect("a page");
    assert_eq!((failed.jobs.len(), failed.next), (0, None));
    let many = "INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, max_attempts, correlation_id, finished_at)
                SELECT ('ffffffff-ffff-7fff-8fff-' || lpad(to_hex(n), 12, '0'))::uuid, organisations.id, 'q', 'k', '{}',
                    'COMPLETED', 1, gen_random_uuid(), now()
                FROM organisations, generate_series(1, 5001) AS n";
    world.sql.batch_execute(many).await.expect("the owner may");
    let pending = JobWanted { state: Some(JobState::Pending), limit: 10, ..JobWanted::default() };
    let none = world.operator.job_lines(&pending).await.expect("a page");
    assert!(none.jobs.is_empty() && none.next.is_some(), "so many were looked at: {none:?}");
    let next = world.operator.job_lines(&JobWanted { before: none.next, ..pending }).await.expect("a page");
    assert_eq!(next.jobs.len(), 3);
}

#[tokio::test]
async fn letters_of_all_tenants_are_seen_and_settled_in_their_tenants_name() {
    let world = World::new().await;
    let (request, lease) = world.running("https://example.com/").await;
    let failed = FailedAttempt { failure: broken(), verdict: Verdict::GiveUp, events: vec![] };
    done(world.worker.fail_attempt(&lease, &failed).await);
    let open = LettersWanted { limit: 10, before: None, open: true };
    let found = world.operator.letters_of_all(&open).await.expect("a look");
    assert_eq!((found.len(), found[0].tenant, found[0].letter.job), (1, request.tenant, lease.job));
    let full = world.operator.letter_of_any(found[0].letter.id).await.expect("a look").expect("it is there");
    assert_eq!(full.letter.job["state"], "FAILED");
    assert_eq!(full.letter.moves.last().map(|last| last.to.as_str()), Some("FAILED"));
    let person = world.member("operator@example.com").await.user;
    let replayed = world.gateway.replay_dead_letter(full.tenant, person, found[0].letter.id, &trace()).await;
    assert_eq!(replayed.expect("an answer"), ReplayOutcome::Replayed(lease.job));
    assert_eq!(world.operator.letters_of_all(&open).await.expect("a look"), []);
    let all = LettersWanted { open: false, ..open };
    let settled = world.operator.letters_of_all(&all).await.expect("a look");
    assert_eq!(settled[0].letter.settled_by, Some(person));
    assert_eq!(world.operator.letter_of_any(Uuid::now_v7()).await.expect("a look"), None);
}

#[tokio::test]
async fn a_message_that_nobody_could_read_shows_how_it_begins() {
    let world = World::new().await;
    let body = vec![b'x'; 5000];
    let poison =
        Poison { queue: "hints".into(), body, headers: serde_json::json!({"a": 1}), error: "no JSON".into() };
    world.worker.keep_poison(&poison).await.expect("kept");
    let shown = world.operator.poison_lines().await.expect("a look");
    assert_eq!((shown.len(), shown[0].bytes, shown[0].beginning.len()), (1, 5000, 2000));
    assert_eq!((shown[0].queue.as_str(), shown[0].error.as_str()), ("hints", "no JSON"));
}
