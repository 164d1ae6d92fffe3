//! The structure of a subtree, apart from what may differ between the uses of a card: texts, addresses and descriptions.

use std::collections::BTreeSet;

use crate::{
    dom::{Element, Node, Space, comments},
    jsx,
    page::handlers,
};

/// A card has so many elements at least, and at most.
const LEAST: usize = 4;
const MOST: usize = 40;
/// Attributes whose values may differ; those of data may, too.
const MAY_DIFFER: &[&str] = &[
    "alt",
    "aria-label",
    "class",
    "datetime",
    "height",
    "href",
    "id",
    "sizes",
    "src",
    "srcset",
    "title",
    "width",
];
/// Elements that can be a card.
const ROOTS: &[&str] = &["a", "article", "blockquote", "div", "figure", "li", "section"];
/// Elements whose content is said in ways of its own, or that a page has once.
const APART: &[&str] = &[
    "button", "form", "h1", "iframe", "input", "label", "main", "noscript", "object", "pre", "script",
    "select", "style", "template", "textarea", "video", "audio", "canvas",
];
/// Without one of these it is a text, and no card.
const TELLING: &[&str] = &["a", "h2", "h3", "h4", "h5", "h6", "img", "picture"];

/// A structure, and what stands in its places.
pub(crate) struct Shape<'a> {
    pub(crate) hash: String,
    pub(crate) values: Vec<Value<'a>>,
}

/// What stands in a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) text: &'a str,
    /// The element that says it.
    pub(crate) element: &'a Element,
    /// None for its text.
    pub(crate) attribute: Option<&'a str>,
    /// May the router take it without loading a new document?
    pub(crate) soft: bool,
}

/// A place whose content may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The element's name, and the first of its classes.
    pub(crate) element: String,
    pub(crate) class: Option<String>,
    /// None for its text.
    pub(crate) attribute: Option<String>,
}

impl Value<'_> {
    pub(super) fn place(&self) -> Place {
        let class = self.element.get("class").and_then(|list| list.split_ascii_whitespace().next());
        Place {
            element: self.element.name.clone(),
            class: class.map(str::to_owned),
            attribute: self.attribute.map(str::to_owned),
        }
    }
}

impl<'a> Shape<'a> {
    /// The structure of an element that may be a card. Links that lead to another document, and those that do not, are two
    /// structures.
    pub(crate) fn of(element: &'a Element, soft: &BTreeSet<String>) -> Option<Self> {
        let root = element.space == Space::Html && ROOTS.contains(&element.name.as_str());
        if !root || !weighs(element) {
            return None;
        }
        let mut reader = Reader { told: Vec::with_capacity(1024), values: Vec::new(), soft, telling: false };
        reader.read(element)?;
        reader.telling.then(|| {
            let hash = blake3::hash(&reader.told).to_hex()[..16].to_owned();
            Self { hash, values: reader.values }
        })
    }
}

/// Has it as many elements as a card? Counts no further than it has to.
fn weighs(element: &Element) -> bool {
    fn count(element: &Element, left: &mut usize) {
        *left = left.saturating_sub(1);
        for child in &element.children {
            if *left == 0 {
                return;
            }
            if let Node::Element(child) = child {
                count(child, left);
            }
        }
    }
    let mut left = MOST + 1;
    count(element, &mut left);
    left > 0 && MOST + 1 - left >= LEAST
}

struct Reader<'a, 's> {
    /// What the hash is of.
    told: Vec<u8>,
    values: Vec<Value<'a>>,
    soft: &'s BTreeSet<String>,
    telling: bool,
}

impl<'a> Reader<'a, '_> {
    fn field(&mut self, mark: u8, text: &str) {
        self.told.push(mark);
        self.told.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.told.extend_from_slice(text.as_bytes());
    }

    fn read(&mut self, element: &'a Element) -> Option<()> {
        if APART.contains(&element.name.as_str()) && !comments::is_place(element) {
            return None;
        }
        self.telling |= TELLING.contains(&element.name.as_str());
        let soft = jsx::is_soft(element, self.soft);
        self.field(1, &element.name);
        self.told.extend_from_slice(&[element.space as u8, u8::from(soft)]);
        let value = |text: &'a str, attribute: Option<&'a str>| Value {
            text,
            element,
            attribute,
            soft: soft && attribute == Some("href"),
        };
        for (name, said) in &element.attributes {
            self.field(2, name);
            if may_differ(element, name, said) {
                self.values.push(value(said, Some(name)));
            } else {
                self.field(3, said);
            }
        }
        for child in &element.children {
            match child {
                // White space stays what it is.
                Node::Text(text) if text.trim().is_empty() => self.field(4, text),
                Node::Text(text) => {
                    self.told.push(5);
                    self.values.push(value(text, None));
                }
                Node::Element(child) => self.read(child)?,
                Node::Part(_) => return None,
            }
        }
        self.told.push(6);
        Some(())
    }
}

/// May this attribute's value be given by the page? Not where its value decides how it is said.
fn may_differ(element: &Element, name: &str, value: &str) -> bool {
    let custom = element.space != Space::Html || element.name.contains('-');
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let data = plain && name.starts_with("data-") && name != handlers::ATTRIBUTE;
    let known = MAY_DIFFER.contains(&name) && jsx::is_text(element, name);
    let long = name == "class" && value.chars().count() >= jsx::LONG;
    let empty = value.is_empty() && name != "alt";
    !custom && (data || known) && !long && !empty
}

/// Puts these texts into the places of a structure: one for each, none where it keeps its own.
pub(crate) fn set(element: &mut Element, texts: &mut dyn Iterator<Item = Option<String>>) {
    for at in 0..element.attributes.len() {
        let (name, value) = &element.attributes[at];
        if may_differ(element, name, value)
            && let Some(Some(text)) = texts.next()
        {
            element.attributes[at].1 = text;
        }
    }
    for child in &mut element.children {
        match child {
            Node::Text(text) if !text.trim().is_empty() => {
                if let Some(Some(new)) = texts.next() {
                    *text = new;
                }
            }
            Node::Element(child) => set(child, texts),
            Node::Text(_) | Node::Part(_) => {}
        }
    }
}
