//! Inline handlers (`onclick="…"`) and `javascript:` links: React takes neither, so they are lifted into one attribute of
//! data, which an island reads and attaches once the page is there.

use std::collections::BTreeMap;

use crate::dom::Node;

/// The attribute that holds an element's handlers as JSON: event to code.
pub(crate) const ATTRIBUTE: &str = "data-legacy-on";

/// Lifts every handler in these nodes; tells whether there was one.
pub(crate) fn lift(nodes: &mut [Node]) -> bool {
    let mut any = false;
    for node in nodes {
        let Node::Element(element) = node else { continue };
        let mut handlers: BTreeMap<String, String> = BTreeMap::new();
        element.attributes.retain(|(name, value)| match name.strip_prefix("on") {
            Some(event) if !event.is_empty() && event.bytes().all(|b| b.is_ascii_lowercase()) => {
                handlers.insert(event.to_owned(), value.clone());
                false
            }
            _ => true,
        });
        if let Some(code) = element.get("href").and_then(script_address) {
            let before = handlers.remove("click").map(|code| format!("{code};")).unwrap_or_default();
            handlers.insert("click".into(), format!("{before}event.preventDefault();{code}"));
            element.set("href", "#");
        }
        if !handlers.is_empty() {
            any = true;
            let json = serde_json::to_string(&handlers).expect("a map of strings serialises");
            element.set(ATTRIBUTE, json);
        }
        any |= lift(&mut element.children);
    }
    any
}

fn script_address(href: &str) -> Option<String> {
    let href = href.trim();
    let (scheme, code) = href.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("javascript")
        .then(|| percent_encoding::percent_decode_str(code).decode_utf8_lossy().into_owned())
}
