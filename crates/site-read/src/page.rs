//! What one HTML document refers to and shows. The document is parsed once; the walk over its tree
//! does not recurse, so that nesting cannot exhaust the stack.

mod attributes;

use ego_tree::NodeRef;
use scraper::node::Element;
use scraper::{Html, Node};
use url::Url;

use crate::css;

const HTML: &str = "http://www.w3.org/1999/xhtml";
/// References taken from one document; more is no page that a person reads.
const MAX_REFERENCES: usize = 50_000;
const MAX_TITLE: usize = 1000;

/// What a reference is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Leads to a page, or to a file to be downloaded.
    Link,
    /// Is part of what the page shows or runs.
    Asset,
}

/// One reference, absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) kind: Kind,
    pub(crate) url: Url,
}

/// What was found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) title: String,
    /// Whether a visitor without script would see anything, or be sent on.
    pub(crate) visible: bool,
    /// In document order.
    pub(crate) references: Vec<Reference>,
}

/// Reads a document that came from `address`.
pub(crate) fn read(html: &str, address: &Url) -> Facts {
    let document = Html::parse_document(html);
    let mut reader = Reader {
        base: base(&document, address),
        facts: Facts { title: String::new(), visible: false, references: Vec::new() },
        titled: false,
    };
    reader.walk(&document);
    reader.facts
}

/// `<base href>` of the document, or its own address.
fn base(document: &Html, address: &Url) -> Url {
    let elements = document.tree.root().descendants();
    let href = elements
        .filter_map(|node| node.value().as_element())
        .filter(|element| element.name() == "base")
        .find_map(|element| element.attr("href"));
    let resolved = href.and_then(|href| address.join(href.trim()).ok());
    let usable = resolved.filter(|base| matches!(base.scheme(), "http" | "https"));
    usable.unwrap_or_else(|| address.clone())
}

struct Reader {
    base: Url,
    facts: Facts,
    titled: bool,
}

impl Reader {
    fn walk(&mut self, document: &Html) {
        for node in document.tree.root().descendants() {
            match node.value() {
                Node::Element(element) => self.element(element, node),
                Node::Text(text) => self.text(text, node),
                _ => {}
            }
        }
    }

    fn element(&mut self, element: &Element, node: NodeRef<'_, Node>) {
        let name = element.name();
        self.facts.visible |= attributes::shows(name);
        if name == "title" && !self.titled && &*element.name.ns == HTML {
            self.titled = true;
            self.facts.title = title(node);
        }
        if name == "meta" {
            self.meta(element);
        } else if name == "link" {
            let href = element.attr("href").unwrap_or_default();
            if let Some(kind) = attributes::link_kind(element.attr("rel").unwrap_or_default()) {
                self.add(kind, href);
            }
            self.srcset(element.attr("imagesrcset").unwrap_or_default());
        } else {
            for (attribute, value) in element.attrs() {
                self.attribute(element, name, attribute, value);
            }
        }
        if let Some(style) = element.attr("style") {
            self.css(style);
        }
    }

    fn attribute(&mut self, element: &Element, name: &str, attribute: &str, value: &str) {
        match attributes::meaning(name, attribute) {
            Some(attributes::Meaning::Address(kind)) => {
                let image_button = element.attr("type").unwrap_or_default();
                if name != "input" || image_button.eq_ignore_ascii_case("image") {
                    self.add(kind, value);
                }
            }
            Some(attributes::Meaning::Srcset) => self.srcset(value),
            // Lazy backgrounds hold an address or a whole CSS value.
            Some(attributes::Meaning::Background) if value.contains("url(") => self.css(value),
            Some(attributes::Meaning::Background) => self.add(Kind::Asset, value),
            None => {}
        }
    }

    fn text(&mut self, text: &str, node: NodeRef<'_, Node>) {
        let parent = node.parent().and_then(|parent| parent.value().as_element());
        match parent.map(Element::name) {
            Some("style") => self.css(text),
            // Kept as text by the parser, since it runs as if scripts did; lazy images hide here.
            Some("noscript") => {
                let inner = Html::parse_fragment(text);
                for node in inner.tree.root().descendants() {
                    if let (Node::Element(element), visible) = (node.value(), self.facts.visible) {
                        self.element(element, node);
                        self.facts.visible = visible;
                    }
                }
            }
            Some("script" | "template" | "title" | "noframes") | None => {}
            Some(_) => self.facts.visible |= text.chars().any(|c| !c.is_whitespace()),
        }
    }

    fn meta(&mut self, element: &Element) {
        let content = element.attr("content").unwrap_or_default();
        let equiv = element.attr("http-equiv").unwrap_or_default();
        if equiv.eq_ignore_ascii_case("refresh") {
            if let Some(target) = attributes::refresh_target(content) {
                self.facts.visible = true;
                self.add(Kind::Link, target);
            }
            return;
        }
        let name = element.attr("property").or(element.attr("name"));
        if name.is_some_and(attributes::is_image_meta) {
            self.add(Kind::Asset, content);
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
        // `src=""` and `href="#x"` mean the page itself.
        if address.is_empty() || address.starts_with('#') {
            return;
        }
        if self.facts.references.len() >= MAX_REFERENCES {
            return;
        }
        if let Ok(url) = self.base.join(address)
            && matches!(url.scheme(), "http" | "https")
        {
            self.facts.references.push(Reference { kind, url });
        }
    }
}

fn title(node: NodeRef<'_, Node>) -> String {
    let texts = node.children().filter_map(|child| child.value().as_text());
    let text: String = texts.map(|text| &**text).collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_TITLE).collect()
}

#[cfg(test)]
mod tests;
