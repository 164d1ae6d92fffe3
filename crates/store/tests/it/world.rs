//! What the tests stand in: a database of their own, a store per role, and short ways to a job in any state.

use domain::{
    CorrelationId, Failure, JobId, MigrationId, WorkerId,
    analysis::{Depth, SizeClass},
    deadline::Deadlines,
    event::{EventType, NewEvent},
    job::MIGRATION_QUEUE,
    phase::Phase,
    rerun::Why,
    retry,
    trace::TraceContext,
};
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    Analysis, ClaimRequest, Claimed, FailedAttempt, Fenced, IdempotentWrite, Lease, Member, MigrationRun,
    NewVisit, ProblemCounts, RescueRequest, Rescued, RetryMigration, SitePage, StartMigration, StartOutcome,
    Store,
};
use testkit::postgres::Database;
use tokio_postgres::Client;
use uuid::Uuid;

/// Longer than any test takes on a busy machine: a lease runs out when a test says so.
pub(crate) const TTL: Duration = Duration::from_secs(300);
/// Nothing in a test takes as long as it may.
pub(crate) const DEADLINES: Deadlines =
    Deadlines { job: TTL, analyze: TTL, plan: TTL, transform: TTL, verify: TTL, deploy: TTL };
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(crate) const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

pub(crate) struct World {
    pub(crate) owner: Store,
    pub(crate) gateway: Store,
    pub(crate) worker: Store,
    pub(crate) broadcaster: Store,
    pub(crate) operator: Store,
    pub(crate) sql: Client,
    pub(crate) db: Database,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Database::create().await).await
    }

    pub(crate) async fn of(db: Database) -> Self {
        let connect = async |options| Store::connect(&options).await.expect("the test database answers");
        Self {
            owner: connect(db.owner()).await,
            gateway: connect(db.gateway()).await,
            worker: connect(db.worker()).await,
            broadcaster: connect(db.broadcaster()).await,
            operator: connect(db.operator()).await,
            sql: db.sql().await,
            db,
        }
    }

    pub(crate) async fn member(&self, email: &str) -> Member {
        self.owner.create_personal_tenant(email).await.expect("a tenant")
    }

    /// Starts a migration and answers what was asked for.
    pub(crate) async fn start(&self, member: Member, url: &str) -> StartMigration {
        let request = start_request(member, url);
        let outcome = self.gateway.start_migration(&request).await.expect("a start");
        assert_eq!(outcome, StartOutcome::Started);
        request
    }

    pub(crate) async fn claim(&self, slots: u32) -> Vec<Claimed> {
        let request = ClaimRequest { queue: MIGRATION_QUEUE, worker: worker(), slots, ttl: TTL, begin: None };
        self.worker.claim(&request).await.expect("a claim")
    }

    pub(crate) async fn claim_one(&self) -> Claimed {
        self.claim(1).await.pop().expect("a runnable job")
    }

    /// A job that is RUNNING in ANALYZE.
    pub(crate) async fn running(&self, url: &str) -> (StartMigration, Lease) {
        let member = self.member("one@example.com").await;
        let request = self.start(member, url).await;
        let lease = self.claim_one().await.lease;
        done(self.worker.begin_job(&lease, &[]).await);
        done(self.worker.begin_phase(&lease, Phase::Analyze, &[event(1)]).await);
        (request, lease)
    }

    /// A migration that failed in TRANSFORM.
    pub(crate) async fn failed(&self, url: &str) -> StartMigration {
        let (request, lease) = self.running(url).await;
        let result = json!({"kept": "analyze"});
        done(self.worker.complete_phase(&lease, Phase::Analyze, &result, &[]).await);
        done(self.worker.begin_phase(&lease, Phase::Plan, &[]).await);
        done(self.worker.complete_phase(&lease, Phase::Plan, &json!({"kept": "plan"}), &[]).await);
        done(self.worker.begin_phase(&lease, Phase::Transform, &[]).await);
        let verdict = retry::Verdict::GiveUp;
        let failed = FailedAttempt { failure: broken(), verdict, events: vec![] };
        done(self.worker.fail_attempt(&lease, &failed).await);
        request
    }

    /// Lets a job's lease run out.
    pub(crate) async fn expire(&self, job: JobId) {
        self.change(
            "UPDATE leases SET expires_at = claimed_at + interval '1 microsecond' WHERE job_id = $1",
            job,
        )
        .await;
    }

    /// Lets a job's wait be over.
    pub(crate) async fn make_due(&self, job: JobId) {
        self.change("UPDATE jobs SET run_at = clock_timestamp() - interval '1 second' WHERE id = $1", job)
            .await;
    }

    pub(crate) async fn change(&self, sql: &str, job: JobId) {
        assert_eq!(self.sql.execute(sql, &[&job.0]).await.expect("the owner may"), 1);
    }

    pub(crate) async fn rescue(&self) -> Vec<Rescued> {
        let policy = retry::Policy::default();
        let ttl = Duration::from_millis(1);
        let request = RescueRequest {
            worker: worker(),
            ttl,
            deadlines: &DEADLINES,
            cancel_grace: TTL,
            limit: 100,
            policy: &policy,
            jitter: 0.5,
        };
        self.worker.rescue_expired(&request).await.expect("a sweep")
    }

    /// Another worker takes the job over: the lease runs out, is rescued, due, and claimed anew.
    pub(crate) async fn take_over(&self, job: JobId) -> Lease {
        self.expire(job).await;
        assert_eq!(self.rescue().await.len(), 1);
        self.make_due(job).await;
        assert_eq!(self.worker.promote_due(worker(), 10).await.expect("a promotion"), 1);
        self.claim_one().await.lease
    }

    /// Waits until a statement of a store waits for a lock.
    pub(crate) async fn until_blocked(&self) {
        testkit::wait::until("the store to wait for a lock", Duration::from_secs(10), async || {
            let sql = "SELECT FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()";
            let waiting = self.sql.query(sql, &[]).await.expect("a look");
            (!waiting.is_empty()).then_some(())
        })
        .await;
    }

    /// One column of one row.
    pub(crate) async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(&self, sql: &str, id: Uuid) -> T {
        self.sql.query_one(sql, &[&id]).await.expect("the owner may look").get(0)
    }

    pub(crate) async fn state(&self, job: JobId) -> String {
        self.one("SELECT state FROM jobs WHERE id = $1", job.0).await
    }

    pub(crate) async fn migration_state(&self, migration: MigrationId) -> String {
        self.one("SELECT state FROM migrations WHERE id = $1", migration.0).await
    }

    /// A job's moves, as `FROM>TO cause epoch attempt`.
    pub(crate) async fn transitions(&self, job: JobId) -> Vec<String> {
        let sql = "SELECT format('%s>%s %s %s %s', from_state, to_state, cause, epoch, attempt)
                   FROM transitions WHERE job_id = $1 ORDER BY id";
        self.sql.query(sql, &[&job.0]).await.expect("the owner may").iter().map(|row| row.get(0)).collect()
    }

    /// The types of a migration's events, in order.
    pub(crate) async fn told(&self, migration: MigrationId) -> Vec<String> {
        let sql = "SELECT type FROM events WHERE migration_id = $1 ORDER BY seq";
        self.sql
            .query(sql, &[&migration.0])
            .await
            .expect("the owner may")
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    /// Everything that a command could have changed, as one text.
    pub(crate) async fn everything(&self) -> String {
        let mut all = String::new();
        for table in [
            "migrations",
            "retries",
            "plan_edits",
            "phases",
            "jobs",
            "leases",
            "transitions",
            "tracking_sessions",
            "event_heads",
            "events",
            "outbox",
            "dead_letters",
            "replays",
            "idempotency_records",
            "site_analyses",
            "site_pages",
            "crawl_journals",
            "crawl_visits",
            "job_kinds",
        ] {
            let sql = format!("SELECT coalesce(jsonb_agg(t ORDER BY t::text), '[]')::text FROM {table} t");
            let rows: String = self.sql.query_one(&sql, &[]).await.expect("the owner may").get(0);
            all.push_str(&format!("{table}: {rows}\n"));
        }
        all
    }
}

