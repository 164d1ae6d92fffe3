//! Where it is played: two broadcasters as processes over a Postgres and a RabbitMQ of their own, writers, and the
//! hands that kill them.

use super::{
    BOUND,
    listener::{Dice, Feed, Told},
};
use crate::stack;
use bus::{Bell, EventNote};
use domain::{
    CorrelationId, JobId, MigrationId,
    event::{EventType, NewEvent},
    trace::TraceContext,
};
use futures::future::join_all;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use store::{Member, NewApiKey, StartMigration, Store};
use testkit::{
    broker::{self, Broker},
    postgres::{Cluster, Database},
    process::Child,
    wait,
};
use tokio::sync::watch;
use tokio_postgres::{Client, types::Json};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

const BROADCASTERS: usize = 2;
const WRITERS: usize = 4;

/// What is done to the servers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Strike {
    KillBroadcaster,
    StopBroadcaster,
    CutSessions,
    CrashPostgres,
    RestartPostgres,
    KillBroker,
}

impl Strike {
    pub(crate) const ALL: [Self; 6] = [
        Self::KillBroadcaster,
        Self::StopBroadcaster,
        Self::CutSessions,
        Self::CrashPostgres,
        Self::RestartPostgres,
        Self::KillBroker,
    ];
}

pub(crate) struct Field {
    grounds: Arc<Grounds>,
    broadcasters: Vec<Child>,
    prefix: String,
    broker_is_up: bool,
    // Dropped last: the processes above die quietly while their servers still stand.
    cluster: Cluster,
    broker: Broker,
}

/// What clients and writers know, while the hands are busy.
pub(crate) struct Grounds {
    pub(crate) migrations: Vec<MigrationId>,
    pub(crate) key: String,
    pub(crate) http: reqwest::Client,
    addresses: watch::Sender<Vec<SocketAddr>>,
    written: watch::Sender<i64>,
    member: Member,
    bell: Arc<dyn Bell>,
    _silence: DropGuard,
    database: Database,
}

impl Field {
    pub(crate) async fn open(migrations: usize) -> Self {
        let (broker, cluster) = tokio::join!(Broker::start(), Cluster::start());
        let database = cluster.database().await;
        let owner = Store::connect(&database.owner()).await.expect("the owner may connect");
        let (member, key) = caller(&owner).await;
        let gateway = Store::connect(&database.gateway()).await.expect("the gateway may connect");
        let ids: Vec<MigrationId> = (0..migrations).map(|_| MigrationId(Uuid::now_v7())).collect();
        for some in ids.chunks(8) {
            let wishes: Vec<StartMigration> = some.iter().map(|id| wish(member, *id)).collect();
            for started in join_all(wishes.iter().map(|wish| gateway.start_migration(wish))).await {
                started.expect("a start");
            }
        }
        let (silence, prefix) = (CancellationToken::new(), broker::unique_prefix());
        let options = bus::Options::Amqp { url: broker.url(), prefix: prefix.clone() };
        let bell = bus::open(&options, silence.clone()).expect("the options are valid");
        let _first_stays = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
        let grounds = Arc::new(Grounds {
            migrations: ids,
            key,
            http,
            addresses: watch::Sender::new(Vec::new()),
            written: watch::Sender::new(0),
            member,
            bell,
            _silence: silence.drop_guard(),
            database,
        });
        let mut field =
            Self { grounds, broadcasters: Vec::new(), prefix, broker_is_up: true, cluster, broker };
        for _ in 0..BROADCASTERS {
            let (process, address) = field.broadcaster().await;
            field.broadcasters.push(process);
            field.grounds.addresses.send_modify(|all| all.push(address));
        }
        field
    }

    pub(crate) fn grounds(&self) -> Arc<Grounds> {
        Arc::clone(&self.grounds)
    }

    pub(crate) async fn strike(&mut self, strike: Strike, dice: &mut Dice) {
        match strike {
            Strike::KillBroadcaster | Strike::StopBroadcaster => {
                let number = dice.below(BROADCASTERS as u64) as usize;
                let process = &mut self.broadcasters[number];
                match strike {
                    Strike::StopBroadcaster => {
                        process.terminate();
                        let code = process.exited(BOUND).await.code();
                        assert_eq!(code, Some(0), "{}", process.log());
                    }
                    _ => process.kill(),
                }
                let (process, address) = self.broadcaster().await;
                self.broadcasters[number] = process;
                self.grounds.addresses.send_modify(|all| all[number] = address);
            }
            Strike::CutSessions => {
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE usename LIKE 'resettle%' OR query LIKE '%stream.write%' AND pid <> pg_backend_pid()";
                self.grounds.database.sql().await.batch_execute(sql).await.expect("the superuser may");
            }
            Strike::CrashPostgres => self.cluster.crash().await,
            Strike::RestartPostgres => {
                self.cluster.stop().await;
                self.cluster.start_again().await;
            }
            // It comes back with the next strike of its kind, so that much happens without it.
            Strike::KillBroker if self.broker_is_up => {
                self.broker.kill();
                self.broker_is_up = false;
            }
            Strike::KillBroker => {
                self.broker.start_again().await;
                self.broker_is_up = true;
            }
        }
    }

