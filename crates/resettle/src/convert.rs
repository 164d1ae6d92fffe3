//! `resettle convert`: a website, or a folder of its files, becomes a Next.js project on disk, without a database. The
//! engine is the worker's own; here it gets a scratch folder, and somebody to tell how far it is. Where the machine can, the
//! project is built and compared with its site in a browser, too.
//!
//! The project appears whole or not at all, beside a report of everything that was looked at. One that fails a check
//! stays, since it is its owner who decides what to do about it; the exit code says so.

mod compared;
mod folder_site;
pub(crate) mod make;
mod report;
mod source;

use crate::{
    allowed,
    cli::ConvertArguments,
    crawl::{show::Show, unreadable},
    exit::{Outcome, unavailable},
    migrate::interrupted,
    out_folder::OutFolder,
    terminal::{note, say},
    tools::{Tools, When},
};
use compared::Measured;
use make::{Made, Sources};
use report::Report;
use serde_json::json;
use service_kit::exit::{Code, chain};
use site_check::compare;
use site_fetch::{Fetcher, Options};
use site_read::FolderArchive;
use source::Source;
use tempfile::TempDir;
use url::Url;

/// The command.
pub(crate) async fn command(arguments: ConvertArguments) -> Result<Outcome, anyhow::Error> {
    let source = Source::of(&arguments.source, arguments.stands_for.as_deref())?;
    let allow = allowed::resolve(&arguments.allow_address).await?;
    // Before anything is done: a folder that cannot be used should not cost a crawl.
    let out = OutFolder::choose(Some(&arguments.out), &source.name());
    let out = out.map_err(|why| Code::Config.because(why))?;
    let tools = tools(&arguments).await?;
    match source {
        Source::Address(url) => {
            let per_host = arguments.limits.limits().concurrency;
            let fetcher = Fetcher::new(Options { allow, per_host, ..Options::default() })?;
            convert(&arguments, &tools, &fetcher, &url, &out).await
        }
        Source::Folder(folder, url) => {
            let site = folder_site::Served::start(&folder).map_err(unavailable)?;
            let converted = convert(&arguments, &tools, &site.fetcher(&url, allow)?, &url, &out).await;
            site.stop().await?;
            converted
        }
    }
}

/// What builds and compares; why nothing does, otherwise. What is demanded and missing is refused before anything is done.
async fn tools(arguments: &ConvertArguments) -> Result<Result<Tools, String>, anyhow::Error> {
    if arguments.compare == When::Never {
        return Ok(Err("left out by --compare never".to_owned()));
    }
    let (pages, browsers) = (arguments.compare_pages, arguments.compare_browsers);
    let options = compare::Options { pages, browsers, ..compare::Options::default() };
    match Tools::find(options, arguments.next.into()).await {
        Err(why) if arguments.compare == When::Always => Err(unavailable(why)),
        found => Ok(found),
    }
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Site(#[from] site_read::Error),
    #[error("a scratch folder cannot be used")]
    Scratch(#[source] std::io::Error),
    #[error(transparent)]
    Making(#[from] make::Error),
}

async fn convert(
    arguments: &ConvertArguments,
    tools: &Result<Tools, String>,
    fetcher: &Fetcher,
    source: &Url,
    out: &OutFolder,
) -> Result<Outcome, anyhow::Error> {
    let show = Show::new(arguments.json, source, false);
    let fresh = out.prepare()?;
    let made = tokio::select! {
        made = made(arguments, tools, fetcher, source, &fresh, &show) => Some(made),
        () = interrupted() => None,
    };
    show.leave();
    match made {
        None => {
            note("\nstopped; nothing is kept");
            Ok(Outcome::Interrupted)
        }
        Some(Ok((made, measured))) => {
            let report = Report::of(&made, &measured, out.path());
            report.write(fresh.path())?;
            out.settle(fresh, &json!({"source": source, "files": report.files}))?;
            report.tell(arguments.json, source);
            Ok(if report.passed() { Outcome::Done } else { Outcome::Unsuccessful })
        }
        Some(Err(Error::Site(error))) => unreadable(error, arguments.json, source),
        Some(Err(Error::Making(error @ (make::Error::TooLarge | make::Error::NoPages)))) => {
            Ok(impossible(&error, arguments.json, source))
        }
        Some(Err(error @ Error::Scratch(_))) => Err(unavailable(error)),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Reads the site, and writes its project into `fresh`.
async fn made(
    arguments: &ConvertArguments,
    tools: &Result<Tools, String>,
    fetcher: &Fetcher,
    source: &Url,
    fresh: &TempDir,
    show: &Show,
) -> Result<(Made, Measured), Error> {
    let scratch = tempfile::Builder::new().prefix("resettle-convert-").tempdir().map_err(Error::Scratch)?;
    let archive = FolderArchive::open(scratch.path()).map_err(Error::Scratch)?;
    let tell = |progress: &site_read::Progress| show.progress(progress);
    let snapshot = site_read::crawl(fetcher, &archive, source, &arguments.limits.limits(), &tell).await?;
    show.step("writing the project");
    let sources = Sources::load(snapshot, &archive).await?;
    let made = make::make(sources, arguments.next.into()).await?;
    let (made, measured) = match tools {
        Ok(tools) => tools.measure(made, &archive, show).await?,
        Err(why) => (made, Measured::missing(why)),
    };
    show.step("putting the project on disk");
    made.put(fresh.path(), &archive).await?;
    Ok((made, measured))
}

/// The site was read, and no project can come of it.
fn impossible(error: &make::Error, json: bool, source: &Url) -> Outcome {
    let told = chain(error);
    if json {
        say(json!({"error": {"code": error.code(), "message": told, "retryable": false}}));
    } else {
        note(format_args!("{source} could not be converted ({}): {told}", error.code()));
    }
    Outcome::Unsuccessful
}
