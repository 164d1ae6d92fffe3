//! One visit: ask, judge the answer, store the body. Decides nothing about the crawl.

use std::sync::Arc;

use bytes::Bytes;
use site_fetch::robots::Robots;
use site_fetch::{Error as FetchError, Fetched, Fetcher};
use url::Url;

use super::site::Site;
use crate::archive::{Archive, ContentHash};
use crate::error::{Error, Result};
use crate::page::{Facts, Kind};
use crate::snapshot::{Asset, Page};
use crate::web_address::without_fragment;
use crate::{charset, css, media_type, nesting, page};

const MAX_ASSET_REDIRECTS: usize = 10;

/// A page that was read and stored.
#[derive(Debug)]
pub(super) struct PageVisit {
    pub(super) page: Page,
    pub(super) facts: Facts,
    pub(super) bytes: u64,
}

/// A file that was stored, and what it refers to.
#[derive(Debug)]
pub(super) struct AssetVisit {
    pub(super) asset: Asset,
    pub(super) references: Vec<Url>,
    /// The redirect on the way: its first status and its last target.
    pub(super) redirect: Option<(u16, Url)>,
}

/// What came of a visit.
#[derive(Debug)]
pub(super) enum Outcome {
    Page(Box<PageVisit>),
    Asset(Box<AssetVisit>),
    Redirect {
        to: Url,
        status: u16,
    },
    /// Nothing to keep, and why.
    Left {
        code: &'static str,
        note: String,
    },
}

pub(super) struct Visitor<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) archive: &'a dyn Archive,
    pub(super) site: Site,
    pub(super) robots: Arc<Robots>,
}

impl Visitor<'_> {
    /// Asks for what should be a page; a file behind a link is kept as an asset.
    pub(super) async fn page(&self, url: &Url) -> Result<Outcome> {
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
                return Ok(Outcome::Redirect { to, status });
            }
            Ok(None) => {}
            Err(error) => return Ok(unanswered("broken-page", &error)),
        }
        if !(200..300).contains(&answer.status) {
            return Ok(answered("broken-page", answer.status));
        }
        if !self.site.is_home(url) {
            let note = "answers at another origin than the home page and was not read twice";
            return Ok(Outcome::Left { code: "other-origin", note: note.to_owned() });
        }
        let content_type = content_type(&answer);
        if media_type::is_html(&content_type) {
            let visit = read_page(self.archive, answer, content_type).await?;
            Ok(visit.map_or_else(unreadable, |visit| Outcome::Page(Box::new(visit))))
        } else {
            self.keep(answer, content_type, None).await
        }
    }

    /// Asks for a part of a page; redirects within the site are followed, others are left.
    pub(super) async fn asset(&self, url: &Url) -> Result<Outcome> {
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
                    return Ok(Outcome::Redirect { to, status: answer.status });
                }
                Ok(None) => {}
                Err(error) => return Ok(unanswered("missing-asset", &error)),
            }
            if !(200..300).contains(&answer.status) {
                return Ok(answered("missing-asset", answer.status));
            }
            let content_type = content_type(&answer);
            if media_type::is_html(&content_type) {
                return Ok(Outcome::Left {
                    code: "asset-is-page",
                    note: "answers with an HTML page instead of a file".to_owned(),
                });
            }
            let redirect = first_status.map(|status| (status, current));
            return self.keep(answer, content_type, redirect).await;
        }
        Ok(Outcome::Left { code: "redirect-loop", note: "redirects without end".to_owned() })
    }

    async fn keep(
        &self,
        answer: Fetched,
        content_type: String,
        redirect: Option<(u16, Url)>,
    ) -> Result<Outcome> {
        let body = self.archive.put(answer.body.clone()).await;
        let body = body.map_err(Error::Archive)?;
        let bytes = answer.body.len() as u64;
        let kind = content_type.clone();
        let read = in_background(move || (dimensions(&kind, &answer.body), references(&kind, &answer)));
        let ((width, height), references) = read.await.unwrap_or_default();
        let asset = Asset { content_type, body, bytes, width, height };
        Ok(Outcome::Asset(Box::new(AssetVisit { asset, references, redirect })))
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
    Ok(Some(PageVisit {
        page: Page {
            status,
            content_type,
            charset: decoded.charset.to_owned(),
            title: facts.title.clone(),
            body,
            html,
            depth: 0,
        },
        facts,
        bytes,
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

fn unreadable() -> Outcome {
    Outcome::Left { code: "unreadable-page", note: "nests too deep to be read".to_owned() }
}

fn forbidden() -> Outcome {
    Outcome::Left { code: "robots-disallowed", note: "the site's robots.txt forbids reading it".to_owned() }
}

fn answered(code: &'static str, status: u16) -> Outcome {
    let note = format!("answers {status}");
    Outcome::Left { code, note }
}

fn unanswered(code: &'static str, error: &FetchError) -> Outcome {
    let code = match error {
        FetchError::TooLarge { .. } => "too-large",
        FetchError::Refused(_) => "refused",
        _ => code,
    };
    let note = error.to_string();
    Outcome::Left { code, note }
}
