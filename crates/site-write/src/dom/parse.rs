//! From HTML to a tree, by the parser that browsers' rules are written for.

use ego_tree::NodeRef;
use html5ever::driver::{self, ParseOpts};
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::{QuirksMode, TreeBuilderOpts};
use scraper::{Html, HtmlTreeSink};

use super::{Document, Element, Mode, Node, Space, comments, frames, legal, writes};

/// Browsers stop nesting here too; it also bounds every walk over the tree.
const DEEPEST: usize = 500;

/// Reads a page.
pub(crate) fn document(html: &str) -> Document {
    let html = writes::applied(html);
    // With scripting, as browsers have it: an image in a head's <noscript> must not end the head.
    let parsed = driver::parse_document(HtmlTreeSink::new(Html::new_document()), options(true)).one(&*html);
    let mut out = Document {
        html: Vec::new(),
        head: Vec::new(),
        body_attributes: Vec::new(),
        body: Vec::new(),
        mode: match parsed.quirks_mode {
            QuirksMode::NoQuirks => Mode::Standards,
            QuirksMode::LimitedQuirks => Mode::LimitedQuirks,
            QuirksMode::Quirks => Mode::Quirks,
        },
    };
    let root = parsed.root_element();
    out.html = attributes(root.value());
    for child in root.children() {
        let Some(element) = child.value().as_element() else { continue };
        match element.name() {
            "head" => {
                out.head = children(child, 0);
                comments::leave_out(&mut out.head);
            }
            "body" => {
                out.body_attributes = attributes(element);
                out.body = children(child, 0);
            }
            "frameset" => {
                let mut frames = Element::new("frameset");
                frames.attributes = attributes(element);
                frames.children = children(child, 0);
                out.body.push(frames::grid(&frames));
            }
            _ => {}
        }
    }
    legal::relate(&mut out.head);
    legal::correct(&mut out.body);
    out
}

fn options(scripting: bool) -> ParseOpts {
    let builder = TreeBuilderOpts { scripting_enabled: scripting, ..TreeBuilderOpts::default() };
    ParseOpts { tree_builder: builder, ..ParseOpts::default() }
}

/// What a <noscript> holds, which browsers with scripting keep as text. None of it is another one's content.
fn unscripted(text: &str, depth: usize) -> Vec<Node> {
    let context = html5ever::QualName::new(None, html5ever::ns!(html), html5ever::local_name!("div"));
    let sink = HtmlTreeSink::new(Html::new_fragment());
    let parsed = driver::parse_fragment(sink, options(false), context, Vec::new(), false).one(text);
    children(*parsed.root_element(), depth)
}

fn attributes(element: &scraper::node::Element) -> Vec<(String, String)> {
    let name = |name: &html5ever::QualName| match &name.prefix {
        Some(prefix) if !prefix.is_empty() => format!("{prefix}:{}", name.local),
        _ => name.local.to_string(),
    };
    element.attrs.iter().map(|(key, value)| (name(key), value.to_string())).collect()
}

fn children(parent: NodeRef<'_, scraper::Node>, depth: usize) -> Vec<Node> {
    let mut out = Vec::new();
    for child in parent.children() {
        match child.value() {
            scraper::Node::Text(text) => push_text(&mut out, text),
            scraper::Node::Element(element) => {
                let mut inner = children(child, depth + 1);
                if element.name() == "noscript" && depth < DEEPEST && inner.iter().all(is_text) {
                    let text: String = child
                        .children()
                        .filter_map(|node| node.value().as_text())
                        .map(|text| &**text)
                        .collect();
                    inner = unscripted(&text, depth + 1);
                }
                let own = Element {
                    space: space(&element.name.ns),
                    name: element.name.local.to_string(),
                    attributes: attributes(element),
                    children: if depth < DEEPEST { inner } else { Vec::new() },
                };
                out.push(Node::Element(own));
            }
            scraper::Node::Comment(comment) => {
                let inside = parent.value().as_element();
                let inside = inside.map(|element| (space(&element.name.ns), element.name()));
                out.extend(comments::place(comment, inside).map(Node::Element));
            }
            // The content of a template.
            scraper::Node::Fragment => out.extend(children(child, depth)),
            _ => {}
        }
    }
    comments::forget_blanks(&mut out);
    out
}

fn is_text(node: &Node) -> bool {
    matches!(node, Node::Text(_))
}

/// A comment between two texts must not leave two text nodes: React would print a marker between them.
fn push_text(out: &mut Vec<Node>, text: &str) {
    match out.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => out.push(Node::Text(text.to_owned())),
    }
}

fn space(namespace: &html5ever::Namespace) -> Space {
    if *namespace == html5ever::ns!(svg) {
        Space::Svg
    } else if *namespace == html5ever::ns!(mathml) {
        Space::MathMl
    } else {
        Space::Html
    }
}
