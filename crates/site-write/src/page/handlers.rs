//! Inline handlers (`onclick="…"`), `javascript:` addresses, and, where scripts run that may read them, attributes whose
//! names React takes for none (`@click`, `[value]`): they are lifted into one attribute of data, which an island reads to give
//! the element its own attributes back once the page is there. So the browser itself makes of handlers what it always made:
//! what `this`, `event`, a form's fields and a returned `false` mean is left to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    dom::{Element, Node},
    jsx,
};

/// The attribute that holds what an element had as JSON: attribute to value.
pub(crate) const ATTRIBUTE: &str = "data-legacy-on";

/// Addresses that React refuses where they begin with `javascript:`, and what stands for them until the island has run. A frame
/// without an address is as empty as most of such code leaves it.
const ADDRESSES: &[(&str, Option<&str>)] = &[
    ("href", Some("#")),
    ("xlink:href", Some("#")),
    ("action", Some("#")),
    ("src", None),
    ("formaction", None),
    ("data", None),
];
/// Beginnings of the events that a custom element may have besides its own attributes that happen to begin with `on`.
const EVENTS: &[&str] = &[
    "abort",
    "animation",
    "auxclick",
    "before",
    "blur",
    "cancel",
    "change",
    "click",
    "close",
    "contextmenu",
    "copy",
    "cut",
    "dblclick",
    "drag",
    "drop",
    "ended",
    "error",
    "focus",
    "input",
    "invalid",
    "key",
    "load",
    "message",
    "mouse",
    "page",
    "paste",
    "pause",
    "play",
    "pointer",
    "reset",
    "resize",
    "scroll",
    "search",
    "select",
    "submit",
    "toggle",
    "touch",
    "transition",
    "unload",
    "wheel",
];

/// Lifts every handler in these nodes, and what only scripts understand if there are `scripts`; tells whether there was any.
pub(crate) fn lift(nodes: &mut [Node], scripts: bool) -> bool {
    let mut any = false;
    for node in nodes {
        let Node::Element(element) = node else { continue };
        any |= lift_of(element, scripts);
        any |= lift(&mut element.children, scripts);
    }
    any
}

/// The same for the attributes of `<html>` or `<body>`, whose handlers are gone already.
pub(super) fn lift_of_the_root(attributes: &mut Vec<(String, String)>, scripts: bool) -> bool {
    let mut root = Element::new("body");
    root.attributes = std::mem::take(attributes);
    let any = lift_of(&mut root, scripts);
    *attributes = root.attributes;
    any
}

fn lift_of(element: &mut Element, scripts: bool) -> bool {
    let mut taken = take(element);
    if scripts {
        taken.extend(unsayable(element));
    }
    if taken.is_empty() {
        return false;
    }
    element.set(ATTRIBUTE, serde_json::to_string(&taken).expect("a map of strings serialises"));
    true
}

/// What React has no word for, and looks as if it was meant by whoever wrote it, and not left by a lost quote.
fn unsayable(element: &mut Element) -> BTreeMap<String, String> {
    let names: BTreeSet<String> =
        jsx::left_out(element).filter(|name| is_meant(name)).map(str::to_owned).collect();
    let attributes = std::mem::take(&mut element.attributes).into_iter();
    let (taken, kept): (Vec<_>, Vec<_>) = attributes.partition(|(name, _)| names.contains(name));
    element.attributes = kept;
    taken.into_iter().collect()
}

/// `@click`, `#item`, `[value]`, `(change)`, `*ngIf`, `ref`, `on-tap`: a letter behind at most two signs (`[(`, `@:`), and
/// nothing that stands between attributes or around values. `ref` is a name like others, but not to React.
fn is_meant(name: &str) -> bool {
    let bare = name.trim_start_matches(['@', '#', '[', '(', '*', ':']);
    name.len() - bare.len() <= 2
        && bare.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.contains(['"', '\'', '<', '{', '}', ',', ';', '='])
}

/// The elements whose handlers become scripts: they stand in the layout, which other pages share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    Html,
    Body,
}

/// The script that a handler of one of them becomes.
pub(super) fn of_the_root(root: Root, name: &str, value: &str) -> Option<String> {
    if !is_handler(name, false) {
        return None;
    }
    let element = match root {
        Root::Html => "documentElement",
        // To a script, <body> has its window's.
        Root::Body if name == "onload" => {
            return Some(format!("window.onload = function (event) {{ {value} }};"));
        }
        Root::Body => "body",
    };
    Some(format!("document.{element}.setAttribute({}, {});", jsx::string(name), jsx::string(value)))
}

/// What one element may not keep, and has not afterwards.
fn take(element: &mut Element) -> BTreeMap<String, String> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let custom = element.name.contains('-');
    element.attributes.retain_mut(|(name, value)| {
        if is_handler(name, custom) {
            taken.insert(name.clone(), std::mem::take(value));
            return false;
        }
        let Some((_, instead)) =
            ADDRESSES.iter().find(|(address, _)| address == name).filter(|_| is_code(value))
        else {
            return true;
        };
        taken.insert(name.clone(), std::mem::replace(value, instead.unwrap_or_default().to_owned()));
        instead.is_some()
    });
    taken
}

/// `onclick` and its like.
fn is_handler(name: &str, custom: bool) -> bool {
    let Some(event) = name.strip_prefix("on") else { return false };
    if custom { is_event(event) } else { is_word(event) }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase())
}

/// Does this name an event that browsers know, and is not one that an element of the page's own may have?
pub fn is_event(name: &str) -> bool {
    is_word(name) && EVENTS.iter().any(|known| name.starts_with(known))
}

/// Is this address code? Browsers skip white space before its scheme and line breaks within it.
fn is_code(address: &str) -> bool {
    let address = address.trim_start_matches(|c: char| c <= ' ');
    let scheme = address.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .map(|c| c.to_ascii_lowercase())
        .eq("javascript".chars())
}
