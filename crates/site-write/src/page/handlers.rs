//! Inline handlers (`onclick="…"`) and `javascript:` links: React takes neither, so they are lifted into one attribute of
//! data, which an island reads and attaches once the page is there.

use std::collections::BTreeMap;

use crate::dom::{Element, Node};

/// The attribute that holds an element's handlers as JSON: event to code.
pub(crate) const ATTRIBUTE: &str = "data-legacy-on";

/// Addresses that are code where they begin with `javascript:`, and the event that would have run it.
const ADDRESSES: &[(&str, &str)] = &[("href", "click"), ("xlink:href", "click"), ("action", "submit")];
/// Addresses that React refuses as code and that no event stands for: a frame without one is as empty as most of such code
/// leaves it.
const REFUSED: &[&str] = &["src", "formaction", "data"];
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

/// Lifts every handler in these nodes; tells whether there was one.
pub(crate) fn lift(nodes: &mut [Node]) -> bool {
    let mut any = false;
    for node in nodes {
        let Node::Element(element) = node else { continue };
        let handlers = take(element);
        if !handlers.is_empty() {
            any = true;
            let json = serde_json::to_string(&handlers).expect("a map of strings serialises");
            element.set(ATTRIBUTE, json);
        }
        any |= lift(&mut element.children);
    }
    any
}

/// The handlers of one element, which has none afterwards.
fn take(element: &mut Element) -> BTreeMap<String, String> {
    let mut handlers: BTreeMap<String, String> = BTreeMap::new();
    let custom = element.name.contains('-');
    element.attributes.retain(|(name, value)| match event(name, custom) {
        Some(event) => {
            handlers.insert(event.to_owned(), value.clone());
            false
        }
        None => true,
    });
    for (name, event) in ADDRESSES {
        let Some(code) = element.get(name).and_then(script_address) else { continue };
        let before = handlers.remove(*event).map(|code| format!("{code};")).unwrap_or_default();
        handlers.insert((*event).to_owned(), format!("{before}event.preventDefault();{code}"));
        element.set(name, "#");
    }
    element
        .attributes
        .retain(|(name, value)| !REFUSED.contains(&name.as_str()) || script_address(value).is_none());
    handlers
}

/// `onclick` → `click`
fn event(name: &str, custom: bool) -> Option<&str> {
    let event = name.strip_prefix("on")?;
    let named = !event.is_empty() && event.bytes().all(|b| b.is_ascii_lowercase());
    let known = || EVENTS.iter().any(|known| event.starts_with(known));
    (named && (!custom || known())).then_some(event)
}

/// The code of such an address. Browsers skip white space before it and line breaks within its name.
fn script_address(href: &str) -> Option<String> {
    let href = href.trim_start_matches(|c: char| c <= ' ');
    let (scheme, code) = href.split_once(':')?;
    let scheme: String = scheme.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    scheme
        .eq_ignore_ascii_case("javascript")
        .then(|| percent_encoding::percent_decode_str(code).decode_utf8_lossy().into_owned())
}
