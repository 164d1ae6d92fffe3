//! A page's file: its metadata, and its tree as a component.

use std::collections::BTreeSet;

use super::{
    Press, Printed, imports,
    metadata::{self, Viewport},
};
use crate::{
    Result,
    dom::Node,
    jsx::{self, Needs, object, string},
    page::{Page, Script},
    plan::{Group, Keep, Route, cards, groups::slug},
};

/// `own` is what the page has of its own, with parts in their places.
pub(super) fn write(
    press: &Press<'_>,
    route: &Route,
    page: &Page,
    group: &Group,
    own: Vec<Node>,
) -> Result<Printed> {
    let soft = press.soft.links(route);
    let around = press.around(group)?;
    let viewport = if around.viewport.is_some() { Viewport::OfTheLayout } else { Viewport::Own };
    let mut nodes = metadata::elements(&page.head, viewport);
    nodes.retain(|node| !around.head.contains(node));
    let copies = route.kept.contains(&Keep::Copies);
    let links = press.links(&own, soft, Some(&route.path));
    nodes.extend(if copies { own } else { cards::replace(own, &press.cards, soft) });
    let images = press.images.on(page, group);
    let keeps = route.kept.contains(&Keep::Images);
    let images = if keeps { images.kept(&nodes) } else { images.mark(&mut nodes) };
    let mut needs = Needs::default();
    let body = jsx::print(&nodes, 3, &links, &mut needs);
    let (mut more, first, tail) = islands(page);
    more.insert(0, metadata::type_import(&page.head, viewport));
    more.retain(|line| !line.is_empty());
    let text = format!(
        "// The page at {path}\n{imports}{metadata}export default function {name}() {{\n  return (\n    <>\n{first}{body}{tail}    </>\n  );\n}}\n",
        path = route.path,
        imports = imports(&needs, &more),
        metadata = metadata::exports(&page.head, viewport),
        name = route.component,
    );
    Ok(Printed { file: route.file.clone(), text, needs, images })
}

/// What its file imports besides what its tree needs, what stands first in a page with scripts or handlers, and what runs them.
pub(super) fn islands(page: &Page) -> (Vec<String>, &'static str, String) {
    let mut imports = Vec::new();
    let mut islands = String::new();
    let mut first = "";
    if page.scripted() {
        imports.push("import { LegacyPage } from \"@/components/LegacyPage\";".into());
        first = "      <LegacyPage />\n";
    }
    if page.handlers {
        imports.push("import { LegacyHandlers } from \"@/components/LegacyHandlers\";".into());
        islands.push_str("      <LegacyHandlers />\n");
    }
    let (apart, in_order): (Vec<&Script>, Vec<&Script>) =
        page.scripts.iter().partition(|script| script.loading.is_some());
    if !apart.is_empty() {
        imports.push("import Script from \"next/script\";".into());
        let mut ids = BTreeSet::new();
        islands.extend(apart.into_iter().filter_map(|script| by_next(script, &mut ids)));
    }
    if !in_order.is_empty() {
        imports.push("import { LegacyScripts } from \"@/components/LegacyScripts\";".into());
        let scripts = scripts(&in_order);
        islands.push_str(&format!("      <LegacyScripts scripts={{[\n{scripts}      ]}} />\n"));
    }
    (imports, first, islands)
}

/// A script that Next.js loads; one without a file has to have an id of its own.
fn by_next(script: &Script, ids: &mut BTreeSet<String>) -> Option<String> {
    let strategy = script.loading?.strategy();
    let mut attributes: Vec<(String, String)> =
        script.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if script.src.is_none() {
        let given = script.attributes.get("id").cloned();
        let name = given.unwrap_or_else(|| slug(script.service.map_or("script", |service| service.name)));
        let (mut id, mut count) = (name.clone(), 1);
        while !ids.insert(id.clone()) {
            count += 1;
            id = format!("{name}-{count}");
        }
        attributes.retain(|(name, _)| name != "id");
        attributes.insert(0, ("id".to_owned(), id));
    }
    let rest = jsx::document_attributes("script", &attributes, &mut Needs::default());
    Some(match &script.src {
        Some(src) => format!("      <Script src={{{}}} strategy=\"{strategy}\"{rest} />\n", string(src)),
        None => {
            let code = string(script.code.as_deref().unwrap_or_default());
            format!("      <Script{rest} strategy=\"{strategy}\">{{{code}}}</Script>\n")
        }
    })
}

fn scripts(scripts: &[&Script]) -> String {
    let line = |script: &&Script| {
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
        if script.deferred {
            members.push("deferred: true".into());
        }
        if let Some(place) = &script.place {
            members.push(format!("place: {}", string(place)));
        }
        if !script.attributes.is_empty() {
            let pairs = script.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            members.push(format!("attributes: {}", object(pairs)));
        }
        format!("        {{ {} }},\n", members.join(", "))
    };
    scripts.iter().map(line).collect()
}
