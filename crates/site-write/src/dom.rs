//! A page as a tree that this crate owns: elements, their attributes and their text.
//!
//! Made from the tree that html5ever built, so that everything later sees what a browser sees and never the source text.
//! Of comments only those stay that scripts read. Nothing here knows about addresses or JSX.

pub(crate) mod comments;
mod frames;
mod hashes;
mod legal;
pub(crate) mod parse;
mod taken_over;
pub(crate) mod text;
pub(crate) mod whitespace;
mod writes;

pub(crate) use hashes::{Lengths, hash, hash_without};

/// Which vocabulary an element belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Space {
    Html,
    Svg,
    MathMl,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
    /// A shared part that stands for the subtree that was here.
    Part(Use),
}

/// How a shared part is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// Its component.
    pub(crate) name: String,
    /// What it is told: properties and their values.
    pub(crate) given: Vec<(String, String)>,
}

/// An element with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) space: Space,
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
}

/// A parsed page.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) html: Vec<(String, String)>,
    pub(crate) head: Vec<Node>,
    pub(crate) body_attributes: Vec<(String, String)>,
    pub(crate) body: Vec<Node>,
    pub(crate) mode: Mode,
}

/// By which rules browsers show a page: its doctype says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Standards,
    /// By those of today, but for how high lines are.
    LimitedQuirks,
    /// By those of the nineties.
    Quirks,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self { space: Space::Html, name: name.to_owned(), attributes: Vec::new(), children: Vec::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.attributes.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value.into(),
            None => self.attributes.push((name.to_owned(), value.into())),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.attributes.iter().position(|(n, _)| n == name)?;
        Some(self.attributes.remove(at).1)
    }

    pub(crate) fn is_html(&self, name: &str) -> bool {
        self.space == Space::Html && self.name == name
    }

    /// The text of everything inside, as it stands.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        collect(&self.children, &mut out);
        out
    }
}

fn collect(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Element(element) => collect(&element.children, out),
            Node::Part(_) => {}
        }
    }
}

/// How many elements there are in these nodes.
pub(crate) fn weight(nodes: &[Node]) -> usize {
    nodes
        .iter()
        .map(|node| match node {
            Node::Element(element) => 1 + weight(&element.children),
            Node::Text(_) | Node::Part(_) => 0,
        })
        .sum()
}