/// What a migration's lease carries out.
pub(crate) fn carried(lease: &Lease) -> MigrationRun {
    lease.carries.expect("the job of a migration")
}

pub(crate) fn worker() -> WorkerId {
    WorkerId(Uuid::now_v7())
}

pub(crate) fn trace() -> TraceContext {
    TraceContext { traceparent: Some(TRACEPARENT.to_owned()), tracestate: None }
}

pub(crate) fn event(progress: i16) -> NewEvent {
    NewEvent::new(EventType::PhaseUpdate, Some(Phase::Analyze), progress, json!({"notes": "read"}))
}

pub(crate) fn finished() -> NewEvent {
    NewEvent::new(EventType::Done, Some(Phase::Deploy), 100, json!({"success": true}))
}

pub(crate) fn broken() -> Failure {
    Failure::may_pass("site_unreachable", "The site did not answer.")
}

pub(crate) fn start_request(member: Member, url: &str) -> StartMigration {
    StartMigration {
        tenant: member.tenant,
        user: member.user,
        migration: MigrationId(Uuid::now_v7()),
        job: JobId(Uuid::now_v7()),
        source_url: url.to_owned(),
        normalised_url: url.trim_end_matches('/').to_owned(),
        brief: json!({"kind": "prompt", "value": "Keep it as it is."}),
        prompt_hash: "ab".repeat(32),
        correlation: CorrelationId(Uuid::now_v7()),
        review_plan: false,
        seed: 7,
        tool_contract: "1".to_owned(),
        model_version: "none".to_owned(),
        max_attempts: 3,
        trace: trace(),
        event: NewEvent::new(EventType::Log, None, 0, json!({"notes": "queued"})),
        idempotency: None,
    }
}

