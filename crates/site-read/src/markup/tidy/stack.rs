//! The elements that are open.

use crate::markup::names::Sort;
use crate::tree::{Growing, NodeId, Span};

/// Which rules hold for what comes next; "insertion mode" in the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    BeforeHtml,
    /// Before the head.
    Html,
    Head,
    AfterHead,
    Body,
    Table,
    ColumnGroup,
    TableBody,
    Row,
    /// In a cell or a caption: as in the body, but what belongs to the table ends it.
    Cell,
}

/// An open element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) node: NodeId,
    pub(super) name: Span,
    pub(super) sort: Sort,
    /// The rules for what it holds.
    pub(super) inside: Place,
    /// Of a drawing.
    pub(super) foreign: bool,
}

#[derive(Debug, Default)]
pub(super) struct Stack(Vec<Open>);

impl Stack {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn last(&self) -> Option<&Open> {
        self.0.last()
    }

    /// From the innermost outwards.
    pub(super) fn outwards(&self) -> impl Iterator<Item = (usize, &Open)> {
        self.0.iter().enumerate().rev()
    }

    pub(super) fn at(&self, at: usize) -> &Open {
        &self.0[at]
    }

    /// The elements in the one at this place.
    pub(super) fn within(&self, at: usize) -> &[Open] {
        &self.0[at + 1..]
    }

    pub(super) fn push(&mut self, open: Open) {
        self.0.push(open);
    }

    /// Other rules hold in the innermost element from here on.
    pub(super) fn enter(&mut self, place: Place) {
        if let Some(last) = self.0.last_mut() {
            last.inside = place;
        }
    }

    pub(super) fn pop(&mut self, tree: &mut Growing) {
        if let Some(open) = self.0.pop() {
            tree.close(open.node);
        }
    }

    /// Ends elements until so many are left.
    pub(super) fn close_to(&mut self, length: usize, tree: &mut Growing) {
        while self.0.len() > length {
            self.pop(tree);
        }
    }

    /// Where the innermost element is that is looked for, unless one that bounds the search stands before it.
    pub(super) fn find(
        &self,
        wanted: impl Fn(&Open) -> bool,
        bounds: impl Fn(Sort) -> bool,
    ) -> Option<usize> {
        for (at, open) in self.outwards() {
            if wanted(open) {
                return Some(at);
            }
            if bounds(open.sort) && !open.foreign {
                return None;
            }
        }
        None
    }
}
