//! The broadcaster as a program. Holds nothing but the command line.

use clap::{Parser, Subcommand};
use realtime_broadcaster::{Config, SERVICE};
use std::{path::PathBuf, process::ExitCode};

/// Streams the progress of migrations.
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
    let config: Config = service_kit::config::load(SERVICE, arguments.config.as_deref())?;
    config.check()?;
    if matches!(arguments.command, Some(Command::CheckConfig)) {
        return Ok(());
    }
    if arguments.migrate {
        realtime_broadcaster::migrate(&config).await?;
    }
    realtime_broadcaster::run(config).await
}
