//! A broadcaster as a process of its own.

use crate::{Broadcaster, Config, SERVICE};
use service_kit::{
    admin::{self, Readiness},
    exit::Code,
    http,
    program::Start,
};
use std::time::Duration;
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
    let silence = CancellationToken::new();
    let bell = bus::open(&config.bus, silence.clone())?;
    let broadcaster =
        Broadcaster::new(store.clone(), bell.as_ref(), &config.stream, config.origins()?, &lifecycle);
    // Not the bell: without it streams go on, by the tail check.
    let readiness = Readiness::new(&lifecycle).with("postgres", move || {
        let store = store.clone();
        async move { Ok(store.ping().await?) }
    });
    broadcaster.serve_grpc(&config).await.map_err(|error| anyhow::anyhow!(error).context("gRPC"))?;
    let (streams, admin) = (broadcaster.routes(config.cors()?), admin::routes(readiness, registry));
    let server = http::Server {
        name: "http",
        listen: config.listen,
        workers: config.workers,
        // Streams end by themselves at the stop; what is left then is a listener that does not read.
        grace: config.grace.saturating_sub(Duration::from_secs(2)).min(Duration::from_secs(10)),
    };
    http::serve(&lifecycle, server, move |routes| {
        streams(routes);
        admin(routes);
    })?;
    let stopped = lifecycle.wait().await;
    silence.cancel();
    Ok(stopped?)
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
        return Err(Code::Config.because("--migrate needs owner_url, the schema owner's database").into());
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
        domain::Kind::Unavailable => Code::Unavailable.because(error).into(),
        _ if error.is_misconfigured() => Code::Config.because(error).into(),
        _ => error.into(),
    }
}
