//! A document's tree, to be read: one array of nodes in document order, their text borrowed from the document where it
//! stands there as it is. Never changed once it is built, never walked by recursion.
//!
//! Names are in lower case, also those of drawings and formulas, and without the prefix that foreign attributes may
//! have (`xlink:href` is `href`). Made by [`crate::markup`] only.

mod growing;
mod strings;

use std::borrow::Cow;

pub(crate) use growing::{Growing, NodeId};
pub(crate) use strings::{Attribute, LONGEST, Span, Strings};

/// The tree of one document.
#[derive(Debug)]
pub struct Document<'t> {
    strings: Strings<'t>,
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    /// The element's name, or the text.
    text: Span,
    /// Where its attributes are.
    attributes: (u32, u32),
    /// 0 is the document itself, also its own.
    parent: NodeId,
    /// Behind its last descendant.
    end: NodeId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Document,
    Html,
    /// Of a drawing or a formula.
    Foreign,
    Text,
    Comment,
}

/// One element of a tree.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document<'d>,
    id: NodeId,
}

/// One run of text of a tree.
#[derive(Clone, Copy)]
pub struct Text<'d> {
    document: &'d Document<'d>,
    id: NodeId,
}

/// What a walk meets.
#[derive(Clone, Copy)]
pub enum Step<'d> {
    /// The start of an element.
    Open(Element<'d>),
    /// Text.
    Text(Text<'d>),
    /// The end of an element.
    Close(Element<'d>),
}

impl<'t> Document<'t> {
    /// A document without anything.
    #[must_use]
    pub fn empty() -> Self {
        Growing::new(0).finish(Strings::new(Cow::Borrowed("")))
    }

    /// Starts and ends of all elements, and the texts between them, in their order.
    #[must_use]
    pub fn steps(&self) -> Steps<'_> {
        Steps { document: self, next: 1, end: self.size(), open: Vec::new() }
    }

    /// All elements, in the order of their starts.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (1..self.size()).filter_map(|id| self.element(id))
    }

    /// All elements of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Element<'_>> {
        self.elements().filter(move |element| self.strings.is(element.node().text, name))
    }

    /// All texts.
    pub fn texts(&self) -> impl Iterator<Item = Text<'_>> {
        (1..self.size()).filter_map(|id| self.text(id))
    }

    fn size(&self) -> NodeId {
        self.nodes[0].end
    }

    #[inline]
    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    fn element(&self, id: NodeId) -> Option<Element<'_>> {
        matches!(self.node(id).kind, Kind::Html | Kind::Foreign).then_some(Element { document: self, id })
    }

    fn text(&self, id: NodeId) -> Option<Text<'_>> {
        (self.node(id).kind == Kind::Text).then_some(Text { document: self, id })
    }
}

impl<'d> Element<'d> {
    /// Its name.
    #[inline]
    #[must_use]
    pub fn name(self) -> &'d str {
        self.document.strings.get(self.node().text)
    }

    /// Whether it is an element of HTML, and not of a drawing or a formula.
    #[must_use]
    pub fn is_html(self) -> bool {
        self.node().kind == Kind::Html
    }

    /// The value of an attribute.
    #[inline]
    #[must_use]
    pub fn attr(self, name: &str) -> Option<&'d str> {
        let strings = &self.document.strings;
        let found = self.attributes().iter().find(|attribute| strings.is(attribute.name, name));
        found.map(|attribute| strings.get(attribute.value))
    }

    /// Its classes.
    pub fn classes(self) -> impl Iterator<Item = &'d str> {
        self.attr("class").unwrap_or_default().split_ascii_whitespace()
    }

    /// Names and values of its attributes.
    pub fn attrs(self) -> impl Iterator<Item = (&'d str, &'d str)> {
        let strings = &self.document.strings;
        self.attributes().iter().map(|attribute| (strings.get(attribute.name), strings.get(attribute.value)))
    }

    /// The element around it.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        self.document.element(self.node().parent)
    }

    /// Elements within it, at any depth.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        (self.id + 1..self.node().end).filter_map(move |id| self.document.element(id))
    }

    /// Texts within it, at any depth.
    pub fn texts(self) -> impl Iterator<Item = Text<'d>> {
        (self.id + 1..self.node().end).filter_map(move |id| self.document.text(id))
    }

    #[inline]
    fn attributes(self) -> &'d [Attribute] {
        let (from, to) = self.node().attributes;
        &self.document.attributes[from as usize..to as usize]
    }

    #[inline]
    fn node(self) -> &'d Node {
        self.document.node(self.id)
    }
}

impl<'d> Text<'d> {
    /// What it says.
    #[must_use]
    pub fn text(self) -> &'d str {
        self.document.strings.get(self.document.node(self.id).text)
    }

    /// The element that it stands in.
    #[must_use]
    pub fn parent(self) -> Option<Element<'d>> {
        self.document.element(self.document.node(self.id).parent)
    }
}

/// A walk over a document.
pub struct Steps<'d> {
    document: &'d Document<'d>,
    next: NodeId,
    end: NodeId,
    /// Elements around the place, and where each ends.
    open: Vec<(NodeId, NodeId)>,
}

impl<'d> Iterator for Steps<'d> {
    type Item = Step<'d>;

    fn next(&mut self) -> Option<Step<'d>> {
        loop {
            if let Some((id, end)) = self.open.last()
                && *end == self.next
            {
                let element = Element { document: self.document, id: *id };
                self.open.pop();
                return Some(Step::Close(element));
            }
            if self.next == self.end {
                return None;
            }
            let id = self.next;
            self.next += 1;
            if let Some(element) = self.document.element(id) {
                self.open.push((id, element.node().end));
                return Some(Step::Open(element));
            }
            if let Some(text) = self.document.text(id) {
                return Some(Step::Text(text));
            }
        }
    }
}

#[cfg(test)]
mod tests;
