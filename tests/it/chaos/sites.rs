//! The websites that are moved while things break, and what their own log and the artefacts say afterwards.

use super::history;
use crate::{record, stack::Stack};
use std::{collections::BTreeMap, time::Duration};
use testkit::site::{Answer, StaticSite};

/// A small site for each migration, all on one port: two pages that come slowly enough to be interrupted.
pub(crate) async fn serve(many: usize) -> StaticSite {
    let pages = (0..many).flat_map(|number| {
        let page = |title: &str| {
            let text = format!(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\
                 <main><h1>{title} {number}</h1><p>One of many small sites.</p><a href=\"/{number}/\">Home</a> \
                 <a href=\"/{number}/about.html\">About</a></main></body></html>"
            );
            Answer::html(text).delayed(Duration::from_millis(100))
        };
        [(format!("/{number}/"), page("Home")), (format!("/{number}/about.html"), page("About"))]
    });
    StaticSite::serve(pages.collect::<BTreeMap<_, _>>()).await
}

/// Where a migration's package goes, below the artefact store's disk.
pub(crate) async fn package(stack: &Stack, migration: &str) -> String {
    let sql = "SELECT tenant_id::text FROM migrations WHERE id::text = $1";
    let row = stack.database.sql().await.query_one(sql, &[&migration]).await.expect("it was accepted");
    let tenant: String = row.get(0);
    format!("objects/tenants/{tenant}/migrations/{migration}/run-1/artifact.zip")
}

/// What these migrations left: a page is asked for once in each crawl that was begun, and in none after the one that was
/// completed; who is complete has an artefact.
pub(crate) async fn check(
    stack: &Stack,
    site: &StaticSite,
    first: usize,
    mine: &[String],
) -> Result<(), String> {
    let look = stack.database.sql().await;
    for (place, migration) in mine.iter().enumerate() {
        let crawls = history::crawls(&look, migration).await;
        // Not the front page: a crawl that begins asks for it first to see where the site is.
        let page = format!("/{}/about.html", first + place);
        let asked = site.hits(&page);
        if asked > crawls {
            return Err(format!("{page} was asked for {asked} times in {crawls} crawls"));
        }
        if record::job(&stack.database, migration).await.starts_with("COMPLETED") {
            let artifact = stack.client.artifact(migration).await;
            artifact.map_err(|error| format!("the artefact of {migration}: {error:#}"))?;
        }
    }
    Ok(())
}
