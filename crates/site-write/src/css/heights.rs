//! What the site's style sheets say of how high lines are: exactly where a selector is a plain one, and of other elements that
//! nobody can say. It must never name a height that the browser would not take.

use super::{declarations, hints::split_selectors};
use crate::dom::Element;

/// What is said of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<'a> {
    /// Nothing: it has its parent's.
    Nothing,
    /// This value, which means the same wherever it stands.
    Says(&'a str),
    /// A value that means something else elsewhere, or cannot be read.
    SaysOther,
    /// Something, perhaps.
    Perhaps,
}

/// The rules that speak of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heights {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    /// What the element itself has to be.
    compound: Compound,
    /// It needs to be nothing else, and the rule holds always.
    certain: bool,
    /// None: it depends on the element's letters, or on what nobody here can tell.
    value: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Compound {
    tag: Option<String>,
    ids: Vec<String>,
    classes: Vec<String>,
}

impl Heights {
    /// Takes in a declaration of a rule, which stands in these preludes, the rule's own last.
    pub(super) fn add(&mut self, preludes: &[String], name: &str, value: &str) {
        let Some(value) = spoken(name, value) else { return };
        let Some((prelude, around)) = preludes.split_last() else { return };
        if around.iter().any(|around| around.trim().to_ascii_lowercase().starts_with("@media print")) {
            return;
        }
        for selector in split_selectors(prelude) {
            if let Some((compound, plain)) = last_compound(&selector) {
                let certain = plain && around.is_empty();
                self.rules.push(Rule { compound, certain, value: value.clone() });
            }
        }
    }

    /// What the rules say of an element.
    pub(crate) fn of(&self, element: &Element) -> Told<'_> {
        let mut told = Told::Nothing;
        for rule in self.rules.iter().filter(|rule| rule.compound.matches(element)) {
            told = match (&rule.value, told) {
                (Some(value), Told::Nothing) if rule.certain => Told::Says(value),
                (Some(value), Told::Says(same)) if value == same => told,
                // One of them holds.
                (_, Told::Says(_) | Told::SaysOther) => Told::SaysOther,
                (None, Told::Nothing) if rule.certain => Told::SaysOther,
                _ => Told::Perhaps,
            };
        }
        told
    }
}

/// What an element's own style says; none: nothing. Some of none: what nobody here can tell.
pub(crate) fn own(element: &Element) -> Option<Option<String>> {
    let style = element.get("style")?.to_ascii_lowercase();
    if !style.contains("line-height") && !style.contains("font") {
        return None;
    }
    declarations(&style).into_iter().filter_map(|one| spoken(&one.name, &one.value)).next_back()
}

/// What a declaration says of the height of lines, in lower case; none: it does not speak of it.
fn spoken(name: &str, value: &str) -> Option<Option<String>> {
    let value = value.split('!').next().unwrap_or_default().trim();
    let height = match (name, value.split_once('/')) {
        ("line-height", _) => value,
        ("font", Some((_, behind))) => behind.split_ascii_whitespace().next().unwrap_or_default(),
        ("font", None) if value == "inherit" => return Some(None),
        ("font", None) => "normal",
        _ => return None,
    };
    let unit = height.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = height[..height.len() - unit.len()].parse::<f64>();
    let plain = number.is_ok_and(|number| matches!(unit, "" | "px") || number == 0.0);
    Some((plain || height == "normal").then(|| height.to_owned()))
}

