//! What a page loads and links: images, frames, fonts, other parties, marks of platforms, links.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::walk::Place;
use super::{Image, Links, NavigationItem, PageAnalysis, ThirdParty};
use crate::analysis::{clip, known};
use crate::tree::Element;

/// Entries of a page's navigations that are kept.
const MENU: usize = 200;

/// A link whose text is being read.
#[derive(Default)]
struct OpenLink {
    url: Option<Url>,
    text: String,
    /// Can anything in it be read?
    says: bool,
}

#[derive(Default)]
pub(super) struct Media {
    images: Vec<Image>,
    fonts: Vec<String>,
    hosts: BTreeMap<String, String>,
    platforms: BTreeSet<&'static str>,
    links: Links,
    /// Links around, and whether anything in them can be read.
    open_links: Vec<OpenLink>,
    menu: Vec<NavigationItem>,
    in_picture: bool,
    sources: bool,
    empty_links: u32,
    images_without_alt: u32,
    frames_without_title: u32,
}

impl Media {
    pub(super) fn open(&mut self, element: Element<'_>, place: &Place<'_>) {
        let name = element.name();
        match name {
            "a" | "area" => self.link(element, place),
            "img" => self.image(element, place),
            "picture" => (self.in_picture, self.sources) = (true, false),
            "source" if self.in_picture => self.sources = true,
            "iframe" | "frame" => {
                let titled = element.attr("title").is_some_and(|title| !title.trim().is_empty());
                let hidden = element.attr("hidden").is_some() || element.attr("aria-hidden") == Some("true");
                self.frames_without_title += u32::from(!titled && !hidden);
                self.loads(element.attr("src"), "frame", place);
            }
            "script" => self.loads(element.attr("src"), "script", place),
            "link" => self.resource(element, place),
            "video" | "audio" | "source" | "embed" | "track" => {
                self.loads(element.attr("src"), "media", place)
            }
            "object" => self.loads(element.attr("data"), "media", place),
            _ => {}
        }
        let spoken = element.attr("aria-label").or(element.attr("title"));
        if let Some(label) = spoken {
            self.text(label);
        }
    }

    /// Something that can be read.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(link) = self.open_links.last_mut() {
            link.says |= !text.trim_ascii().is_empty();
            if link.text.len() < clip::TEXT {
                link.text.push_str(text);
            }
        }
    }

    pub(super) fn close(&mut self, element: Element<'_>, place: &Place<'_>) {
        match element.name() {
            "a" => {
                if let Some(link) = self.open_links.pop()
                    && element.attr("href").is_some()
                {
                    self.empty_links += u32::from(!link.says);
                    self.enter(link, place);
                }
            }
            "picture" => self.in_picture = false,
            _ => {}
        }
    }

    /// A link inside a navigation is an entry of the menu.
    fn enter(&mut self, link: OpenLink, place: &Place<'_>) {
        if place.navigation > 0
            && self.menu.len() < MENU
            && let (Some(url), Some(text)) = (link.url, clip::some(&link.text))
        {
            self.menu.push(NavigationItem { text, url: url.into() });
        }
    }

    fn link(&mut self, element: Element<'_>, place: &Place<'_>) {
        let Some(href) = element.attr("href") else {
            if element.name() == "a" {
                self.open_links.push(OpenLink::default());
            }
            return;
        };
        // Most links are relative, and where they lead is only asked for in a menu.
        let relative = place.stays(href);
        let url = if relative && place.navigation == 0 { None } else { place.url(href) };
        let count = match &url {
            _ if relative => Some(&mut self.links.internal),
            Some(url) if place.is_foreign(url) => Some(&mut self.links.external),
            Some(url) if matches!(url.scheme(), "http" | "https") => Some(&mut self.links.internal),
            Some(_) => Some(&mut self.links.other),
            None => None,
        };
        if let Some(count) = count {
            *count += 1;
        }
        if element.name() == "a" {
            self.open_links.push(OpenLink { url, ..OpenLink::default() });
        }
    }

    fn image(&mut self, element: Element<'_>, place: &Place<'_>) {
        let alt = element.attr("alt");
        let decoration = matches!(element.attr("role"), Some("presentation" | "none"))
            || element.attr("aria-hidden") == Some("true");
        self.images_without_alt += u32::from(alt.is_none() && !decoration);
        if let Some(alt) = alt {
            self.text(alt);
        }
        let later = ["data-src", "data-original", "data-lazy", "data-lazy-src"];
        let later = later.iter().find_map(|name| element.attr(name));
        let source = later.or(element.attr("src"));
        let inside = source.is_some_and(|source| source.trim_start().starts_with("data:"));
        let url = source.filter(|_| !inside).and_then(|source| place.url(source));
        if let Some(url) = &url {
            self.refers(url, "images", place);
        }
        let size = |name| element.attr(name).and_then(pixels);
        clip::push(
            &mut self.images,
            Image {
                url: url.map(String::from),
                alt: alt.map(clip::text),
                declared: size("width").zip(size("height")),
                real: None,
                lazy: later.is_some()
                    || element.attr("loading").is_some_and(|it| it.eq_ignore_ascii_case("lazy")),
                responsive: element.attr("srcset").is_some() || (self.in_picture && self.sources),
            },
        );
    }

    fn resource(&mut self, element: Element<'_>, place: &Place<'_>) {
        let relations = element.attr("rel").unwrap_or_default().to_ascii_lowercase();
        let has = |wanted: &str| relations.split_ascii_whitespace().any(|relation| relation == wanted);
        let Some(url) = element.attr("href").and_then(|href| place.url(href)) else { return };
        let font = has("preload") && element.attr("as") == Some("font");
        let family = url.host_str().and_then(known::host_purpose) == Some("fonts");
        if font || (family && has("stylesheet")) {
            clip::push(&mut self.fonts, url.to_string());
        }
        if has("stylesheet") || has("preload") || has("modulepreload") || has("icon") {
            self.refers(&url, "styles", place);
        }
    }

    fn loads(&mut self, address: Option<&str>, purpose: &str, place: &Place<'_>) {
        if let Some(url) = address.and_then(|address| place.url(address)) {
            self.refers(&url, purpose, place);
        }
    }

    fn refers(&mut self, url: &Url, purpose: &str, place: &Place<'_>) {
        if let Some(platform) = known::platform_at(url.as_str()) {
            self.platforms.insert(platform);
        }
        if place.is_foreign(url)
            && let Some(host) = url.host_str()
            && self.hosts.len() < clip::LIST
            && !self.hosts.contains_key(host)
        {
            let known = known::host_purpose(host).or(known::script_at(url.as_str()).map(|it| it.name));
            self.hosts.insert(host.to_owned(), known.unwrap_or(purpose).to_owned());
        }
    }

    pub(super) fn finish(self, page: &mut PageAnalysis) {
        page.images = self.images;
        page.fonts = self.fonts;
        page.third_parties =
            self.hosts.into_iter().map(|(host, purpose)| ThirdParty { host, purpose }).collect();
        page.platforms.extend(self.platforms.into_iter().map(str::to_owned));
        page.platforms.sort();
        page.platforms.dedup();
        page.links = self.links;
        page.menu = self.menu;
        page.accessibility.empty_links = self.empty_links;
        page.accessibility.images_without_alt = self.images_without_alt;
        page.accessibility.frames_without_title = self.frames_without_title;
    }
}

/// A length in whole pixels as HTML's attributes have it: `300`, also `300px`; not `50%`.
fn pixels(value: &str) -> Option<u32> {
    let value = value.trim();
    let value = value.strip_suffix("px").unwrap_or(value);
    value.parse().ok()
}
