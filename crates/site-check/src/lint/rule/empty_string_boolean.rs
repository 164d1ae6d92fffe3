//! `disabled=""`: React takes the empty string for false and leaves the attribute out.

use site_write::FLAGS;

use crate::lint::{
    element::Element,
    file::{Edit, File, Found},
};

pub(in crate::lint) fn check(element: &Element<'_>, _: &File<'_, '_>, found: &mut Found) {
    if !element.is_intrinsic() || element.is_custom() {
        return;
    }
    for attribute in &element.attributes {
        let flag = FLAGS.iter().find(|flag| attribute.name.eq_ignore_ascii_case(flag));
        let Some(flag) = flag.filter(|_| attribute.text() == Some("")) else { continue };
        let told =
            format!("`{}=\"\"` means false to React, and true to HTML: write `{flag}`", attribute.name);
        let mended = if attribute.spread {
            Edit::replace(attribute.value_span, "true")
        } else {
            Edit::replace(attribute.span, *flag)
        };
        found.at(attribute.span, told).mended_by(vec![mended]);
    }
}
