//! The shape of a page: a hash of each part that others may share, of entries that repeat side by side, and of
//! the whole.
//!
//! Shape is element names and classes. Classes that only tell which entry is the current one are left out, so
//! that a navigation has one shape on all pages.

use super::{PageAnalysis, Part, PartRole};
use crate::analysis::hash::{Hash, Hasher};
use crate::tree::Element;

/// Parts kept of one page, and shapes told apart among one element's children.
const PARTS: usize = 64;
const SHAPES: usize = 64;
/// Entries side by side that make a list of cards, and elements that make a card.
const SIDE_BY_SIDE: u32 = 3;
const CARD: u32 = 3;
/// Elements around each other that make a template: below, it is content.
const TEMPLATE_DEPTH: usize = 5;
/// Classes that tell a state, by what they hold.
const STATES: [&str; 6] = ["active", "current", "selected", "is-open", "focus", "hover"];

#[derive(Default)]
pub(super) struct Parts {
    open: Vec<Shape>,
    /// How many of them are parts.
    inside: u32,
    found: Vec<Part>,
    template: u64,
}

/// An element whose children are being read.
struct Shape {
    role: Option<PartRole>,
    structure: Hasher,
    content: Hasher,
    elements: u32,
    children: Vec<Child>,
    /// Structure of the child before, so that any number of like ones in a row is one.
    last: u64,
    /// The structure without what lies deep in it, and the same of the child before.
    outline: Hasher,
    last_outline: u64,
}

/// Children of one structure.
struct Child {
    structure: u64,
    times: u32,
    elements: u32,
}

impl Parts {
    pub(super) fn open(&mut self, element: Element<'_>) {
        let name = element.name();
        let mut structure = Hasher::new();
        structure.bytes(name.as_bytes());
        let (mut class, mut says) = ("", [""; 4]);
        for (attribute, value) in element.attrs() {
            match attribute {
                "class" => class = value,
                "href" => says[0] = value,
                "src" => says[1] = value,
                "alt" => says[2] = value,
                "action" => says[3] = value,
                _ => {}
            }
        }
        for class in class.split_ascii_whitespace().filter(|class| !is_state(class)) {
            structure.bytes(class.as_bytes());
        }
        let role = if self.inside > 0 { inner(name) } else { role(element) };
        self.inside += u32::from(role.is_some());
        let mut content = structure;
        if self.inside > 0 {
            says.iter().filter(|value| !value.is_empty()).for_each(|value| content.bytes(value.as_bytes()));
        }
        self.open.push(Shape {
            role,
            structure,
            content,
            elements: 1,
            children: Vec::new(),
            last: 0,
            outline: structure,
            last_outline: 0,
        });
    }

    pub(super) fn text(&mut self, text: &str) {
        // What a part says matters; of the rest only its shape is asked for.
        if self.inside > 0
            && let Some(shape) = self.open.last_mut()
        {
            for word in text.split_whitespace() {
                shape.content.bytes(word.as_bytes());
            }
        }
    }

    pub(super) fn close(&mut self) {
        let Some(shape) = self.open.pop() else { return };
        let (structure, content) = (shape.structure.finish(), shape.content.finish());
        if let Some(role) = shape.role {
            self.inside -= 1;
            self.keep(Part {
                role,
                structure: Hash(structure),
                content: Hash(content),
                elements: shape.elements,
                times: 1,
            });
        }
        // Entries of a menu or a sidebar are part of it.
        if shape.role.is_none() && self.inside == 0 {
            self.cards(&shape.children);
        }
        let outline = shape.outline.finish();
        match self.open.last_mut() {
            Some(around) => {
                around.take(structure, content, shape.elements);
                if self.open.len() < TEMPLATE_DEPTH {
                    self.outline(outline);
                }
            }
            None => self.template = outline,
        }
    }

    /// A child belongs to the outline of the element around it.
    fn outline(&mut self, child: u64) {
        if let Some(around) = self.open.last_mut()
            && around.last_outline != child
        {
            around.outline.number(child);
            around.last_outline = child;
        }
    }

    /// Entries of one shape, side by side.
    fn cards(&mut self, children: &[Child]) {
        let cards = children.iter().filter(|child| child.times >= SIDE_BY_SIDE && child.elements >= CARD);
        let mut cards: Vec<Part> = cards
            .map(|child| Part {
                role: PartRole::Card,
                structure: Hash(child.structure),
                content: Hash(0),
                elements: child.elements,
                times: child.times,
            })
            .collect();
        cards.sort_by_key(|card| card.structure);
        cards.into_iter().for_each(|card| self.keep(card));
    }

    fn keep(&mut self, part: Part) {
        let same = |known: &&mut Part| known.role == part.role && known.structure == part.structure;
        if let Some(known) = self.found.iter_mut().find(same) {
            known.times = known.times.saturating_add(part.times);
        } else if self.found.len() < PARTS {
            self.found.push(part);
        }
    }

    pub(super) fn finish(self, page: &mut PageAnalysis) {
        page.parts = self.found;
        page.template = Hash(self.template);
    }
}

impl Shape {
    fn take(&mut self, structure: u64, content: u64, elements: u32) {
        self.content.number(content);
        self.elements = self.elements.saturating_add(elements);
        // A list of ten and a list of twelve are of one template.
        if self.last != structure {
            self.structure.number(structure);
            self.last = structure;
        }
        // The same as the one before, most often.
        if let Some(same) = self.children.iter_mut().rev().find(|child| child.structure == structure) {
            same.times += 1;
        } else if self.children.len() < SHAPES {
            self.children.push(Child { structure, times: 1, elements });
        }
    }
}

fn is_state(class: &str) -> bool {
    let bytes = class.as_bytes();
    (0..bytes.len()).any(|at| {
        let begins = matches!(bytes[at], b'a' | b'c' | b's' | b'i' | b'f' | b'h');
        begins && STATES.iter().any(|state| bytes[at..].starts_with(state.as_bytes()))
    })
}

/// Inside a part, only navigation is a part of its own.
fn inner(name: &str) -> Option<PartRole> {
    (name == "nav").then_some(PartRole::Navigation)
}

/// What an element is by its name, its role, or else what its author called it.
fn role(element: Element<'_>) -> Option<PartRole> {
    match element.name() {
        "header" => return Some(PartRole::Header),
        "nav" => return Some(PartRole::Navigation),
        "aside" => return Some(PartRole::Aside),
        "footer" => return Some(PartRole::Footer),
        "div" | "table" | "ul" | "section" | "td" => {}
        _ => return None,
    }
    match element.attr("role") {
        Some("banner") => return Some(PartRole::Header),
        Some("navigation") => return Some(PartRole::Navigation),
        Some("complementary") => return Some(PartRole::Aside),
        Some("contentinfo") => return Some(PartRole::Footer),
        _ => {}
    }
    element.attr("id").into_iter().chain(element.classes()).find_map(called)
}

fn called(name: &str) -> Option<PartRole> {
    match name.to_ascii_lowercase().as_str() {
        "header" | "masthead" | "site-header" | "page-header" | "topbar" | "top-bar" | "banner" => {
            Some(PartRole::Header)
        }
        "nav" | "navbar" | "navigation" | "menu" | "main-menu" | "mainmenu" | "main-nav" | "mainnav"
        | "topnav" => Some(PartRole::Navigation),
        "sidebar" | "side-bar" | "sidenav" | "sphinxsidebar" | "aside" => Some(PartRole::Aside),
        "footer" | "site-footer" | "page-footer" | "bottom" => Some(PartRole::Footer),
        _ => None,
    }
}
