//! Shadow trees that are written as templates: which of these the parser makes one of, and which it leaves as they stand
//! (<https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inhead>).

use crate::dom::{Element, Node, Space, comments};

const MODE: &str = "shadowrootmode";

/// Elements of HTML's own that take one (<https://dom.spec.whatwg.org/#valid-shadow-host-name>).
const HOSTS: &[&str] = &[
    "article",
    "aside",
    "blockquote",
    "body",
    "div",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "main",
    "nav",
    "p",
    "section",
    "span",
];
/// Names with a hyphen that no element of a site's own may have.
const TAKEN: &[&str] = &[
    "annotation-xml",
    "color-profile",
    "font-face",
    "font-face-src",
    "font-face-uri",
    "font-face-format",
    "font-face-name",
    "missing-glyph",
];

/// Takes the mode from templates of which the parser makes no tree: it means nothing there. One that becomes a tree leaves
/// its place, and texts on its two sides become one; it goes to the front, where it parts none.
pub(super) fn tell_apart(body: &mut Vec<Node>) {
    among(body, true);
}

/// Does the parser make a tree of this template, once [`tell_apart`] has looked at it?
pub(crate) fn is_tree(element: &Element) -> bool {
    element.is_html("template") && element.has(MODE)
}

/// The first of these templates becomes the tree of the element that they stand in, if that is a `host`.
fn among(nodes: &mut Vec<Node>, host: bool) {
    let tree = nodes.iter().position(|node| matches!(node, Node::Element(it) if is_tree(it) && is_mode(it)));
    let tree = tree.filter(|_| host);
    if let Some(at) = tree {
        to_the_front(nodes, at);
    }
    for (at, node) in nodes.iter_mut().enumerate() {
        let Node::Element(element) = node else { continue };
        if is_tree(element)
            && let Some(mode) = element.get(MODE).map(str::to_ascii_lowercase)
        {
            if at == 0 && tree.is_some() {
                // Nobody can look into a closed one to put them there again.
                if mode == "closed" {
                    comments::leave_out(&mut element.children);
                }
                element.set(MODE, mode);
            } else {
                element.remove(MODE);
            }
        }
        let host = is_host(element);
        among(&mut element.children, host);
    }
}

fn to_the_front(nodes: &mut Vec<Node>, at: usize) {
    if let [.., Node::Text(_), _, Node::Text(_)] = &nodes[..nodes.len().min(at + 2)]
        && let Node::Text(after) = nodes.remove(at + 1)
        && let Some(Node::Text(before)) = nodes.get_mut(at - 1)
    {
        before.push_str(&after);
    }
    nodes[..=at].rotate_right(1);
}

fn is_mode(template: &Element) -> bool {
    let mode = template.get(MODE).unwrap_or_default();
    mode.eq_ignore_ascii_case("open") || mode.eq_ignore_ascii_case("closed")
}

fn is_host(element: &Element) -> bool {
    let name = element.name.as_str();
    element.space == Space::Html && (HOSTS.contains(&name) || name.contains('-') && !TAKEN.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    #[rstest]
    #[case("<x-y><template shadowrootmode=open></template></x-y>", &["open"])]
    #[case("<div><p>a</p><template shadowrootmode=closed></template></div>", &["closed"])]
    #[case("<template shadowrootmode=open></template>", &["open"])]
    #[case("<button><template shadowrootmode=open></template></button>", &[])]
    #[case("<div><template shadowrootmode=open></template><template shadowrootmode=open></template></div>", &["open"])]
    #[case("<div><template shadowrootmode=half></template></div>", &[])]
    #[case("<div><template shadowrootmode=half></template><template shadowrootmode=OPEN></template></div>", &["open"])]
    #[case("<div><template shadowrootmode=open><div><template shadowrootmode=open></template></div></template></div>", &["open", "open"])]
    #[case("<div><template shadowrootmode=open><template shadowrootmode=open></template></template></div>", &["open"])]
    fn a_template_is_a_tree_where_the_parser_makes_it_one(#[case] html: &str, #[case] modes: &[&str]) {
        let mut document = parse::document(&format!("<!doctype html><body>{html}"));
        tell_apart(&mut document.body);
        let mut found = Vec::new();
        super::super::each(&document.body, &mut |element| found.extend(element.get(MODE).map(str::to_owned)));
        assert_eq!(found, modes);
    }

    #[test]
    fn texts_on_both_sides_of_a_tree_are_one() {
        let mut document = parse::document(
            "<!doctype html><body><x-y>\n <template shadowrootmode=open> in </template>\n out<i></i></x-y>",
        );
        tell_apart(&mut document.body);
        let [Node::Element(host)] = &*document.body else { panic!("{:?}", document.body) };
        let [Node::Element(tree), Node::Text(text), Node::Element(_)] = &*host.children else {
            panic!("{:?}", host.children)
        };
        assert!(is_tree(tree), "{tree:?}");
        assert_eq!(text, "\n \n out");
    }
}
