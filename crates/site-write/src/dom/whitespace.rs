//! Leaves out the white space that no browser shows, so that what is printed reads well.
//!
//! Only what cannot show goes: see [`Hints`] for how that is known. Inside `pre` and its like nothing is touched, nor what a
//! framework takes over.

use super::{Element, Node, Space, taken_over};
use crate::css::hints::Hints;

/// Elements that are blocks unless a style sheet says otherwise.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
    "caption",
    "td",
    "th",
];

/// Elements in which white space between the children is no text at all.
const STRUCTURE: &[&str] = &[
    "table", "thead", "tbody", "tfoot", "tr", "colgroup", "select", "optgroup", "datalist", "picture",
    "video", "audio", "object", "frameset",
];

const VERBATIM: &[&str] = &["pre", "textarea", "listing", "xmp", "plaintext", "script", "style", "template"];

/// Cleans the children of a page's body.
pub(crate) fn collapse(nodes: &mut Vec<Node>, hints: &Hints) {
    let mut body = Element::new("body");
    body.children = std::mem::take(nodes);
    inside(&mut body, hints, Drawing::default());
    *nodes = body.children;
}

/// What an SVG image says of the white space in it (<https://www.w3.org/TR/SVG2/text.html#WhiteSpace>).
#[derive(Default, Clone, Copy)]
struct Drawing {
    /// The nearest `xml:space` is `preserve`.
    preserved: bool,
    /// Here is text that is drawn; elsewhere is only structure.
    text: bool,
}

impl Drawing {
    fn inside(self, element: &Element) -> Self {
        if element.space != Space::Svg {
            return Self::default();
        }
        let preserved = element.get("xml:space").map_or(self.preserved, |said| said == "preserve");
        Self { preserved, text: self.text || element.name == "text" }
    }
}

fn inside(parent: &mut Element, hints: &Hints, around: Drawing) {
    let drawing = around.inside(parent);
    if VERBATIM.contains(&parent.name.as_str()) || hints.preserved(parent) {
        return;
    }
    let structure =
        (parent.space != Space::Html || STRUCTURE.contains(&parent.name.as_str())) && !drawing.text;
    let edge = is_block(parent, hints);
    let [start, end] = hints.letters_beside(parent).map(|letters| edge && !letters);
    let kinds: Vec<Kind> = parent.children.iter().map(|node| kind(node, hints)).collect();
    let open = borders(kinds.iter(), start);
    let mut close = borders(kinds.iter().rev(), end);
    close.reverse();
    let is_body = parent.is_html("body");
    for (node, (open, close)) in parent.children.iter_mut().zip(open.into_iter().zip(close)) {
        match node {
            Node::Element(element)
                if taken_over::is_root(element) || is_body && taken_over::holds_marks(element) => {}
            Node::Element(element) => inside(element, hints, drawing),
            Node::Text(_) if drawing.text && drawing.preserved => {}
            Node::Part(_) => {}
            Node::Text(text) => {
                let mut new = single_spaced(text);
                if structure && new == " " {
                    new.clear();
                }
                if open {
                    new = new.trim_start_matches(' ').to_owned();
                }
                if close {
                    new.truncate(new.trim_end_matches(' ').len());
                }
                *text = new;
            }
        }
    }
    parent.children.retain(|node| !matches!(node, Node::Text(text) if text.is_empty()));
}

/// What a node is to the white space beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Lines end at it.
    Block,
    /// It stands in a line.
    Inline,
    /// Nothing, maybe: white space, or a block that may be away from here.
    Nothing,
}

fn kind(node: &Node, hints: &Hints) -> Kind {
    match node {
        Node::Element(element) if !is_block(element, hints) => Kind::Inline,
        Node::Element(element) if hints.away(element) => Kind::Nothing,
        Node::Element(_) => Kind::Block,
        Node::Text(text) if single_spaced(text) == " " => Kind::Nothing,
        Node::Text(_) | Node::Part(_) => Kind::Inline,
    }
}

