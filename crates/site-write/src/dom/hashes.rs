//! Hashes of subtrees: equal for equal names, attributes and text. A page is written out once, and each of its subtrees is a
//! piece of that: all of them are hashed without walking any of them again.

use super::{Element, Node};

/// The elements of some nodes in document order, with their hashes.
#[derive(Default)]
pub(crate) struct Hashes<'a> {
    written: Vec<u8>,
    elements: Vec<Hashed<'a>>,
}

struct Hashed<'a> {
    element: &'a Element,
    /// Where it stands in what was written.
    start: usize,
    end: usize,
    /// The number of the first element behind it that is not in it.
    behind: usize,
}

/// The hash of one subtree.
pub(crate) fn hash(element: &Element) -> String {
    let mut hashes = Hashes::default();
    hashes.write(element);
    hashes.get(0)
}

impl<'a> Hashes<'a> {
    pub(crate) fn of(nodes: &'a [Node]) -> Self {
        let mut hashes = Self::default();
        for node in nodes {
            if let Node::Element(element) = node {
                hashes.write(element);
            }
        }
        hashes
    }

    /// The hash of the element with that number, from 0.
    pub(crate) fn get(&self, number: usize) -> String {
        let Hashed { start, end, .. } = self.elements[number];
        blake3::hash(&self.written[start..end]).to_hex()[..16].to_owned()
    }

    /// The number of the first element behind that one and all that is in it.
    pub(crate) fn behind(&self, number: usize) -> usize {
        self.elements[number].behind
    }

    /// Every element with its hash.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'a Element, String)> {
        self.elements.iter().enumerate().map(|(number, hashed)| (hashed.element, self.get(number)))
    }

    fn write(&mut self, element: &'a Element) {
        let (number, start) = (self.elements.len(), self.written.len());
        self.elements.push(Hashed { element, start, end: start, behind: number });
        self.field(1, &element.name);
        for (name, value) in &element.attributes {
            self.field(2, name);
            self.field(3, value);
        }
        for child in &element.children {
            match child {
                Node::Text(text) => self.field(4, text),
                Node::Element(child) => self.write(child),
                Node::Part(part) => {
                    self.written.push(5);
                    self.written.extend_from_slice(part.name.as_bytes());
                }
            }
        }
        self.written.push(6);
        let (end, behind) = (self.written.len(), self.elements.len());
        self.elements[number] = Hashed { element, start, end, behind };
    }

    fn field(&mut self, mark: u8, text: &str) {
        self.written.push(mark);
        self.written.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.written.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Vec<Node> {
        let mut inner = Element::new("b");
        inner.children.push(Node::Text("x".into()));
        let mut outer = Element::new("p");
        outer.attributes.push(("class".into(), "y".into()));
        outer.children = vec![Node::Element(inner.clone()), Node::Text("z".into()), Node::Element(inner)];
        vec![Node::Text("before".into()), Node::Element(outer), Node::Element(Element::new("hr"))]
    }

    #[test]
    fn each_is_hashed_as_it_would_be_by_itself() {
        let nodes = tree();
        let hashes = Hashes::of(&nodes);
        let names: Vec<&str> = hashes.each().map(|(element, _)| element.name.as_str()).collect();
        assert_eq!(names, ["p", "b", "b", "hr"]);
        assert!(hashes.each().all(|(element, own)| own == hash(element)));
        assert_eq!(hashes.get(1), hashes.get(2));
        assert_ne!(hashes.get(0), hashes.get(3));
        assert_eq!([0, 1, 2, 3].map(|number| hashes.behind(number)), [3, 2, 3, 4]);
    }

    /// Plans that are stored name parts by these.
    #[test]
    fn a_hash_says_the_same_in_every_release() {
        let Node::Element(outer) = &tree()[1] else { panic!("an element") };
        assert_eq!(hash(outer), "1eff9c5b2a9b824f");
    }
}
