//! Pages read as they were sent, and, where that shows nothing, as a browser shows them.
//!
//! What a browser showed takes the place of what was sent for all that comes later; both are in the archive.
//! A page that should have been rendered and was not is taken as sent, and says so. Decides nothing about the
//! crawl: which pages may be rendered is told from outside, in canonical order.

use std::num::NonZero;

use bytes::Bytes;
use serde_json::json;
use site_fetch::{Fetched, Fetcher};
use tokio::sync::{OnceCell, Semaphore};
use url::Url;

use super::content::{self, Content};
use super::script_requests::service_worker;
use super::visit::{compute, in_background};
use super::{script_requests, secured};
use crate::analysis::PageAnalysis;
use crate::archive::{Archive, ContentHash};
use crate::error::{Error, Result};
use crate::journal::{PageVisit, Remark, Requested};
use crate::limits::{Limits, Render};
use crate::page::Facts;
use crate::render::{Options, Reason, Rendered, Renderer, Wall};
use crate::snapshot::{Page, Picture, Rendering};
use crate::web_address::same_origin;

/// Browsers at work at once: they live from processors and memory that the crawl needs too.
const BROWSERS: usize = 2;

/// What the browser names requests for parts of what a page shows. Scripts are named by the page, or are found below.
const PARTS: [&str; 4] = ["Image", "Stylesheet", "Font", "Media"];

pub(super) struct Easel<'a> {
    fetcher: &'a Fetcher,
    archive: &'a dyn Archive,
    /// Documents being read at once: a tree takes many times the room of its text.
    pub(super) desks: Semaphore,
    render: Render,
    max_rendered: usize,
    /// Looked for when the first page needs it; if there is none, why.
    renderer: OnceCell<Result<Renderer, String>>,
}

impl<'a> Easel<'a> {
    pub(super) fn new(fetcher: &'a Fetcher, archive: &'a dyn Archive, limits: &Limits) -> Self {
        let desks = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            desks: Semaphore::new(desks),
            fetcher,
            archive,
            render: limits.render,
            max_rendered: limits.max_rendered,
            renderer: OnceCell::new(),
        }
    }

    /// Whether the page of this place in the canonical order may be rendered.
    pub(super) fn takes(&self, place: usize) -> bool {
        place < self.max_rendered
    }

    /// Decodes, parses and stores a page; `None` for one that cannot be parsed safely.
    pub(super) async fn read(
        &self,
        answer: Fetched,
        content_type: String,
        may_render: bool,
    ) -> Result<Option<PageVisit>> {
        let asked = answer.clone();
        let Some(visit) = self.read_as_sent(answer, content_type).await? else { return Ok(None) };
        let reason = visit.analysis.needs_script.clone().filter(|_| self.render == Render::Auto);
        let Some(reason) = reason else { return Ok(Some(visit)) };
        if !may_render {
            let limit = self.max_rendered;
            let why = format!("only the first {limit} pages of a site are rendered");
            return Ok(Some(not_rendered(visit, &why)));
        }
        match self.paint(&asked.url, asked.body.clone()).await {
            Ok(rendered) => self.exchange(visit, asked, reason, rendered).await.map(Some),
            // Once is enough.
            Err(why) => Ok(Some(PageVisit { scripts: None, ..not_rendered(visit, &why) })),
        }
    }

    async fn read_as_sent(&self, answer: Fetched, content_type: String) -> Result<Option<PageVisit>> {
        let raw = answer.body.clone();
        let status = answer.status;
        let Some(Content { decoded, facts, analysis, gist, scripts }) = self.parse(answer).await else {
            return Ok(None);
        };
        let bytes = raw.len() as u64;
        let (body, html) = self.store(raw, decoded.text).await?;
        let page = Page {
            status,
            content_type,
            charset: decoded.charset.to_owned(),
            title: facts.title,
            body,
            html,
            depth: 0,
            rendered: None,
        };
        Ok(Some(PageVisit {
            page,
            bytes,
            visible: facts.visible,
            links: facts.links,
            assets: facts.assets,
            cut: facts.cut,
            gist,
            scripts,
            analysis,
            remarks: facts.registers.then(service_worker).into_iter().collect(),
        }))
    }

    async fn parse(&self, answer: Fetched) -> Option<Content> {
        // Never closed, so it always opens.
        let _desk = self.desks.acquire().await.ok();
        compute(answer.body.len(), move || content::of_page(&answer)).await.flatten()
    }

    /// The page as a browser shows it, or why there is none; of what was `sent`, plain addresses stay so.
    async fn paint(&self, url: &Url, sent: Bytes) -> Result<Rendered, String> {
        let renderer = self.renderer.get_or_init(find).await.as_ref().map_err(Clone::clone)?;
        let plain = self.fetcher.plainly(url);
        let shown = renderer.render(self.fetcher, plain.as_ref().unwrap_or(url)).await;
        let rendered = shown.map_err(|error| error.to_string())?;
        let rendered = if plain.is_some() { self.with_tls(rendered, url, sent).await? } else { rendered };
        if !same_origin(&rendered.url, url) {
            return Err(format!("its scripts led away to {}", rendered.url));
        }
        match rendered.status {
            Some(status) if status >= 400 => Err(format!("it answered the browser with {status}")),
            _ => Ok(rendered),
        }
    }

    async fn with_tls(&self, rendered: Rendered, url: &Url, sent: Bytes) -> Result<Rendered, String> {
        let (url, len) = (url.clone(), rendered.html.len() + sent.len());
        // Never closed, so it always opens.
        let _desk = self.desks.acquire().await.ok();
        let done = compute(len, move || secured::secured(rendered, &url, &sent)).await;
        done.unwrap_or_else(|| Err("its addresses could not be read".to_owned()))
    }

    /// The files that a page asks for when its scripts run, and what it links to then; why they are not known, if they cannot.
    pub(super) async fn run_scripts(&self, url: &Url) -> Result<Requested, String> {
        let rendered = self.paint(url, Bytes::new()).await?;
        let (files, len) = (script_requests::files(&rendered), rendered.html.len());
        // Never closed, so it always opens.
        let _desk = self.desks.acquire().await.ok();
        let shown = move || content::of_rendered(&rendered.html, &rendered.url);
        let Some(Facts { links, cut, .. }) = compute(len, shown).await.flatten() else {
            return Err("what the browser showed nests too deep to be read".to_owned());
        };
        Ok(Requested { files, links, cut })
    }

    /// Puts what was rendered in the place of what was sent.
    async fn exchange(
        &self,
        mut visit: PageVisit,
        sent: Fetched,
        reason: Reason,
        rendered: Rendered,
    ) -> Result<PageVisit> {
        let html = Bytes::from(rendered.html.clone());
        let shown = Fetched {
            body: html.clone(),
            content_type: Some("text/html; charset=utf-8".to_owned()),
            url: rendered.url.clone(),
            ..sent
        };
        let Some(read) = self.parse(shown).await else {
            return Ok(not_rendered(visit, "what the browser showed nests too deep to be read"));
        };
        let keeping = async |bytes: Bytes| self.archive.put(bytes).await.map_err(Error::Archive);
        let mut pictures = Vec::with_capacity(rendered.screenshots.len());
        for shot in &rendered.screenshots {
            let png = keeping(shot.png.clone()).await?;
            pictures.push(Picture { width: shot.width, height: shot.height, png });
        }
        let refused =
            rendered.refused.iter().map(|turned| json!({ "target": turned.target, "rule": turned.rule }));
        let report = json!({
            "url": rendered.url, "status": rendered.status, "console": rendered.console,
            "requests": rendered.requests, "refused": refused.collect::<Vec<_>>(), "walls": rendered.walls,
        });
        let report = keeping(report.to_string().into()).await?;
        let stored = keeping(html).await?;
        let as_sent = std::mem::replace(&mut visit.page.html, stored);
        visit.page.rendered = Some(Rendering { reason, sent: as_sent, pictures, report });
        visit.page.title = read.facts.title;
        visit.visible = read.facts.visible;
        visit.links = read.facts.links;
        visit.cut |= read.facts.cut;
        visit.gist = read.gist;
        // They have run.
        visit.scripts = None;
        // That it needed its scripts is a fact of the page, though none of what they made of it.
        let needed = visit.analysis.needs_script.take();
        visit.analysis = PageAnalysis { needs_script: needed, ..read.analysis };
        visit.assets = with_parts(read.facts.assets, &rendered);
        visit.remarks.extend(rendered.walls.iter().map(remark));
        Ok(visit)
    }

    /// Stores a page as sent and as decoded: once, when they are the same.
    async fn store(&self, raw: Bytes, text: String) -> Result<(ContentHash, ContentHash)> {
        let same = raw == text.as_bytes();
        let body = self.archive.put(raw).await.map_err(Error::Archive)?;
        if same {
            return Ok((body.clone(), body));
        }
        let html = self.archive.put(text.into()).await.map_err(Error::Archive)?;
        Ok((body, html))
    }
}

