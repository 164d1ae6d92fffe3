//! What a document says about itself: title, language, metadata, canonical and alternate addresses, structured
//! data.

use super::walk::Place;
use super::{Alternate, Direction, PageAnalysis, StructuredData};
use crate::analysis::clip;
use crate::tree::Element;

/// Most types named by one piece of structured data.
const TYPES: usize = 50;
/// A piece of JSON-LD that is longer is not read.
const JSON: usize = 1024 * 1024;
/// Nested deeper, it is not looked into.
const DEPTH: u32 = 16;

#[derive(Default)]
pub(super) struct Head {
    page: PageAnalysis,
    /// Inside the first title.
    title: Option<String>,
    /// Inside a piece of JSON-LD.
    json: Option<String>,
    microdata: Vec<String>,
    rdfa: Vec<String>,
    refreshes: bool,
    frames: bool,
}

impl Head {
    pub(super) fn open(&mut self, element: Element<'_>, place: &Place<'_>) {
        let page = &mut self.page;
        match element.name() {
            "html" => {
                page.language = element.attr("lang").or(element.attr("xml:lang")).and_then(clip::some);
                page.direction = direction(element);
            }
            "body" => page.direction = page.direction.or_else(|| direction(element)),
            "frameset" => self.frames = true,
            "title" if page.title.is_none() && self.title.is_none() => self.title = Some(String::new()),
            "meta" => self.meta(element),
            "link" => self.link(element, place),
            "script" if element.attr("type").is_some_and(|kind| kind.trim() == "application/ld+json") => {
                self.json = Some(String::new());
            }
            _ => {}
        }
        if let Some(kind) = element.attr("itemtype") {
            types(&mut self.microdata, kind);
        }
        if let Some(kind) = element.attr("typeof") {
            types(&mut self.rdfa, kind);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        for buffer in [&mut self.title, &mut self.json].into_iter().flatten() {
            if buffer.len() + text.len() <= JSON {
                buffer.push_str(text);
            }
        }
    }

    pub(super) fn close(&mut self, element: Element<'_>) {
        match element.name() {
            "title" => {
                if let Some(title) = self.title.take() {
                    self.page.title = clip::some(&title);
                }
            }
            "script" => {
                if let Some(json) = self.json.take() {
                    clip::push(&mut self.page.structured_data, json_ld(&json));
                }
            }
            _ => {}
        }
    }

    fn meta(&mut self, element: Element<'_>) {
        let page = &mut self.page;
        let content = element.attr("content").unwrap_or_default();
        if element.attr("http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("refresh")) {
            self.refreshes |= content.to_ascii_lowercase().contains("url");
            return;
        }
        let Some(value) = clip::some(content) else { return };
        if let Some(property) = element.attr("property").and_then(clip::some) {
            if page.properties.len() < clip::LIST {
                clip::push(page.properties.entry(property).or_default(), value);
            }
            return;
        }
        let Some(name) = element.attr("name") else { return };
        let name = name.trim().to_ascii_lowercase();
        let slot = match name.as_str() {
            "description" => &mut page.description,
            "robots" => &mut page.robots,
            "viewport" => &mut page.viewport,
            "generator" => &mut page.generator,
            _ => {
                if let Some(card) = name.strip_prefix("twitter:")
                    && page.twitter.len() < clip::LIST
                {
                    page.twitter.entry(card.to_owned()).or_insert(value);
                }
                return;
            }
        };
        slot.get_or_insert(value);
    }

    fn link(&mut self, element: Element<'_>, place: &Place<'_>) {
        let relations = element.attr("rel").unwrap_or_default().to_ascii_lowercase();
        let Some(url) = element.attr("href").and_then(|href| place.url(href)) else { return };
        for relation in relations.split_ascii_whitespace() {
            match relation {
                "canonical" => {
                    self.page.canonical.get_or_insert_with(|| url.to_string());
                }
                "alternate" => {
                    if let Some(language) = element.attr("hreflang").and_then(clip::some) {
                        clip::push(&mut self.page.alternates, Alternate { language, url: url.to_string() });
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn finish(mut self, page: &mut PageAnalysis) {
        for (format, types) in [("microdata", self.microdata), ("rdfa", self.rdfa)] {
            if !types.is_empty() {
                let format = format.to_owned();
                clip::push(&mut self.page.structured_data, StructuredData { format, types, valid: true });
            }
        }
        if self.frames {
            self.page.kind = super::PageKind::Frames;
        } else if self.refreshes {
            self.page.kind = super::PageKind::Redirect;
        }
        self.page.version = page.version;
        *page = self.page;
    }
}

fn direction(element: Element<'_>) -> Option<Direction> {
    match element.attr("dir")?.trim().to_ascii_lowercase().as_str() {
        "rtl" => Some(Direction::Rtl),
        "ltr" => Some(Direction::Ltr),
        _ => None,
    }
}

fn types(into: &mut Vec<String>, names: &str) {
    for name in names.split_ascii_whitespace() {
        let name = clip::text(name);
        if into.len() < TYPES && !into.contains(&name) {
            into.push(name);
        }
    }
}

fn json_ld(text: &str) -> StructuredData {
    let mut found = StructuredData { format: "json-ld".to_owned(), types: Vec::new(), valid: false };
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text.trim()) {
        found.valid = true;
        collect(&value, 0, &mut found.types);
    }
    found
}

/// The recursion is bounded by [`DEPTH`]; the parser itself stops at 128 levels.
fn collect(value: &serde_json::Value, depth: u32, into: &mut Vec<String>) {
    if depth > DEPTH {
        return;
    }
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, depth + 1, into)),
        serde_json::Value::Object(members) => {
            match members.get("@type") {
                Some(serde_json::Value::String(name)) => types(into, name),
                Some(serde_json::Value::Array(names)) => {
                    names.iter().filter_map(|name| name.as_str()).for_each(|name| types(into, name));
                }
                _ => {}
            }
            members.values().for_each(|member| collect(member, depth + 1, into));
        }
        _ => {}
    }
}