/// For each node, whether a line ends at what was before it, whether or not what may be nothing is something.
fn borders<'a>(kinds: impl Iterator<Item = &'a Kind>, first: bool) -> Vec<bool> {
    let mut border = first;
    let before = |kind: &Kind| match kind {
        Kind::Block => std::mem::replace(&mut border, true),
        Kind::Inline => std::mem::replace(&mut border, false),
        Kind::Nothing => border,
    };
    kinds.map(before).collect()
}

fn is_block(element: &Element, hints: &Hints) -> bool {
    element.space == Space::Html && BLOCKS.contains(&element.name.as_str()) && !hints.inline(element)
}

/// Runs of white space as HTML means it (not the non-breaking kinds) become one space.
fn single_spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let space = matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        if !space {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    #[rstest]
    #[case("<g> <rect/> <text> a  b <tspan> </tspan></text> </g>", &[" a b ", " "])]
    #[case("<text xml:space='preserve'>a  b <a> </a></text>", &["a  b ", " "])]
    #[case("<g xml:space='preserve'> <text>a  b<tspan xml:space='default'> c  d</tspan></text> </g>", &["a  b", " c d"])]
    #[case("<text xml:space='preserve'><title>  t</title></text>", &["  t"])]
    #[case("<foreignObject xml:space='preserve'><div> a  b </div></foreignObject>", &["a b"])]
    fn drawn_text_keeps_its_space_if_it_says_so(#[case] svg: &str, #[case] expected: &[&str]) {
        let mut body = parse::document(&format!("<!doctype html><body><svg>{svg}</svg>")).body;
        collapse(&mut body, &Hints::default());
        let mut found = Vec::new();
        texts(&body, &mut found);
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::marks_of_react("<div><ul>\n<li>a<!-- -->b</li></ul></div> <p>\n</p>", &["\n", "a", "b"])]
    #[case::bindings_of_knockout("<div>\n<!-- ko if: a -->\n<p></p><!-- /ko --></div>", &[])]
    #[case::a_root("<main>\n<astro-island>\n<b>\n</b></astro-island>\n</main>", &["\n", "\n"])]
    fn what_a_framework_takes_over_is_left_as_it_is(#[case] html: &str, #[case] expected: &[&str]) {
        let mut body = parse::document(&format!("<!doctype html><body>{html}")).body;
        collapse(&mut body, &Hints::default());
        let mut found = Vec::new();
        texts(&body, &mut found);
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::between_words("a <p style='display: none'>x</p> b", &["a ", "x", " b"])]
    #[case::in_a_line("<b>a</b>\n<div hidden>x</div>\n<b>b</b>", &["a", " ", "x", " ", "b"])]
    #[case::at_the_beginning(" <dialog>x</dialog> <b>a</b>", &["x", "a"])]
    #[case::at_the_end("<b>a</b> <div style='float: left'>x</div> ", &["a", "x"])]
    #[case::before_a_block("<b>a</b> <div hidden>x</div> <p>b</p> c", &["a", "x", "b", "c"])]
    #[case::one_that_is_there("<b>a</b> <div>x</div> <b>b</b>", &["a", "x", "b"])]
    fn words_around_a_block_that_is_away_stay_apart(#[case] html: &str, #[case] expected: &[&str]) {
        let mut body = parse::document(&format!("<!doctype html><body><div>{html}</div>")).body;
        collapse(&mut body, &Hints::default());
        let mut found = Vec::new();
        texts(&body, &mut found);
        assert_eq!(found, expected);
    }

    fn texts<'a>(nodes: &'a [Node], found: &mut Vec<&'a str>) {
        for node in nodes {
            match node {
                Node::Text(text) => found.push(text),
                Node::Element(element) => texts(&element.children, found),
                Node::Part(_) => {}
            }
        }
    }
}
