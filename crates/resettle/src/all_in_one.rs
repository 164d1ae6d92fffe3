//! The three services in one process on one port, with a private Postgres, and NOTIFY as the bell.
//!
//! Nothing is different for the services: each has its own role and its own pool, jobs are leased, and after a
//! kill -9 of the process the next start takes up what was begun. Postgres is started first and stopped last.

mod settings;

pub use settings::Settings;

use crate::{
    api_keys,
    data_folder::DataFolder,
    exit::unavailable,
    postgres::{Embedded, OWNER, Programs},
};
use anyhow::Context;
use api_gateway::Gateway;
use bus::Bell;
use migration_worker::Worker;
use realtime_broadcaster::Broadcaster;
use service_kit::{Lifecycle, Secret, Signals, admin::Readiness, http};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use store::Store;
use telemetry::Telemetry;
use tokio_util::sync::CancellationToken;
use url::Url;

const GATEWAY: &str = "resettle_gateway";
const WORKER: &str = "resettle_worker";
const BROADCASTER: &str = "resettle_broadcaster";
const OPERATOR: &str = "resettle_operator";

/// What the command line decides.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What may be fetched although it is not public.
    pub allow_addresses: Vec<SocketAddr>,
    /// Which log lines there are.
    pub filter: String,
}

/// The running all-in-one.
pub struct AllInOne {
    folder: DataFolder,
    postgres: Embedded,
    telemetry: Telemetry,
    services: Services,
}

/// What runs on the database.
struct Services {
    address: SocketAddr,
    key: Secret,
    lifecycle: Lifecycle,
    /// The bell's own end: the last announcements are made after the lifecycle's stop.
    silence: CancellationToken,
}

impl AllInOne {
    /// Starts everything. When it fails, what was started has been stopped.
    pub async fn start(options: Options) -> Result<Self, anyhow::Error> {
        let settings = Settings::load(&options)?;
        let telemetry = telemetry::init(
            &[api_gateway::SERVICE, migration_worker::SERVICE, realtime_broadcaster::SERVICE],
            &settings.telemetry,
        )?;
        let folder = DataFolder::open(&options.data).map_err(unavailable)?;
        let programs = Programs::find().map_err(unavailable)?;
        let postgres = Embedded::start(&folder, &programs).await?;
        match Services::start(&folder, &postgres, &telemetry, settings).await {
            Ok(services) => Ok(Self { folder, postgres, telemetry, services }),
            Err(error) => {
                postgres.stop().await?;
                telemetry.shutdown().await;
                Err(error)
            }
        }
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://{}/", self.services.address)
    }

    /// A key to its API.
    pub fn key(&self) -> Secret {
        self.services.key.clone()
    }

    /// Where that key is kept.
    pub fn key_file(&self) -> PathBuf {
        self.folder.api_key_file()
    }

    /// Runs until one of the signals, or until something dies.
    pub async fn run(self, signals: Signals) -> Result<(), anyhow::Error> {
        let ended = self.services.lifecycle.clone().wait_with(signals).await;
        self.tidy_up(ended).await
    }

    /// Does something with it, unless it dies before that is done.
    pub async fn unless_ended<T>(
        &self,
        work: impl Future<Output = Result<T, anyhow::Error>>,
    ) -> Result<T, anyhow::Error> {
        let stopping = self.services.lifecycle.stopping();
        let done = stopping.run_until_cancelled(work).await;
        done.unwrap_or_else(|| Err(anyhow::anyhow!("the service ended before the work was done")))
    }

    /// Stops it.
    pub async fn stop(self) -> Result<(), anyhow::Error> {
        self.services.lifecycle.stop();
        self.run(Signals::listen()?).await
    }

    async fn tidy_up(self, ended: Result<(), service_kit::Fatal>) -> Result<(), anyhow::Error> {
        self.services.silence.cancel();
        // If the database died, that is why everything else ended, too.
        let stopped = self.postgres.stop().await;
        self.telemetry.shutdown().await;
        stopped?;
        Ok(ended?)
    }
}

