//! Makes a parsed tree one that survives being printed and parsed again.
//!
//! A parser can build trees that no source text of its own gives back: by moving things out of tables, or in quirks mode.
//! React's server output would then be repaired by the browser, and hydration would find another tree than it left.

mod fields;

use super::{Element, Node, Space};

/// Elements that close an open paragraph.
const CLOSES_P: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dd",
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
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "ul",
    "xmp",
];

#[derive(Clone, Copy, Default)]
struct Inside {
    link: bool,
    form: bool,
    button: bool,
    template: bool,
}

/// Corrects what a browser would parse differently.
pub(super) fn correct(nodes: &mut Vec<Node>) {
    walk(nodes, Inside::default());
    fields::name_owners(nodes);
}

/// Gives links of the head that say no relation an empty one, which means the same: React looks for the attribute itself when it
/// takes a page over, and does not find it where there is none.
pub(super) fn relate(head: &mut [Node]) {
    for node in head {
        if let Node::Element(element) = node {
            related(element);
        }
    }
}

fn related(element: &mut Element) {
    if element.is_html("link") && !element.has("rel") {
        element.set("rel", String::new());
    }
}

fn walk(nodes: &mut Vec<Node>, inside: Inside) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        let mut below = inside;
        if !sayable(&element.name) {
            // An element that nobody knows is shown as one without meaning.
            element.name = "span".to_owned();
        }
        if element.space == Space::Html {
            retag(element, inside);
            match element.name.as_str() {
                "a" => below.link = true,
                // Inside these, the parser looks for open links no further up: a second one is opened, and stays.
                "td" | "th" | "caption" | "object" | "applet" | "marquee" => below.link = false,
                // A template's content is a document of its own.
                "template" => below = Inside { template: true, ..Inside::default() },
                "form" => below.form = true,
                "button" => below.button = true,
                _ => {}
            }
        }
        walk(&mut element.children, below);
    }
}

/// Can JSX and React say this name? HTML takes nearly every character into one.
fn sayable(name: &str) -> bool {
    let (space, local) = name.split_once(':').unwrap_or(("x", name));
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    plain(space) && plain(local) && name != "this"
}

/// What React lifts into the head of the page, wherever it stands, stays where it is if it says that it is data of its place: a
/// second title, which would become the first, and whatever a template holds, which is for those that copy it. An `itemprop` that
/// names no property means nothing else.
fn keep_in_place(element: &mut Element, inside: Inside) {
    let lifted = match element.name.as_str() {
        "title" => true,
        "meta" | "link" => inside.template,
        "script" => inside.template && element.has("async"),
        _ => false,
    };
    if lifted && !element.has("itemprop") {
        element.set("itemprop", String::new());
    }
}

/// React takes these as numbers from 1 on, and leaves out whatever else browsers make a number of.
const NUMBERS: &[&str] = &["cols", "rows", "size", "span"];

/// Writes them as the number that browsers read.
fn count(element: &mut Element) {
    if element.name.contains('-') {
        return;
    }
    for name in NUMBERS {
        let Some(value) = element.get(name) else { continue };
        let plain = value.trim().parse::<f64>().is_ok_and(|number| number >= 1.0);
        if !plain && let Some(number) = counted(&element.name, value) {
            element.set(name, number.to_string());
        }
    }
}

/// The integer that a value begins with (<https://html.spec.whatwg.org/#rules-for-parsing-integers>); the size of a font goes from
/// 1 to 7 and counts from 3 where it has a sign (<https://html.spec.whatwg.org/#rules-for-parsing-a-legacy-font-size>); a rule of
/// no height is one of 1.
fn counted(tag: &str, value: &str) -> Option<i64> {
    let text = value.trim_ascii_start();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1_i64, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (0, text),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: i64 = digits[..end].parse().ok()?;
    match (tag, sign) {
        ("font", 0) => Some(number.clamp(1, 7)),
        ("font", sign) => Some(sign.saturating_mul(number).saturating_add(3).clamp(1, 7)),
        ("hr", 0 | 1) => Some(number.max(1)),
        (_, 0 | 1) if number > 0 => Some(number),
        _ => None,
    }
}

fn retag(element: &mut Element, inside: Inside) {
    related(element);
    keep_in_place(element, inside);
    count(element);
    match element.name.as_str() {
        // A link in a link, a form in a form, a button in a button: the inner one cannot be written down.
        "a" if inside.link => rename(element, "span", &["href", "target", "rel", "download"]),
        "form" if inside.form => rename(element, "div", &["action", "method", "enctype"]),
        "button" if inside.button => rename(element, "span", &["type", "name", "value"]),
        "p" if element.children.iter().any(closes_paragraph) => {
            rename(element, "div", &[]);
            let style = element.get("style").unwrap_or_default();
            element.set("style", format!("margin-block: 1em; {style}"));
        }
        // What is in them is text to the parser, whatever it looks like: printed again, its escapes would show.
        "xmp" | "plaintext" | "listing" => {
            rename(element, "pre", &[]);
            keep_first_line(element);
        }
        // The same, and nobody sees it.
        "iframe" | "noembed" | "noframes" => element.children.clear(),
        "pre" => keep_first_line(element),
        "image" => element.name = "img".to_owned(),
        _ => {}
    }
}

/// The parser drops a line break at the very beginning. React doubles it where the content is one text, and only there; in
/// front of others something has to stand that nobody sees.
fn keep_first_line(element: &mut Element) {
    let several = element.children.len() > 1;
    if several && matches!(element.children.first(), Some(Node::Text(text)) if text.starts_with('\n')) {
        element.children.insert(0, Node::Element(Element::new("template")));
    }
}

fn rename(element: &mut Element, name: &str, without: &[&str]) {
    element.name = name.to_owned();
    for attribute in without {
        element.remove(attribute);
    }
}

/// Whether a paragraph that holds this would end before it. Buttons, tables' cells and the like start a scope anew.
fn closes_paragraph(node: &Node) -> bool {
    let Node::Element(element) = node else { return false };
    if element.space != Space::Html {
        return false;
    }
    if CLOSES_P.contains(&element.name.as_str()) {
        return true;
    }
    let scope = ["button", "object", "marquee", "applet", "template", "td", "th", "caption"];
    !scope.contains(&element.name.as_str()) && element.children.iter().any(closes_paragraph)
}
