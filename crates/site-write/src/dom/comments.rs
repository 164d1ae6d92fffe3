//! Comments that scripts read: bindings of Knockout, and what frameworks write where they will take over the page. React has
//! no word for a comment; an empty template keeps the place of each, until an island puts it there again before the first
//! script runs. What people write to one another goes.

use super::{Element, Node};

/// The attribute that holds what the comment says.
const ATTRIBUTE: &str = "data-legacy-comment";

/// How such comments begin: Knockout's, Lit's, Qwik's, Astro's, Vue's, Blazor's.
const BEGINNINGS: &[&str] = &[
    "ko ",
    "/ko",
    "lit-part",
    "/lit-part",
    "lit-node",
    "qv ",
    "/qv",
    "astro:",
    "teleport ",
    "v-if",
    "Blazor:",
];
/// Marks without words (`[`, `/$`, nothing at all) are no longer than this, in bytes: React's, Vue's, Svelte's, Solid's.
const LONGEST_MARK: usize = 2;

/// What keeps the place of this comment, if a script may read it.
pub(super) fn place(comment: &str) -> Option<Element> {
    let text = comment.trim();
    let is_mark = text.len() <= LONGEST_MARK && !text.contains(char::is_alphanumeric);
    if !is_mark && !BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) {
        return None;
    }
    let mut place = Element::new("template");
    place.set(ATTRIBUTE, comment);
    Some(place)
}

/// Takes the places away where no script will ask.
pub(crate) fn leave_out(nodes: &mut Vec<Node>) {
    let mut left: Vec<Node> = Vec::with_capacity(nodes.len());
    for mut node in std::mem::take(nodes) {
        if let Node::Element(element) = &mut node {
            if element.is_html("template") && element.has(ATTRIBUTE) {
                continue;
            }
            leave_out(&mut element.children);
        }
        match (left.last_mut(), node) {
            // React would print a marker between them.
            (Some(Node::Text(before)), Node::Text(text)) => before.push_str(&text),
            (_, node) => left.push(node),
        }
    }
    *nodes = left;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dom::parse, page::each};

    #[test]
    fn comments_that_scripts_read_keep_their_places() {
        let html = "<!doctype html><body><!-- Menu --><p>a <!-- -->1<!--[--> b</p><!-- ko if: on --><ul><!--/$--></ul><!-- /ko -->\
                    <!-- -------- --><svg><!--[--></svg><!--no-->";
        let mut body = parse::document(html).body;
        let mut said = Vec::new();
        each(&body, &mut |element| said.extend(element.get(ATTRIBUTE).map(str::to_owned)));
        assert_eq!(said, [" ", "[", " ko if: on ", "/$", " /ko "]);
        leave_out(&mut body);
        let [Node::Element(p), Node::Element(_), Node::Element(_)] = &*body else { panic!("{body:?}") };
        assert!(matches!(&*p.children, [Node::Text(text)] if text == "a 1 b"), "{p:?}");
    }
}