impl Services {
    async fn start(
        folder: &DataFolder,
        postgres: &Embedded,
        telemetry: &Telemetry,
        settings: Settings,
    ) -> Result<Self, anyhow::Error> {
        let owner = store::Options { url: postgres.url(OWNER), ..store::Options::default() };
        store::schema::migrate(&owner).await.context("the database could not be brought up to date")?;
        let settings = settings.on(postgres, folder)?;
        let gateway_store = connect(&settings.gateway.store).await?;
        let key = api_keys::of_folder(folder, &owner, &gateway_store).await?;
        let lifecycle = Lifecycle::new(settings.worker.grace);
        let silence = CancellationToken::new();
        let address = assemble(&lifecycle, &silence, gateway_store, telemetry, settings).await;
        let address = match address {
            Ok(address) => address,
            Err(error) => {
                lifecycle.stop();
                silence.cancel();
                // What it says would only hide the first error.
                let _also_ended = lifecycle.wait().await;
                return Err(error);
            }
        };
        watch(&lifecycle, postgres.ended());
        Ok(Self { address, key, lifecycle, silence })
    }
}

/// Starts the three services and mounts them on one port.
async fn assemble(
    lifecycle: &Lifecycle,
    silence: &CancellationToken,
    gateway_store: Store,
    telemetry: &Telemetry,
    settings: Settings,
) -> Result<SocketAddr, anyhow::Error> {
    let bell: Arc<dyn Bell> = bus::open(&settings.worker.bus, silence.clone())?;
    let operators = connect(&settings.gateway.operator_store).await?;
    let gateway = Gateway::new(&settings.gateway, gateway_store.clone(), Some(operators))?;
    let broadcaster_store = connect(&settings.broadcaster.store).await?;
    let broadcaster = Broadcaster::new(
        broadcaster_store,
        bell.as_ref(),
        &settings.broadcaster.stream,
        settings.broadcaster.origins()?,
        lifecycle,
    );
    let served = broadcaster.serve_grpc(&settings.broadcaster).await;
    served.map_err(|error| anyhow::anyhow!(error)).context("the broadcaster's gRPC cannot be served")?;
    let readiness = Readiness::new(lifecycle).with("database", move || {
        let store = gateway_store.clone();
        async move { Ok(store.ping().await?) }
    });
    let (streams, rest) =
        (broadcaster.routes(settings.broadcaster.cors()?), gateway.routes(readiness, telemetry.registry()));
    let listen = settings.gateway.listen;
    let server = http::Server {
        name: "http",
        listen,
        workers: settings.gateway.workers,
        grace: settings.gateway.grace,
    };
    // The broadcaster's paths first: the gateway answers for every address that nobody else took.
    let address = http::serve(lifecycle, server, move |config| {
        streams(config);
        rest(config);
    });
    let address =
        address.with_context(|| format!("cannot listen on {listen}: name another address with --listen"))?;
    let worker_store = connect(&settings.worker.store).await?;
    Worker::start(settings.worker, worker_store, bell, lifecycle).await?;
    Ok(address)
}

async fn connect(options: &store::Options) -> Result<Store, anyhow::Error> {
    let store = Store::connect(options).await.map_err(unavailable)?;
    store.check_role().await?;
    store.check_schema().await.map_err(unavailable)?;
    Ok(store)
}

/// Without its database nothing here can go on.
fn watch(lifecycle: &Lifecycle, ended: CancellationToken) {
    let stopping = lifecycle.stopping();
    lifecycle.spawn("database", async move {
        tokio::select! {
            () = ended.cancelled() => Err("the database cannot be kept running".into()),
            () = stopping.cancelled() => Ok(()),
        }
    });
}

/// `file:///…` for a folder.
fn folder_url(folder: &Path) -> Result<String, anyhow::Error> {
    let url = Url::from_directory_path(folder);
    let url = url.map_err(|()| anyhow::anyhow!("{} is not an absolute path", folder.display()))?;
    Ok(url.to_string())
}
