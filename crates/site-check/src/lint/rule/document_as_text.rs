//! `srcDoc` on anything but a frame: a page kept as a string, which no browser shows there.

use crate::lint::{
    element::Element,
    file::{File, Found},
};

pub(in crate::lint) fn check(element: &Element<'_>, _: &File<'_, '_>, found: &mut Found) {
    if element.name == "iframe" || !element.is_intrinsic() {
        return;
    }
    if let Some(attribute) = element.get("srcDoc") {
        found
            .at(attribute.span, format!("<{}> holds a document as text: write it as elements", element.name));
    }
}