async fn find() -> Result<Renderer, String> {
    let options = Options { concurrency: BROWSERS, ..Options::default() };
    let found = in_background(move || Renderer::find(options)).await;
    let found = found.ok_or_else(|| "the search for a browser failed".to_owned())?;
    found.map_err(|unavailable| unavailable.to_string())
}

/// The parts that the document names, and those that its scripts asked for.
fn with_parts(mut named: Vec<Url>, rendered: &Rendered) -> Vec<Url> {
    let shown = rendered.requests.iter().filter(|request| PARTS.contains(&request.kind.as_str()));
    let shown = shown.filter(|request| script_requests::is_whole(request));
    let shown = shown.filter_map(|request| Url::parse(&request.url).ok());
    let own = script_requests::files(rendered).into_iter().filter(|url| same_origin(url, &rendered.url));
    for url in shown.chain(own) {
        if matches!(url.scheme(), "http" | "https") && !named.contains(&url) {
            named.push(url);
        }
    }
    named
}

fn not_rendered(mut visit: PageVisit, why: &str) -> PageVisit {
    let reason = visit.analysis.needs_script.as_ref();
    let reason = reason.map_or_else(|| "it needs a browser".to_owned(), ToString::to_string);
    let note = format!("{reason}, and it was read as it was sent: {why}");
    visit.remarks.push(Remark { code: "not-rendered".into(), note });
    visit
}

fn remark(wall: &Wall) -> Remark {
    match wall {
        Wall::Refused { by } => Remark {
            code: "cookie-wall-refused".into(),
            note: format!("a cookie wall stood before it and was told no ({by})"),
        },
        Wall::Hidden { by } => Remark {
            code: "cookie-wall-hidden".into(),
            note: format!("a cookie wall without a refusal stood before it and was hidden ({by})"),
        },
    }
}
