//! A worker as a process of its own: what comes before its first claim and after its last write.

use crate::{Config, SERVICE, Worker, worker};
use service_kit::{
    Lifecycle,
    admin::{self, Readiness},
    exit::Code,
};
use store::{Store, schema};
use tokio_util::sync::CancellationToken;

/// Runs until the process is asked to stop.
pub async fn run(config: Config) -> Result<(), anyhow::Error> {
    start(config, false).await
}

/// Runs, after it has brought the schema up to date if that was asked for.
pub async fn start(config: Config, migrate_first: bool) -> Result<(), anyhow::Error> {
    config.check()?;
    let telemetry = telemetry::init(&[SERVICE], &config.telemetry)?;
    let registry = telemetry.registry();
    let served = async {
        if migrate_first {
            migrate(&config).await?;
        }
        serve(config, registry).await
    };
    let served = served.await;
    telemetry.shutdown().await;
    served
}

/// Brings the schema up to date, as its owner.
async fn migrate(config: &Config) -> Result<(), anyhow::Error> {
    if config.owner_url.is_empty() {
        let told = "--migrate needs owner_url, the database URL of the schema's owner";
        return Err(anyhow::Error::new(Code::Config.because(told)));
    }
    let options = store::Options { url: config.owner_url.expose().to_owned(), ..config.store.clone() };
    let applied = schema::migrate(&options).await.map_err(coded)?;
    tracing::info!(steps = applied.steps.join(", "), version = applied.version, "the schema is up to date");
    Ok(())
}

async fn serve(config: Config, registry: prometheus::Registry) -> Result<(), anyhow::Error> {
    let lifecycle = Lifecycle::new(config.grace);
    let store = Store::connect(&config.store).await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    // Not the lifecycle's own token: the last announcements are made after the stop.
    let silence = CancellationToken::new();
    let bell = bus::open(&config.bus, silence.clone())?;
    let pinged = store.clone();
    let readiness = Readiness::new(&lifecycle).with("postgres", move || {
        let store = pinged.clone();
        async move { Ok(store.ping().await?) }
    });
    admin::serve(&lifecycle, config.admin_listen, readiness, registry)?;
    Worker::start(config, store, bell, &lifecycle).await.map_err(|error| match error {
        worker::Error::Register(error) => coded(error),
        other => anyhow::Error::new(other),
    })?;
    let stopped = lifecycle.wait().await;
    silence.cancel();
    Ok(stopped?)
}

/// A database that is away or behind may be there later: the supervisor shall start us again.
fn coded(error: store::Error) -> anyhow::Error {
    match error.kind() {
        domain::Kind::Unavailable => anyhow::Error::new(Code::Unavailable.because(error)),
        _ => anyhow::Error::new(error),
    }
}
