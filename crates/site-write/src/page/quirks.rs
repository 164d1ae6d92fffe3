//! Pages without a modern doctype. React's document always has one, so what browsers do otherwise without it is said in
//! CSS: those quirks of <https://quirks.spec.whatwg.org/> and of HTML's rendering section that change a layout.
//!
//! The sheet is a layer, which every rule of the site's own outdoes, as it would the browser's. What a selector cannot see
//! (text beside an element, cells with nothing but images) is marked by classes.

use super::{
    Style,
    lines::{Held, held},
};
use crate::{
    css,
    dom::{Element, Node, Space},
};

/// What a person is told.
pub(crate) const NOTE: &str =
    "the page has no modern doctype; what browsers then do otherwise is reproduced by /_assets/quirks.css";
/// Where the sheet is served.
pub(crate) const ADDRESS: &str = "/_assets/quirks.css";
/// The sheet.
pub(crate) const SHEET: &str =
    "/* What browsers do on pages without a modern doctype. Rules of the site itself outdo all of it. */
@layer quirks {
  /* The page is as high as the window, at least. */
  html {
    min-height: round(down, 100vh, 1px);
  }
  table {
    font-weight: initial;
    font-style: initial;
    font-variant: initial;
    font-size: initial;
    line-height: initial;
    white-space: initial;
    text-align: initial;
  }
  form {
    margin-block-end: 1em;
  }
  input:not([type='image' i]),
  textarea {
    box-sizing: border-box;
  }
  img[align='left' i]:not([hspace]) {
    margin-right: 3px;
  }
  img[align='right' i]:not([hspace]) {
    margin-left: 3px;
  }
  li {
    list-style-position: inside;
  }
  li :is(dir, menu, ol, ul) {
    list-style-position: outside;
  }
  :is(dir, menu, ol, ul) :is(dir, menu, ol, ul, li) {
    list-style-position: unset;
  }
  .quirk-first {
    margin-block-start: 0;
  }
  .quirk-last {
    margin-block-end: 0;
  }
  /* A line without text is no higher than what stands in it. */
  .quirk-images {
    font-size: 0;
    line-height: 0;
  }
  .quirk-controls {
    line-height: 0;
  }
  /* Heights in percent are of the window, without the margins of the page. */
  .quirk-window {
    height: calc((100vh - var(--quirk-margins, 16px)) * var(--quirk-percent) / 100);
  }
}
";

/// The body is as high as the window without its margins. What these are is known only where nothing speaks of them.
pub(super) fn fill_window(body: &mut Vec<(String, String)>, styles: &[Style]) {
    let plain = |(name, _): &(String, String)| {
        name.starts_with("data-")
            || matches!(
                name.as_str(),
                "bgcolor" | "text" | "link" | "vlink" | "alink" | "background" | "dir" | "lang"
            )
    };
    if styles.is_empty() && body.iter().all(plain) {
        body.push(("style".into(), "min-height: calc(round(down, 100vh, 1px) - 16px)".into()));
    }
}

pub(super) fn style() -> Style {
    Style::Linked { href: ADDRESS.to_owned(), media: None }
}

const MARGINS: &[&str] = &[
    "blockquote",
    "dir",
    "dl",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "listing",
    "menu",
    "ol",
    "p",
    "plaintext",
    "pre",
    "ul",
    "xmp",
];

/// Marks what the sheet's selectors cannot see, and gives lengths their units and colours their signs.
pub(super) fn mark(body: &mut [Node], attributes: &[(String, String)]) {
    edges(body, false);
    let margin = attributes.iter().find(|(name, _)| matches!(name.as_str(), "topmargin" | "marginheight"));
    let margins = margin.and_then(|(_, value)| value.trim().parse::<u32>().ok()).map(|margin| 2 * margin);
    walk(body, Some(margins));
}

/// `window`: what heights in percent are of is still the window, whose margins these are if the page says so.
fn walk(nodes: &mut [Node], window: Option<Option<u32>>) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.space != Space::Html {
            continue;
        }
        if let Some(style) = element.get("style").and_then(spelled_out) {
            element.set("style", style);
        }
        let cell = matches!(element.name.as_str(), "td" | "th");
        if cell {
            edges(&mut element.children, true);
        }
        if matches!(held(&element.children), Held::Images | Held::Controls) {
            match element.name.as_str() {
                "td" | "th" | "div" | "center" => add_class(element, "quirk-images"),
                // Their margins are as high as their letters.
                "p" | "form" => add_class(element, "quirk-controls"),
                _ => {}
            }
        }
        if let (Some(margins), "table") = (window, element.name.as_str()) {
            fill(element, margins);
        }
        let window = window.filter(|_| !cell && !element.has("height"));
        walk(&mut element.children, window);
    }
}

/// Gives a table its share of the window, if its height is in percent.
fn fill(table: &mut Element, margins: Option<u32>) {
    let height = table.get("height").unwrap_or_default().trim();
    let Some(percent) = height.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok())
    else {
        return;
    };
    let margins = margins.map(|margins| format!("--quirk-margins: {margins}px; ")).unwrap_or_default();
    let style = table.get("style").unwrap_or_default();
    table.set("style", format!("--quirk-percent: {percent}; {margins}{style}").trim_end().to_owned());
    add_class(table, "quirk-window");
}

/// The margins that elements have by themselves do not count at the edges of a page or a cell, however deep they stand there.
fn edges(nodes: &mut [Node], cell: bool) {
    if let Some(first) = nodes.iter_mut().find(|node| takes_room(node)) {
        mark_first(first);
    }
    if let Some(Node::Element(last)) = nodes.iter_mut().rev().find(|node| takes_room(node))
        && cell
        && last.is_html("p")
    {
        add_class(last, "quirk-last");
    }
}

