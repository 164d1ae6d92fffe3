//! What one HTML document refers to and shows. The document is parsed once; the walk over its tree
//! does not recurse, so that nesting cannot exhaust the stack.

mod attributes;
mod header;
mod linked_data;
mod written;

use std::collections::HashSet;

use url::Url;

use crate::allowance::Allowance;
use crate::javascript::File;
use crate::render::runs;
use crate::tree::{Document, Element, Step, Text};
use crate::web_address::without_fragment;
use crate::{css, javascript, lazy, markup};

pub(crate) use header::links as links_of_header;

/// A longer address is no address: servers take some thousands of characters at most.
const MAX_ADDRESS: usize = 8192;
const MAX_TITLE: usize = 1000;

/// What a reference is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Leads to a page, or to a file to be downloaded.
    Link,
    /// Is part of what the page shows or runs.
    Asset,
}

/// What was found in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) title: String,
    /// Whether a visitor without script would see anything, or be sent on.
    pub(crate) visible: bool,
    /// What it leads to, without fragments, each once, in document order.
    pub(crate) links: Vec<Url>,
    /// What it is made of, likewise.
    pub(crate) assets: Vec<Url>,
    /// Whether it refers to more than is taken from one document.
    pub(crate) cut: bool,
    /// Whether it registers a service worker.
    pub(crate) registers: bool,
}

/// Reads a document that came from `address`.
pub(crate) fn read(document: &Document<'_>, address: &Url) -> Facts {
    let mut reader = Reader { base: base(document, address), ..Reader::at(address) };
    reader.walk(document);
    keep_first(&mut reader.facts.links);
    keep_first(&mut reader.facts.assets);
    reader.facts
}

/// Two spellings can mean one address: `b.html` and `./b.html#top`.
fn keep_first(urls: &mut Vec<Url>) {
    let mut seen = HashSet::with_capacity(urls.len());
    let is_first: Vec<bool> = urls.iter().map(|url| seen.insert(url.as_str())).collect();
    if seen.len() < urls.len() {
        let mut is_first = is_first.into_iter();
        urls.retain(|_| is_first.next().unwrap_or(true));
    }
}

/// `<base href>` of the document, or its own address.
pub(crate) fn base(document: &Document<'_>, address: &Url) -> Url {
    let href = document.named("base").find_map(|base| base.attr("href"));
    let resolved = href.and_then(|href| address.join(href.trim()).ok());
    let usable = resolved.filter(|base| matches!(base.scheme(), "http" | "https"));
    usable.unwrap_or_else(|| address.clone())
}

struct Reader {
    base: Url,
    facts: Facts,
    titled: bool,
    /// Inside a document that is the value of an attribute, where there is none further.
    inner: bool,
    /// Addresses taken, as written: pages repeat themselves, and resolving them costs.
    taken: HashSet<(Kind, Box<str>)>,
    allowance: Allowance,
}

impl Reader {
    fn at(address: &Url) -> Self {
        Self {
            base: address.clone(),
            facts: Facts::default(),
            titled: false,
            inner: false,
            taken: HashSet::new(),
            allowance: Allowance::default(),
        }
    }

    fn walk(&mut self, document: &Document<'_>) {
        for step in document.steps() {
            match step {
                Step::Open(element) => self.element(element),
                Step::Text(text) => self.text(text),
                Step::Close(_) => {}
            }
        }
    }

    fn element(&mut self, element: Element<'_>) {
        let name = element.name();
        self.facts.visible |= attributes::shows(name);
        match name {
            "title" if !self.titled && element.is_html() => {
                self.titled = true;
                self.facts.title = title(element);
            }
            "meta" => return self.meta(element),
            "link" => self.link(element),
            _ => {}
        }
        for (attribute, value) in element.attrs() {
            if attribute == "style" {
                self.css(value);
            } else if let Some(meaning) = attributes::meaning(name, attribute) {
                self.attribute(element, meaning, value);
            }
        }
    }