/// A wish to go on where a run ended.
pub(crate) fn retry_request(of: &StartMigration) -> RetryMigration {
    RetryMigration {
        tenant: of.tenant,
        user: of.user,
        migration: of.migration,
        job: JobId(Uuid::now_v7()),
        why: Why::UserRequest,
        from: None,
        reuse_seeds: true,
        brief: None,
        increased_budget: None,
        seed: 8,
        correlation: CorrelationId(Uuid::now_v7()),
        tool_contract: of.tool_contract.clone(),
        model_version: of.model_version.clone(),
        max_attempts: 3,
        trace: trace(),
        idempotency: None,
        answer: |_, retried| json!({"run": retried.run, "from": retried.first}),
    }
}

pub(crate) fn keyed(member: Member, url: &str, key: &str, body: &str) -> StartMigration {
    let mut request = start_request(member, url);
    request.idempotency = Some(IdempotentWrite {
        route: "POST /api/migration/start".to_owned(),
        key: key.to_owned(),
        request_hash: body.repeat(64),
        ttl: Duration::from_secs(3600),
        status: 202,
        answer: json!({"migrationId": request.migration}),
    });
    request
}

/// What a fenced write answered, which must have been written.
pub(crate) fn done<T>(answer: store::Result<Fenced<T>>) -> T {
    match answer {
        Ok(Fenced::Done(value)) => value,
        Ok(Fenced::Stale) => panic!("refused as stale"),
        Err(error) => panic!("{error:?}"),
    }
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A page of a site.
pub(crate) fn site_page(path: &str, kind: &str, problems: &[&str]) -> SitePage {
    SitePage {
        url: format!("https://example.com{path}"),
        kind: kind.to_owned(),
        status: 200,
        title: Some(format!("Page\0 {path}")),
        language: Some("en".to_owned()),
        words: 7,
        depth: 1,
        problems: problems.len() as i32,
        problem_codes: problems.iter().map(ToString::to_string).collect(),
        body_hash: "ab".repeat(32),
        facts: json!({"title": format!("Page\0 {path}")}),
    }
}

/// What is known of a site.
pub(crate) fn site_analysis(depth: Depth) -> Analysis {
    Analysis {
        depth,
        size_class: SizeClass::Small,
        pages: 3,
        ai_seconds: 60,
        problems: ProblemCounts { errors: 1, warnings: 2, infos: 0 },
        truncated: None,
        facts: json!({"generator": "hand"}),
    }
}

/// One recorded request.
pub(crate) fn visit(n: u8, bytes: &[u8]) -> NewVisit {
    NewVisit { hash: [n; 16], key: format!("page https://example.com/{n}"), visit: bytes.to_vec() }
}
