//! The start page and the sitemaps. Here alone a failure ends the crawl.

use std::collections::BTreeSet;
use std::sync::Arc;

use site_fetch::robots::{Robots, Standing};
use site_fetch::{Error as FetchError, Fetcher, Hop};
use url::Url;

use super::site::Site;
use super::visit::{self, PageVisit};
use crate::archive::Archive;
use crate::error::{Error, Result};
use crate::media_type;
use crate::sitemap;
use crate::web_address::{same_origin, without_fragment};

const MAX_SITEMAPS: usize = 50;
const MAX_SITEMAP_URLS: usize = 50_000;

/// The site's door, opened.
pub(super) struct Opened {
    pub(super) site: Site,
    pub(super) robots: Arc<Robots>,
    pub(super) hops: Vec<Hop>,
    pub(super) page: PageVisit,
}

/// Follows the start address to the home page, over origins too, asking each origin's robots.txt.
pub(super) async fn open(fetcher: &Fetcher, archive: &dyn Archive, start: &Url) -> Result<Opened> {
    let mut hops: Vec<Hop> = Vec::new();
    let mut current = without_fragment(start);
    loop {
        let failed = |source| failed(&current, source);
        let robots = fetcher.robots(&current).await.map_err(failed)?;
        permitted(&robots, &current)?;
        let answer = fetcher.get_once(&current).await.map_err(failed)?;
        let Some(to) = answer.location().map_err(failed)? else {
            let page = home_page(archive, answer).await?;
            let mut others: Vec<Url> = hops.iter().map(|hop| hop.from.clone()).collect();
            others.retain(|other| !same_origin(other, &current));
            let site = Site { home: current, others };
            return Ok(Opened { site, robots, hops, page });
        };
        let to = without_fragment(&to);
        if to == current || hops.iter().any(|hop| hop.from == to) {
            let url = to.to_string();
            return Err(failed(FetchError::RedirectLoop { url }));
        }
        let limit = fetcher.options().max_redirects;
        if hops.len() >= limit as usize {
            return Err(failed(FetchError::TooManyRedirects { limit }));
        }
        hops.push(Hop { from: current, to: to.clone(), status: answer.status });
        current = to;
    }
}

async fn home_page(archive: &dyn Archive, answer: site_fetch::Fetched) -> Result<PageVisit> {
    if answer.status >= 400 {
        return Err(Error::Status { url: answer.url.to_string(), status: answer.status });
    }
    let path = answer.url.path();
    let content_type = media_type::of(answer.content_type.as_deref(), &answer.body, path);
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::Empty);
    }
    if !media_type::is_html(&content_type) {
        return Err(Error::NotHtml { content_type });
    }
    let page = visit::read_page(archive, answer, content_type).await?;
    let page = page.ok_or(Error::TooDeep)?;
    if page.facts.visible { Ok(page) } else { Err(Error::Empty) }
}

fn permitted(robots: &Robots, url: &Url) -> Result<()> {
    if robots.allows(url) {
        return Ok(());
    }
    if let Standing::ServerError { status } = robots.standing() {
        let url = url.join("/robots.txt").unwrap_or_else(|_| url.clone());
        return Err(Error::Status { url: url.to_string(), status });
    }
    Err(Error::RobotsForbid)
}

fn failed(url: &Url, source: FetchError) -> Error {
    if matches!(source, FetchError::Refused(_)) {
        Error::Refused(source)
    } else {
        Error::Unreachable { url: url.to_string(), source }
    }
}

/// Addresses that the site's sitemaps name, in canonical order. A broken sitemap names what could
/// be read of it.
pub(super) async fn sitemaps(fetcher: &Fetcher, opened: &Opened) -> Vec<Url> {
    let home = &opened.site.home;
    let named = opened.robots.sitemaps.iter();
    let mut waiting: BTreeSet<Url> = named.filter_map(|line| home.join(line).ok()).collect();
    waiting.extend(home.join("/sitemap.xml"));
    let mut asked = BTreeSet::new();
    let mut pages = BTreeSet::new();
    while let Some(next) = waiting.pop_first() {
        if asked.len() >= MAX_SITEMAPS || pages.len() >= MAX_SITEMAP_URLS {
            break;
        }
        if !opened.site.contains(&next) || !asked.insert(next.clone()) {
            continue;
        }
        let Ok(answer) = fetcher.get(&next).await else {
            continue;
        };
        if answer.status != 200 {
            continue;
        }
        let found = sitemap::read(&answer.body);
        let further = found.sitemaps.iter().filter_map(|line| home.join(line).ok());
        waiting.extend(further.filter(|url| !asked.contains(url)).take(MAX_SITEMAPS * 20));
        let addresses = found.pages.iter().filter_map(|line| home.join(line).ok());
        pages.extend(addresses.filter(|url| opened.site.contains(url)));
    }
    pages.into_iter().take(MAX_SITEMAP_URLS).collect()
}
