//! Form controls: what HTML calls their value is what React calls their default, and a list says by itself which of its
//! options is chosen. Nothing here makes React hold on to what a person types.

use std::borrow::Cow;

use crate::dom::{Element, Node, Space};

/// Stands for the array of values that are chosen in a list which takes several. No HTML attribute has this name.
pub(super) const CHOSEN: &str = "chosen.values";

/// A form control as React takes it; anything else as it is.
pub(super) fn controlled(element: &Element) -> Cow<'_, Element> {
    let control = match element.name.as_str() {
        "textarea" => text_area,
        "input" => input,
        "select" => select,
        _ => return Cow::Borrowed(element),
    };
    if element.space != Space::Html {
        return Cow::Borrowed(element);
    }
    let mut element = element.clone();
    control(&mut element);
    Cow::Owned(element)
}

fn text_area(element: &mut Element) {
    let text = element.text();
    element.children.clear();
    // No attribute of HTML's; React would take it for the text.
    element.remove("value");
    element.set("defaultvalue", text);
}

fn input(element: &mut Element) {
    let kind = element.get("type").unwrap_or_default().to_ascii_lowercase();
    rename(element, "checked", "defaultchecked");
    match kind.as_str() {
        // Of these, the value is a label or an answer, not something to type over.
        "submit" | "button" | "reset" | "hidden" | "checkbox" | "radio" | "image" => {}
        // Nobody but a person may choose a file; React would try.
        "file" => drop(element.remove("value")),
        _ => rename(element, "value", "defaultvalue"),
    }
}

fn rename(element: &mut Element, from: &str, to: &str) {
    if let Some(at) = element.attributes.iter().position(|(name, _)| name == from) {
        element.attributes[at].0 = to.to_owned();
    }
}

fn select(element: &mut Element) {
    // No attribute of HTML's; React would take it for the choice.
    element.remove("value");
    let (mut all, mut chosen) = (Vec::new(), Vec::new());
    options(&mut element.children, &mut |option| {
        tidy(option);
        let value = option.get("value").map_or_else(|| option.text(), str::to_owned);
        if option.has("selected") {
            chosen.push(value.clone());
        }
        all.push(value);
    });
    if !element.has("multiple") {
        chosen.drain(..chosen.len().saturating_sub(1));
    }
    // React finds an option by its value: where two have the same, only the option itself can say that it is chosen.
    if chosen.is_empty() || chosen.iter().any(|one| all.iter().filter(|other| *other == one).count() > 1) {
        return;
    }
    options(&mut element.children, &mut |option| drop(option.remove("selected")));
    if element.has("multiple") {
        element.set(CHOSEN, super::literal::array(&chosen));
    } else if let Some(one) = chosen.pop() {
        element.set("defaultvalue", one);
    }
}

/// An option's text is its value unless it has one, without the white space around it: React compares to the letter.
fn tidy(option: &mut Element) {
    if option.children.iter().all(|child| matches!(child, Node::Text(_))) {
        let text = option.text().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        option.children = if text.is_empty() { Vec::new() } else { vec![Node::Text(text)] };
    }
}

fn options(nodes: &mut [Node], visit: &mut dyn FnMut(&mut Element)) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.is_html("option") {
            visit(element);
        }
        options(&mut element.children, visit);
    }
}
