//! Leaves out the white space that no browser shows, so that what is printed reads well.
//!
//! Only what cannot show goes: see [`Hints`] for how that is known. Inside `pre` and its like nothing is touched.

use super::{Element, Node, Space};
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
    inside(&mut body, hints);
    *nodes = body.children;
}

fn inside(parent: &mut Element, hints: &Hints) {
    let preserved = parent.space == Space::Svg && parent.get("xml:space") == Some("preserve");
    if preserved || VERBATIM.contains(&parent.name.as_str()) || hints.preserved(parent) {
        return;
    }
    let structure = parent.space != Space::Html || STRUCTURE.contains(&parent.name.as_str());
    let edge = is_block(parent, hints);
    let [start, end] = hints.letters_beside(parent).map(|letters| edge && !letters);
    let blocks: Vec<bool> = parent
        .children
        .iter()
        .map(|node| matches!(node, Node::Element(element) if is_block(element, hints)))
        .collect();
    let last = blocks.len();
    let svg_text =
        parent.space == Space::Svg && matches!(parent.name.as_str(), "text" | "tspan" | "textPath");
    for (at, node) in parent.children.iter_mut().enumerate() {
        match node {
            Node::Element(element) => inside(element, hints),
            Node::Part(_) => {}
            Node::Text(text) => {
                let mut new = single_spaced(text);
                if structure && !svg_text && new == " " {
                    new.clear();
                }
                let open = if at == 0 { start } else { blocks[at - 1] };
                let close = if at + 1 == last { end } else { blocks[at + 1] };
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
