//! One visit: ask, judge the answer, store the body. Decides nothing about the crawl.

use std::sync::Arc;

use site_fetch::robots::{Robots, Standing};
use site_fetch::{Error as FetchError, Fetched, Fetcher};
use url::Url;

use super::content::{self, References};
use super::easel::Easel;
use super::site::Site;
use crate::archive::Archive;
use crate::error::{Error, Result, may_pass};
use crate::journal::{AssetVisit, SitemapVisit, Visit};
use crate::snapshot::Asset;
use crate::web_address::without_fragment;
use crate::{media_type, sitemap};

const MAX_ASSET_REDIRECTS: usize = 10;

pub(super) struct Visitor<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) archive: &'a dyn Archive,
    pub(super) easel: Easel<'a>,
    pub(super) site: Site,
    pub(super) robots: Arc<Robots>,
}

impl Visitor<'_> {
    /// Asks for what should be a page, of this place in the canonical order; a file behind a link is kept as
    /// an asset.
    pub(super) async fn page(&self, url: &Url, place: usize) -> Result<Visit> {
        if let Err(why) = self.permitted(url, "unreachable-page").await {
            return Ok(why);
        }
        let answer = match self.fetcher.get_once(url).await {
            Ok(answer) => answer,
            Err(error) => return Ok(unanswered("unreachable-page", &error)),
        };
        match answer.location() {
            Ok(Some(to)) => {
                let to = without_fragment(&to);
                let status = answer.status;
                return Ok(Visit::Redirect { to, status });
            }
            Ok(None) => {}
            Err(error) => return Ok(unanswered("broken-page", &error)),
        }
        if !(200..300).contains(&answer.status) {
            return Ok(answered("broken-page", answer.status));
        }
        if !self.site.is_home(url) {
            let note = "answers at another origin than the home page and was not read twice";
            return Ok(Visit::Left { code: "other-origin".into(), note: note.to_owned() });
        }
        let content_type = content_type(&answer);
        if media_type::is_html(&content_type) {
            let visit = self.easel.read(answer, content_type, self.easel.takes(place)).await?;
            Ok(visit.map_or_else(unreadable, |visit| Visit::Page(Box::new(visit))))
        } else {
            self.keep(answer, content_type, None).await
        }
    }

    /// Asks for a part of a page; redirects within the site are followed, others are left.
    pub(super) async fn asset(&self, url: &Url) -> Result<Visit> {
        let mut current = url.clone();
        let mut first_status = None;
        for _ in 0..=MAX_ASSET_REDIRECTS {
            if let Err(why) = self.permitted(&current, "missing-asset").await {
                return Ok(why);
            }
            let answer = match self.fetcher.get_once(&current).await {
                Ok(answer) => answer,
                Err(error) => return Ok(unanswered("missing-asset", &error)),
            };
            match answer.location() {
                Ok(Some(to)) if self.site.contains(&to) => {
                    first_status.get_or_insert(answer.status);
                    current = without_fragment(&to);
                    continue;
                }
                Ok(Some(to)) => {
                    return Ok(Visit::Redirect { to, status: answer.status });
                }
                Ok(None) => {}
                Err(error) => return Ok(unanswered("missing-asset", &error)),
            }
            if !(200..300).contains(&answer.status) {
                return Ok(answered("missing-asset", answer.status));
            }
            let content_type = content_type(&answer);
            if media_type::is_html(&content_type) && !content::is_fragment(&answer.body, current.path()) {
                return Ok(Visit::Left {
                    code: "asset-is-page".into(),
                    note: "answers with an HTML page instead of a file".to_owned(),
                });
            }
            let redirect = first_status.map(|status| (status, current));
            return self.keep(answer, content_type, redirect).await;
        }
        Ok(Visit::Left { code: "redirect-loop".into(), note: "redirects without end".to_owned() })
    }

    /// Opens a page in a browser and notes which files its scripts ask for, and where they lead.
    pub(super) async fn run_scripts(&self, url: &Url) -> Result<Visit> {
        Ok(match self.easel.run_scripts(url).await {
            Ok(requested) => Visit::Requested(requested),
            Err(why) => Visit::Left {
                code: "scripts-not-run".into(),
                note: format!(
                    "its scripts were not run, so files and pages that only they name may be missing: {why}"
                ),
            },
        })
    }

    /// Asks for a sitemap, redirects followed. A broken one names what could be read of it. The file is kept: it belongs to
    /// the site as its pages do.
    pub(super) async fn sitemap(&self, url: &Url) -> Result<Visit> {
        let answer = match self.fetcher.get(url).await {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => return Ok(answered("missing-sitemap", answer.status)),
            Err(error) => return Ok(unanswered("missing-sitemap", &error)),
        };
        let (content_type, bytes) = (content_type(&answer), answer.body.len() as u64);
        let body = self.archive.put(answer.body.clone()).await.map_err(Error::Archive)?;
        let file = Asset { content_type, body, bytes, width: None, height: None };
        let site = self.site.clone();
        let read = in_background(move || {
            let mut found = content::within(sitemap::read(&answer.body), &answer.url);
            for list in [&mut found.pages, &mut found.sitemaps] {
                list.retain(|url| site.contains(url));
            }
            found
        });
        let read = read.await.unwrap_or_default();
        Ok(Visit::Sitemap(Box::new(SitemapVisit { file: Some(file), ..read })))
    }

    /// Asks for an address that does not exist; its page is kept whatever its status.
    pub(super) async fn probe(&self, url: &Url) -> Result<Visit> {
        if let Err(why) = self.permitted(url, "unreachable-page").await {
            return Ok(why);
        }
        let answer = match self.fetcher.get_once(url).await {
            Ok(answer) => answer,
            Err(error) => return Ok(unanswered("unreachable-page", &error)),
        };
        if let Ok(Some(to)) = answer.location() {
            let status = answer.status;
            return Ok(Visit::Redirect { to: without_fragment(&to), status });
        }
        let (status, content_type) = (answer.status, content_type(&answer));
        if !media_type::is_html(&content_type) {
            return Ok(answered("not-a-page", status));
        }
        let visit = self.easel.read(answer, content_type, false).await?;
        Ok(visit.map_or_else(unreadable, |visit| Visit::Page(Box::new(visit))))
    }

    async fn keep(
        &self,
        answer: Fetched,
        content_type: String,
        redirect: Option<(u16, Url)>,
    ) -> Result<Visit> {
        let body = self.archive.put(answer.body.clone()).await;
        let body = body.map_err(Error::Archive)?;
        let bytes = answer.body.len() as u64;
        let kind = content_type.clone();
        let _desk = self.easel.desks.acquire().await.ok();
        let read = compute(answer.body.len(), move || {
            (content::dimensions(&kind, &answer.body), content::references(&kind, &answer))
        });
        let ((width, height), References { assets, links, cut, asks, registers }) =
            read.await.unwrap_or_default();
        let asset = Asset { content_type, body, bytes, width, height };
        Ok(Visit::Asset(Box::new(AssetVisit {
            asset,
            references: assets,
            links,
            cut,
            asks,
            registers,
            redirect,
        })))
    }

    /// An error is what came of it without a request; `code` names that its host does not answer.
    async fn permitted(&self, url: &Url, code: &'static str) -> Result<(), Visit> {
        if self.site.is_home(url) {
            return allowed(&self.robots, url);
        }
        let robots = self.fetcher.robots(url).await.map_err(|error| unanswered(code, &error))?;
        allowed(&robots, url)
    }
}

