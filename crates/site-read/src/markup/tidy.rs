//! Builds the tree of a tidy document at once, in document order.
//!
//! Follows the standard's rules for tree construction (HTML, § 13.2.6) as far as they only ever add at the end: elements
//! left open, tags left out and tags without effect are all right. Wherever the rules would move what is already there
//! (misnested formatting, text that a table may not hold) or are rare (templates, frame sets, formulas), it answers
//! `None`, and the document is left to html5ever. Never guesses: what it builds is the tree that the rules give.

mod body;
mod early;
mod stack;
mod table;

use super::names::Sort;
use super::tokens::{After, Doctype, Sink, Start};
use crate::tree::{Growing, NodeId, Span, Strings};
use stack::{Open, Place, Stack};

/// Deeper documents are left to html5ever: each end tag looks along all open elements.
const DEEPEST: usize = 256;

/// A tree under construction.
pub(super) struct Tidy {
    tree: Growing,
    stack: Stack,
    quirks: Quirks,
    /// The form that fields belong to, until its end tag.
    form: Option<NodeId>,
    /// A line break that comes next is none, since a start tag stood before it.
    skips_break: bool,
    /// The body, or the document, has been ended: comments stand elsewhere.
    ended: bool,
}

/// Whether a table ends a paragraph; it does not in documents of old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quirks {
    /// There was no document type yet.
    Yes,
    No,
    Unknown,
}

impl Tidy {
    /// For a document of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            tree: Growing::new(bytes),
            stack: Stack::default(),
            quirks: Quirks::Yes,
            form: None,
            skips_break: false,
            ended: false,
        }
    }

    /// The tree, once all has been read. Every document has a head and a body, whether they were written or not.
    pub(super) fn finish(mut self, strings: &mut Strings<'_>) -> Option<Growing> {
        if self.place() < Place::Body {
            self.reach_body(strings)?;
        }
        self.stack.close_to(0, &mut self.tree);
        Some(self.tree)
    }

    fn place(&self) -> Place {
        self.stack.last().map_or(Place::BeforeHtml, |open| open.inside)
    }

    fn current(&self) -> NodeId {
        self.stack.last().map_or(0, |open| open.node)
    }

    /// Adds an element and opens it.
    fn open(&mut self, tag: &Start<'_>, sort: Sort, inside: Place) -> Option<()> {
        let node = self.tree.open(self.current(), tag.name, true, tag.attributes);
        self.stack.push(Open { node, name: tag.name, sort, inside, foreign: false });
        (self.stack.len() <= DEEPEST).then_some(())
    }

    /// Adds an element that holds nothing.
    fn add(&mut self, tag: &Start<'_>) {
        self.tree.open(self.current(), tag.name, true, tag.attributes);
    }

    /// Adds an element that was not written.
    fn imply(&mut self, strings: &mut Strings<'_>, name: &str, sort: Sort, inside: Place) -> Option<()> {
        let name = strings.make(|made| {
            made.push_str(name);
            Some(())
        })?;
        let node = self.tree.open(self.current(), name, true, &[]);
        self.stack.push(Open { node, name, sort, inside, foreign: false });
        Some(())
    }

    fn raw(&mut self, tag: &Start<'_>, sort: Sort, after: After) -> Option<After> {
        self.open(tag, sort, self.place())?;
        Some(after)
    }
}

impl Sink for Tidy {
    fn start(&mut self, strings: &mut Strings<'_>, tag: &Start<'_>) -> Option<After> {
        (self.skips_break, self.ended) = (false, false);
        let sort = Sort::of(strings.get(tag.name));
        if self.stack.last().is_some_and(|open| open.foreign) {
            return self.start_foreign(strings, tag);
        }
        match self.place() {
            Place::BeforeHtml | Place::Html | Place::Head | Place::AfterHead => {
                self.start_early(strings, tag, sort)
            }
            Place::Body => self.start_in_body(strings, tag, sort),
            _ => self.start_in_table(strings, tag, sort),
        }
    }

    fn end(&mut self, strings: &mut Strings<'_>, name: Span) -> Option<()> {
        self.skips_break = false;
        let text = strings.get(name);
        let sort = Sort::of(text);
        self.ended &= matches!(sort, Sort::Body | Sort::Html);
        let Some(last) = self.stack.last() else { return self.end_early(sort) };
        if last.foreign || last.sort.is_text() {
            let same = strings.get(last.name) == text;
            return same.then(|| self.stack.pop(&mut self.tree));
        }
        match self.place() {
            Place::BeforeHtml | Place::Html | Place::Head | Place::AfterHead => self.end_early(sort),
            Place::Body => self.end_in_body(strings, text, sort),
            _ => self.end_in_table(strings, text, sort),
        }
    }

    fn text(&mut self, strings: &mut Strings<'_>, text: Span) -> Option<()> {
        let mut text = text;
        if std::mem::take(&mut self.skips_break) && strings.get(text).starts_with('\n') {
            text = text.without(1);
        }
        if text.is_empty() {
            return Some(());
        }
        self.ended &= strings.get(text).bytes().all(|byte| byte.is_ascii_whitespace());
        let place = self.place();
        let holds_text = self.stack.last().is_some_and(|open| !open.sort.is_structure());
        if holds_text {
            return self.tree.text(strings, self.current(), text);
        }
        self.text_between(strings, text, place)
    }

    fn comment(&mut self, _: &mut Strings<'_>, _: Span) -> Option<()> {
        self.skips_break = false;
        // Those behind the body stand outside of it, where nothing is asked for.
        if !self.ended {
            self.tree.comment(self.current());
        }
        Some(())
    }

    fn doctype(&mut self, doctype: Doctype<'_>) -> Option<()> {
        if !self.stack.is_empty() || self.quirks != Quirks::Yes {
            return None;
        }
        let plain = doctype.public.is_none() && doctype.system.is_none_or(|id| id == "about:legacy-compat");
        let html = doctype.name.eq_ignore_ascii_case("html");
        self.quirks = if plain && html { Quirks::No } else { Quirks::Unknown };
        Some(())
    }
}

impl Tidy {
    /// Text where elements are expected.
    fn text_between(&mut self, strings: &mut Strings<'_>, text: Span, place: Place) -> Option<()> {
        let written = strings.get(text);
        let blank = written.bytes().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(written.len());
        let all = blank == written.len();
        match place {
            // Dropped before the head, kept behind its start.
            Place::BeforeHtml | Place::Html => {}
            Place::Head | Place::AfterHead if blank > 0 => {
                self.tree.text(strings, self.current(), text.first(blank))?;
            }
            Place::Head | Place::AfterHead => {}
            // A table does not hold text.
            _ if all => return self.tree.text(strings, self.current(), text),
            _ => return None,
        }
        if all {
            return Some(());
        }
        self.reach_body(strings)?;
        self.tree.text(strings, self.current(), text.without(blank))
    }
}
