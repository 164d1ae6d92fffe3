//! A page's file: its metadata, and its tree as a component.

use std::collections::BTreeSet;

use super::{Press, imports};
use crate::{
    jsx::{object, string},
    page::{Head, Page, Script},
    plan::{Group, Route, shared},
};

pub(super) fn write(press: &mut Press<'_>, route: &Route, page: &Page, group: &Group) -> String {
    let soft = soft_links(press, route);
    let mut nodes = page.head.elements.clone();
    nodes.extend(shared::replace(shared::without_edges(&page.body, group), &press.parts));
    let (body, needs) = press.print(&nodes, 3, &soft);
    let (more, tail) = islands(page);
    format!(
        "// The page at {path}\n{imports}{metadata}export default function {name}() {{\n  return (\n    <>\n{body}{tail}    </>\n  );\n}}\n",
        path = route.path,
        imports = imports(&needs, &more),
        metadata = metadata(&page.head),
        name = route.component,
    )
}

/// What runs the page's scripts and handlers, and all that its file imports besides what its tree needs.
pub(super) fn islands(page: &Page) -> (Vec<String>, String) {
    let mut imports = vec![type_import(&page.head)];
    let mut islands = String::new();
    if page.handlers {
        imports.push("import { LegacyHandlers } from \"@/components/LegacyHandlers\";".into());
        islands.push_str("      <LegacyHandlers />\n");
    }
    if !page.scripts.is_empty() {
        imports.push("import { LegacyScripts } from \"@/components/LegacyScripts\";".into());
        let scripts = scripts(&page.scripts);
        islands.push_str(&format!("      <LegacyScripts scripts={{[\n{scripts}      ]}} />\n"));
    }
    imports.retain(|line| !line.is_empty());
    (imports, islands)
}

/// Pages of the same layout without scripts of their own, if this one has none either.
fn soft_links(press: &Press<'_>, route: &Route) -> BTreeSet<String> {
    if route.scripted {
        return BTreeSet::new();
    }
    let others = press.plan.routes.iter().filter(|other| other.group == route.group && !other.scripted);
    others.map(|other| other.path.clone()).collect()
}

fn scripts(scripts: &[Script]) -> String {
    let line = |script: &Script| {
        let mut members = Vec::new();
        if let Some(src) = &script.src {
            members.push(format!("src: {}", string(src)));
        }
        if let Some(code) = &script.code {
            members.push(format!("code: {}", string(code)));
        }
        if script.module {
            members.push("module: true".into());
        }
        if !script.attributes.is_empty() {
            let pairs = script.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            members.push(format!("attributes: {}", object(pairs)));
        }
        format!("        {{ {} }},\n", members.join(", "))
    };
    scripts.iter().map(line).collect()
}

fn type_import(head: &Head) -> String {
    let metadata = head.title.is_some() || head.description.is_some();
    match (metadata, head.viewport.is_some()) {
        (true, true) => "import type { Metadata, Viewport } from \"next\";".into(),
        (true, false) => "import type { Metadata } from \"next\";".into(),
        (false, true) => "import type { Viewport } from \"next\";".into(),
        (false, false) => String::new(),
    }
}

pub(super) fn metadata(head: &Head) -> String {
    let mut out = String::new();
    let mut members = Vec::new();
    if let Some(title) = &head.title {
        members.push(format!("  title: {{ absolute: {} }},\n", string(title)));
    }
    if let Some(description) = &head.description {
        members.push(format!("  description: {},\n", string(description)));
    }
    if !members.is_empty() {
        out.push_str(&format!("export const metadata: Metadata = {{\n{}}};\n\n", members.concat()));
    }
    if let Some(viewport) = &head.viewport {
        let known: Vec<String> =
            viewport.iter().filter_map(|(name, value)| viewport_member(name, value)).collect();
        out.push_str(&format!("export const viewport: Viewport = {{ {} }};\n\n", known.join(", ")));
    }
    out
}

fn viewport_member(name: &str, value: &str) -> Option<String> {
    let number = || value.parse::<f64>().ok().map(|number| number.to_string());
    let size = || number().or_else(|| value.starts_with("device-").then(|| string(value)));
    Some(match name {
        "width" => format!("width: {}", size()?),
        "height" => format!("height: {}", size()?),
        "initial-scale" => format!("initialScale: {}", number()?),
        "minimum-scale" => format!("minimumScale: {}", number()?),
        "maximum-scale" => format!("maximumScale: {}", number()?),
        "user-scalable" => format!("userScalable: {}", matches!(value, "yes" | "1")),
        "viewport-fit" if matches!(value, "auto" | "cover" | "contain") => {
            format!("viewportFit: {}", string(value))
        }
        _ => return None,
    })
}
