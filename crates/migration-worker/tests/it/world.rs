//! What the tests stand in: a database and a broker prefix of their own, a small site, and workers that start
//! and stop within the test.

use domain::{
    CorrelationId, JobId, MigrationId,
    brief::Brief,
    event::{Event, EventType, NewEvent},
    retry,
    source_url::SourceUrl,
    trace::TraceContext,
};
use migration_worker::{Config, Worker};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::Registry;
use serde_json::{Value, json};
use service_kit::{Lifecycle, Secret};
use std::{net::SocketAddr, time::Duration};
use store::{Member, PhaseRecord, StartMigration, StartOutcome, Store};
use tempfile::TempDir;
use testkit::{
    broker,
    postgres::Database,
    site::{Answer, StaticSite},
    wait,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Everything that has to happen happens within this, also on a busy machine.
pub(crate) const BOUND: Duration = Duration::from_secs(60);
pub(crate) const TOKEN: &str = "a token that is long enough";
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// How workers hear of work in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bell {
    Amqp,
    Notify,
    /// A broker that nobody answers for: polling alone.
    Away,
}

/// What a test owns.
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) gateway: Store,
    pub(crate) member: Member,
    pub(crate) folder: TempDir,
    prefix: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Database::create().await).await
    }

    pub(crate) async fn on(db: Database) -> Self {
        let owner = Store::connect(&db.owner()).await.expect("the test database answers");
        let gateway = Store::connect(&db.gateway()).await.expect("the test database answers");
        let member = owner.create_personal_tenant("one@example.com").await.expect("a tenant");
        let folder = tempfile::tempdir().expect("a scratch folder");
        Self { db, gateway, member, folder, prefix: broker::unique_prefix() }
    }

    /// What this test's exchanges, queues and channels are named after.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn bus(&self, bell: Bell) -> bus::Options {
        let prefix = self.prefix.clone();
        match bell {
            Bell::Amqp => bus::Options::Amqp { url: broker::shared_url(), prefix },
            Bell::Notify => bus::Options::Notify { url: self.db.url("resettle_worker"), prefix },
            Bell::Away => bus::Options::Amqp { url: "amqp://guest:guest@127.0.0.1:1/%2f".into(), prefix },
        }
    }

    /// A worker's configuration for a site, in a hurry where waiting is no part of the test.
    pub(crate) fn config(&self, bell: Bell, site: SocketAddr) -> Config {
        let mut config = Config {
            store: self.db.worker(),
            bus: self.bus(bell),
            grpc_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            grpc_token: Secret::new(TOKEN),
            allow_addresses: vec![site],
            poll: Duration::from_millis(100),
            sweep: Duration::from_millis(100),
            sample: Duration::from_millis(100),
            ..Config::default()
        };
        config.objects.url = format!("file://{}/objects", self.folder.path().display());
        config.retry.base = Duration::from_millis(40);
        config.fetch.retries = 0;
        config
    }

    /// Accepts a migration, as the gateway does.
    pub(crate) async fn start(&self, site: &StaticSite) -> (MigrationId, JobId) {
        self.start_at(&site.url()).await
    }

    pub(crate) async fn start_at(&self, url: &str) -> (MigrationId, JobId) {
        self.begin(url, false).await
    }

    /// Accepts one whose plan is to be approved.
    pub(crate) async fn start_reviewed(&self, site: &StaticSite) -> (MigrationId, JobId) {
        self.begin(&site.url(), true).await
    }

    async fn begin(&self, url: &str, review_plan: bool) -> (MigrationId, JobId) {
        let source = SourceUrl::parse(url).expect("the test gives a valid URL");
        let brief = Brief::from_request(Some("Move it.".into()), None).expect("a brief");
        let queued = json!({"status": "queued"});
        let request = StartMigration {
            tenant: self.member.tenant,
            user: self.member.user,
            migration: MigrationId(Uuid::now_v7()),
            job: JobId(Uuid::now_v7()),
            source_url: source.as_url().to_string(),
            normalised_url: source.normalised(),
            brief: serde_json::to_value(&brief).expect("a brief serialises"),
            prompt_hash: brief.hash(),
            correlation: CorrelationId(Uuid::now_v7()),
            review_plan,
            seed: 7,
            tool_contract: "1".into(),
            model_version: "none".into(),
            max_attempts: retry::Policy::default().max_attempts,
            trace: TraceContext { traceparent: Some(TRACEPARENT.into()), tracestate: None },
            event: NewEvent::new(EventType::PhaseUpdate, None, 0, queued),
            idempotency: None,
        };
        let outcome = self.gateway.start_migration(&request).await.expect("a start");
        assert_eq!(outcome, StartOutcome::Started);
        (request.migration, request.job)
    }

    /// Waits until a migration is in a state.
    pub(crate) async fn reaches(&self, migration: MigrationId, state: &str) {
        wait::until_true(&format!("the migration to be {state}"), BOUND, || async {
            self.migration_state(migration).await == state
        })
        .await;
    }

    pub(crate) async fn migration_state(&self, migration: MigrationId) -> String {
        let record = self.gateway.migration(self.member.tenant, migration).await.expect("a look");
        record.expect("it was started").state.as_str().to_owned()
    }

    /// Its history, checked to be gapless.
    pub(crate) async fn events(&self, migration: MigrationId) -> Vec<Event> {
        let events = self.gateway.events_after(self.member.tenant, migration, 0, 1000).await.expect("a look");
        for (place, event) in events.iter().enumerate() {
            assert_eq!(event.seq, place as i64 + 1, "the history has a gap or a double");
        }
        events
    }

    pub(crate) async fn phases(&self, migration: MigrationId) -> Vec<PhaseRecord> {
        self.gateway.phases(self.member.tenant, migration, 1).await.expect("a look")
    }

    /// Runs a statement as the owner.
    pub(crate) async fn change(&self, sql: &str, id: Uuid) -> u64 {
        self.db.sql().await.execute(sql, &[&id]).await.expect("the owner may")
    }

    /// A row of one text column, as the owner sees it.
    pub(crate) async fn text(&self, sql: &str, id: Uuid) -> String {
        self.db.sql().await.query_one(sql, &[&id]).await.expect("the owner may look").get(0)
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.db.sql().await.query_one(sql, &[]).await.expect("the owner may look").get(0)
    }

    /// A job's moves, as `FROM>TO cause attempt`, oldest first; a move tells the number of the attempt that ran.
    pub(crate) async fn moves(&self, job: JobId) -> Vec<String> {
        let sql = "SELECT coalesce(string_agg(concat(from_state, '>', to_state, ' ', cause, ' ', attempt), ',' \
                   ORDER BY id), '') FROM transitions WHERE job_id = $1";
        self.text(sql, job.0).await.split(',').map(str::to_owned).collect()
    }
}

