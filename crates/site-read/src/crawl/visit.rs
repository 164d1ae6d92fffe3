//! One visit: ask, judge the answer, store the body. Decides nothing about the crawl.

use std::sync::Arc;

use bytes::Bytes;
use site_fetch::robots::Robots;
use site_fetch::{Error as FetchError, Fetched, Fetcher};
use url::Url;

use super::site::Site;
use crate::archive::{Archive, ContentHash};
use crate::error::{Error, Result};
use crate::journal::{AssetVisit, PageVisit, SitemapVisit, Visit};
use crate::page::Kind;
use crate::snapshot::{Asset, Page};
use crate::web_address::without_fragment;
use crate::{charset, css, media_type, nesting, page, sitemap};

const MAX_ASSET_REDIRECTS: usize = 10;

pub(super) struct Visitor<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) archive: &'a dyn Archive,
    pub(super) site: Site,
    pub(super) robots: Arc<Robots>,
}

impl Visitor<'_> {
    /// Asks for what should be a page; a file behind a link is kept as an asset.
    pub(super) async fn page(&self, url: &Url) -> Result<Visit> {
        if !self.permitted(url).await {
            return Ok(forbidden());
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
            let visit = read_page(self.archive, answer, content_type).await?;
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
            if !self.permitted(&current).await {
                return Ok(forbidden());
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
            if media_type::is_html(&content_type) {
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

    /// Asks for a sitemap, redirects followed. A broken one names what could be read of it.
    pub(super) async fn sitemap(&self, url: &Url) -> Visit {
        let answer = match self.fetcher.get(url).await {
            Ok(answer) if answer.status == 200 => answer,
            Ok(answer) => return answered("missing-sitemap", answer.status),
            Err(error) => return unanswered("missing-sitemap", &error),
        };
        let home = &self.site.home;
        let found = sitemap::read(&answer.body);
        let within = |lines: &[String]| -> Vec<Url> {
            let urls = lines.iter().filter_map(|line| home.join(line).ok());
            urls.filter(|url| self.site.contains(url)).collect()
        };
        let visit = SitemapVisit { pages: within(&found.pages), sitemaps: within(&found.sitemaps) };
        Visit::Sitemap(Box::new(visit))
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
        let read = in_background(move || (dimensions(&kind, &answer.body), references(&kind, &answer)));
        let ((width, height), references) = read.await.unwrap_or_default();
        let asset = Asset { content_type, body, bytes, width, height };
        Ok(Visit::Asset(Box::new(AssetVisit { asset, references, redirect })))
    }

    async fn permitted(&self, url: &Url) -> bool {
        if self.site.is_home(url) {
            return self.robots.allows(url);
        }
        let robots = self.fetcher.robots(url).await;
        robots.is_ok_and(|robots| robots.allows(url))
    }
}

/// Decodes, parses and stores a page; `None` for one that cannot be parsed safely.
pub(super) async fn read_page(
    archive: &dyn Archive,
    answer: Fetched,
    content_type: String,
) -> Result<Option<PageVisit>> {
    let raw = answer.body.clone();
    let status = answer.status;
    let read = in_background(move || {
        let decoded = charset::decode_html(&answer.body, answer.content_type.as_deref());
        if nesting::is_excessive(&decoded.text) {
            return None;
        }
        let facts = page::read(&decoded.text, &answer.url);
        Some((decoded, facts))
    });
    let Some((decoded, facts)) = read.await.flatten() else {
        return Ok(None);
    };
    let bytes = raw.len() as u64;
    let (body, html) = store(archive, raw, decoded.text).await?;
    let (links, assets): (Vec<_>, Vec<_>) =
        facts.references.into_iter().partition(|reference| reference.kind == Kind::Link);
    let urls = |references: Vec<page::Reference>| references.into_iter().map(|found| found.url).collect();
    Ok(Some(PageVisit {
        page: Page {
            status,
            content_type,
            charset: decoded.charset.to_owned(),
            title: facts.title,
            body,
            html,
            depth: 0,
        },
        bytes,
        visible: facts.visible,
        links: urls(links),
        assets: urls(assets),
    }))
}

/// Stores a page as sent and as decoded: once, when they are the same.
async fn store(archive: &dyn Archive, raw: Bytes, text: String) -> Result<(ContentHash, ContentHash)> {
    let same = raw == text.as_bytes();
    let body = archive.put(raw).await.map_err(Error::Archive)?;
    if same {
        return Ok((body.clone(), body));
    }
    let html = archive.put(text.into()).await.map_err(Error::Archive)?;
    Ok((body, html))
}

/// Runs work that only computes on a thread for such, so that other answers are read meanwhile.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// What a style sheet, a drawing or a manifest refers to, absolute.
fn references(content_type: &str, answer: &Fetched) -> Vec<Url> {
    match content_type {
        "text/css" => {
            let text = charset::decode_css(&answer.body, answer.content_type.as_deref()).text;
            let found = css::references(&text).into_iter();
            found
                .filter(|reference| !reference.url.starts_with('#'))
                .filter_map(|reference| answer.url.join(&reference.url).ok())
                .collect()
        }
        "image/svg+xml" => {
            let text = charset::decode_html(&answer.body, answer.content_type.as_deref()).text;
            if nesting::is_excessive(&text) {
                return Vec::new();
            }
            let found = page::read(&text, &answer.url).references.into_iter();
            found.filter(|reference| reference.kind == Kind::Asset).map(|reference| reference.url).collect()
        }
        "application/manifest+json" => icons(answer),
        _ if answer.url.path().ends_with(".webmanifest") => icons(answer),
        _ => Vec::new(),
    }
}

/// Icons and screenshots of a web app manifest.
fn icons(answer: &Fetched) -> Vec<Url> {
    let manifest: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    ["icons", "screenshots"]
        .iter()
        .filter_map(|list| manifest.get(list)?.as_array())
        .flatten()
        .filter_map(|image| answer.url.join(image.get("src")?.as_str()?).ok())
        .collect()
}

fn dimensions(content_type: &str, body: &[u8]) -> (Option<u32>, Option<u32>) {
    if !content_type.starts_with("image/") {
        return (None, None);
    }
    match imagesize::blob_size(body) {
        Ok(size) => (size.width.try_into().ok(), size.height.try_into().ok()),
        Err(_) => (None, None),
    }
}

fn content_type(answer: &Fetched) -> String {
    media_type::of(answer.content_type.as_deref(), &answer.body, answer.url.path())
}

fn unreadable() -> Visit {
    Visit::Left { code: "unreadable-page".into(), note: "nests too deep to be read".to_owned() }
}

fn forbidden() -> Visit {
    Visit::Left {
        code: "robots-disallowed".into(),
        note: "the site's robots.txt forbids reading it".to_owned(),
    }
}

fn answered(code: &'static str, status: u16) -> Visit {
    let note = format!("answers {status}");
    Visit::Left { code: code.into(), note }
}

fn unanswered(code: &'static str, error: &FetchError) -> Visit {
    let code = match error {
        FetchError::TooLarge { .. } => "too-large",
        FetchError::Refused(_) => "refused",
        _ => code,
    };
    let note = error.to_string();
    Visit::Left { code: code.into(), note }
}
