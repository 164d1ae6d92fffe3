//! `resettle up`: the all-in-one, until it is asked to stop.

use crate::{
    all_in_one::{self, AllInOne},
    allowed,
    cli::UpArguments,
    exit::Outcome,
    terminal::say,
};
use service_kit::Signals;

/// The command.
pub(crate) async fn command(arguments: UpArguments) -> Result<Outcome, anyhow::Error> {
    // Before anything is started: a stop that comes while the database starts must stop it, too.
    let signals = Signals::listen()?;
    let options = all_in_one::Options {
        data: arguments.data.data,
        listen: arguments.listen,
        allow_addresses: allowed::resolve(&arguments.allow_address).await?,
        filter: arguments.log,
    };
    let service = AllInOne::start(options).await?;
    say(format_args!("resettle is up at {}", service.url()));
    say(format_args!("  open it in a browser and sign in with the API key"));
    say(format_args!("  the API is described at {}api/docs", service.url()));
    say(format_args!("  the API key is in {}", service.key_file().display()));
    crate::terminal::flush();
    service.run(signals).await?;
    Ok(Outcome::Done)
}
