//! Attributes as JSX: under React's names, with values of the types that it takes. A value that the types refuse goes in
//! by a spread, which passes it on unchanged.

use crate::{
    css,
    dom::{Element, Node, Space},
};

use super::{
    Needs, literal,
    vocabulary::{self, Kind},
};

/// Stands for the array of values that are chosen in a list which takes several. No HTML attribute has this name.
const CHOSEN: &str = "chosen.values";

/// A form control with what HTML calls its value in the properties that React calls its default.
pub(super) fn controlled(element: &Element) -> Element {
    let mut element = element.clone();
    if element.space != Space::Html {
        return element;
    }
    match element.name.as_str() {
        "textarea" => {
            let text = element.text();
            element.children.clear();
            element.set("defaultvalue", text);
        }
        "input" => {
            let kind = element.get("type").unwrap_or_default().to_ascii_lowercase();
            // Of these, the value is a label or an answer, not something to type over.
            let fixed = matches!(
                kind.as_str(),
                "submit" | "button" | "reset" | "hidden" | "checkbox" | "radio" | "image"
            );
            rename(&mut element, "checked", "defaultchecked");
            if !fixed {
                rename(&mut element, "value", "defaultvalue");
            }
        }
        "select" => {
            let mut chosen = Vec::new();
            unselect(&mut element.children, &mut chosen);
            if element.has("multiple") && !chosen.is_empty() {
                element.set(CHOSEN, serde_json::to_string(&chosen).expect("strings serialise"));
            } else if let Some(one) = chosen.last() {
                element.set("defaultvalue", one.clone());
            }
        }
        _ => {}
    }
    element
}

fn rename(element: &mut Element, from: &str, to: &str) {
    if let Some(at) = element.attributes.iter().position(|(name, _)| name == from) {
        element.attributes[at].0 = to.to_owned();
    }
}

fn unselect(nodes: &mut [Node], chosen: &mut Vec<String>) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.is_html("option") && element.remove("selected").is_some() {
            let text = element.text().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            chosen.push(element.get("value").map_or(text, str::to_owned));
        }
        unselect(&mut element.children, chosen);
    }
}

/// Every attribute of an element, in its order.
pub(super) fn print(element: &Element, needs: &mut Needs) -> Vec<String> {
    element.attributes.iter().filter_map(|(name, value)| one(element, name, value, needs)).collect()
}

fn one(element: &Element, name: &str, value: &str, needs: &mut Needs) -> Option<String> {
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_' | '.'))
        || name.starts_with("on")
    {
        return None; // no attribute that HTML could have set by a name that JSX can say
    }
    if matches!(name, "ref" | "key") {
        return None; // React's own, and never the page's
    }
    if element.space == Space::Html && element.name.contains('-') {
        return Some(raw(name, value));
    }
    if name.starts_with("data-") || name.starts_with("aria-") && value.is_empty() {
        return Some(format!("{name}={}", literal::value(value)));
    }
    match name {
        CHOSEN => return Some(format!("defaultValue={{{value}}}")),
        "style" => return style(value, needs),
        "class" => return Some(format!("className={}", literal::value(value))),
        "for" if matches!(element.name.as_str(), "label" | "output") => {
            return Some(format!("htmlFor={}", literal::value(value)));
        }
        _ => {}
    }
    Some(match vocabulary::find(element, name) {
        Some(known) => typed(known.name, &known.kind, value),
        None => untyped(element, name, value, needs),
    })
}

fn typed(name: &str, kind: &Kind, value: &str) -> String {
    let spread = || spread(name, value);
    match kind {
        // The one flag with a second meaning.
        Kind::Flag if name == "hidden" && value.eq_ignore_ascii_case("until-found") => spread(),
        Kind::Flag => name.to_owned(),
        Kind::Text => format!("{name}={}", literal::value(value)),
        Kind::OneOf(allowed) if allowed.contains(&value) => format!("{name}={}", literal::value(value)),
        Kind::OneOf(allowed) => {
            let lower = value.to_ascii_lowercase();
            if allowed.contains(&lower.as_str()) {
                format!("{name}={}", literal::value(&lower))
            } else {
                spread()
            }
        }
        Kind::Number => match value.parse::<i64>() {
            Ok(number) if number.to_string() == value => format!("{name}={{{number}}}"),
            _ => spread(),
        },
    }
}

/// An attribute that the types do not know here. React passes it on under its HTML name.
fn untyped(element: &Element, name: &str, value: &str, needs: &mut Needs) -> String {
    if element.space != Space::Html || name.contains([':', '.']) {
        let name = vocabulary::name_elsewhere(name).filter(|_| element.space == Space::Svg).unwrap_or(name);
        return spread(name, value);
    }
    // Types do not look at names with a dash.
    if name.contains('-') {
        return format!("{name}={}", literal::value(value));
    }
    match vocabulary::name_elsewhere(name) {
        // React knows it, on other elements: under another name it would be written in another way.
        Some(known) => spread(if known.eq_ignore_ascii_case(name) { known } else { name }, value),
        None => {
            needs.attributes.insert(name.to_owned());
            format!("{name}={}", literal::value(value))
        }
    }
}

/// Passed on whatever its type: as a plain object the compiler looks no further into it.
fn spread(name: &str, value: &str) -> String {
    format!("{{...({{ {}: {} }} as object)}}", literal::key(name), literal::string(value))
}

/// A custom element's attributes are passed on as they are named.
fn raw(name: &str, value: &str) -> String {
    if name.contains([':', '.']) { spread(name, value) } else { format!("{name}={}", literal::value(value)) }
}

/// An inline style as an object: of several declarations of one property the last holds, or the last important one.
fn style(value: &str, needs: &mut Needs) -> Option<String> {
    let mut members: Vec<(String, String)> = Vec::new();
    for declaration in css::declarations(value) {
        let name = property(&declaration.name);
        let important = if declaration.important { " !important" } else { "" };
        let outdone = |(known, value): &(String, String)| *known == name && value.ends_with("!important");
        if !declaration.important && members.iter().any(outdone) {
            continue;
        }
        members.retain(|(known, _)| *known != name);
        members.push((name, format!("{}{important}", declaration.value)));
    }
    if members.is_empty() {
        return None;
    }
    needs.css = true;
    let pairs = members.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Some(format!("style={{css({})}}", literal::object(pairs)))
}

/// `-webkit-box-flex` → `WebkitBoxFlex`, `-ms-x` → `msX`; custom properties stay.
fn property(name: &str) -> String {
    if name.starts_with("--") {
        return name.to_owned();
    }
    let name = name.strip_prefix("-ms-").map_or_else(|| name.to_owned(), |rest| format!("ms-{rest}"));
    let mut out = String::new();
    let mut upper = false;
    for c in name.chars() {
        match c {
            '-' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}
