//! Hashes of subtrees: equal for equal names, attributes and text. How long what is hashed would be is known without hashing
//! it: whoever looks for a few subtrees in a page need hash only what has the length of one.

use super::{Element, Node};

/// The hash of one subtree.
pub(crate) fn hash(element: &Element) -> String {
    hash_without(element, |_| false)
}

/// The same as if it had no attributes of these names.
pub(crate) fn hash_without(element: &Element, left_out: fn(&str) -> bool) -> String {
    let mut written = Vec::new();
    write(element, left_out, &mut written);
    blake3::hash(&written).to_hex()[..16].to_owned()
}

fn write(element: &Element, left_out: fn(&str) -> bool, out: &mut Vec<u8>) {
    field(1, &element.name, out);
    for (name, value) in element.attributes.iter().filter(|(name, _)| !left_out(name)) {
        field(2, name, out);
        field(3, value, out);
    }
    for child in &element.children {
        match child {
            Node::Text(text) => field(4, text, out),
            Node::Element(child) => write(child, left_out, out),
            Node::Part(part) => {
                out.push(5);
                out.extend_from_slice(part.name.as_bytes());
            }
        }
    }
    out.push(6);
}

fn field(mark: u8, text: &str, out: &mut Vec<u8>) {
    out.push(mark);
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn field_length(text: &str) -> usize {
    1 + size_of::<u64>() + text.len()
}

/// What is hashed of each element of some nodes, in bytes, by its number in document order.
#[derive(Default)]
pub(crate) struct Lengths(Vec<Length>);

#[derive(Clone, Copy)]
struct Length {
    bytes: usize,
    /// The number of the first element behind it that is not in it.
    behind: usize,
}

impl Lengths {
    pub(crate) fn of(nodes: &[Node]) -> Self {
        let mut lengths = Self::default();
        for node in nodes {
            lengths.node(node);
        }
        lengths
    }

    pub(crate) fn of_one(element: &Element) -> Self {
        let mut lengths = Self::default();
        lengths.element(element);
        lengths
    }

    /// That of the element with this number, from 0.
    pub(crate) fn get(&self, number: usize) -> usize {
        self.0[number].bytes
    }

    /// The number of the first element behind that one and all that is in it.
    pub(crate) fn behind(&self, number: usize) -> usize {
        self.0[number].behind
    }

    fn node(&mut self, node: &Node) -> usize {
        match node {
            Node::Text(text) => field_length(text),
            Node::Part(part) => 1 + part.name.len(),
            Node::Element(element) => self.element(element),
        }
    }

    fn element(&mut self, element: &Element) -> usize {
        let number = self.0.len();
        self.0.push(Length { bytes: 0, behind: 0 });
        let attributes =
            element.attributes.iter().map(|(name, value)| field_length(name) + field_length(value));
        let own = field_length(&element.name) + attributes.sum::<usize>() + 1;
        let inside: usize = element.children.iter().map(|child| self.node(child)).sum();
        self.0[number] = Length { bytes: own + inside, behind: self.0.len() };
        own + inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::Use;

    fn tree() -> Vec<Node> {
        let mut inner = Element::new("b");
        inner.children.push(Node::Text("x".into()));
        let mut outer = Element::new("p");
        outer.attributes.push(("class".into(), "y".into()));
        outer.children = vec![Node::Element(inner.clone()), Node::Text("z".into()), Node::Element(inner)];
        vec![Node::Text("before".into()), Node::Element(outer), Node::Element(Element::new("hr"))]
    }

    #[test]
    fn a_length_is_that_of_what_is_hashed() {
        let mut nodes = tree();
        let Node::Element(outer) = &mut nodes[1] else { panic!("an element") };
        outer.children.push(Node::Part(Use { name: "SiteFooter".into(), given: Vec::new() }));
        let lengths = Lengths::of(&nodes);
        let mut number = 0;
        crate::page::each(&nodes, &mut |element| {
            let mut written = Vec::new();
            write(element, |_| false, &mut written);
            assert_eq!(lengths.get(number), written.len(), "{}", element.name);
            number += 1;
        });
        assert_eq!([0, 1, 2, 3].map(|number| lengths.behind(number)), [3, 2, 3, 4]);
    }

    #[test]
    fn what_is_left_out_makes_no_difference() {
        let Node::Element(outer) = &tree()[1] else { panic!("an element") };
        let mut other = outer.clone();
        other.set("class", "another");
        assert_ne!(hash(outer), hash(&other));
        let without = |element: &Element| hash_without(element, |name| name == "class");
        assert_eq!(without(outer), without(&other));
        other.remove("class");
        assert_eq!(without(outer), hash(&other));
    }

    /// Plans that are stored name parts by these.
    #[test]
    fn a_hash_says_the_same_in_every_release() {
        let Node::Element(outer) = &tree()[1] else { panic!("an element") };
        assert_eq!(hash(outer), "1eff9c5b2a9b824f");
    }
}