/// Bytes that are worked through in less time than it takes to wake another thread and to come back, or little more.
const LITTLE: usize = 96 * 1024;

/// Works on so many bytes: here if they are few, otherwise where other answers can be read meanwhile.
pub(super) async fn compute<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if bytes <= LITTLE { Some(work()) } else { in_background(work).await }
}

/// Runs work that only computes on a thread for such, so that other answers are read meanwhile.
pub(super) async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn content_type(answer: &Fetched) -> String {
    media_type::of(answer.content_type.as_deref(), &answer.body, answer.url.path())
}

fn unreadable() -> Visit {
    Visit::Left { code: "unreadable-page".into(), note: "nests too deep to be read".to_owned() }
}

fn allowed(robots: &Robots, url: &Url) -> Result<(), Visit> {
    if robots.allows(url) {
        return Ok(());
    }
    let code = "robots-disallowed".into();
    let unread =
        |why: &str| format!("the site's robots.txt could not be read ({why}), so nothing is read there");
    Err(match robots.standing() {
        Standing::ServerError { status } => {
            Visit::Failed { code, note: passing(&unread(&format!("it answers {status}"))) }
        }
        Standing::Unreachable => Visit::Failed { code, note: passing(&unread("nobody answers")) },
        Standing::Read | Standing::Absent => {
            Visit::Left { code, note: "the site's robots.txt forbids reading it".to_owned() }
        }
    })
}

fn answered(code: &'static str, status: u16) -> Visit {
    let (code, note) = (code.into(), format!("answers {status}"));
    if may_pass(status) { Visit::Failed { code, note: passing(&note) } } else { Visit::Left { code, note } }
}

fn unanswered(code: &'static str, error: &FetchError) -> Visit {
    let code = match error {
        FetchError::TooLarge { .. } => "too-large",
        FetchError::Refused(_) => "refused",
        _ => code,
    };
    let (code, note) = (code.into(), error.to_string());
    if error.is_transient() {
        Visit::Failed { code, note: passing(&note) }
    } else {
        Visit::Left { code, note }
    }
}

fn passing(note: &str) -> String {
    format!("{note}, which may pass")
}
