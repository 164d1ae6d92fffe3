//! The gateway as a program. Holds nothing but the command line.

use api_gateway::{Config, SERVICE};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Serves the REST API.
#[derive(Parser)]
#[command(name = SERVICE)]
struct Arguments {
    /// A TOML file; the environment goes before it.
    #[arg(long)]
    config: Option<PathBuf>,
    /// First brings the database's schema up to date.
    #[arg(long)]
    migrate: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Says whether the configuration can be used, and does nothing else.
    CheckConfig,
}

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::exit::report(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), anyhow::Error> {
    // The first provider stays; nothing else in this process installs another one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let config: Config = service_kit::config::load(SERVICE, arguments.config.as_deref())?;
    config.check()?;
    if matches!(arguments.command, Some(Command::CheckConfig)) {
        return Ok(());
    }
    api_gateway::start(config, arguments.migrate).await
}
