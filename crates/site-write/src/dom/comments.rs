//! Comments that scripts read: bindings of Knockout, and what frameworks write where they will take over the page. React has
//! no word for a comment; an empty element that shows nothing keeps the place of each, until an island puts it there again before
//! the first script runs. What people write to one another goes.

use super::{Element, Node, Space};

/// The attribute that holds what the comment says.
const ATTRIBUTE: &str = "data-legacy-comment";

/// How such comments begin: Knockout's, Lit's, Qwik's, Astro's, Vue's, Blazor's, Angular's, Ember's, Stencil's.
const BEGINNINGS: &[&str] = &[
    "/ko",
    "lit-part",
    "/lit-part",
    "lit-node",
    "qv ",
    "/qv",
    "t=",
    "astro:",
    "teleport ",
    "v-if",
    "Blazor",
    "nghm",
    "ngetn",
    "ngtns",
    "%+b:",
    "%-b:",
    "HTML_TAG_",
    "r.",
    "c.",
];
/// Marks without words (`[`, `/$`, nothing at all) are no longer than this, in bytes: React's, Vue's, Svelte's, Solid's.
const LONGEST_MARK: usize = 3;

/// What keeps the place of this comment inside that element, if a script may read it.
pub(super) fn place(comment: &str, inside: Option<(Space, &str)>) -> Option<Element> {
    if !is_read(comment) {
        return None;
    }
    let mut place = match inside {
        // Their text is all that counts; a formula has nothing that shows nothing.
        Some((Space::Html, "option" | "optgroup") | (Space::MathMl, _)) => return None,
        Some((Space::Svg, _)) => Element { space: Space::Svg, ..Element::new("desc") },
        _ => Element::new("template"),
    };
    place.set(ATTRIBUTE, comment);
    Some(place)
}

fn is_read(comment: &str) -> bool {
    let text = comment.trim();
    let is_mark = text.len() <= LONGEST_MARK && !text.contains(char::is_alphabetic);
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_binding = text.strip_prefix("ko").is_some_and(|rest| rest.starts_with(char::is_whitespace));
    is_mark && !is_number || is_binding || BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// Does it keep the place of a comment?
pub(crate) fn is_place(element: &Element) -> bool {
    matches!((element.space, element.name.as_str()), (Space::Html, "template") | (Space::Svg, "desc"))
        && element.has(ATTRIBUTE)
}

/// Is it the place of a mark that a framework left for itself? Knockout's are a person's words.
pub(crate) fn is_mark(element: &Element) -> bool {
    let said = element.get(ATTRIBUTE).filter(|_| is_place(element));
    said.is_some_and(|said| !said.trim().trim_start_matches('/').starts_with("ko"))
}

/// Is there a place?
pub(crate) fn are_kept(nodes: &[Node]) -> bool {
    nodes.iter().any(
        |node| matches!(node, Node::Element(element) if is_place(element) || are_kept(&element.children)),
    )
}

/// Takes the places away where no script will ask.
pub(crate) fn leave_out(nodes: &mut Vec<Node>) {
    let mut left: Vec<Node> = Vec::with_capacity(nodes.len());
    for mut node in std::mem::take(nodes) {
        if let Node::Element(element) = &mut node {
            if is_place(element) {
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
                    <!-- -------- --><svg><!--]--></svg><!--no--><!-- 12 --><select><option>A<option selected>B<!----></select>";
        let mut body = parse::document(html).body;
        let mut said = Vec::new();
        each(&body, &mut |element| said.extend(element.get(ATTRIBUTE).map(str::to_owned)));
        assert_eq!(said, [" ", "[", " ko if: on ", "/$", " /ko ", "]"]);
        leave_out(&mut body);
        let [Node::Element(p), Node::Element(_), Node::Element(_), Node::Element(_)] = &*body else {
            panic!("{body:?}")
        };
        assert!(matches!(&*p.children, [Node::Text(text)] if text == "a 1 b"), "{p:?}");
    }
}
