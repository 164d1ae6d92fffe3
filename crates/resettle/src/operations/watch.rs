//! `resettle watch`: follows a migration that somebody started, to its end.

use super::{Asking, refused};
use crate::{
    exit::Outcome,
    migrate::{Ending, follow, interrupted},
    progress::Progress,
    terminal::note,
};
use clap::Args;
use domain::{MigrationId, event::Event};

#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// The migration's id
    id: uuid::Uuid,
    #[command(flatten)]
    asking: Asking,
}

/// Unsuccessful if the migration is. Of one that was run again, the last run counts.
pub(crate) async fn command(arguments: WatchArguments) -> Result<Outcome, anyhow::Error> {
    let WatchArguments { id, asking } = arguments;
    let client = asking.client()?;
    let watched = async {
        let id = MigrationId(id);
        let run = client.run_of(id).await?;
        let mut progress = Progress::of(asking.json, &format!("watching {id}"));
        let mut show = |event: &Event| progress.show(event);
        let ending = tokio::select! {
            ending = follow(&client, id, run, &mut show) => Some(ending),
            () = interrupted() => None,
        };
        progress.leave();
        ending.transpose()
    };
    match watched.await {
        Ok(Some(ending)) => Ok(ended(ending)),
        Ok(None) => {
            note(format_args!("\nmigration {id} goes on at the server"));
            Ok(Outcome::Interrupted)
        }
        Err(error) => refused(error),
    }
}

fn ended(ending: Ending) -> Outcome {
    if ending.success {
        note(format_args!("completed: {} pages", ending.pages));
        return Outcome::Done;
    }
    let (code, message) = ending.failure.unwrap_or_else(|| (ending.state.clone(), String::new()));
    note(format_args!("not completed ({code}). {message}"));
    Outcome::Unsuccessful
}
