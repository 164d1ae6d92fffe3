//! `resettle schema …`: brings a database up to date, or says where it is. What a deployment runs before its
//! services.

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
    }
}

async fn migrate(owner: OwnerArguments) -> Result<Outcome, anyhow::Error> {
    let applied = schema::migrate(&options(owner)).await.map_err(coded)?;
    for step in &applied.steps {
        say(format_args!("applied {step}"));
    }
    say(format_args!("the database is at step {}", applied.version));
    Ok(Outcome::Done)
}

async fn status(owner: OwnerArguments) -> Result<Outcome, anyhow::Error> {
    let store = Store::connect(&options(owner)).await.map_err(coded)?;
    store.check_schema().await.map_err(coded)?;
    say(format_args!("this program (step {}) can run on the database", schema::VERSION));
    Ok(Outcome::Done)
}

fn options(owner: OwnerArguments) -> store::Options {
    store::Options { url: owner.owner_url, ..store::Options::default() }
}

fn coded(error: store::Error) -> anyhow::Error {
    match error.kind() {
        domain::Kind::Unavailable => unavailable(error),
        _ => anyhow::Error::new(error),
    }
}
