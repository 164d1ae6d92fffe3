//! The three services as three processes of their own, as they are deployed: real RabbitMQ, real Postgres, ports of
//! their own, configured by files.

use crate::client::Client;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};
use store::{NewApiKey, Store};
use tempfile::TempDir;
use testkit::{broker, clock, disk::SmallDisk, postgres::Database, process::Child, wait};
use tokio_util::sync::CancellationToken;

pub(crate) const TOKEN: &str = "a-token-between-services";
const WORKER: &str = "migration-worker";
const BOUND: Duration = Duration::from_secs(60);

/// What a test may want to be different.
#[derive(Clone)]
pub(crate) struct Terms {
    /// Where the broker is, or should be.
    pub(crate) amqp: String,
    /// What the queues' names begin with.
    pub(crate) prefix: String,
    /// How long leases last: short where a test waits for one to run out.
    pub(crate) ttl: Duration,
    /// Where spans go.
    pub(crate) otlp: Option<String>,
    /// Sites on loopback that may be moved.
    pub(crate) allow: Vec<SocketAddr>,
    /// Are written projects type-checked? That takes seconds each.
    pub(crate) type_check: bool,
    /// Kinds of job that workers are bound to, as their configuration has them.
    pub(crate) kinds: String,
    /// Where bodies and artefacts are kept, if that can be full.
    pub(crate) disk: Option<Arc<SmallDisk>>,
    /// How far gateway and broadcaster have their clocks ahead, and behind, in seconds.
    pub(crate) skew: i64,
}

impl Terms {
    pub(crate) fn with_shared_broker(allow: SocketAddr) -> Self {
        let ttl = Duration::from_secs(30);
        Self {
            amqp: broker::shared_url(),
            prefix: broker::unique_prefix(),
            ttl,
            otlp: None,
            allow: vec![allow],
            type_check: false,
            kinds: String::new(),
            disk: None,
            skew: 0,
        }
    }

    /// A bell of the test's own on the same queues; silent when its runtime ends.
    pub(crate) fn bell(&self) -> Arc<dyn bus::Bell> {
        let options = bus::Options::Amqp { url: self.amqp.clone(), prefix: self.prefix.clone() };
        bus::open(&options, CancellationToken::new()).expect("the options are valid")
    }

    #[must_use]
    pub(crate) fn type_checked(self) -> Self {
        Self { type_check: true, ..self }
    }

    #[must_use]
    pub(crate) fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }
}

/// Three kinds of processes over one database.
pub(crate) struct Stack {
    pub(crate) database: Database,
    pub(crate) gateway: Child,
    pub(crate) broadcaster: Child,
    pub(crate) client: Client,
    pub(crate) api: String,
    pub(crate) streams: String,
    key: String,
    terms: Terms,
    folder: TempDir,
}

/// One worker process.
pub(crate) struct Worker {
    pub(crate) process: Child,
    pub(crate) admin: String,
}

impl Stack {
    /// Gateway and broadcaster, ready; workers come by [`Stack::worker`].
    pub(crate) async fn start(database: Database, terms: Terms) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let key = new_key(&database, "owner@example.com").await;
        let mut stack = Parts { database: &database, terms: &terms, folder: &folder };
        let gateway = stack.spawn("api-gateway", &stack.gateway(), terms.skew);
        let broadcaster = stack.spawn("realtime-broadcaster", &stack.broadcaster(), -terms.skew);
        let api = format!("http://{}", address(&gateway, "api").await);
        let streams = format!("http://{}", address(&broadcaster, "http").await);
        let client = Client::new(&api, &streams, &key);
        Self { database, gateway, broadcaster, client, api, streams, key, terms, folder }
    }

    /// A worker, ready.
    pub(crate) async fn worker(&self) -> Worker {
        self.worker_off_by(0, None).await
    }

    /// A worker whose clock on the wall is so many seconds ahead, and whose program lies elsewhere if need be, ready.
    pub(crate) async fn worker_off_by(&self, seconds: i64, programs: Option<&Path>) -> Worker {
        let mut parts = Parts { database: &self.database, terms: &self.terms, folder: &self.folder };
        let program = programs.map_or_else(|| binary(WORKER), |folder| folder.join(WORKER));
        let process = parts.spawn_program(&program, WORKER, &parts.worker(), seconds);
        let admin = format!("http://{}", address(&process, "admin").await);
        Worker { process, admin }
    }

    /// kill -9 of the gateway, and another one, at an address of its own.
    pub(crate) async fn replace_gateway(&mut self) {
        self.gateway.kill();
        let mut parts = Parts { database: &self.database, terms: &self.terms, folder: &self.folder };
        self.gateway = parts.spawn("api-gateway", &parts.gateway(), self.terms.skew);
        self.api = format!("http://{}", address(&self.gateway, "api").await);
        self.client = Client::new(&self.api, &self.streams, &self.key);
    }

    pub(crate) async fn key_of(&self, email: &str) -> Client {
        let key = new_key(&self.database, email).await;
        Client::new(&self.api, &self.streams, &key)
    }
}

struct Parts<'a> {
    database: &'a Database,
    terms: &'a Terms,
    folder: &'a TempDir,
}

