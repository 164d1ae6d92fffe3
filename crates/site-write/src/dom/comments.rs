//! Comments that scripts read: bindings of Knockout, and what frameworks write where they will take over the page. React has
//! no word for a comment; an empty element that shows nothing keeps the place of each, until an island puts it there again before
//! the first script runs. What people write to one another goes.

use std::collections::BTreeSet;

use super::{Element, Node, Space};

/// The attribute that holds what the comment says.
const ATTRIBUTE: &str = "data-legacy-comment";

/// How such comments begin: Lit's, Qwik's, Astro's, Vue's, Blazor's, Angular's, Ember's, Svelte's, Solid's.
const BEGINNINGS: &[&str] = &[
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
    "!$",
];
/// Marks without words, to the letter: React's, Vue's, Svelte's, Solid's. People put spaces around what they say.
const MARKS: &[&str] = &[
    "",
    BETWEEN_TEXTS,
    "[",
    "[!",
    "[?",
    "]",
    "$",
    "$?",
    "$!",
    "$~",
    "/$",
    "&",
    "/&",
    "#",
    "/",
    "!",
    "F",
    "F!",
];
/// What React writes between two texts of one element.
const BETWEEN_TEXTS: &str = " ";

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
    MARKS.contains(&comment)
        || is_binding(comment)
        || is_branch(comment)
        || is_numbered(comment)
        || BEGINNINGS.iter().any(|beginning| comment.starts_with(beginning))
}

/// Is it one of Knockout's? A person may write it, and put spaces around it.
fn is_binding(comment: &str) -> bool {
    let mut words = comment.split_whitespace();
    matches!(words.next(), Some("ko" | "/ko")) && !comment.trim().eq("ko")
}

/// Is it one of Svelte's: `[0`, `[1`, `[-1`, which of a block's branches follows?
fn is_branch(comment: &str) -> bool {
    let number = comment.strip_prefix('[').map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Is it one of Stencil's: `r.1`, `c.1.0.0.0`?
fn is_numbered(comment: &str) -> bool {
    matches!(comment.as_bytes(), [b'r' | b'c' | b't' | b's' | b'o', b'.', b'0'..=b'9', ..])
}

/// Takes away, of one element's nodes, the places of what only looks like React's mark between two texts.
pub(super) fn forget_blanks(nodes: &mut Vec<Node>) {
    let is_blank = |node: &Node| matches!(node, Node::Element(element) if is_place(element) && element.get(ATTRIBUTE) == Some(BETWEEN_TEXTS));
    let text = |at: Option<usize>| match at.and_then(|at| nodes.get(at)) {
        Some(Node::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let parts_texts = |at: usize| match (text(at.checked_sub(1)), text(Some(at + 1))) {
        (Some(before), Some(behind)) => !(before.trim().is_empty() && behind.trim().is_empty()),
        _ => false,
    };
    let gone: BTreeSet<usize> =
        (0..nodes.len()).filter(|&at| is_blank(&nodes[at]) && !parts_texts(at)).collect();
    if !gone.is_empty() {
        join(nodes, |at, _| gone.contains(&at));
    }
}

/// Does it keep the place of a comment?
pub(crate) fn is_place(element: &Element) -> bool {
    matches!((element.space, element.name.as_str()), (Space::Html, "template") | (Space::Svg, "desc"))
        && element.has(ATTRIBUTE)
}

/// Is it the place of a mark that a framework left for itself? Knockout's are a person's words.
pub(crate) fn is_mark(element: &Element) -> bool {
    let said = element.get(ATTRIBUTE).filter(|_| is_place(element));
    said.is_some_and(|said| !is_binding(said))
}

/// Is there a place?
pub(crate) fn are_kept(nodes: &[Node]) -> bool {
    nodes.iter().any(
        |node| matches!(node, Node::Element(element) if is_place(element) || are_kept(&element.children)),
    )
}

/// Takes the places away where no script will ask.
pub(crate) fn leave_out(nodes: &mut Vec<Node>) {
    join(nodes, |_, node| matches!(node, Node::Element(element) if is_place(element)));
    for node in nodes {
        if let Node::Element(element) = node {
            leave_out(&mut element.children);
        }
    }
}

/// Takes nodes away, and joins the texts on both sides: React would print a marker between them.
fn join(nodes: &mut Vec<Node>, goes: impl Fn(usize, &Node) -> bool) {
    let mut left: Vec<Node> = Vec::with_capacity(nodes.len());
    let stays = std::mem::take(nodes).into_iter().enumerate().filter(|(at, node)| !goes(*at, node));
    for (_, node) in stays {
        match (left.last_mut(), node) {
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
    use rstest::rstest;

    #[test]
    fn comments_that_scripts_read_keep_their_places() {
        let html = "<!doctype html><body><!-- Menu --><p>a <!-- -->1<!--[--> b</p><!-- ko if: on --><ul><!--/$--></ul><!-- /ko -->\
                    <!-- -------- --><svg><!--]--></svg><!--no--><!-- 12 --><select><option>A<option selected>B<!----></select>";
        let mut body = parse::document(html).body;
        assert_eq!(said(&body), [" ", "[", " ko if: on ", "/$", " /ko ", "]"]);
        leave_out(&mut body);
        let [Node::Element(p), Node::Element(_), Node::Element(_), Node::Element(_)] = &*body else {
            panic!("{body:?}")
        };
        assert!(matches!(&*p.children, [Node::Text(text)] if text == "a 1 b"), "{p:?}");
    }

    #[rstest]
    #[case::of_react("<p>a<!-- -->b <!--$-->c<!--/$--><i>d</i> <!-- -->e</p>", &[" ", "$", "/$", " "])]
    #[case::of_solid("<p><!--#-->a<!--/--><!--!$e0--></p>", &["#", "/", "!$e0"])]
    #[case::of_svelte("<div><!--[--><!--[0--><p>a</p><!--]--><!--[-1--><!--]--><!--]--></div>", &["[", "[0", "]", "[-1", "]", "]"])]
    #[case::of_stencil("<p><!--r.1--><!--t.1.0.0.0-->a<!--c.1--></p>", &["r.1", "t.1.0.0.0", "c.1"])]
    #[case::of_knockout("<!--ko foreach: a--><!--/ko-->", &["ko foreach: a", "/ko"])]
    #[case::gaps_of_a_menu("<ul><li>a</li><!--\n--><li>b</li><!-- --><li>c</li> <!-- --> <li>d</li></ul>", &[])]
    #[case::of_people("<!-- // --><!-- --- --><!--2.--><!-- / --><!-- [ --><!--t. b. d.--><!--c.f. above--><!-- kopf --><!--/kontakt-->", &[])]
    fn what_a_framework_writes_is_told_from_what_people_do(#[case] html: &str, #[case] read: &[&str]) {
        let body = parse::document(&format!("<!doctype html><body>{html}")).body;
        assert_eq!(said(&body), read);
    }

    fn said(nodes: &[Node]) -> Vec<String> {
        let mut said = Vec::new();
        each(nodes, &mut |element| said.extend(element.get(ATTRIBUTE).map(str::to_owned)));
        said
    }
}