/// What a selector asks of the element itself, and whether it asks for nothing else. None: it matches no element as it is
/// first shown.
fn last_compound(selector: &str) -> Option<(Compound, bool)> {
    let selector = selector.replace("<!--", " ").replace("-->", " ");
    // A sheet may begin with a byte order mark.
    let selector = selector.trim_start_matches('\u{feff}').trim();
    let start = selector.rfind([' ', '\n', '\t', '\r', '>', '+', '~']).map_or(0, |at| at + 1);
    let mut plain = start == 0;
    let mut last = &selector[start..];
    if selector.contains(['(', '[', '\\']) {
        // Not read; it could be any element.
        return Some((Compound::default(), false));
    }
    if let Some((before, pseudo)) = last.split_once(':') {
        let later = ["hover", "focus", "active", "visited", ":", "before", "after"];
        if later.iter().any(|later| pseudo.starts_with(later)) {
            return None;
        }
        (last, plain) = (before, false);
    }
    let mut compound = Compound::default();
    let mut rest = last;
    while !rest.is_empty() {
        let next = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '#'));
        let (piece, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        if let Some(class) = piece.strip_prefix('.') {
            compound.classes.push(class.to_owned());
        } else if let Some(id) = piece.strip_prefix('#') {
            compound.ids.push(id.to_owned());
        } else if piece != "*" {
            compound.tag = Some(piece.to_ascii_lowercase());
        }
        rest = after;
    }
    Some((compound, plain))
}

impl Compound {
    fn matches(&self, element: &Element) -> bool {
        let has_class = |class: &String| {
            element
                .get("class")
                .is_some_and(|classes| classes.split_ascii_whitespace().any(|one| one == class))
        };
        self.tag.as_ref().is_none_or(|tag| *tag == element.name)
            && self.ids.iter().all(|id| element.get("id") == Some(id))
            && self.classes.iter().all(has_class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::css::hints::Hints;
    use rstest::rstest;

    #[rstest]
    #[case("body { line-height: 1.3 }", "body", Told::Says("1.3"))]
    #[case("<!-- body { font: 12px/18PX Arial } -->", "body", Told::Says("18px"))]
    #[case("p, body { font: bold 12px Arial }", "body", Told::Says("normal"))]
    #[case("p.x, #y, div body { color: red }", "body", Told::Nothing)]
    #[case("p.c { line-height: 2 } .d.c { line-height: 2 } b.c { line-height: 3 }", "p", Told::Says("2"))]
    #[case("p { line-height: 2 } .c { line-height: 3 }", "p", Told::SaysOther)]
    #[case("div p { line-height: 2 } .c { line-height: 3 }", "p", Told::Perhaps)]
    #[case("a.c { line-height: 0em }", "a", Told::Says("0em"))]
    #[case("div p { line-height: 2 }", "p", Told::Perhaps)]
    #[case("@media screen { p { line-height: 2 } }", "p", Told::Perhaps)]
    #[case("@media print { p { line-height: 2 } }", "p", Told::Nothing)]
    #[case("p { line-height: 1.5em }", "p", Told::SaysOther)]
    #[case("p { line-height: .x }", "p", Told::SaysOther)]
    #[case("p:hover, p::before { line-height: 2 }", "p", Told::Nothing)]
    #[case("p:first-child { line-height: 2 }", "p", Told::Perhaps)]
    #[case(":not(div) { line-height: 2 }", "p", Told::Perhaps)]
    #[case("* { line-height: 2 !important }", "p", Told::Says("2"))]
    #[case("\u{feff}p { line-height: 2 }", "p", Told::Says("2"))]
    #[case("é, é.ü#ö, .é { line-height: 2 }", "p", Told::Nothing)]
    fn a_height_is_named_only_where_it_is_certain(
        #[case] sheet: &str,
        #[case] name: &str,
        #[case] told: Told<'_>,
    ) {
        let mut hints = Hints::default();
        hints.add(sheet);
        let mut element = Element::new(name);
        element.set("class", "c d");
        assert_eq!(hints.heights().of(&element), told);
    }

    #[rstest]
    #[case("color: red", None)]
    #[case("line-height: 2; LINE-HEIGHT: 20px", Some(Some("20px")))]
    #[case("font: 12px/1.5em Arial", Some(None))]
    #[case("font-size: 12px", None)]
    fn an_elements_own_word(#[case] style: &str, #[case] told: Option<Option<&str>>) {
        let mut element = Element::new("p");
        element.set("style", style);
        assert_eq!(own(&element).as_ref().map(Option::as_deref), told);
    }
}
