//! What React's types know: which attributes each element takes, under which name and with which values. Read off
//! `@types/react` of the version that the project is written for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use crate::dom::{Element, Space};

static TABLE: &str = include_str!("../../vocabulary/attributes.tsv");

/// What values an attribute takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    OneOf(Vec<&'static str>),
}

/// An attribute as React names it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

type Attributes = HashMap<String, Known>;

static ELEMENTS: LazyLock<HashMap<&'static str, Attributes>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(tag, rest)| (tag, attributes(rest)))
        .collect()
});

/// By what is [`folded`]: of several elements with the attribute the first one's word holds.
static ELSEWHERE: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let sorted: BTreeMap<&str, &Attributes> =
        ELEMENTS.iter().map(|(tag, attributes)| (*tag, attributes)).collect();
    let mut all = HashMap::new();
    for known in sorted.values().flat_map(|attributes| attributes.values()) {
        all.entry(folded(known.name)).or_insert(known.name);
    }
    all
});

fn attributes(rest: &'static str) -> Attributes {
    rest.split(' ')
        .filter(|word| !word.is_empty())
        .fold((Attributes::new(), None::<String>), |(mut all, open), word| {
            // A value of a list may hold a blank: such a word goes on where the last one stopped.
            let Some((name, kind)) = word.split_once('=').or(Some((word, ""))) else { return (all, open) };
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.contains('|') {
                return (all, open);
            }
            let kind = match kind {
                "" => Kind::Text,
                "n" => Kind::Number,
                "b" => Kind::Flag,
                list => Kind::OneOf(list.trim_start_matches("u:").split('|').collect()),
            };
            all.insert(folded(name), Known { name, kind });
            (all, open)
        })
        .0
}

/// Attributes of HTML and SVG are found without regard to case, dashes and colons: `stroke-width`, `xlink:href`, `tabindex`.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | ':')).map(|c| c.to_ascii_lowercase()).collect()
}

fn knows_svg(name: &str) -> bool {
    ELEMENTS.contains_key(format!("svg {name}").as_str())
}

/// Is it an element that React's types know?
pub(super) fn knows(element: &Element) -> bool {
    match element.space {
        Space::Html => ELEMENTS.contains_key(element.name.as_str()),
        Space::Svg => knows_svg(&element.name) || ELEMENTS.contains_key(element.name.as_str()),
        Space::MathMl => false,
    }
}

/// What React calls this attribute on this element, if its types know it there.
pub(super) fn find(element: &Element, attribute: &str) -> Option<&'static Known> {
    let folded = folded(attribute);
    let svg = (element.space == Space::Svg).then(|| format!("svg {}", element.name));
    let tables: [&str; 2] = match &svg {
        _ if element.space == Space::MathMl => return None,
        Some(svg) if ELEMENTS.contains_key(svg.as_str()) => [svg, "svg *"],
        // To the types, an SVG's `a` or `style` is HTML's.
        _ => [&element.name, "*"],
    };
    tables.iter().find_map(|table| ELEMENTS.get(*table)?.get(&folded))
}

/// The name that React gives an attribute somewhere, if not on this element.
pub(super) fn name_elsewhere(attribute: &str) -> Option<&'static str> {
    ELSEWHERE.get(&folded(attribute)).copied()
}