    async fn broadcaster(&self) -> (Child, SocketAddr) {
        let mut command = Command::new(stack::binary("realtime-broadcaster"));
        let url = self.grounds.database.url("resettle_broadcaster");
        let amqp = self.broker.url();
        let settings = [
            ("STORE__URL", url.as_str()),
            ("BUS__KIND", "amqp"),
            ("BUS__URL", &amqp),
            ("BUS__PREFIX", &self.prefix),
            ("LISTEN", "127.0.0.1:0"),
            ("TELEMETRY__LOG", "json"),
            // Those who left are noticed soon, and who missed much is told all of it.
            ("STREAM__HEARTBEAT", "1s"),
            ("STREAM__TAIL_CHECK", "1s"),
            ("STREAM__MAX_BACKLOG", "1000000"),
            ("STREAM__MAX_STREAMS_PER_TENANT", "10000"),
            ("STREAM__MAX_STREAMS_PER_USER", "10000"),
            ("STREAM__MAX_STREAMS_PER_ADDRESS", "10000"),
        ];
        for (name, value) in settings {
            command.env(format!("RESETTLE_REALTIME_BROADCASTER__{name}"), value);
        }
        let mut process = Child::spawn("realtime-broadcaster", command);
        let line: serde_json::Value =
            serde_json::from_str(&process.line("listening", BOUND).await).expect("a JSON line");
        let address = line["address"].as_str().expect("an address").parse().expect("an address");
        (process, address)
    }
}

impl Grounds {
    /// A broadcaster, any.
    pub(crate) fn address(&self, dice: &mut Dice) -> SocketAddr {
        let all = self.addresses.borrow();
        all[dice.below(all.len() as u64) as usize]
    }

    pub(crate) async fn begin_feed(self: &Arc<Self>, dice: Dice) -> Feed {
        Feed::begin(Arc::clone(self), dice).await
    }

    pub(crate) async fn listen(self: &Arc<Self>, migration: MigrationId, dice: Dice) -> Vec<i64> {
        super::listener::listen(Arc::clone(self), migration, dice).await
    }

    /// Waits until so many events were written.
    pub(crate) async fn written(&self, least: i64) {
        let mut written = self.written.subscribe();
        written.wait_for(|count| *count >= least).await.expect("the writers write on");
    }

    /// Each migration gets its events, the last one being its end.
    pub(crate) async fn write_all(&self, events: i64) {
        let next = AtomicUsize::new(0);
        let rounds = usize::try_from(events - 1).expect("small");
        let all = rounds * self.migrations.len();
        join_all((0..WRITERS).map(|_| async {
            let mut sql = None;
            loop {
                // Round by round, so that all of them grow together; within a migration the head's lock decides.
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= all {
                    return;
                }
                let migration = self.migrations[number % self.migrations.len()];
                let last = number / self.migrations.len() == rounds - 1;
                // Nothing may follow the end: the last round waits for all others.
                if last {
                    let before = i64::try_from((rounds - 1) * self.migrations.len()).expect("small");
                    self.written(before).await;
                }
                let seq = self.write(&mut sql, migration, last).await;
                self.written.send_modify(|count| *count += 1);
                let note =
                    EventNote { tenant: self.member.tenant, migration, seq, trace: TraceContext::default() };
                // A note that is lost costs time, which is what this is about.
                let _lost = self.bell.announce(&note).await;
            }
        }))
        .await;
    }

    /// Writes one event, as often as it takes: one whose commit is not known may be written twice, but for an end.
    async fn write(&self, sql: &mut Option<Client>, migration: MigrationId, last: bool) -> i64 {
        let text = "/* stream.write */ WITH head AS (
                        UPDATE event_heads SET last_seq = last_seq + 1 WHERE migration_id = $1
                          AND NOT EXISTS (SELECT FROM events WHERE migration_id = $1 AND type = 'done')
                        RETURNING last_seq, tenant_id)
                    INSERT INTO events (migration_id, seq, tenant_id, run, type, progress, correlation_id, detail)
                    SELECT $1, last_seq, tenant_id, 1, $2, 0, $1, $3 FROM head RETURNING seq";
        let kind = if last { EventType::Done } else { EventType::Log };
        let detail = Json(json!({"notes": "a line"}));
        loop {
            let client = match sql.take() {
                Some(client) => client,
                None => wait::until("a connection", BOUND, || self.connect()).await,
            };
            // One that fails takes its connection along, and the next try makes another.
            if let Ok(row) = client.query_opt(text, &[&migration.0, &kind.as_str(), &detail]).await {
                *sql = Some(client);
                // No row: the end was written by a try whose answer got lost.
                return row.map_or(i64::MAX, |row| row.get(0));
            }
        }
    }

    async fn connect(&self) -> Option<Client> {
        let url = self.database.url("postgres");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.ok()?;
        #[expect(clippy::disallowed_methods, reason = "ends by itself when the client is dropped")]
        tokio::spawn(connection);
        Some(client)
    }

    /// Every migration's numbers.
    pub(crate) async fn table(&self) -> BTreeMap<MigrationId, Vec<i64>> {
        let client = wait::until("a connection", BOUND, || self.connect()).await;
        let sql = "SELECT migration_id, array_agg(seq ORDER BY seq) FROM events GROUP BY migration_id";
        let rows = client.query(sql, &[]).await.expect("the table can be read");
        rows.iter().map(|row| (MigrationId(row.get(0)), row.get(1))).collect()
    }

    /// Has a feed heard all that there will be?
    pub(crate) fn is_all(&self, told: &HashMap<MigrationId, Told>) -> bool {
        told.len() == self.migrations.len() && told.values().all(|told| told.over)
    }
}

async fn caller(owner: &Store) -> (Member, String) {
    let member = owner.create_personal_tenant("owner@example.com").await.expect("a tenant");
    let made = auth::generate();
    let key = NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: "test".into(),
        prefix: made.prefix,
        hash: made.hash,
        expires_at: None,
    };
    owner.create_api_key(&key).await.expect("a key");
    (member, made.plaintext.expose().to_owned())
}

fn wish(member: Member, migration: MigrationId) -> StartMigration {
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
