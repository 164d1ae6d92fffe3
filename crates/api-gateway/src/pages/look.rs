//! A first look at a site before anything is started: its front page, robots.txt and sitemaps, through the guard.
//! Nothing is kept of it. Few at a time, and each within a bound: it is somebody else's server.

use super::{start::with_scheme, words::LANGUAGES};
use crate::{
    Code, Problem,
    gateway::Parts,
    input::{Body, Caller},
    routes::start::unfit,
};
use actix_web::web::{Data, Json};
use domain::source_url::SourceUrl;
use serde::{Deserialize, Serialize};
use site_read::analysis::{SizeBounds, shallow};
use std::time::Duration;
use tokio::time::timeout;

/// A person waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    url: String,
    /// The page's language.
    language: String,
}

/// What is shown of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    title: Option<String>,
    home: String,
    pages: u32,
    /// Do sitemaps name that many? Otherwise it is an estimate.
    listed: bool,
    /// In the page's language.
    size: &'static str,
}

pub(super) async fn look(
    parts: Data<Parts>,
    caller: Caller,
    Body(at): Body<Where>,
) -> Result<Json<Found>, Problem> {
    caller.who_may_write()?;
    let words = LANGUAGES.into_iter().find(|words| words.code == at.language).unwrap_or(LANGUAGES[0]);
    let told = |code| Problem::new(code, words.problem(Code::slug(code)));
    let url = SourceUrl::parse(&with_scheme(&at.url)).map_err(|_| told(Code::InvalidSourceUrl))?;
    let looking = async {
        // Closed never; whoever waits too long for a place is told so.
        let _place = parts.looks.acquire().await;
        parts.guard.vet(url.as_url()).await.map_err(|error| told(unfit(&error).code()))?;
        let seen = shallow(&parts.guard, url.as_url(), SizeBounds::default()).await;
        seen.map_err(|error| {
            tracing::info!(error = service_kit::exit::chain(&error), "a first look was not possible");
            told(Code::SiteUnreadable)
        })
    };
    let seen = timeout(PATIENCE, looking).await.map_err(|_| told(Code::SiteUnreadable))??;
    Ok(Json(Found {
        // More than the front page links to can only have been listed.
        listed: !seen.sitemaps.is_empty() && seen.estimated_pages > seen.front_page.links.internal.min(1_000),
        title: seen.front_page.title,
        home: seen.home,
        pages: seen.estimated_pages,
        size: words.size(seen.size_class.as_str()),
    }))
}