/// A worker that lives until it is stopped.
pub(crate) struct Running {
    pub(crate) worker: Worker,
    lifecycle: Lifecycle,
    silence: CancellationToken,
    registry: Registry,
    _meters: SdkMeterProvider,
}

impl Running {
    pub(crate) async fn start(config: Config) -> Self {
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_units()
            .without_counter_suffixes()
            .without_target_info()
            .build()
            .expect("an exporter");
        let meters = SdkMeterProvider::builder().with_reader(reader).build();
        let lifecycle = Lifecycle::new(config.grace);
        let silence = CancellationToken::new();
        let bell = bus::open(&config.bus, silence.clone()).expect("a bell");
        let store = Store::connect(&config.store).await.expect("the test database answers");
        let meter = meters.meter("test");
        let worker = Worker::start_metered(config, store, bell, &lifecycle, &meter).await.expect("starts");
        Self { worker, lifecycle, silence, registry, _meters: meters }
    }

    /// Asks it to stop, and waits until it has; no task of it may have died.
    pub(crate) async fn stop(self) {
        self.lifecycle.stop();
        let stopped = self.lifecycle.wait_with(futures::stream::pending());
        wait::within("the worker to stop", BOUND, stopped).await.expect("no task died");
        self.silence.cancel();
    }

    /// Asks it to stop, without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.lifecycle.stop();
    }

    /// The sum of a metric over all labels that match.
    pub(crate) fn metric(&self, name: &str, label: Option<(&str, &str)>) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().filter(|family| family.name() == name);
        let of = |metric: &&prometheus::proto::Metric| {
            label.is_none_or(|(name, value)| {
                metric.get_label().iter().any(|pair| pair.name() == name && pair.value() == value)
            })
        };
        family
            .flat_map(|family| family.get_metric().iter().filter(of))
            .map(|metric| {
                let histogram = metric.get_histogram().get_sample_count() as f64;
                metric.get_counter().get_value() + metric.get_gauge().get_value() + histogram
            })
            .sum()
    }

    pub(crate) fn stale_writes(&self, statement: &str) -> f64 {
        self.metric("resettle_stale_writes_refused_total", Some(("statement", statement)))
    }
}

/// A page with a header, text, an image and links.
pub(crate) fn page(title: &str, text: &str) -> Answer {
    Answer::html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/style.css\"></head><body><header><nav><a href=\"/\">Home</a> \
         <a href=\"/about.html\">About</a> <a href=\"/contact.html\">Contact</a></nav></header>\
         <main><h1>{title}</h1><p>{text}</p><img src=\"/logo.png\" alt=\"logo\"></main></body></html>"
    ))
}

/// Three pages, a style sheet and an image.
pub(crate) async fn small_site() -> StaticSite {
    // The smallest PNG: one transparent pixel.
    let pixel: &[u8] = &[
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0,
        0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c,
        0x63, 0, 1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42,
        0x60, 0x82,
    ];
    StaticSite::serve([
        ("/", page("Home", "Welcome to the small site.")),
        ("/about.html", page("About", "We move things to new homes.")),
        ("/contact.html", page("Contact", "Write to us.")),
        ("/style.css", Answer::file("style.css", "body { color: #123; }")),
        ("/logo.png", Answer::file("logo.png", pixel)),
    ])
    .await
}

/// The value under a key of an event's detail.
pub(crate) fn detail<'a>(event: &'a Event, key: &str) -> &'a Value {
    event.detail.get(key).unwrap_or(&Value::Null)
}
