//! What the body of an answer holds: a page with its references, or a file with those that it has.
//! Only computes; `visit` asks and stores.

use std::io::Cursor;

use exif::{In, Tag};
use site_fetch::Fetched;
use url::Url;

use crate::allowance::{Allowance, MAX_REFERENCES};
use crate::analysis::{self, PageAnalysis, PageInput, Problem, Severity};
use crate::charset::{self, Decoded};
use crate::javascript::{self, File};
use crate::journal::{Scripts, SitemapVisit};
use crate::page::{self, Facts, Kind};
use crate::sitemap::{self, Named};
use crate::trap;
use crate::tree::Document;
use crate::{css, markup, media_type};

use super::script_requests;

/// A page, read.
pub(super) struct Content {
    pub(super) decoded: Decoded,
    pub(super) facts: Facts,
    pub(super) analysis: PageAnalysis,
    pub(super) gist: Option<u64>,
    pub(super) scripts: Option<Scripts>,
}

/// Decodes and parses a page; `None` for one that cannot be parsed safely.
pub(super) fn of_page(answer: &Fetched) -> Option<Content> {
    let decoded = charset::decode_html(&answer.body, answer.content_type.as_deref(), &answer.url);
    let document = markup::parse(&decoded.text)?;
    let mut facts = page::read(&document, &answer.url);
    let input = PageInput { url: &answer.url, status: answer.status, headers: &answer.headers };
    let mut analysis = analysis::analyse(&document, &input);
    if let Some(doubt) = decoded.doubt {
        analysis.problems.push(Problem::new(Severity::Warning, "charset-contradicted", doubt.note()));
    }
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (kind, url) in page::links_of_header(headers, &answer.url) {
        match kind {
            Kind::Link => facts.links.push(url),
            Kind::Asset => facts.assets.push(url),
        }
    }
    analysis.keep_to_bound(answer.body.len());
    let gist = trap::may_be_one_of_many(&answer.url).then(|| gist(&document));
    let scripts = script_requests::scripts(&document, &answer.url);
    drop(document);
    Some(Content { decoded, facts, analysis, gist, scripts })
}

/// What a page refers to once its scripts have run; `None` if that cannot be parsed safely.
pub(super) fn of_rendered(html: &str, url: &Url) -> Option<Facts> {
    markup::parse(html).map(|document| page::read(&document, url))
}

