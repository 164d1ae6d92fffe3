//! `resettle schema …`: brings a database up to date, says where it is, or makes a restored one fit for use. What a
//! deployment runs before its services.

use crate::{
    cli::{OwnerArguments, SchemaCommand},
    exit::{Outcome, unavailable},
    terminal::say,
};
use store::{Store, schema};

/// The command.
pub(crate) async fn command(command: SchemaCommand) -> Result<Outcome, anyhow::Error> {
    match command {
        SchemaCommand::Migrate { owner } => migrate(owner).await,
        SchemaCommand::Status { owner } => status(owner).await,
        SchemaCommand::Restored { owner } => restored(owner).await,
    }
}

async fn migrate(owner: OwnerArguments) -> Result<Outcome, anyhow::Error> {
    let applied = schema::migrate(&owner.options()).await.map_err(coded)?;
    for step in &applied.steps {
        say(format_args!("applied {step}"));
    }
    say(format_args!("the database is at step {}", applied.version));
    Ok(Outcome::Done)
}

async fn status(owner: OwnerArguments) -> Result<Outcome, anyhow::Error> {
    let store = Store::connect(&owner.options()).await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    say(format_args!("this program (step {}) can run on the database", schema::VERSION));
    Ok(Outcome::Done)
}

async fn restored(owner: OwnerArguments) -> Result<Outcome, anyhow::Error> {
    let done = store::restored(&owner.options()).await.map_err(coded)?;
    say(format_args!("the event log has a new incarnation: streams begin anew"));
    say(format_args!("jobs whose leases from before the restore count no more: {}", done.jobs));
    say(format_args!("events brought from another cluster's transactions: {}", done.events));
    Ok(Outcome::Done)
}

fn coded(error: store::Error) -> anyhow::Error {
    match error.kind() {
        domain::Kind::Unavailable => unavailable(error),
        _ => anyhow::Error::new(error),
    }
}