/// Marks what stands first, and what stands first in that, as long as nothing can come between their margins.
fn mark_first(node: &mut Node) {
    let Node::Element(element) = node else { return };
    let transparent = HOLDERS.contains(&element.name.as_str())
        && !["class", "id", "style"].iter().any(|name| element.has(name));
    if MARGINS.contains(&element.name.as_str()) {
        add_class(element, "quirk-first");
    }
    if transparent && let Some(first) = element.children.iter_mut().find(|node| takes_room(node)) {
        mark_first(first);
    }
}

/// Blocks that hold other blocks, and have neither border nor padding above these unless a rule of the site's gives it.
const HOLDERS: &[&str] =
    &["blockquote", "center", "dd", "dir", "div", "dl", "dt", "form", "li", "menu", "ol", "ul"];
/// Elements of which nothing is shown where they stand.
const UNSEEN: &[&str] = &["area", "link", "meta", "noscript", "script", "style", "template"];

fn takes_room(node: &Node) -> bool {
    match node {
        Node::Text(text) => !text.trim_ascii().is_empty(),
        Node::Part(_) => true,
        Node::Element(element) if UNSEEN.contains(&element.name.as_str()) => false,
        Node::Element(element) => match element.name.as_str() {
            "a" | "font" | "map" | "span" => element.children.iter().any(takes_room),
            "input" => !element.get("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("hidden")),
            _ => true,
        },
    }
}

pub(super) fn add_class(element: &mut Element, class: &str) {
    let classes = match element.get("class").map(str::trim) {
        Some(classes) if !classes.is_empty() => format!("{classes} {class}"),
        _ => class.to_owned(),
    };
    element.set("class", classes);
}

/// Properties that take a length without a unit.
const LENGTHS: &[&str] = &[
    "background-position",
    "border-spacing",
    "border-top-width",
    "border-right-width",
    "border-bottom-width",
    "border-left-width",
    "border-width",
    "bottom",
    "font-size",
    "height",
    "left",
    "letter-spacing",
    "margin-right",
    "margin-left",
    "margin-top",
    "margin-bottom",
    "margin",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "padding-top",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding",
    "right",
    "text-indent",
    "top",
    "vertical-align",
    "width",
    "word-spacing",
];
/// Properties that take a colour without its sign.
const COLOURS: &[&str] = &[
    "background-color",
    "border-color",
    "border-top-color",
    "border-right-color",
    "border-bottom-color",
    "border-left-color",
    "color",
];

/// The style with units and signs, if some were missing.
fn spelled_out(style: &str) -> Option<String> {
    let mut changed = false;
    let mut out = String::new();
    for declaration in css::declarations(style) {
        let words = declaration.value.split_ascii_whitespace().map(|word| {
            let new = if LENGTHS.contains(&declaration.name.as_str()) {
                length(word)
            } else if COLOURS.contains(&declaration.name.as_str()) {
                colour(word)
            } else {
                None
            };
            changed |= new.is_some();
            new.unwrap_or_else(|| word.to_owned())
        });
        let value = words.collect::<Vec<_>>().join(" ");
        let important = if declaration.important { " !important" } else { "" };
        out.push_str(&format!("{}: {value}{important}; ", declaration.name));
    }
    changed.then(|| out.trim_end().to_owned())
}

fn length(word: &str) -> Option<String> {
    let number = word.parse::<f64>().ok().filter(|number| number.is_finite() && *number != 0.0)?;
    let plain = word.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
    (plain && number.abs() < 1e6).then(|| format!("{word}px"))
}

fn colour(word: &str) -> Option<String> {
    let hex = word.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(word.len(), 3 | 6);
    hex.then(|| format!("#{word}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    #[rstest]
    #[case("width: 10; color: ff0000", Some("width: 10px; color: #ff0000;"))]
    #[case("margin: 0 4 1em !important", Some("margin: 0 4px 1em !important;"))]
    #[case("line-height: 2; z-index: 3; opacity: 1", None)]
    #[case("color: red; border: 1 solid fff", None)]
    fn units_and_signs_are_added_where_browsers_would(#[case] style: &str, #[case] expected: Option<&str>) {
        assert_eq!(spelled_out(style).as_deref(), expected);
    }

    fn classes(html: &str) -> Vec<String> {
        let mut document = parse::document(html);
        assert_eq!(document.mode, crate::dom::Mode::Quirks);
        mark(&mut document.body, &document.body_attributes);
        let mut found = Vec::new();
        super::super::each(&document.body, &mut |element| {
            if let Some(class) = element.get("class") {
                found.push(format!("{} {class}", element.name));
            }
        });
        found
    }

    #[test]
    fn what_selectors_cannot_see_is_marked() {
        assert_eq!(classes("<h1 class=x>t</h1><p>u"), ["h1 x quirk-first"]);
        assert_eq!(classes("words<h1>t</h1>"), Vec::<String>::new());
        assert_eq!(
            classes("<a name=top></a><center><ul><li><p>t</ul><h1>u"),
            ["ul quirk-first", "p quirk-first"]
        );
        assert_eq!(classes("<div class=x><h1>t</h1></div>"), ["div x"]);
        assert_eq!(
            classes(
                "<table height='100%'><td> <a href=x><img src=i></a><img src=j> <td><img src=k>t<td><p>a<p>b</table>"
            ),
            ["table quirk-window", "td quirk-images", "p quirk-first", "p quirk-last"]
        );
    }
}
