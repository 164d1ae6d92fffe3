//! Addresses that are scripts. React puts an address there that throws when it is followed.

use crate::lint::{
    element::Element,
    file::{File, Found},
};

const ADDRESSES: &[&str] = &["href", "src", "action", "formAction", "xlinkHref", "xlink:href", "data"];

pub(in crate::lint) fn check(element: &Element<'_>, _: &File<'_, '_>, found: &mut Found) {
    for attribute in &element.attributes {
        let address = ADDRESSES.iter().any(|name| attribute.name.eq_ignore_ascii_case(name));
        let Some(text) = attribute.text().filter(|text| address && is_script(text)) else { continue };
        let told = "a `javascript:` address does nothing under React: use a <button> with a handler, or prevent the default in an island";
        found.at(attribute.span, told).because_of(text, (!attribute.spread).then_some(attribute.span.start));
    }
}

/// Browsers pass over white space and control characters in front, and over tabs and line ends anywhere.
fn is_script(text: &str) -> bool {
    let seen =
        text.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\n' | '\r'));
    let scheme: String = seen.take("javascript:".len()).collect();
    scheme.eq_ignore_ascii_case("javascript:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_seen_however_it_is_written() {
        for text in ["javascript:void(0)", " JavaScript:;", "java\nscript:x", "\u{1}javascript:"] {
            assert!(is_script(text), "{text:?}");
        }
        for text in ["", "/javascript:", "#javascript:", "javascript", "https://x/?javascript:"] {
            assert!(!is_script(text), "{text:?}");
        }
    }
}
