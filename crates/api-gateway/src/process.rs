//! The gateway as a process of its own.

use crate::{Config, Gateway, SERVICE};
use anyhow::Context;
use service_kit::{admin::Readiness, exit::Code, http, program::Start};
use store::Store;

/// Serves until asked to stop, after it has brought the schema up to date if that was asked for.
pub async fn start(config: Config, start: Start) -> anyhow::Result<()> {
    let telemetry = telemetry::init(&[SERVICE], &config.telemetry)?;
    let served = serve(&config, start, &telemetry).await;
    telemetry.shutdown().await;
    served
}

async fn serve(config: &Config, start: Start, telemetry: &telemetry::Telemetry) -> anyhow::Result<()> {
    let lifecycle = start.lifecycle;
    let Some(store) = lifecycle.starting(database(config, start.migrate)).await.transpose()? else {
        return Ok(());
    };
    let Some(operators) = lifecycle.starting(operators(config)).await.transpose()? else { return Ok(()) };
    let gateway = Gateway::new(config, store.clone(), operators)?;
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

/// The database, on a schema that this program can run on.
async fn database(config: &Config, migrate_first: bool) -> anyhow::Result<Store> {
    if migrate_first {
        migrate(config).await?;
    }
    let store = Store::connect(&config.store).await.map_err(coded)?;
    store.check_role().await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    Ok(store)
}

/// The database on the operators' role, where they are served.
async fn operators(config: &Config) -> anyhow::Result<Option<Store>> {
    if config.operator_store.url.is_empty() {
        return Ok(None);
    }
    let store = Store::connect(&config.operator_store).await.map_err(coded)?;
    store.check_role().await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    Ok(Some(store))
}

/// Brings the schema up to date, as its owner.
async fn migrate(config: &Config) -> anyhow::Result<()> {
    if config.owner_url.is_empty() {
        return Err(Code::Config.because("--migrate needs owner_url, the schema owner's database").into());
    }
    let options = store::Options { url: config.owner_url.expose().to_owned(), ..config.store.clone() };
    let applied = store::schema::migrate(&options).await.map_err(coded)?;
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
