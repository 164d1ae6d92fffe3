//! What the tests stand in: a database, a broadcaster on a port of its own, and ways to write history.

use crate::client::Stream;
use bus::{Bell, EventNote};
use domain::{
    CorrelationId, JobId, MigrationId,
    event::{EventType, NewEvent},
    trace::TraceContext,
};
use realtime_broadcaster::{Broadcaster, Options};
use serde_json::{Value, json};
use service_kit::{Lifecycle, http};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::{Member, NewApiKey, StartMigration, StartOutcome, Store};
use testkit::postgres::Database;
use tokio_postgres::{Client, types::Json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Generous: the machine may be busy. No test waits for a bound to pass.
pub const BOUND: Duration = Duration::from_secs(30);
/// Longer than a test: whatever arrives did not arrive by this.
pub const NEVER: Duration = Duration::from_secs(3600);

pub struct World {
    pub address: SocketAddr,
    pub lifecycle: Lifecycle,
    pub broadcaster: Broadcaster,
    pub sql: Client,
    pub bell: Arc<dyn Bell>,
    pub owner: Store,
    pub gateway: Store,
    pub me: Caller,
    _silence: tokio_util::sync::DropGuard,
    // Last: it is dropped after everything that is connected to it.
    db: Option<Database>,
}

#[derive(Clone)]
pub struct Caller {
    pub member: Member,
    pub key: String,
}

impl World {
    pub async fn new(options: Options) -> Self {
        let db = Database::create().await;
        let me =
            caller(&Store::connect(&db.owner()).await.expect("the test database answers"), "me@example.com")
                .await;
        Self::over(db, me, options).await
    }

    /// Another broadcaster over the same database, after the first was stopped.
    pub async fn reborn(mut self, options: Options) -> Self {
        self.lifecycle.stop();
        let db = self.db.take().expect("it is taken once");
        Self::over(db, self.me.clone(), options).await
    }

    async fn over(db: Database, me: Caller, options: Options) -> Self {
        let owner = Store::connect(&db.owner()).await.expect("the test database answers");
        let gateway = Store::connect(&db.gateway()).await.expect("the test database answers");
        let store = Store::connect(&db.broadcaster()).await.expect("the test database answers");
        let silence = CancellationToken::new();
        let url = db.url("resettle_broadcaster");
        let bell = bus::open(&bus::Options::Notify { url, prefix: "test".into() }, silence.clone());
        let bell = bell.expect("a bell");
        let lifecycle = Lifecycle::new(Duration::from_secs(10));
        let broadcaster =
            Broadcaster::new(store, bell.as_ref(), &options, auth::Origins::default(), &lifecycle);
        let cors = service_kit::cors::Cors::new(&["https://app.example".into()]).expect("an origin");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = http::Server { name: "http", listen, workers: 2, grace: Duration::from_secs(5) };
        let address = http::serve(&lifecycle, server, broadcaster.routes(cors)).expect("a port");
        let sql = db.sql().await;
        let silence = silence.drop_guard();
        Self {
            address,
            lifecycle,
            broadcaster,
            sql,
            bell,
            owner,
            gateway,
            me,
            _silence: silence,
            db: Some(db),
        }
    }

    /// The same database after a restore, when nobody may be connected to it, and another broadcaster over it.
    pub async fn restored(mut self, options: Options) -> Self {
        let (db, me) = (self.db.take().expect("it is taken once"), self.me.clone());
        drop(self);
        // Services go without being waited for, and it refuses as long as one is there.
        testkit::wait::until("the restore", BOUND, async || store::restored(&db.owner()).await.ok()).await;
        Self::over(db, me, options).await
    }

    pub fn database(&self) -> &Database {
        self.db.as_ref().expect("it is there until another world has it")
    }

    pub async fn other(&self) -> Caller {
        caller(&self.owner, "other@example.com").await
    }

    /// A migration of the caller's, with its first event.
    pub async fn migration(&self, caller: &Caller) -> MigrationId {
        let migration = MigrationId(Uuid::now_v7());
        let url = format!("https://{}.example/", migration.0.simple());
        let started = self.gateway.start_migration(&start(caller.member, migration, &url)).await;
        assert_eq!(started.expect("a start"), StartOutcome::Started);
        migration
    }

    /// Writes one event, in a transaction of its own, as a worker would.
    pub async fn write(&self, migration: MigrationId, kind: EventType, detail: Value) -> i64 {
        self.write_traced(migration, kind, detail, None).await
    }

    /// The same, in a trace.
    pub async fn write_traced(
        &self,
        migration: MigrationId,
        kind: EventType,
        detail: Value,
        traceparent: Option<&str>,
    ) -> i64 {
        let sql = "WITH head AS (
                       UPDATE event_heads SET last_seq = last_seq + 1 WHERE migration_id = $1
                       RETURNING last_seq, tenant_id)
                   INSERT INTO events (migration_id, seq, tenant_id, run, type, progress, correlation_id, detail, trace)
                   SELECT $1, last_seq, tenant_id, 1, $2, 0, $1, $3, $4 FROM head RETURNING seq";
        let trace = Json(json!({ "traceparent": traceparent }));
        let row = self.sql.query_one(sql, &[&migration.0, &kind.as_str(), &Json(detail), &trace]).await;
        row.expect("the superuser may write").get(0)
    }

    pub async fn log(&self, migration: MigrationId) -> i64 {
        self.write(migration, EventType::Log, json!({"notes": "a line"})).await
    }

    pub async fn done(&self, migration: MigrationId) -> i64 {
        self.write(migration, EventType::Done, json!({"success": true})).await
    }

    /// Rings for an event, as the relay would; a bell that is not connected yet loses it.
    pub async fn announce(&self, migration: MigrationId, seq: i64) {
        self.announce_traced(migration, seq, None).await;
    }

    /// The same, under the relay's span.
    pub async fn announce_traced(&self, migration: MigrationId, seq: i64, traceparent: Option<&str>) {
        let trace = TraceContext { traceparent: traceparent.map(str::to_owned), tracestate: None };
        let note = EventNote { tenant: self.me.member.tenant, migration, seq, trace };
        if let Err(error) = self.bell.announce(&note).await {
            tracing::debug!(%error, "the note is lost");
        }
    }

    /// Waits until the bell rings at all.
    pub async fn bell_is_up(&self) {
        testkit::wait::until_true("the bell", BOUND, async || self.bell.healthy()).await;
    }

    pub async fn listen(&self, migration: MigrationId, cursor: Option<&str>) -> Stream {
        Stream::open(self.address, &self.me.key, migration, cursor).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

async fn caller(owner: &Store, email: &str) -> Caller {
    let member = owner.create_personal_tenant(email).await.expect("a tenant");
    let key = auth::generate();
    let row = NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: "test".into(),
        prefix: key.prefix,
        hash: key.hash,
        expires_at: None,
    };
    owner.create_api_key(&row).await.expect("a key");
    Caller { member, key: key.plaintext.expose().to_owned() }
}

fn start(member: Member, migration: MigrationId, url: &str) -> StartMigration {
    StartMigration {
        tenant: member.tenant,
        user: member.user,
        migration,
        job: JobId(Uuid::now_v7()),
        source_url: url.into(),
        normalised_url: url.into(),
        brief: json!({"text": "move it"}),
        prompt_hash: "0".repeat(64),
        correlation: CorrelationId(Uuid::now_v7()),
        review_plan: false,
        seed: 1,
        tool_contract: "1".into(),
        model_version: "none".into(),
        max_attempts: 3,
        trace: TraceContext::default(),
        event: NewEvent::new(EventType::Log, None, 0, json!({"notes": "queued"})),
        idempotency: None,
    }
}