/// Is it a piece of HTML for scripts to put into pages, and no page, nor what a server says instead of a file?
pub(super) fn is_fragment(body: &[u8], path: &str) -> bool {
    const OF_PAGES: [&[u8]; 5] = [b"<!doctype", b"<html", b"<head", b"<body", b"<frameset"];
    let starts = |at: usize, tag: &[u8]| {
        body[at..].get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    // A header is no head.
    let opens = |at: usize| OF_PAGES.iter().any(|tag| starts(at, tag)) && !starts(at, b"<header");
    let named = media_type::of(None, b"", path);
    let shown = ["image/", "font/", "audio/", "video/"].iter().any(|kind| named.starts_with(kind));
    let says = !shown && !matches!(named.as_str(), "text/css" | "text/javascript");
    // Data is often sent as HTML, by servers that were told nothing else.
    let is_data = body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[");
    says && !body.trim_ascii().is_empty() && (is_data || !memchr::memchr_iter(b'<', body).any(opens))
}

/// A hash of the text without digits and white space: what is left equal when only numbers count up.
fn gist(document: &Document<'_>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let mut plain = Vec::new();
    for text in document.texts() {
        if text.parent().is_some_and(|parent| matches!(parent.name(), "script" | "style")) {
            continue;
        }
        plain.clear();
        plain
            .extend(text.text().bytes().filter(|byte| !byte.is_ascii_digit() && !byte.is_ascii_whitespace()));
        hasher.update(&plain);
    }
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(short)
}

/// What a file refers to, absolute.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Parts of what it shows.
    pub(super) assets: Vec<Url>,
    /// Pages that it names.
    pub(super) links: Vec<Url>,
    /// Whether it names more than is taken from one file.
    pub(super) cut: bool,
    /// Whether it is a script that asks for files.
    pub(super) asks: bool,
    /// Whether it is a script that registers a service worker.
    pub(super) registers: bool,
}

/// What a style sheet, a drawing, a manifest, a feed or a sitemap refers to.
pub(super) fn references(content_type: &str, answer: &Fetched) -> References {
    let mut found = all_references(content_type, answer);
    let mut allowance = Allowance::default();
    found.cut |= allowance.cut(&mut found.assets) | allowance.cut(&mut found.links);
    found
}

fn all_references(content_type: &str, answer: &Fetched) -> References {
    let assets = |assets| References { assets, ..References::default() };
    match content_type {
        "text/css" => {
            let text = charset::decode_css(&answer.body, answer.content_type.as_deref()).text;
            let found = css::references(&text).into_iter();
            let found = found.filter(|reference| !reference.url.starts_with('#'));
            let found = found.filter_map(|reference| answer.url.join(&reference.url).ok());
            // One more than may be: whoever cuts sees that there is more.
            assets(found.take(MAX_REFERENCES + 1).collect())
        }
        "image/svg+xml" => {
            let facts = of_page(answer).map(|page| page.facts).unwrap_or_default();
            References { assets: facts.assets, cut: facts.cut, ..References::default() }
        }
        "text/javascript" | "application/javascript" | "application/x-javascript" => of_script(answer),
        "application/manifest+json" => of_manifest(answer),
        _ if answer.url.path().ends_with(".webmanifest") => of_manifest(answer),
        _ if sitemap::may_be(content_type) => {
            let named = within(sitemap::read(&answer.body), &answer.url);
            References {
                assets: named.assets,
                links: [named.pages, named.sitemaps].concat(),
                cut: named.cut,
                ..References::default()
            }
        }
        _ => References::default(),
    }
}

/// Modules and workers. What is relative to a page counts only if it is the same for all pages.
fn of_script(answer: &Fetched) -> References {
    let mut found = References { asks: script_requests::asks(&answer.body), ..References::default() };
    let code = String::from_utf8_lossy(&answer.body);
    for file in javascript::files(&code) {
        let address = match file {
            File::ToScript(address) => Some(address),
            File::ToPage(address) => Some(address).filter(|address| address.starts_with('/')),
            File::ServiceWorker(address) => {
                found.registers = true;
                Some(address).filter(|address| address.starts_with('/'))
            }
            File::Bare(_) => {
                found.asks = true;
                None
            }
        };
        found.assets.extend(address.and_then(|address| answer.url.join(address).ok()));
        if found.assets.len() > MAX_REFERENCES {
            break;
        }
    }
    found
}

/// Icons and screenshots of a web app manifest, and the pages that it starts with.
fn of_manifest(answer: &Fetched) -> References {
    let manifest: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let list = |of: &serde_json::Value, name: &str| {
        of.get(name).and_then(|l| l.as_array()).cloned().unwrap_or_default()
    };
    let shortcuts = list(&manifest, "shortcuts");
    let images = ["icons", "screenshots"].iter().flat_map(|name| list(&manifest, name));
    let images = images.chain(shortcuts.iter().flat_map(|shortcut| list(shortcut, "icons")));
    let start = manifest.get("start_url").cloned();
    let pages = start.into_iter().chain(shortcuts.iter().filter_map(|shortcut| shortcut.get("url").cloned()));
    References {
        assets: images.filter_map(|image| answer.url.join(image.get("src")?.as_str()?).ok()).collect(),
        links: pages.filter_map(|page| answer.url.join(page.as_str()?).ok()).collect(),
        cut: false,
        ..References::default()
    }
}

/// What a list at this address names, absolute.
pub(super) fn within(named: Named, address: &Url) -> SitemapVisit {
    let (mut allowance, mut cut) = (Allowance::default(), named.cut);
    let mut resolved = |lines: &[String]| -> Vec<Url> {
        let urls = lines.iter().filter_map(|line| address.join(line).ok());
        let urls = urls.filter(|url| matches!(url.scheme(), "http" | "https"));
        let taken = urls.take_while(|url| {
            let takes = allowance.takes(url);
            cut |= !takes;
            takes
        });
        taken.collect()
    };
    let sitemaps = resolved(&named.sitemaps);
    let (pages, assets) = (resolved(&named.pages), resolved(&named.assets));
    SitemapVisit { pages, assets, sitemaps, cut, file: None }
}

/// Width and height of an image as browsers show it: a photograph that says so stands on its side.
pub(super) fn dimensions(content_type: &str, body: &[u8]) -> (Option<u32>, Option<u32>) {
    if !content_type.starts_with("image/") {
        return (None, None);
    }
    let (width, height): (Option<u32>, Option<u32>) = match imagesize::blob_size(body) {
        Ok(size) => (size.width.try_into().ok(), size.height.try_into().ok()),
        Err(_) => (None, None),
    };
    if is_on_its_side(content_type, body) { (height, width) } else { (width, height) }
}

/// Is it shown turned by a quarter, as its Exif data say (Exif 2.32, 4.6.4, tag 0x0112)? Other formats say it in ways of their own.
fn is_on_its_side(content_type: &str, body: &[u8]) -> bool {
    let told = ["image/jpeg", "image/png", "image/webp"].iter().any(|kind| content_type.starts_with(kind));
    let read = || exif::Reader::new().read_from_container(&mut Cursor::new(body)).ok();
    let said = told.then(read).flatten();
    let orientation = said.as_ref().and_then(|it| it.get_field(Tag::Orientation, In::PRIMARY));
    orientation.and_then(|it| it.value.get_uint(0)).is_some_and(|value| (5..=8).contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bytes of a photograph of 64 by 32 pixels, as far as a reader of its size goes.
    fn photograph(orientation: u8) -> Vec<u8> {
        let exif = [
            b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
            &[orientation, 0, 0, 0, 0, 0, 0],
        ];
        let exif = exif.concat();
        let length = u8::try_from(exif.len() + 2).expect("a short block");
        let frame = [0xff, 0xc0, 0, 11, 8, 0, 32, 0, 64, 1, 1, 0x11, 0];
        [&[0xff, 0xd8, 0xff, 0xe1, 0, length], exif.as_slice(), &frame, &[0xff, 0xd9]].concat()
    }

    #[test]
    fn an_image_is_as_wide_as_it_is_shown() {
        for (orientation, size) in [(1, (64, 32)), (3, (64, 32)), (5, (32, 64)), (6, (32, 64)), (8, (32, 64))]
        {
            let (width, height) = dimensions("image/jpeg", &photograph(orientation));
            assert_eq!((width, height), (Some(size.0), Some(size.1)), "{orientation}");
        }
        assert_eq!(dimensions("image/jpeg", b"\xff\xd8\xff\xe1\0\x08Exif\0\0"), (None, None));
        assert_eq!(dimensions("text/html", &photograph(6)), (None, None));
    }
}
