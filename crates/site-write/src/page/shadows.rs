//! Shadow trees that are written as templates: which of these the parser makes one of, and which it leaves as they stand
//! (<https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inhead>).

use crate::dom::{Element, Node, Space};

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

/// Takes the mode from templates of which the parser makes no tree: it means nothing there.
pub(super) fn tell_apart(body: &mut [Node]) {
    among(body, true);
}

/// Does one of these templates become the tree of the element that they stand in, if it `may` have one?
fn among(nodes: &mut [Node], mut may: bool) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.is_html("template") && element.has(MODE) {
            if may && is_mode(element) {
                may = false;
            } else {
                element.attributes.retain(|(name, _)| name != MODE);
            }
        }
        let host = is_host(element);
        among(&mut element.children, host);
    }
}

fn is_mode(template: &Element) -> bool {
    matches!(template.get(MODE), Some("open" | "closed"))
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
    #[case("<div><template shadowrootmode=open><div><template shadowrootmode=open></template></div></template></div>", &["open", "open"])]
    #[case("<div><template shadowrootmode=open><template shadowrootmode=open></template></template></div>", &["open"])]
    fn a_template_is_a_tree_where_the_parser_makes_it_one(#[case] html: &str, #[case] modes: &[&str]) {
        let mut document = parse::document(&format!("<!doctype html><body>{html}"));
        tell_apart(&mut document.body);
        let mut found = Vec::new();
        super::super::each(&document.body, &mut |element| found.extend(element.get(MODE).map(str::to_owned)));
        assert_eq!(found, modes);
    }
}
