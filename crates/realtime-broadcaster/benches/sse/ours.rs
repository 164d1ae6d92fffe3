//! The broadcaster as a process of its own, over the Postgres and the RabbitMQ that `tests/run` started.

use crate::{Result, now};
use bus::{Bell, EventNote};
use domain::{
    CorrelationId, JobId, MigrationId,
    event::{EventType, NewEvent},
    trace::TraceContext,
};
use futures::{StreamExt, stream};
use serde_json::json;
use std::{net::SocketAddr, process::Command, sync::Arc, time::Duration};
use store::{Member, NewApiKey, StartMigration, Store};
use testkit::{broker, postgres::Database, process::Child};
use tokio_postgres::{Client, types::Json};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const BOUND: Duration = Duration::from_secs(60);

/// Which bell rings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ring {
    Amqp,
    Notify,
}

pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    pub(crate) migrations: Vec<MigrationId>,
    process: Child,
    member: Member,
    key: String,
    sql: Client,
    bell: Arc<dyn Bell>,
    _silence: DropGuard,
    // Last: it is dropped after everything that is connected to it.
    _db: Database,
}

impl Ours {
    /// A broadcaster over a database with so many migrations.
    pub(crate) async fn start(migrations: usize, ring: Ring) -> Result<Self> {
        let db = Database::create().await;
        let owner = Store::connect(&db.owner()).await?;
        let gateway = Store::connect(&db.gateway()).await?;
        let member = owner.create_personal_tenant("bench@example.com").await?;
        let made = auth::generate();
        let key = NewApiKey {
            tenant: member.tenant,
            user: member.user,
            name: "bench".into(),
            prefix: made.prefix,
            hash: made.hash,
            expires_at: None,
        };
        owner.create_api_key(&key).await?;
        let ids: Vec<MigrationId> = (0..migrations).map(|_| MigrationId(Uuid::now_v7())).collect();
        let starts: Vec<StartMigration> = ids.iter().map(|id| start(member, *id)).collect();
        let gateway = &gateway;
        let mut started = stream::iter(starts)
            .map(|wish| async move { gateway.start_migration(&wish).await })
            .buffer_unordered(8);
        while let Some(one) = started.next().await {
            one?;
        }
        drop(started);
        let (database, prefix) = (db.url("resettle_broadcaster"), broker::unique_prefix());
        let (kind, url) = match ring {
            Ring::Amqp => ("amqp", broker::shared_url()),
            Ring::Notify => ("notify", database.clone()),
        };
        let mut process =
            spawn(&database, &[("BUS__KIND", kind), ("BUS__URL", &url), ("BUS__PREFIX", &prefix)]);
        let options = match ring {
            Ring::Amqp => bus::Options::Amqp { url, prefix },
            Ring::Notify => bus::Options::Notify { url, prefix },
        };
        let silence = CancellationToken::new();
        let bell = bus::open(&options, silence.clone())?;
        let line: serde_json::Value = serde_json::from_str(&process.line("listening", BOUND).await)?;
        let address = line["address"].as_str().ok_or("an address")?.parse()?;
        testkit::wait::until_true("the bell", BOUND, async || bell.healthy()).await;
        let (sql, key) = (db.sql().await, made.plaintext.expose().to_owned());
        let silence = silence.drop_guard();
        Ok(Self { address, migrations: ids, process, member, key, sql, bell, _silence: silence, _db: db })
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        vec![self.process.pid()]
    }

    /// The head of a request for the stream of a migration.
    pub(crate) fn head(&self, migration: MigrationId) -> String {
        let (address, key) = (self.address, &self.key);
        format!(
            "GET /api/migration/{migration}/stream HTTP/1.1\nHost: {address}\nAuthorization: Bearer {key}\n\
             Accept: text/event-stream"
        )
    }

    /// Writes an event and rings for it, as a worker and its relay do; its mark, and when its commit was known.
    pub(crate) async fn write(&self, migration: MigrationId) -> Result<(u64, u64)> {
        let sql = "WITH head AS (
                       UPDATE event_heads SET last_seq = last_seq + 1 WHERE migration_id = $1
                       RETURNING last_seq, tenant_id)
                   INSERT INTO events (migration_id, seq, tenant_id, run, type, progress, correlation_id, detail)
                   SELECT $1, last_seq, tenant_id, 1, $2, 0, $1, $3 FROM head RETURNING seq";
        let mark = now();
        let detail =
            json!({"notes": "reading /some/page/of/the/site.html", "currentTool": "crawler", "sentNs": mark});
        let row = self.sql.query_one(sql, &[&migration.0, &EventType::Log.as_str(), &Json(detail)]).await?;
        let committed = now();
        let note = EventNote {
            tenant: self.member.tenant,
            migration,
            seq: row.get(0),
            trace: TraceContext::default(),
        };
        self.bell.announce(&note).await?;
        Ok((mark, committed))
    }
}

fn spawn(url: &str, bus: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_realtime-broadcaster"));
    // As its image sets it.
    command.env("MALLOC_ARENA_MAX", "2").env("MALLOC_MMAP_THRESHOLD_", "8192");
    let most = "20000";
    let settings = [
        ("STORE__URL", url),
        ("LISTEN", "127.0.0.1:0"),
        ("TELEMETRY__LOG", "json"),
        // One person at one address is all of the clients here.
        ("STREAM__MAX_STREAMS", most),
        ("STREAM__MAX_STREAMS_PER_TENANT", most),
        ("STREAM__MAX_STREAMS_PER_USER", most),
        ("STREAM__MAX_STREAMS_PER_ADDRESS", most),
        // Nobody is rotated while it is measured.
        ("STREAM__LIFETIME", "1h"),
        ("STREAM__PATIENCE", "5s"),
    ];
    for (name, value) in settings.iter().chain(bus) {
        command.env(format!("RESETTLE_REALTIME_BROADCASTER__{name}"), value);
    }
    Child::spawn("realtime-broadcaster", command)
}

fn start(member: Member, migration: MigrationId) -> StartMigration {
    let url = format!("https://{}.example/", migration.0.simple());
    StartMigration {
        tenant: member.tenant,
        user: member.user,
        migration,
        job: JobId(Uuid::now_v7()),
        source_url: url.clone(),
        normalised_url: url,
        brief: json!({"text": "move it"}),
        prompt_hash: "0".repeat(64),
        correlation: CorrelationId(Uuid::now_v7()),
        seed: 1,
        tool_contract: "1".into(),
        model_version: "none".into(),
        max_attempts: 3,
        trace: TraceContext::default(),
        event: NewEvent::new(EventType::Log, None, 0, json!({"notes": "queued"})),
        idempotency: None,
        review_plan: false,
    }
}
