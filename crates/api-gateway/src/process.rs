//! The gateway as a process of its own.

use crate::{Config, Gateway, SERVICE};
use anyhow::Context;
use service_kit::{Lifecycle, admin::Readiness, exit::Code, http};
use store::Store;

/// Brings the schema up to date, as its owner. What `--migrate` does.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let options = store::Options { url: config.owner_url.expose().to_owned(), ..config.store.clone() };
    let applied =
        store::schema::migrate(&options).await.context("the schema could not be brought up to date")?;
    tracing::info!(steps = applied.steps.len(), version = applied.version, "the schema is up to date");
    Ok(())
}

/// Serves until asked to stop. The configuration has been checked.
pub async fn run(config: Config) -> anyhow::Result<()> {
    let telemetry = telemetry::init(&[SERVICE], &config.telemetry)?;
    let served = serve(&config, &telemetry).await;
    telemetry.shutdown().await;
    served
}

async fn serve(config: &Config, telemetry: &telemetry::Telemetry) -> anyhow::Result<()> {
    let store = Store::connect(&config.store).await.map_err(|error| Code::Unavailable.because(error))?;
    store.check_schema().await.map_err(|error| Code::Unavailable.because(error))?;
    let gateway = Gateway::new(config, store.clone())?;
    let lifecycle = Lifecycle::new(config.grace);
    let readiness = Readiness::new(&lifecycle).with("database", move || {
        let store = store.clone();
        async move { Ok(store.ping().await?) }
    });
    let server =
        http::Server { name: "api", listen: config.listen, workers: config.workers, grace: config.grace };
    let routes = gateway.routes(readiness, telemetry.registry());
    http::serve(&lifecycle, server, routes).with_context(|| format!("cannot listen on {}", config.listen))?;
    Ok(lifecycle.wait().await?)
}
