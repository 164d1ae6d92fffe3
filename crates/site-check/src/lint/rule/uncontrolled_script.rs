//! Scripts that nobody orders: a raw `<script>` that runs, or `next/script` without a strategy it can follow.

use crate::lint::{
    element::Element,
    file::{Edit, File, Found},
};

/// Inside these no script runs.
const INERT: &[&str] = &["noscript", "template", "LegacyTemplate"];
const STRATEGIES: &[&str] = &["beforeInteractive", "afterInteractive", "lazyOnload"];

pub(in crate::lint) fn check(element: &Element<'_>, file: &File<'_, '_>, found: &mut Found) {
    if element.name == "script" {
        raw(element, file, found);
    } else if file.is_default_of(&element.name, "next/script") && !element.opaque {
        of_next(element, file, found);
    }
}

fn raw(element: &Element<'_>, file: &File<'_, '_>, found: &mut Found) {
    if runs(element) && !file.is_inside(element, INERT) {
        let told = "a raw <script> runs whenever it is parsed, or never: use <Script> of next/script with a strategy, or an island";
        found.at(element.span, told);
    }
}

/// Is it code, or data that carries a type of its own?
fn runs(element: &Element<'_>) -> bool {
    let Some(kind) = element.get("type") else { return true };
    let kind = kind.text().unwrap_or_default().trim().to_ascii_lowercase();
    kind.is_empty() || kind == "module" || kind.ends_with("javascript") || kind.ends_with("ecmascript")
}

fn of_next(element: &Element<'_>, file: &File<'_, '_>, found: &mut Found) {
    let Some(strategy) = element.get("strategy") else {
        let told = "say when it runs: `strategy` is beforeInteractive, afterInteractive or lazyOnload";
        let mended = Edit::insert(element.behind_name, " strategy=\"afterInteractive\"");
        found.at(element.span, told).mended_by(vec![mended]);
        return;
    };
    let Some(said) = strategy.text() else { return };
    if !STRATEGIES.contains(&said) {
        let told = format!("the App Router knows no strategy {said:?}: {}", STRATEGIES.join(", "));
        found.at(strategy.span, told);
    } else if said == "beforeInteractive" && !file.name().starts_with("layout.") {
        found.at(
            strategy.span,
            "beforeInteractive holds only in a root layout: elsewhere use afterInteractive",
        );
    } else if !element.has("src") && !element.has("id") {
        found.at(element.span, "an inline <Script> needs an `id`, or it runs again with every navigation");
    }
}
