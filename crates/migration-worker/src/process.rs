//! A worker as a process of its own: what comes before its first claim and after its last write.

use crate::{Config, SERVICE, Worker, worker};
use service_kit::{
    Lifecycle,
    admin::{self, Readiness},
    exit::Code,
    program::Start,
};
use std::sync::{Arc, OnceLock};
use store::{Store, schema};
use tokio_util::sync::CancellationToken;

/// Runs until the process is asked to stop, after it has brought the schema up to date if that was asked for.
pub async fn start(config: Config, start: Start) -> Result<(), anyhow::Error> {
    let telemetry = telemetry::init(&[SERVICE], &config.telemetry)?;
    let served = serve(config, start, telemetry.registry()).await;
    telemetry.shutdown().await;
    served
}

async fn serve(config: Config, start: Start, registry: prometheus::Registry) -> Result<(), anyhow::Error> {
    let lifecycle = start.lifecycle;
    let Some(store) = lifecycle.starting(database(&config, start.migrate)).await.transpose()? else {
        return Ok(());
    };
    // Not the lifecycle's own token: the last announcements are made after the stop.
    let silence = CancellationToken::new();
    let bell = bus::open(&config.bus, silence.clone())?;
    let started = Arc::new(OnceLock::new());
    let readiness = readiness(&lifecycle, &store, &started);
    admin::serve(&lifecycle, config.admin_listen, readiness, registry)?;
    let worker = Worker::start(config, store, bell, &lifecycle).await.map_err(|error| match error {
        worker::Error::Register(error) => coded(error),
        other => anyhow::Error::new(other),
    })?;
    let _first = started.set(worker);
    let stopped = lifecycle.wait().await;
    silence.cancel();
    Ok(stopped?)
}

/// Ready while the database answers, and jobs can come to their end here.
fn readiness(lifecycle: &Lifecycle, store: &Store, worker: &Arc<OnceLock<Worker>>) -> Readiness {
    let (pinged, worker) = (store.clone(), Arc::clone(worker));
    let answers = move || {
        let store = pinged.clone();
        async move { Ok(store.ping().await?) }
    };
    let computes = move || {
        let fit = worker.get().is_none_or(Worker::can_compute);
        async move { if fit { Ok(()) } else { Err("hung computations have every place".into()) } }
    };
    Readiness::new(lifecycle).with("postgres", answers).with("computing", computes)
}

/// The database, on a schema that this program can run on.
async fn database(config: &Config, migrate_first: bool) -> Result<Store, anyhow::Error> {
    if migrate_first {
        migrate(config).await?;
    }
    let store = Store::connect(&config.store).await.map_err(coded)?;
    store.check_role().await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    Ok(store)
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

/// A database that is away or behind may be there later: the supervisor shall start us again. What it was told to do
/// wrong, somebody has to change.
fn coded(error: store::Error) -> anyhow::Error {
    match error.kind() {
        domain::Kind::Unavailable => anyhow::Error::new(Code::Unavailable.because(error)),
        _ if error.is_misconfigured() => anyhow::Error::new(Code::Config.because(error)),
        _ => anyhow::Error::new(error),
    }
}
