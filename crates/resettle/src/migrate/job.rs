//! One migration from the asking to the project on disk, with everything that the person at the terminal is told.

use super::follow::{Ending, follow};
use crate::{
    build,
    client::{self, Client, Started},
    exit::{Outcome, unavailable},
    out_folder::OutFolder,
    progress::Progress,
    terminal::{note, say},
    unpack,
};
use domain::{MigrationId, event::Event};
use serde_json::json;
use service_kit::exit::Code;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;
use uuid::Uuid;

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) source: Url,
    pub(crate) prompt: String,
    /// `./out/<host>/` if absent.
    pub(crate) out: Option<PathBuf>,
    /// One JSON object per line instead of words.
    pub(crate) json: bool,
    /// Build the project, too.
    pub(crate) build: bool,
    /// What Ctrl-C leaves.
    pub(crate) after_interrupt: AfterInterrupt,
}

/// What becomes of a migration whose command was interrupted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AfterInterrupt {
    /// Its data was temporary.
    Gone,
    /// It lies in the data folder and goes on at the next start.
    Kept,
    /// A server goes on with it.
    GoesOn,
}

/// A move that was just asked for has no other.
const FIRST_RUN: i32 = 1;

/// Does it, or says how far it came.
pub(crate) async fn run(client: &Client, job: &Job) -> Result<Outcome, anyhow::Error> {
    // Before anything is done: a folder that cannot be used should not cost a migration.
    let out = OutFolder::choose(job.out.as_deref(), &job.source).map_err(|why| Code::Config.because(why))?;
    let started = client.start(job.source.as_str(), &job.prompt, Uuid::now_v7()).await.map_err(coded)?;
    let (id, run) = match started {
        Started::New(id) => (id, FIRST_RUN),
        Started::Joined(id) => {
            note(format_args!("this site is being moved already: following migration {id}"));
            // An earlier run's end stands in the history, too, and is not what is waited for.
            (id, client.run_of(id).await.map_err(coded)?)
        }
    };
    let mut progress = Progress::new(job.json, &job.source);
    let mut show = |event: &Event| progress.show(event);
    let ending = tokio::select! {
        ending = follow(client, id, run, &mut show) => Some(ending),
        () = interrupted() => None,
    };
    progress.leave();
    let Some(ending) = ending.transpose().map_err(coded)? else {
        tell_what_is_left(job.after_interrupt, id);
        return Ok(Outcome::Interrupted);
    };
    if !ending.success {
        tell_failure(job, id, &ending);
        return Ok(Outcome::Unsuccessful);
    }
    let files = download(client, id, job, &out).await?;
    if job.build && !built(job, id, &ending, &out, files).await? {
        return Ok(Outcome::Unsuccessful);
    }
    tell_success(job, id, &ending, out.path(), files);
    Ok(Outcome::Done)
}

/// A server that is away may be back later; one that refuses will refuse again.
fn coded(error: client::Error) -> anyhow::Error {
    if error.may_pass() { unavailable(error) } else { anyhow::Error::new(Code::Config.because(error)) }
}

async fn download(
    client: &Client,
    id: MigrationId,
    job: &Job,
    out: &OutFolder,
) -> Result<u64, anyhow::Error> {
    let fresh = out.prepare()?;
    let archive = tempfile::NamedTempFile::new()?;
    client.artifact(id, archive.path()).await.map_err(coded)?;
    let (from, into) = (archive.path().to_owned(), fresh.path().to_owned());
    let files = tokio::task::spawn_blocking(move || unpack::unpack(&from, &into)).await??;
    out.settle(fresh, &json!({"migrationId": id, "source": job.source, "files": files}))?;
    Ok(files)
}

/// A failed build is an unsuccessful migration, told with the build's own words.
async fn built(
    job: &Job,
    id: MigrationId,
    ending: &Ending,
    out: &OutFolder,
    files: u64,
) -> Result<bool, anyhow::Error> {
    let Err(error) = build::build(out.path()).await else { return Ok(true) };
    if job.json {
        let failure = json!({"code": "build_failed", "message": service_kit::exit::chain(&error)});
        say(result(id, ending.pages, out.path(), files, false, Some(failure)));
    }
    note(format_args!(
        "the project is in {}, but it cannot be built: {}",
        out.path().display(),
        service_kit::exit::chain(&error)
    ));
    Ok(false)
}

fn result(
    id: MigrationId,
    pages: u64,
    out: &Path,
    files: u64,
    success: bool,
    error: Option<serde_json::Value>,
) -> serde_json::Value {
    let mut result =
        json!({"migrationId": id, "out": out, "files": files, "pages": pages, "success": success});
    if let Some(error) = error {
        result["error"] = error;
    }
    result
}

fn tell_success(job: &Job, id: MigrationId, ending: &Ending, out: &Path, files: u64) {
    if job.json {
        say(result(id, ending.pages, out, files, true, None));
        return;
    }
    let shown = out.display();
    say(format_args!("\n{} is a Next.js project now: {} pages, {files} files, in", job.source, ending.pages));
    say(format_args!("  {shown}\n\nRun it:"));
    if job.build {
        say(format_args!("  cd {shown} && npm start"));
    } else {
        say(format_args!("  cd {shown} && npm ci && npm run build && npm start"));
    }
    say("then look at http://localhost:3000/");
}

fn tell_failure(job: &Job, id: MigrationId, ending: &Ending) {
    let (code, message) = ending.failure.clone().unwrap_or_else(|| {
        (
            ending.state.clone(),
            format!("The migration is {}.", if ending.state.is_empty() { "over" } else { &ending.state }),
        )
    });
    if job.json {
        let error = json!({"code": code, "message": message});
        say(
            json!({"migrationId": id, "out": null, "files": 0, "pages": ending.pages, "success": false, "error": error}),
        );
    } else {
        note(format_args!("\n{} could not be moved ({code}).\n{message}", job.source));
    }
}

fn tell_what_is_left(after: AfterInterrupt, id: MigrationId) {
    match after {
        AfterInterrupt::Gone => note("\nstopped; nothing is kept"),
        AfterInterrupt::Kept => {
            note(format_args!("\nstopped; migration {id} is kept: the same command takes it up where it is"));
        }
        AfterInterrupt::GoesOn => note(format_args!(
            "\nmigration {id} goes on at the server: the same command follows it again, and\n  POST \
             /api/migration/{id}/cancel\ncalls it off"
        )),
    }
}

/// Ctrl-C, or a supervisor's SIGTERM.
pub(crate) async fn interrupted() {
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else {
        // Without handlers the signals keep their plain meaning: they end the process.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
