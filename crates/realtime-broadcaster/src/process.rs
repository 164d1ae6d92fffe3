//! A broadcaster as a process of its own.

use crate::{Broadcaster, Config, SERVICE};
use service_kit::{
    Lifecycle,
    admin::{self, Readiness},
    exit::Code,
    http,
};
use std::time::Duration;
use store::{Store, schema};
use tokio_util::sync::CancellationToken;

/// Brings the schema up to date, as its owner.
pub async fn migrate(config: &Config) -> Result<(), anyhow::Error> {
    if config.owner_url.is_empty() {
        return Err(Code::Config.because("--migrate needs owner_url, the schema owner's database").into());
    }
    let options = store::Options { url: config.owner_url.expose().to_owned(), ..config.store.clone() };
    let applied = schema::migrate(&options).await.map_err(coded)?;
    tracing::info!(steps = applied.steps.join(", "), version = applied.version, "the schema is up to date");
    Ok(())
}

/// Runs until the process is asked to stop.
pub async fn run(config: Config) -> Result<(), anyhow::Error> {
    config.check()?;
    let telemetry = telemetry::init(&[SERVICE], &config.telemetry)?;
    let served = serve(config, telemetry.registry()).await;
    telemetry.shutdown().await;
    served
}

async fn serve(config: Config, registry: prometheus::Registry) -> Result<(), anyhow::Error> {
    let store = Store::connect(&config.store).await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    let lifecycle = Lifecycle::new(config.grace);
    let silence = CancellationToken::new();
    let bell = bus::open(&config.bus, silence.clone())?;
    let broadcaster = Broadcaster::new(store.clone(), bell.as_ref(), &config.stream, &lifecycle);
    // Not the bell: without it streams go on, by the tail check.
    let readiness = Readiness::new(&lifecycle).with("postgres", move || {
        let store = store.clone();
        async move { Ok(store.ping().await?) }
    });
    let (streams, admin) = (broadcaster.routes(), admin::routes(readiness, registry));
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

/// A database that is away or behind may be there later: the supervisor shall start us again.
fn coded(error: store::Error) -> anyhow::Error {
    match error.kind() {
        domain::Kind::Unavailable => Code::Unavailable.because(error).into(),
        _ => error.into(),
    }
}
