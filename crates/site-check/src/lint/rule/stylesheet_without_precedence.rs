//! A style sheet's link without `precedence`: React neither keeps its place nor waits for it.

use crate::lint::{
    element::Element,
    file::{Edit, File, Found},
};

/// What is in these React prints, or puts, where it stands.
const LEFT: &[&str] = &["noscript", "template", "LegacyTemplate"];

pub(in crate::lint) fn check(element: &Element<'_>, file: &File<'_, '_>, found: &mut Found) {
    if element.name != "link" || element.opaque {
        return;
    }
    let Some(rel) = element.get("rel") else { return };
    let words = rel.text().unwrap_or_default().to_ascii_lowercase();
    let sheet = words.split_ascii_whitespace().any(|word| word == "stylesheet");
    // These React leaves where they stand, whatever they say.
    let left_alone =
        ["disabled", "onLoad", "onError", "itemProp", "precedence"].iter().any(|name| element.has(name))
            || words.split_ascii_whitespace().any(|word| word == "alternate");
    if !sheet || left_alone || !element.has("href") || file.is_inside(element, LEFT) {
        return;
    }
    let told =
        "a style sheet without `precedence` comes last, wherever it stands: say which group it belongs to";
    let finding = found.at(element.span, told);
    if let Some(href) = element.text("href") {
        // The project's addresses are not the site's to the letter; the names of its files are.
        let name = href.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        finding.because_of(name, element.behind_name);
    }
    if !rel.spread {
        finding.mended_by(vec![Edit::insert(rel.span.end, " precedence=\"default\"")]);
    }
}
