//! A first look at a site: its front page, robots.txt and sitemaps, in a handful of requests.

use serde::{Deserialize, Serialize};
use site_fetch::Fetcher;
use url::Url;

use super::page::{PageAnalysis, PageInput, analyse};
use super::site::{SizeBounds, SizeClass};
use crate::error::{Error, Result};
use crate::{charset, markup, media_type, sitemap};

/// Most sitemaps that are looked at.
const SITEMAPS: usize = 5;

/// What a first look tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShallowAnalysis {
    /// Where the front page is.
    pub home: String,
    /// Its facts.
    pub front_page: PageAnalysis,
    /// Pages that there seem to be: those that sitemaps name, or else that the front page links to.
    pub estimated_pages: u32,
    /// What that makes the site.
    pub size_class: SizeClass,
    /// Seconds of AI time that its migration may need, by the front page and the estimate.
    pub ai_seconds: u64,
    /// Sitemaps that could be read.
    pub sitemaps: Vec<String>,
    /// Seconds between requests that robots.txt asks for.
    pub crawl_delay_seconds: Option<u64>,
}

/// Looks at the front page, robots.txt and the first sitemaps. Fails if the front page cannot be read.
pub async fn shallow(fetcher: &Fetcher, start: &Url, bounds: SizeBounds) -> Result<ShallowAnalysis> {
    let failed = |source| Error::Unreachable { url: start.to_string(), source };
    let robots = fetcher.robots(start).await.map_err(failed)?;
    if !robots.allows(start) {
        return Err(Error::RobotsForbid);
    }
    let answer = fetcher.get(start).await.map_err(failed)?;
    if answer.status >= 400 {
        return Err(Error::Status { url: answer.url.to_string(), status: answer.status });
    }
    let content_type = media_type::of(answer.content_type.as_deref(), &answer.body, answer.url.path());
    if !media_type::is_html(&content_type) {
        return Err(Error::NotHtml { content_type });
    }
    let home = answer.url.clone();
    let named = sitemaps(fetcher, &home, &robots.sitemaps).await;
    let read = tokio::task::spawn_blocking(move || {
        let decoded = charset::decode_html(&answer.body, answer.content_type.as_deref(), &answer.url);
        let document = markup::parse(&decoded.text)?;
        let input = PageInput { url: &answer.url, status: answer.status, headers: &answer.headers };
        Some(analyse(&document, &input))
    });
    let front_page = read.await.ok().flatten().ok_or(Error::TooDeep)?;
    let estimated_pages = named.pages.max(front_page.links.internal.min(1_000)).max(1);
    let scripts = front_page.scripts.len() as u64;
    Ok(ShallowAnalysis {
        home: home.to_string(),
        size_class: bounds.class(estimated_pages, None),
        ai_seconds: 60 + scripts * 10 + front_page.forms.len() as u64 * 8 + u64::from(estimated_pages),
        estimated_pages,
        sitemaps: named.read,
        crawl_delay_seconds: robots.crawl_delay.map(|delay| delay.as_secs()),
        front_page,
    })
}

#[derive(Default)]
struct Named {
    read: Vec<String>,
    pages: u32,
}

async fn sitemaps(fetcher: &Fetcher, home: &Url, named: &[String]) -> Named {
    let mut waiting: Vec<Url> = named.iter().filter_map(|line| home.join(line).ok()).collect();
    if waiting.is_empty() {
        waiting.extend(home.join("/sitemap.xml"));
    }
    let mut found = Named::default();
    let mut asked = 0;
    while let Some(next) = waiting.pop()
        && asked < SITEMAPS
    {
        asked += 1;
        // A sitemap that cannot be had makes the estimate coarser, no more.
        let Ok(answer) = fetcher.get(&next).await else { continue };
        if answer.status != 200 {
            continue;
        }
        let listed = sitemap::read(&answer.body);
        found.read.push(next.to_string());
        found.pages = found.pages.saturating_add(u32::try_from(listed.pages.len()).unwrap_or(u32::MAX));
        waiting.extend(listed.sitemaps.iter().take(SITEMAPS).filter_map(|line| next.join(line).ok()));
    }
    found
}