    fn attribute(&mut self, element: Element<'_>, meaning: attributes::Meaning, text: &str) {
        use attributes::Meaning;
        let is = |kind: &str| {
            let found = element.attr("type").unwrap_or_default();
            found.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind))
        };
        match meaning {
            Meaning::Address(kind) => self.add(kind, text),
            Meaning::Button if is("image") => self.add(Kind::Asset, text),
            Meaning::Button => {}
            Meaning::Embedded if is("text/html") => self.add(Kind::Link, text),
            Meaning::Embedded => self.add(Kind::Asset, text),
            Meaning::Srcset => self.srcset(text),
            Meaning::LateBackground if text.contains("url(") => self.css(text),
            Meaning::Late | Meaning::LateBackground if lazy::names_a_file(text) => {
                self.add(Kind::Asset, text)
            }
            Meaning::Late | Meaning::LateBackground => {}
            Meaning::Document if !self.inner => self.fragment(text),
            Meaning::Document => {}
        }
    }

    fn text(&mut self, node: Text<'_>) {
        let (text, parent) = (node.text(), node.parent());
        match parent.map(Element::name) {
            Some("style") => self.css(text),
            // Kept as text by the parser, since it runs as if scripts did; lazy images hide here.
            Some("noscript") => self.fragment(text),
            Some("script") => {
                let kind = parent.and_then(|script| script.attr("type")).unwrap_or_default();
                if kind.trim().eq_ignore_ascii_case("application/ld+json") {
                    for (kind, address) in linked_data::references(text) {
                        self.add(kind, &address);
                    }
                } else if kind.trim().eq_ignore_ascii_case("importmap") {
                    javascript::mapped(text).iter().for_each(|address| self.add(Kind::Asset, address));
                } else {
                    self.code(text, parent.is_some_and(runs));
                }
            }
            Some("template" | "title" | "noframes") | None => {}
            Some(_) => self.facts.visible |= text.chars().any(|c| !c.is_whitespace()),
        }
    }

    /// What a script of the page names, if it runs, and writes.
    fn code(&mut self, code: &str, runs: bool) {
        for file in if runs { javascript::files(code) } else { Vec::new() } {
            match file {
                File::ToScript(address) | File::ToPage(address) => self.add(Kind::Asset, address),
                File::ServiceWorker(address) => {
                    self.facts.registers = true;
                    self.add(Kind::Asset, address);
                }
                // An import map says where it is.
                File::Bare(_) => {}
            }
        }
        if !self.inner {
            written::html(code).iter().for_each(|html| self.fragment(html));
        }
    }

    /// References of a document inside this one; it shows nothing by itself.
    fn fragment(&mut self, html: &str) {
        let (visible, inner) = (self.facts.visible, self.inner);
        self.inner = true;
        // One that nests without end is nothing that anybody reads.
        let fragment = markup::parse_fragment(html).unwrap_or_else(Document::empty);
        for step in fragment.steps() {
            match step {
                Step::Open(element) => self.element(element),
                Step::Text(text) if text.parent().is_some_and(|parent| parent.name() == "style") => {
                    self.css(text.text());
                }
                Step::Text(_) | Step::Close(_) => {}
            }
        }
        (self.facts.visible, self.inner) = (visible, inner);
    }

    fn link(&mut self, element: Element<'_>) {
        let get = |name| element.attr(name).unwrap_or_default();
        if let Some(kind) = attributes::link_kind(get("rel"), get("type")) {
            self.add(kind, get("href"));
        }
        self.srcset(get("imagesrcset"));
    }

    fn meta(&mut self, element: Element<'_>) {
        let content = element.attr("content").unwrap_or_default();
        let equiv = element.attr("http-equiv").unwrap_or_default();
        if equiv.eq_ignore_ascii_case("refresh") {
            if let Some(target) = attributes::refresh_target(content) {
                self.facts.visible = true;
                self.add(Kind::Link, target);
            }
            return;
        }
        let name = element.attr("property").or_else(|| element.attr("name"));
        if let Some(kind) = name.and_then(attributes::meta_kind) {
            self.add(kind, content);
        }
    }

    fn srcset(&mut self, value: &str) {
        for range in crate::srcset::candidates(value) {
            self.add(Kind::Asset, &value[range]);
        }
    }

    fn css(&mut self, text: &str) {
        for reference in css::references(text) {
            self.add(Kind::Asset, &reference.url);
        }
    }

    fn add(&mut self, kind: Kind, address: &str) {
        let address = address.trim();
        let address = address.split('#').next().unwrap_or_default();
        // `src=""` and `href="#x"` mean the page itself.
        if address.is_empty() || address.len() > MAX_ADDRESS {
            return;
        }
        let key = (kind, Box::from(address));
        if self.taken.contains(&key) {
            return;
        }
        if self.facts.cut {
            return;
        }
        self.taken.insert(key);
        if let Ok(url) = self.base.join(address)
            && matches!(url.scheme(), "http" | "https")
        {
            let url = if url.fragment().is_some() { without_fragment(&url) } else { url };
            if !self.allowance.takes(&url) {
                self.facts.cut = true;
                return;
            }
            match kind {
                Kind::Link => self.facts.links.push(url),
                Kind::Asset => self.facts.assets.push(url),
            }
        }
    }
}

fn title(element: Element<'_>) -> String {
    let text: String = element.texts().map(Text::text).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_TITLE).collect()
}

#[cfg(test)]
mod tests;
