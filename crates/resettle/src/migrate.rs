//! `resettle migrate`: asks a gateway for a migration, follows it, and puts the project where it is wanted.

mod follow;
mod job;

pub(crate) use follow::{Ending, follow};
pub(crate) use job::{AfterInterrupt, Job, interrupted, run};

use crate::{
    all_in_one::{self, AllInOne},
    allowed,
    cli::MigrateArguments,
    client::Client,
    exit::{Outcome, usage},
};
use domain::source_url::SourceUrl;
use service_kit::Secret;

/// The command.
pub(crate) async fn command(arguments: MigrateArguments) -> Result<Outcome, anyhow::Error> {
    // The gateway would say the same; but a typing error should not start a database.
    // The address itself is not repeated: it may hold a password.
    let source = SourceUrl::parse(&arguments.url)
        .map_err(|why| usage(format!("the address cannot be moved: {why}")))?;
    let job = Job {
        source: source.as_url().clone(),
        prompt: arguments.prompt.clone(),
        out: arguments.out.clone(),
        json: arguments.json,
        build: arguments.build,
        after_interrupt: AfterInterrupt::Kept,
    };
    match &arguments.server {
        Some(server) => remote(server, &arguments, job).await,
        None => embedded(&arguments, job).await,
    }
}

async fn remote(server: &str, arguments: &MigrateArguments, job: Job) -> Result<Outcome, anyhow::Error> {
    let Some(key) = arguments.api_key.clone() else {
        return Err(usage("--server needs a key: give --api-key or RESETTLE_API_KEY"));
    };
    if !arguments.allow_address.is_empty() {
        return Err(usage(
            "--allow-address is for the server to decide: it cannot be given together with --server",
        ));
    }
    let client = Client::new(server, Secret::new(key))?;
    let job = Job { after_interrupt: AfterInterrupt::GoesOn, ..job };
    run(&client, &job).await
}

async fn embedded(arguments: &MigrateArguments, job: Job) -> Result<Outcome, anyhow::Error> {
    let options = all_in_one::Options {
        data: arguments.data.data.clone(),
        listen: ([127, 0, 0, 1], 0).into(),
        allow_addresses: allowed::resolve(&arguments.allow_address).await?,
        filter: arguments.log.clone(),
    };
    let service = AllInOne::start(options).await?;
    let ran = async { run(&Client::new(&service.url(), service.key())?, &job).await };
    let ran = service.unless_ended(ran).await;
    service.stop().await?;
    ran
}
