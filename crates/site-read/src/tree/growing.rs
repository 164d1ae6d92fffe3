//! A tree that grows at its end: what comes next is inside the elements that are open.

use super::{Attribute, Document, Kind, Node, Span, Strings};

/// A node's place in document order.
pub(crate) type NodeId = u32;

/// A tree that is not whole yet.
#[derive(Debug)]
pub(crate) struct Growing {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
}

impl Growing {
    /// For a document of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let mut nodes = Vec::with_capacity(bytes / 24 + 8);
        nodes.push(Node { kind: Kind::Document, text: Span::EMPTY, attributes: (0, 0), parent: 0, end: 1 });
        Self { nodes, attributes: Vec::with_capacity(bytes / 48) }
    }

    /// Begins an element.
    pub(crate) fn open(
        &mut self,
        parent: NodeId,
        name: Span,
        html: bool,
        attributes: &[Attribute],
    ) -> NodeId {
        let from = self.attributes.len() as u32;
        self.attributes.extend_from_slice(attributes);
        let kind = if html { Kind::Html } else { Kind::Foreign };
        self.push(kind, parent, name, (from, self.attributes.len() as u32))
    }

    /// Ends an element; nothing is added to it from here on.
    pub(crate) fn close(&mut self, id: NodeId) {
        self.nodes[id as usize].end = self.nodes.len() as NodeId;
    }

    pub(crate) fn comment(&mut self, parent: NodeId) {
        self.push(Kind::Comment, parent, Span::EMPTY, (0, 0));
    }

    /// Adds text to that before it, if there is some at the same place; `None` if there is no room for it.
    pub(crate) fn text(&mut self, strings: &mut Strings<'_>, parent: NodeId, text: Span) -> Option<()> {
        let last = self.nodes.len() - 1;
        let before = &mut self.nodes[last];
        if before.kind == Kind::Text && before.parent == parent {
            before.text = strings.join(before.text, text)?;
        } else {
            self.lone_text(parent, text);
        }
        Some(())
    }

    /// Adds text that does not go on from any before it.
    pub(crate) fn lone_text(&mut self, parent: NodeId, text: Span) {
        self.push(Kind::Text, parent, text, (0, 0));
    }

    /// The whole tree, once every element is closed.
    pub(crate) fn finish(mut self, strings: Strings<'_>) -> Document<'_> {
        self.close(0);
        Document { strings, nodes: self.nodes, attributes: self.attributes }
    }

    fn push(&mut self, kind: Kind, parent: NodeId, text: Span, attributes: (u32, u32)) -> NodeId {
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node { kind, text, attributes, parent, end: id + 1 });
        id
    }
}
