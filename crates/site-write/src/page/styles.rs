//! The style sheets of a page's head, in their order: linked ones by address, inline ones by content.

use super::Page;
use crate::dom::{Element, Node};

/// One style sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    Linked { href: String, media: Option<String> },
    Inline { css: String, media: Option<String> },
}

impl Style {
    /// As it can be printed: React joins inline styles into one, in which only the first may import others, and gives none of
    /// them a medium. Such a style becomes a file.
    pub(crate) fn printable(&self) -> Self {
        match self {
            Self::Inline { css, media } if imports(css) => {
                Self::Linked { href: address(css), media: media.clone() }
            }
            other => other.clone(),
        }
    }
}

/// The files that a page's styles need and the site did not have, by their path.
pub(crate) fn files(page: &Page) -> Vec<(String, String)> {
    let file = |style: &Style| match style {
        Style::Inline { css, .. } if imports(css) => Some((format!("public{}", address(css)), css.clone())),
        _ => None,
    };
    page.styles.iter().filter_map(file).collect()
}

fn imports(css: &str) -> bool {
    css.to_ascii_lowercase().contains("@import")
}

fn address(css: &str) -> String {
    format!("/_assets/inline-{}.css", &blake3::hash(css.as_bytes()).to_hex()[..8])
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
