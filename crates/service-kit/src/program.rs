//! A service as a program: the command line, the configuration, the signals, and the exit code are the same for all
//! of them. Knows nothing of what they serve.

use crate::{BoxError, Lifecycle, Signals, config, exit};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use serde::de::DeserializeOwned;
use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

/// What differs between the services before they start.
#[derive(Clone, Copy, Debug)]
pub struct Program<C> {
    /// The name under which it is called, configured, traced and logged.
    pub name: &'static str,
    /// One sentence for `--help`.
    pub about: &'static str,
    /// Do all values make sense together?
    pub check: fn(&C) -> Result<(), config::Error>,
    /// How long the process as a whole takes to stop at most.
    pub grace: fn(&C) -> Duration,
}

/// What a service is to do first, and what it lives by.
pub struct Start {
    /// Bring the database's schema up to date before anything else.
    pub migrate: bool,
    /// Its start and stop; signals have been heard since before the configuration was read.
    pub lifecycle: Lifecycle,
}

#[derive(Parser)]
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

/// How long blocking work that is still under way gets when all else has ended. It cannot be ended from outside; nothing
/// may depend on its end.
const BLOCKING: Duration = Duration::from_secs(1);

/// The whole of a service's `main`: reads the command line and the configuration, and runs the service with it.
pub fn main<C, E, F>(program: Program<C>, serve: impl FnOnce(C, Start) -> F) -> ExitCode
where
    C: DeserializeOwned,
    E: AsRef<dyn Error + Send + Sync>,
    F: Future<Output = Result<(), E>>,
{
    run(async {
        match prepare(&program) {
            Ok(Some((config, start))) => exit::report(serve(config, start).await),
            Ok(None) => ExitCode::SUCCESS,
            Err(error) => exit::report(Err::<(), _>(error)),
        }
    })
}

/// Drives a whole process on a runtime of its own. When the work has ended the process does, too: a computation that
/// hangs in a thread does not hold it up, as it would at the end of a `#[tokio::main]`.
pub fn run(work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(Err::<(), BoxError>(error.into())),
    };
    let code = runtime.block_on(work);
    runtime.shutdown_timeout(BLOCKING);
    code
}

/// What to run; nothing, if only the configuration was to be checked.
fn prepare<C: DeserializeOwned>(program: &Program<C>) -> Result<Option<(C, Start)>, BoxError> {
    let signals = Signals::listen()?;
    // The first provider stays; nothing else in this process installs another one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let matches = Arguments::command().name(program.name).about(program.about).get_matches();
    let arguments = Arguments::from_arg_matches(&matches)?;
    let config: C = config::load(program.name, arguments.config.as_deref())?;
    (program.check)(&config)?;
    if matches!(arguments.command, Some(Command::CheckConfig)) {
        return Ok(None);
    }
    let lifecycle = Lifecycle::heeding(signals, (program.grace)(&config));
    Ok(Some((config, Start { migrate: arguments.migrate, lifecycle })))
}
