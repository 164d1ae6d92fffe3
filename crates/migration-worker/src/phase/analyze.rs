//! ANALYZE: reads the site through the guarded fetcher and keeps what it read.

use super::{Bench, Outcome, tool};
use crate::{failure, progress::Teller, results::Analyzed};
use domain::{Failure, phase::Phase};
use serde_json::json;
use site_read::Progress;
use std::sync::Arc;

pub(crate) async fn run(bench: &Bench, teller: Arc<Teller>) -> Result<Outcome<Analyzed>, Failure> {
    let shop = &bench.shop;
    let tell = move |progress: &Progress| {
        let Progress { pages_done, pages_known, assets_done, assets_known, current } = progress;
        let figures = json!({
            "pagesDone": pages_done, "pagesKnown": pages_known,
            "assetsDone": assets_done, "assetsKnown": assets_known,
        });
        let notes = format!("Reading {current}");
        teller.tell_more(
            pages_done + assets_done,
            pages_known + assets_known,
            tool(Phase::Analyze),
            &notes,
            figures,
        );
    };
    let bodies = &bench.materials.bodies;
    let crawl = site_read::crawl(&shop.fetcher, bodies, &bench.source, &shop.config.crawl, &tell);
    let snapshot = Box::pin(crawl).await.map_err(|error| {
        tracing::warn!(error = %service_kit::exit::chain(&error), "the site could not be read");
        failure::of_reading(&error)
    })?;
    let key = bench.keys.snapshot();
    bench.materials.objects.put_json(&key, &snapshot).await?;
    let result = Analyzed {
        snapshot: key,
        home: snapshot.home.to_string(),
        pages: snapshot.pages.len() as u64,
        assets: snapshot.assets.len() as u64,
        redirects: snapshot.redirects.len() as u64,
        findings: snapshot.findings.len() as u64,
        truncated: snapshot.truncated.clone(),
    };
    let cut = result.truncated.as_ref().map_or(String::new(), |limit| format!(" Cut by a limit: {limit}."));
    let notes = format!("{} pages and {} assets were read.{cut}", result.pages, result.assets);
    Ok(Outcome::new(result, notes))
}
