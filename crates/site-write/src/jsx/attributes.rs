//! Attributes as JSX: under React's names, with values of the types that it takes. A value that the types refuse goes in
//! by a spread, which passes it on unchanged.

use crate::{
    css,
    dom::{Element, Space},
};

use super::{
    Needs,
    controls::CHOSEN,
    flags::FLAGS,
    literal,
    vocabulary::{self, Kind},
};

/// Class lists from this length on, in characters, are more than builders take.
pub(crate) const LONG: usize = 256;

/// Every attribute of an element, in its order.
pub(super) fn print(element: &Element, needs: &mut Needs) -> Vec<String> {
    let mut printed: Vec<String> =
        element.attributes.iter().filter_map(|(name, value)| one(element, name, value, needs)).collect();
    if element.space == Space::Html && element.has("contenteditable") && !element.children.is_empty() {
        // What people do to its content is theirs: React shall neither mind nor undo it.
        printed.push("suppressContentEditableWarning".to_owned());
    }
    printed
}

fn one(element: &Element, name: &str, value: &str, needs: &mut Needs) -> Option<String> {
    if !sayable(name) || unsaid(element, name, value) {
        return None;
    }
    if name == "style" {
        return style(value, needs);
    }
    if is_custom(element) {
        return Some(raw(name, value));
    }
    if name.starts_with("data-") || name.starts_with("aria-") && value.is_empty() {
        return Some(if name.contains([':', '.']) { raw(name, value) } else { plain(name, value) });
    }
    Some(match name {
        CHOSEN => format!("defaultValue={{{value}}}"),
        "class" => class(value, needs),
        "for" if matches!(element.name.as_str(), "label" | "output") => plain("htmlFor", value),
        "for" => {
            needs.attributes.insert("htmlFor".to_owned());
            plain("htmlFor", value)
        }
        _ => match vocabulary::find(element, name) {
            Some(known) => typed(known.name, &known.kind, value),
            None => untyped(element, name, value, needs),
        },
    })
}

/// The attributes of an element that are left out because React takes none of their names.
pub(crate) fn left_out(element: &Element) -> impl Iterator<Item = &str> {
    let names = element.attributes.iter().map(|(name, _)| name.as_str());
    names.filter(|name| !sayable(name) || is_reacts_own(element, name))
}

/// Can JSX and React say this name? HTML takes nearly every character into one.
fn sayable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':'))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_' | '.'))
}

/// Leaves out what means nothing to a browser and something else, or nothing either, to React.
fn unsaid(element: &Element, name: &str, value: &str) -> bool {
    let number = || value.trim().parse::<f64>().ok();
    match name {
        _ if is_reacts_own(element, name) => true,
        _ if is_custom(element) => false,
        "cols" | "rows" | "size" | "span" => number().is_none_or(|number| number < 1.0),
        "rowspan" | "start" => number().is_none() && !value.trim().is_empty(),
        // Of a link, it means this page; of anything else, nothing.
        "src" | "href" => value.is_empty() && !element.is_html("a"),
        _ => false,
    }
}

/// Does the name mean something else to React than to the page?
fn is_reacts_own(element: &Element, name: &str) -> bool {
    // A handler is lifted before; whatever else begins like one, React takes for one.
    matches!(name, "ref" | "key" | "children") || !is_custom(element) && name.starts_with("on")
}

fn is_custom(element: &Element) -> bool {
    element.space == Space::Html && element.name.contains('-')
}

fn plain(name: &str, value: &str) -> String {
    format!("{name}={}", literal::value(value))
}

fn typed(name: &str, kind: &Kind, value: &str) -> String {
    let spread = || spread(name, value);
    match kind {
        // The one flag with a second meaning. React writes a flag without its value; this one in capitals it takes for no flag
        // (and says so in development), and to HTML they are the same.
        Kind::Flag if name == "hidden" && value.eq_ignore_ascii_case("until-found") => {
            self::spread(&name.to_ascii_uppercase(), value)
        }
        Kind::Flag if FLAGS.contains(&name) => name.to_owned(),
        Kind::Flag => spread(),
        Kind::Text => plain(name, value),
        Kind::OneOf(allowed) if allowed.contains(&value) => plain(name, value),
        Kind::OneOf(allowed) => {
            let lower = value.to_ascii_lowercase();
            // Words of ARIA are read to the letter.
            let same = allowed.contains(&lower.as_str()) && !name.starts_with("aria-");
            if same { plain(name, &lower) } else { spread() }
        }
        Kind::Number => match value.parse::<i64>() {
            Ok(number) if number.to_string() == value => format!("{name}={{{number}}}"),
            _ => spread(),
        },
    }
}

/// An attribute that the types do not know here. React passes it on under its HTML name.
fn untyped(element: &Element, name: &str, value: &str, needs: &mut Needs) -> String {
    let known = vocabulary::name_elsewhere(name);
    // Types look no further into elements that they do not know, nor at names with a dash.
    let open = !vocabulary::knows(element);
    if element.space != Space::Html || name.contains([':', '.']) {
        let prefixed = name.starts_with("xml:") || name.starts_with("xlink:");
        let name = known.filter(|_| element.space == Space::Svg || prefixed).unwrap_or(name);
        return if open && !name.contains([':', '.']) { plain(name, value) } else { spread(name, value) };
    }
    if name.contains('-') {
        return plain(name, value);
    }
    // React may know it on other elements: under another name it would be written in another way.
    let name = known.filter(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name);
    if !open {
        needs.attributes.insert(name.to_owned());
    }
    if FLAGS.contains(&name) { name.to_owned() } else { plain(name, value) }
}

/// A class list. One that is too long to be read becomes a constant of several lines, which the file defines.
fn class(value: &str, needs: &mut Needs) -> String {
    if value.chars().count() < LONG {
        return plain("className", value);
    }
    let at = needs.classes.iter().position(|list| list == value).unwrap_or_else(|| {
        needs.classes.push(value.to_owned());
        needs.classes.len() - 1
    });
    format!("className={{{}}}", super::classes_name(at))
}

/// Passed on whatever its type: as a plain object the compiler looks no further into it.
fn spread(name: &str, value: &str) -> String {
    format!("{{...({{ {}: {} }} as object)}}", literal::key(name), literal::string(value))
}

/// A custom element's attributes are passed on as they are named.
fn raw(name: &str, value: &str) -> String {
    if name.contains([':', '.']) { spread(name, value) } else { plain(name, value) }
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
