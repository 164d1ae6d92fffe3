//! `resettle crawl`: reads a website into a folder, without a database. The engine does the work; here it gets a
//! folder to put things into, and somebody to tell how far it is.
//!
//! An interrupted crawl is taken up by the same command. One that is whole is read anew by it, and then only what has
//! changed is transferred.

mod folder;
mod limits;
pub(crate) mod show;

pub(crate) use limits::LimitArguments;

use crate::{
    allowed,
    cli::CrawlArguments,
    exit::{Outcome, unavailable, usage},
    migrate::interrupted,
    terminal::{note, say},
};
use domain::source_url::SourceUrl;
use folder::{Folder, Opened};
use serde_json::{Value, json};
use show::Show;
use site_fetch::{Fetcher, Options};
use site_read::{Gathered, Limits, analysis};
use std::{io, sync::Arc};
use url::Url;

/// The command.
pub(crate) async fn command(arguments: CrawlArguments) -> Result<Outcome, anyhow::Error> {
    // The address itself is not repeated: it may hold a password.
    let source = SourceUrl::parse(&arguments.url)
        .map_err(|why| usage(format!("the address cannot be read: {why}")))?;
    let allow = allowed::resolve(&arguments.allow_address).await?;
    let folder = Folder::choose(&arguments.out, source.as_url()).map_err(folder::Error::coded)?;
    let opened = folder.open(arguments.cache.as_deref()).map_err(folder::Error::coded)?;
    // A copy of what the site sends takes no browser: only `convert` has to have what scripts ask for.
    let limits = Limits { run_scripts: false, ..arguments.limits.limits() };
    // An address is opened for what is one's own: nobody there has to be spared.
    let adapt = allow.is_empty();
    let fetcher =
        Fetcher::builder(Options { allow, adapt, per_host: limits.concurrency, ..Options::default() });
    let fetcher = fetcher.cache(Arc::new(opened.cache.clone())).build()?;
    let show = Show::new(arguments.json, source.as_url(), opened.goes_on);
    let read = read(&fetcher, &folder, &opened, source.as_url(), &limits, &show);
    let read = tokio::select! {
        read = read => Some(read),
        () = interrupted() => None,
    };
    show.leave();
    match read {
        None => {
            note("\nstopped; the same command goes on where it is");
            Ok(Outcome::Interrupted)
        }
        Some(Ok(summary)) => {
            tell(&arguments, source.as_url(), &folder, &summary);
            Ok(Outcome::Done)
        }
        Some(Err(error)) => failed(error, &arguments, source.as_url()),
    }
}

/// Why a crawl ended early.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Site(#[from] site_read::Error),
    #[error(transparent)]
    Folder(#[from] folder::Error),
}

/// Reads the site and leaves everything that is known of it in the folder.
async fn read(
    fetcher: &Fetcher,
    folder: &Folder,
    opened: &Opened,
    source: &Url,
    limits: &Limits,
    show: &Show,
) -> Result<Value, Error> {
    let report = |progress: &site_read::Progress| show.progress(progress);
    let read = site_read::gather(fetcher, &opened.archive, &opened.journal, source, limits, &report);
    let mut gathered = read.await?;
    let mut pages = folder.pages(&opened.archive)?;
    let bounds = analysis::SizeBounds::default();
    let site = analysis::of_reading(&opened.journal, &mut gathered, bounds, &mut pages)
        .await
        .map_err(site_read::Error::Journal)?;
    let bytes = pages.settle()? + asset_bytes(&mut gathered).map_err(site_read::Error::Scratch)?;
    folder.write("snapshot.json", &gathered.document().map_err(site_read::Error::Scratch)?)?;
    folder.write("analysis.json", &site)?;
    // Last: from here on the crawl is whole, and the next one begins anew.
    folder.complete()?;
    let (traffic, head) = (fetcher.traffic(), gathered.head());
    Ok(json!({
        "pages": gathered.page_count(),
        "assets": gathered.asset_count(),
        "redirects": head.redirects.len(),
        "bytes": bytes,
        "truncated": head.truncated,
        "findings": head.findings.len(),
        "requests": traffic.requests,
        "unchanged": traffic.unchanged + traffic.unasked,
        "transferred": traffic.bytes,
        "out": folder.path(),
    }))
}

fn asset_bytes(gathered: &mut Gathered) -> io::Result<u64> {
    gathered.assets()?.map(|asset| Ok(asset?.1.bytes)).sum()
}

fn tell(arguments: &CrawlArguments, source: &Url, folder: &Folder, summary: &Value) {
    if arguments.json {
        say(summary);
        return;
    }
    let number = |name: &str| summary[name].as_u64().unwrap_or_default();
    say(format_args!(
        "{source} was read: {} pages, {} assets and {} redirects, {} bytes, in\n  {}",
        number("pages"),
        number("assets"),
        number("redirects"),
        number("bytes"),
        folder.path().display()
    ));
    if number("unchanged") > 0 {
        say(format_args!(
            "{} answers had not changed since an earlier crawl; {} bytes were transferred.",
            number("unchanged"),
            number("transferred")
        ));
    }
    if let Some(limit) = summary["truncated"].as_str() {
        say(format_args!("It was cut by a limit ({limit}): not everything was read."));
    }
    if number("findings") > 0 {
        say(format_args!("{} findings are in snapshot.json.", number("findings")));
    }
}

/// A site that cannot be read is told like a migration that failed; what the user or the machine can mend has the
/// exit code for it.
fn failed(error: Error, arguments: &CrawlArguments, source: &Url) -> Result<Outcome, anyhow::Error> {
    let error = match error {
        Error::Folder(error) => return Err(error.coded()),
        Error::Site(error) => error,
    };
    unreadable(error, arguments.json, source)
}

/// The same for every command that reads a site.
pub(crate) fn unreadable(
    error: site_read::Error,
    json: bool,
    source: &Url,
) -> Result<Outcome, anyhow::Error> {
    match error {
        site_read::Error::Refused(_) => return Err(usage(service_kit::exit::chain(&error))),
        site_read::Error::Archive(_) | site_read::Error::Journal(_) | site_read::Error::Scratch(_) => {
            return Err(unavailable(error));
        }
        _ => {}
    }
    let told = service_kit::exit::chain(&error);
    if json {
        say(json!({"error": {"code": error.code(), "message": told, "retryable": error.is_transient()}}));
    } else {
        note(format_args!("{source} could not be read ({}): {told}", error.code()));
    }
    Ok(Outcome::Unsuccessful)
}
