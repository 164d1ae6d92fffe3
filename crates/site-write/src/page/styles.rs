//! The style sheets of a page's head, in their order: linked ones by address, inline ones by content.

use crate::dom::{Element, Node};

/// One style sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    Linked { href: String, media: Option<String> },
    Inline { css: String, media: Option<String> },
}

/// Takes them out of the head. Alternate sheets, which are off until a person chooses them, stay where they are.
pub(crate) fn take(head: &mut Vec<Node>) -> Vec<Style> {
    let mut styles = Vec::new();
    head.retain(|node| {
        let Node::Element(element) = node else { return true };
        let style = style(element);
        let stays = style.is_none();
        styles.extend(style);
        stays
    });
    styles
}

fn style(element: &Element) -> Option<Style> {
    let media = element.get("media").map(str::to_owned).filter(|media| !media.trim().is_empty());
    if element.is_html("style") {
        return Some(Style::Inline { css: element.text(), media });
    }
    is_stylesheet(element)
        .then(|| Style::Linked { href: element.get("href").unwrap_or_default().to_owned(), media })
}

/// Is it a style sheet that is on?
pub(crate) fn is_stylesheet(element: &Element) -> bool {
    let rel = element.get("rel").unwrap_or_default().to_ascii_lowercase();
    let mut words = rel.split_ascii_whitespace();
    element.is_html("link")
        && words.clone().any(|word| word == "stylesheet")
        && !words.any(|word| word == "alternate")
        && !element.has("disabled")
        && element.get("href").is_some_and(|href| !href.is_empty())
}
