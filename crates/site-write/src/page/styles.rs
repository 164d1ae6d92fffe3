//! The style sheets of a page's head, in their order: linked ones by address, inline ones by content.

use std::borrow::Cow;

use super::Page;
use crate::dom::{Element, Node};

/// One style sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Style {
    Linked {
        href: String,
        media: Option<String>,
        /// What scripts know it by.
        marks: Vec<(String, String)>,
    },
    Inline {
        css: String,
        media: Option<String>,
    },
}

impl Style {
    /// As it can be printed: React joins inline styles into one, in which only the first may import others, and gives none of
    /// them a medium. Such a style becomes a file.
    pub(crate) fn printable(&self) -> Self {
        match self {
            Self::Inline { css, media } if imports(css) => {
                Self::Linked { href: address(css), media: media.clone(), marks: Vec::new() }
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
    last_of_each(styles)
}

/// Without sheets that are linked once more later: what comes last is what counts, and React has one of each.
fn last_of_each(styles: Vec<Style>) -> Vec<Style> {
    let later = |at: usize, style: &Style| {
        match style {
        Style::Linked { href, media, .. } => styles[at + 1..].iter().any(
            |other| matches!(other, Style::Linked { href: again, media: of, .. } if (again, of) == (href, media)),
        ),
        Style::Inline { .. } => false,
    }
    };
    let kept = styles.iter().enumerate().filter(|(at, style)| !later(*at, style));
    kept.map(|(_, style)| style.clone()).collect()
}

fn style(element: &Element) -> Option<Style> {
    let element = &*loaded(element);
    let media = element.get("media").map(str::to_owned).filter(|media| !media.trim().is_empty());
    if element.is_html("style") {
        return Some(Style::Inline { css: element.text(), media });
    }
    let href = || element.get("href").unwrap_or_default().to_owned();
    is_stylesheet(element).then(|| Style::Linked { href: href(), media, marks: marks(element) })
}

/// What scripts know a sheet by: of a link, attributes with a hyphen in their name mean something to them alone.
fn marks(element: &Element) -> Vec<(String, String)> {
    let is_mark = |name: &str, value: &str| {
        name.contains('-') || (matches!(name, "id" | "class" | "title") && !value.is_empty())
    };
    element.attributes.iter().filter(|(name, value)| is_mark(name, value)).cloned().collect()
}

/// What a sheet has become when it is there: some are linked as something else, so that they hold up nothing, and put
/// themselves right by a handler of one line.
fn loaded(element: &Element) -> Cow<'_, Element> {
    let handler = element.get("onload").filter(|_| element.is_html("link")).unwrap_or_default();
    let becomes =
        ["media", "rel", "title"].into_iter().filter_map(|name| Some((name, assigned(handler, name)?)));
    becomes.fold(Cow::Borrowed(element), |mut element, (name, value)| {
        element.to_mut().set(name, value);
        element
    })
}

/// The words that a handler assigns to a property of its element: `this.media = 'all'`.
fn assigned<'h>(handler: &'h str, property: &str) -> Option<&'h str> {
    let part_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    handler.match_indices(property).find_map(|(at, _)| {
        let before = handler[..at].trim_end_matches("this.");
        let value = handler[at + property.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let words = value[1..].split(quote).next();
        words.filter(|_| !before.ends_with(part_of_a_name))
    })
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::dom::parse;

    fn of(link: &str) -> Vec<Style> {
        let mut document = parse::document(&format!("<!doctype html><head>{link}</head>"));
        take(&mut document.head)
    }

    #[rstest]
    #[case("<link rel=stylesheet href=a.css media=print onload=\"this.media='all'\">", Some("all"))]
    #[case(
        "<link rel=stylesheet href=a.css media=print onload=\"this.onload=null; this.media = 'screen'\">",
        Some("screen")
    )]
    #[case("<link rel=preload as=style href=a.css onload=\"this.onload=null;this.rel='stylesheet'\">", None)]
    #[case(
        "<link rel=stylesheet href=a.css media=print onload=\"if (media != 'all') media='all'\">",
        Some("all")
    )]
    #[case("<link rel=stylesheet href=a.css media=print onload='say()'>", Some("print"))]
    #[case(
        "<link rel=stylesheet href=a.css media=print onload=\"other.media='all'; this.mediate='x'\">",
        Some("print")
    )]
    fn a_sheet_that_puts_itself_right_is_what_it_becomes(#[case] link: &str, #[case] media: Option<&str>) {
        let media = media.map(str::to_owned);
        assert_eq!(of(link), [Style::Linked { href: "a.css".into(), media, marks: Vec::new() }]);
    }

    #[test]
    fn what_scripts_know_a_sheet_by_stays_on_it() {
        let styles = of(
            "<link id=theme rel=stylesheet type=text/css href=a.css data-skin=x shim-shadowdom integrity=y>",
        );
        let marks = [("data-skin", "x"), ("id", "theme"), ("shim-shadowdom", "")]
            .map(|(name, value)| (name.into(), value.into()));
        assert_eq!(styles, [Style::Linked { href: "a.css".into(), media: None, marks: marks.into() }]);
    }

    #[test]
    fn of_sheets_that_are_linked_twice_the_last_one_counts() {
        let styles = of(
            "<link rel=preload as=style href=a.css onload=\"this.rel='stylesheet'\"><link rel=stylesheet href=b.css>\
             <link rel=stylesheet href=a.css media=print><link rel=stylesheet href=a.css title='' id=last>",
        );
        let marks = vec![("id".to_owned(), "last".to_owned())];
        let linked = |href: &str, media: Option<&str>, marks| Style::Linked {
            href: href.into(),
            media: media.map(str::to_owned),
            marks,
        };
        let wanted = [
            linked("b.css", None, vec![]),
            linked("a.css", Some("print"), vec![]),
            linked("a.css", None, marks),
        ];
        assert_eq!(styles, wanted);
    }

    #[test]
    fn a_preload_stays_one() {
        assert_eq!(
            of("<link rel=preload as=style href=a.css><link rel=preload href=b.js onload='go()'>"),
            []
        );
    }
}
