//! `onclick="…"`: React drops a handler that is a string, without a word.

use crate::lint::{
    element::Element,
    file::{File, Found},
};

pub(in crate::lint) fn check(element: &Element<'_>, _: &File<'_, '_>, found: &mut Found) {
    if !element.is_intrinsic() {
        return;
    }
    for attribute in &element.attributes {
        let handler = attribute.name.get(..2).is_some_and(|on| on.eq_ignore_ascii_case("on"))
            && attribute.name[2..].starts_with(|c: char| c.is_ascii_alphabetic());
        // A custom element may have attributes of its own that begin so: React passes them on.
        let of_its_own =
            || element.is_custom() && !site_write::is_event(&attribute.name[2..].to_ascii_lowercase());
        if handler && attribute.text().is_some() && !of_its_own() {
            let told = format!(
                "`{}` is a string, which React drops: give it a function, in an island",
                attribute.name
            );
            found.at(attribute.span, told);
        }
    }
}