impl Parts<'_> {
    fn gateway(&self) -> String {
        format!(
            "listen = \"127.0.0.1:0\"\ngrpc_token = \"{TOKEN}\"\nallow_addresses = {allow}\n\
             [store]\nurl = \"{url}\"\n[objects]\nurl = \"{objects}\"\n{telemetry}",
            allow = self.allow(),
            url = self.database.url("resettle_gateway"),
            objects = self.objects(),
            telemetry = self.telemetry(),
        )
    }

    fn broadcaster(&self) -> String {
        format!(
            "listen = \"127.0.0.1:0\"\n[store]\nurl = \"{url}\"\n{bus}{telemetry}",
            url = self.database.url("resettle_broadcaster"),
            bus = self.bus(),
            telemetry = self.telemetry(),
        )
    }

    fn worker(&self) -> String {
        let ttl = self.terms.ttl.as_millis();
        format!(
            "admin_listen = \"127.0.0.1:0\"\ngrpc_listen = \"127.0.0.1:0\"\ngrpc_token = \"{TOKEN}\"\n\
             poll = \"200ms\"\nsweep = \"200ms\"\nsample = \"200ms\"\nallow_addresses = {allow}\n\
             [retry]\nmax_attempts = 3\nbase = \"200ms\"\ncap = \"1s\"\n\
             [lease]\nttl = \"{ttl}ms\"\nheartbeat = \"{beat}ms\"\nmargin = \"{margin}ms\"\n\
             {toolchain}{kinds}[store]\nurl = \"{url}\"\n[objects]\nurl = \"{objects}\"\n{bus}{telemetry}",
            allow = self.allow(),
            beat = ttl / 5,
            margin = ttl / 10,
            toolchain = self.toolchain(),
            kinds = self.terms.kinds,
            url = self.database.url("resettle_worker"),
            objects = self.objects(),
            bus = self.bus(),
            telemetry = self.telemetry(),
        )
    }

    fn allow(&self) -> String {
        let quoted: Vec<String> = self.terms.allow.iter().map(|address| format!("\"{address}\"")).collect();
        format!("[{}]", quoted.join(", "))
    }

    fn toolchain(&self) -> String {
        let dir =
            || format!("[toolchain]\ndir = \"{}\"\n[compare]\nwhen = \"never\"\n", toolchain().display());
        self.terms.type_check.then(dir).unwrap_or_default()
    }

    fn objects(&self) -> String {
        let folder = self.terms.disk.as_ref().map_or(self.folder.path(), |disk| disk.path());
        format!("file://{}/objects", folder.display())
    }

    fn bus(&self) -> String {
        format!("[bus]\nkind = \"amqp\"\nurl = \"{}\"\nprefix = \"{}\"\n", self.terms.amqp, self.terms.prefix)
    }

    fn telemetry(&self) -> String {
        let endpoint =
            self.terms.otlp.as_ref().map(|url| format!("otlp_endpoint = \"{url}\"\n")).unwrap_or_default();
        format!("[telemetry]\nlog = \"json\"\n{endpoint}")
    }

    fn spawn(&mut self, service: &str, config: &str, skew: i64) -> Child {
        self.spawn_program(&binary(service), service, config, skew)
    }

    fn spawn_program(&mut self, program: &Path, service: &str, config: &str, skew: i64) -> Child {
        let path = self.folder.path().join(format!("{service}.toml"));
        std::fs::write(&path, config).expect("a configuration can be written");
        let mut command = Command::new(program);
        command.arg("--config").arg(path);
        if skew != 0 {
            clock::skew(&mut command, skew);
        }
        let inside = self.terms.disk.as_ref().map(|disk| disk.inside(&command));
        Child::spawn(service, inside.unwrap_or(command))
    }
}

/// A program of the workspace, built beside this test.
pub(crate) fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running program has a path");
    let folder = test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run the tests with --workspace", path.display());
    path
}

/// Where the packages that projects are checked with are kept between runs.
pub(crate) fn toolchain() -> PathBuf {
    let cache = std::env::var("RESETTLE_TEST_CACHE").expect("`make test` sets RESETTLE_TEST_CACHE");
    PathBuf::from(cache).join("toolchain")
}

/// The address that a process says it listens on, by the name of its server.
async fn address(process: &Child, server: &str) -> SocketAddr {
    let awaited = format!("{server} to listen");
    let found = wait::until(&awaited, BOUND, || async {
        let log = process.log();
        let line =
            log.lines().find(|line| line.contains("listening") && line.contains(&format!("\"{server}\"")));
        line.and_then(|line| line.split('"').find_map(|part| part.parse::<SocketAddr>().ok()))
    });
    found.await
}

async fn new_key(database: &Database, email: &str) -> String {
    let owner = Store::connect(&database.owner()).await.expect("the owner may connect");
    let member = owner.create_personal_tenant(email).await.expect("a tenant");
    let key = auth::generate();
    let new = NewApiKey {
        tenant: member.tenant,
        user: member.user,
        name: "test".into(),
        prefix: key.prefix.clone(),
        hash: key.hash,
        expires_at: None,
    };
    owner.create_api_key(&new).await.expect("a key");
    key.plaintext.expose().to_owned()
}
