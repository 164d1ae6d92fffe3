//! The start page and the sitemaps. Here alone a failure ends the crawl.

use std::collections::BTreeSet;
use std::sync::Arc;

use site_fetch::robots::{Robots, Standing};
use site_fetch::{Error as FetchError, Fetcher};
use url::Url;

use super::ask::Asker;
use super::easel::Easel;
use super::site::Site;
use crate::error::{Error, Result};
use crate::journal::{Door, PageVisit, Purpose, Scribe, Step, Visit, VisitKey};
use crate::limits::Limits;
use crate::media_type;
use crate::snapshot::Asset;
use crate::web_address::{same_origin, without_fragment};

const MAX_SITEMAPS: usize = 50;
const MAX_SITEMAP_URLS: usize = 50_000;

/// The site's door, opened.
pub(super) struct Opened {
    pub(super) site: Site,
    pub(super) robots: Arc<Robots>,
    pub(super) door: Door,
}

/// Follows the start address to the home page, or recalls the way. robots.txt is asked anew each time: what
/// is still to be read is subject to what it says now.
pub(super) async fn open(
    fetcher: &Fetcher,
    easel: &Easel<'_>,
    scribe: &Scribe<'_>,
    start: &Url,
    limits: &Limits,
) -> Result<Opened> {
    let key = VisitKey { purpose: Purpose::Door, url: start.to_string() };
    let known = scribe.recall(std::slice::from_ref(&key)).await.map_err(Error::Journal)?;
    let door = match known.into_iter().next().flatten().as_deref() {
        Some(Visit::Door(door)) => (**door).clone(),
        _ => {
            let door = knock(fetcher, easel, start).await?;
            let visit = Visit::Door(Box::new(door.clone()));
            scribe.record(key, Arc::new(visit)).await.map_err(Error::Journal)?;
            door
        }
    };
    let robots = fetcher.robots(&door.home).await.map_err(|source| failed(&door.home, source))?;
    let mut others: Vec<Url> = door.steps.iter().map(|step| step.from.clone()).collect();
    others.retain(|other| !same_origin(other, &door.home));
    let below = limits.below_start.then(|| folder(&door.home));
    let site = Site { home: door.home.clone(), others, below };
    Ok(Opened { site, robots, door })
}

/// Follows the start address to the home page, over origins too, asking each origin's robots.txt.
async fn knock(fetcher: &Fetcher, easel: &Easel<'_>, start: &Url) -> Result<Door> {
    let mut steps: Vec<Step> = Vec::new();
    let mut current = without_fragment(start);
    loop {
        let failed = |source| failed(&current, source);
        let robots = fetcher.robots(&current).await.map_err(failed)?;
        permitted(&robots, &current)?;
        let answer = fetcher.get_once(&current).await.map_err(failed)?;
        let Some(to) = answer.location().map_err(failed)? else {
            let page = home_page(easel, answer).await?;
            let sitemaps = robots.sitemaps.iter().take(MAX_SITEMAPS).cloned().collect();
            return Ok(Door { home: current, steps, sitemaps, page });
        };
        let to = without_fragment(&to);
        if to == current || steps.iter().any(|step| step.from == to) {
            let url = to.to_string();
            return Err(failed(FetchError::RedirectLoop { url }));
        }
        let limit = fetcher.options().max_redirects;
        if steps.len() >= limit as usize {
            return Err(failed(FetchError::TooManyRedirects { limit }));
        }
        steps.push(Step { from: current, to: to.clone(), status: answer.status });
        current = to;
    }
}

async fn home_page(easel: &Easel<'_>, answer: site_fetch::Fetched) -> Result<PageVisit> {
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
    let page = easel.read(answer, content_type, true).await?;
    let page = page.ok_or(Error::TooDeep)?;
    // What scripts would fill is not empty as long as nobody ran them.
    let unseen = page.page.rendered.is_none() && page.analysis.needs_script.is_some();
    if page.visible || unseen { Ok(page) } else { Err(Error::Empty) }
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

/// The folder of an address, with the slash at its end.
fn folder(url: &Url) -> String {
    let path = url.path();
    path[..=path.rfind('/').unwrap_or_default()].to_owned()
}

/// What was learnt besides the home page before the crawl begins.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Pages that sitemaps name, in canonical order.
    pub(super) pages: Vec<Url>,
    /// Pictures and films that they name, and robots.txt.
    pub(super) assets: BTreeSet<Url>,
    /// The sitemaps themselves.
    pub(super) files: Vec<(Url, Asset)>,
    /// Sitemaps that were not read, or not wholly: code, address, note.
    pub(super) left_out: Vec<(&'static str, Url, String)>,
    /// What an address that does not exist answers.
    pub(super) probe: Option<Arc<Visit>>,
    /// Time was up before all was asked.
    pub(super) cut_by_time: bool,
}

/// Asks for an address that does not exist, and for the sitemaps.
pub(super) async fn named(asker: &Asker<'_>, opened: &Opened) -> Result<Named> {
    let home = &opened.site.home;
    let mut found = Named::default();
    if let Ok(nowhere) = home.join(&nowhere(home)) {
        found.probe = asker.probe(&nowhere).await?;
        found.cut_by_time = found.probe.is_none();
    }
    if opened.robots.standing() == Standing::Read {
        found.assets.extend(home.join("/robots.txt"));
    }
    let named = opened.door.sitemaps.iter();
    let mut waiting: BTreeSet<Url> = named.filter_map(|line| home.join(line).ok()).collect();
    waiting.extend(home.join("/sitemap.xml"));
    let mut asked = BTreeSet::new();
    let mut pages = BTreeSet::new();
    while let Some(next) = waiting.pop_first() {
        if asked.len() >= MAX_SITEMAPS || pages.len() >= MAX_SITEMAP_URLS {
            let note = "more sitemaps, or more addresses in them, than are read".to_owned();
            found.left_out.push(("sitemap-limit", next, note));
            break;
        }
        if !opened.site.contains(&next) || !asked.insert(next.clone()) {
            continue;
        }
        let Some(visit) = asker.sitemap(&next).await? else {
            found.cut_by_time = true;
            break;
        };
        let Visit::Sitemap(sitemap) = &*visit else { continue };
        found.files.extend(sitemap.file.clone().map(|file| (next.clone(), file)));
        let further = sitemap.sitemaps.iter().filter(|url| !asked.contains(*url));
        waiting.extend(further.take(MAX_SITEMAPS * 20).cloned());
        pages.extend(sitemap.pages.iter().cloned());
        found.assets.extend(sitemap.assets.iter().take(MAX_SITEMAP_URLS).cloned());
        if sitemap.cut {
            found.left_out.push(("sitemap-limit", next, "larger than the protocol allows; cut".to_owned()));
        }
    }
    found.pages = pages.into_iter().take(MAX_SITEMAP_URLS).collect();
    Ok(found)
}

/// A path that no site has: drawn from the host's name, so that each crawl of it asks the same.
fn nowhere(home: &Url) -> String {
    let host = home.host_str().unwrap_or_default();
    format!("/{}-there-is-no-such-page", &blake3::hash(host.as_bytes()).to_hex()[..16])
}
