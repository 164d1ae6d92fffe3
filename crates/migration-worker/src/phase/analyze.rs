//! ANALYZE: reads the site through the guarded fetcher, and keeps what it read and what it knows of it.
//!
//! A first look is kept within seconds, beside the crawl. The crawl is recorded request by request, so that another
//! attempt goes on where this one ended; the facts of site and pages are taken from that record when it is whole.

mod facts;

use super::{Bench, Outcome, tool};
use crate::{crawl_journal::RunJournal, failure, progress::Teller, results::Analyzed};
use domain::{Failure, phase::Phase};
use serde_json::json;
use site_read::{
    Gathered, Progress,
    analysis::{self, SiteAnalysis},
};
use std::{io, pin::pin, sync::Arc};
use tempfile::NamedTempFile;

pub(crate) async fn run(bench: &Bench, teller: Arc<Teller>) -> Result<Outcome<Analyzed>, Failure> {
    let opened = RunJournal::open(bench.pen.clone()).await;
    let journal = opened.map_err(|error| failure::of_reading(&site_read::Error::Journal(error)))?;
    let gathered = read(bench, &teller, &journal).await?;
    let key = bench.keys.snapshot();
    let mut gathered = keep(bench, &key, gathered).await?;
    teller.tell(1, 1, tool(Phase::Analyze), "Taking stock of the pages");
    let site = take_stock(bench, &journal, &mut gathered).await?;
    let head = gathered.head();
    let result = Analyzed {
        snapshot: key,
        home: head.home.to_string(),
        pages: gathered.page_count() as u64,
        assets: gathered.asset_count() as u64,
        redirects: head.redirects.len() as u64,
        findings: head.findings.len() as u64,
        truncated: head.truncated.clone(),
    };
    let cut = result.truncated.as_ref().map_or(String::new(), |limit| format!(" Cut by a limit: {limit}."));
    let notes = format!("{} pages and {} assets were read.{cut}", result.pages, result.assets);
    Ok(Outcome { analysis: Some(facts::deep(&site)), ..Outcome::new(result, notes) })
}

/// Stores the snapshot without holding it: what a large site gave is on disk, before and after.
async fn keep(bench: &Bench, key: &str, mut gathered: Gathered) -> Result<Gathered, Failure> {
    let scratch = |error| failure::of_reading(&site_read::Error::Scratch(error));
    let cpu = &bench.materials.cpu;
    let written = cpu.run(move || {
        let mut text = io::BufWriter::new(NamedTempFile::new()?);
        serde_json::to_writer(&mut text, &gathered.document()?)?;
        // By hand: a buffer that is only dropped loses what the disk would not take.
        text.into_inner().map(|file| (gathered, file)).map_err(io::IntoInnerError::into_error)
    });
    let (gathered, file) = written.await?.map_err(scratch)?;
    bench.materials.objects.put_file(key, file.path()).await?;
    Ok(gathered)
}

/// The crawl, with a first look beside it.
async fn read(bench: &Bench, teller: &Teller, journal: &RunJournal) -> Result<Gathered, Failure> {
    let tell = |progress: &Progress| {
        let Progress { pages_done, pages_known, assets_done, assets_known, current } = progress;
        let figures = json!({
            "pagesDone": pages_done, "pagesKnown": pages_known,
            "assetsDone": assets_done, "assetsKnown": assets_known,
        });
        let notes = format!("Reading {current}");
        let (done, known) = (pages_done + assets_done, pages_known + assets_known);
        teller.tell_more(done, known, tool(Phase::Analyze), &notes, figures);
    };
    let shop = &bench.shop;
    let bodies = &bench.materials.bodies;
    let crawl = site_read::gather(&shop.fetcher, bodies, journal, &bench.source, &shop.config.crawl, &tell);
    let mut crawl = pin!(crawl);
    let mut first_look = pin!(first_look(bench, journal));
    let mut looked = false;
    loop {
        tokio::select! {
            gathered = &mut crawl => {
                return gathered.map_err(|error| {
                    tracing::warn!(error = %service_kit::exit::chain(&error), "the site could not be read");
                    failure::of_reading(&error)
                });
            }
            () = &mut first_look, if !looked => looked = true,
        }
    }
}

/// Keeps what the front page, robots.txt and the sitemap tell. The crawl says why if they cannot be read.
async fn first_look(bench: &Bench, journal: &RunJournal) {
    if journal.goes_on() {
        return;
    }
    let shop = &bench.shop;
    match analysis::shallow(&shop.fetcher, &bench.source, shop.config.size).await {
        // A write that is refused ends the job by itself.
        Ok(seen) => drop(bench.pen.keep_analysis(facts::shallow(&seen)).await),
        Err(error) => tracing::debug!(error = %service_kit::exit::chain(&error), "no first look"),
    }
}

/// Keeps a row for each page, and tells what they say of the site. Nobody sees the rows before the phase completes.
async fn take_stock(
    bench: &Bench,
    recorded: &RunJournal,
    gathered: &mut Gathered,
) -> Result<SiteAnalysis, Failure> {
    let mut rows = facts::Rows::new(&bench.pen);
    let failed = |error| failure::of_reading(&site_read::Error::Journal(error));
    let site = analysis::of_reading(recorded, gathered, bench.shop.config.size, &mut rows).await;
    let site = site.map_err(failed)?;
    rows.finish().await.map_err(failed)?;
    Ok(site)
}
