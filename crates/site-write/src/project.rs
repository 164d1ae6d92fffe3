//! The files of the project. Each opens with a line that says what it is; none holds HTML as text.

mod card_file;
mod configuration;
mod hosting;
mod islands;
mod layout;
mod metadata;
mod migration;
mod near;
mod not_found;
mod page_file;
mod proxy;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde::{Deserialize, Serialize};
use site_read::{ContentHash, Snapshot};

use crate::{
    Error, Next, Plan, Result,
    dom::{Element, Hashes, Node, Use},
    jsx::{self, Links, Needs},
    page::{Head, Page, hoisted, styles},
    plan::{Card, Group, SharedPart, shared, soft::Soft, variants},
    snapshot::Site,
};

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contents {
    /// Text that was written.
    Text(String),
    /// Bytes of the site, by their hash.
    Stored(ContentHash),
}

/// A written project: paths from its root, with `/`, to what they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Every file.
    pub files: BTreeMap<String, Contents>,
}

impl Project {
    fn text(&mut self, path: &str, text: impl Into<String>) {
        self.files.insert(path.to_owned(), Contents::Text(text.into()));
    }
}

/// What a layout says for the heads of all its pages.
#[derive(Debug, Clone, Default)]
struct Around {
    /// Elements that each of them has.
    head: Vec<Node>,
    /// The viewport, if they have it alike, as code.
    viewport: Option<String>,
}

/// What every file of the project is printed with.
struct Press<'a> {
    plan: &'a Plan,
    site: &'a Site,
    /// Parts by the hash of the subtree that they stand for.
    parts: BTreeMap<String, Use>,
    /// Cards by the hash of their structure.
    cards: BTreeMap<&'a str, &'a Card>,
    soft: Rc<Soft>,
    /// By the name of the group.
    around: BTreeMap<String, Around>,
    needs: Needs,
}

pub(crate) fn write(plan: &Plan, site: &Site, snapshot: &Snapshot) -> Result<Project> {
    plan.check()?;
    let parts = plan.shared.iter().flat_map(SharedPart::uses).collect();
    let around = plan.groups.iter().map(|group| (group.name.clone(), around(plan, site, group))).collect();
    let cards = plan.cards.iter().map(|card| (card.shape.as_str(), card)).collect();
    let soft = Rc::new(Soft::of(&plan.routes));
    let mut press = Press { plan, site, parts, cards, soft, around, needs: Needs::default() };
    let mut project = Project::default();
    for route in &plan.routes {
        let (page, group) = (press.page(&route.url)?, press.group(&route.group)?);
        let text = page_file::write(&mut press, route, page, group);
        project.text(&route.file, text);
    }
    for group in &plan.groups {
        let first = plan.routes.iter().find(|route| route.group == group.name);
        let first = first.ok_or_else(|| mismatch(&format!("the layout {}", group.name)))?;
        let page = press.page(&first.url)?;
        let text = layout::write(&mut press, group, page);
        project.text(&group.layout, text);
    }
    press.write_parts(&mut project)?;
    for card in &plan.cards {
        let text = card_file::write(&mut press, card)?;
        project.text(&card.file, text);
    }
    if let Some(page) = &site.not_found {
        let text = not_found::write(&mut press, page);
        project.text(plan.next.not_found(), text);
        if plan.next == Next::Fourteen {
            project.text("app/layout.tsx", AROUND_ALL);
        }
    }
    for asset in &plan.assets {
        match site.told.get(&asset.url).filter(|code| code.file == asset.file) {
            Some(code) => project.text(code.file, code.text.clone()),
            None => drop(project.files.insert(asset.file.clone(), Contents::Stored(asset.body.clone()))),
        }
    }
    islands::write(site, &press.needs, &mut project);
    for (path, text) in site.every_page().flat_map(styles::files) {
        project.text(&path, text);
    }
    if let Some((path, text)) = hoisted::file(site.every_page().map(|page| &page.hoisted)) {
        project.text(&path, text);
    }
    if press.needs.css {
        project.text("components/css.ts", CSS);
    }
    if let Some(text) = jsx::declarations(&press.needs) {
        project.text("legacy-html.d.ts", text);
    }
    configuration::write(plan, snapshot, &mut project);
    let (package, lock) = plan.next.packages();
    project.text("package.json", package);
    project.text("package-lock.json", lock);
    match plan.next {
        Next::Sixteen => project.text("eslint.config.mjs", include_str!("../template/eslint.config.mjs")),
        Next::Fourteen => project.text(".eslintrc.json", include_str!("../template/next-14/.eslintrc.json")),
    }
    project.text(".prettierrc.json", "{\n  \"printWidth\": 120\n}\n");
    project.text(".prettierignore", prettier_ignore(plan));
    Ok(project)
}

const CSS: &str = r"// Types an inline style that was taken over as it stood: values are the site's own.
import type { CSSProperties } from 'react';

export function css(style: Record<string, string>): CSSProperties {
  return style as CSSProperties;
}
";

/// What Next.js 14 wants around the page for what is not there; that one, and each layout, is a whole document.
const AROUND_ALL: &str = r#"// Around everything: the layouts in the folders below, and not-found.tsx, are whole documents.
import type { ReactNode } from "react";

export default function RootLayout({ children }: { children: ReactNode }) {
  return children;
}
"#;

/// What Prettier shall not touch: in what was printed from the site's HTML, a line break stands where white space shows or
/// where it does not.
fn prettier_ignore(plan: &Plan) -> String {
    let parts = plan.shared.iter().map(|part| &part.file).chain(plan.cards.iter().map(|card| &card.file));
    let parts: String = parts.map(|file| format!("{file}\n")).collect();
    format!(
        "# The site's own files.\npublic/\nhosting/\n\n# Tables with one address to a line.\n{configuration}\n{proxy}\n\n\
         # Printed from the site's HTML: a line ends where its white space allows it.\napp/\n{parts}\n\
         # Not ours to write.\npackage-lock.json\n.next/\n.resettle-report.json\n",
        configuration = plan.next.configuration(),
        proxy = plan.next.proxy(),
    )
}

fn mismatch(what: &str) -> Error {
    Error::PlanMismatch { what: what.to_owned() }
}

fn around(plan: &Plan, site: &Site, group: &Group) -> Around {
    let routes = plan.routes.iter().filter(|route| route.group == group.name);
    let heads: Vec<&Head> =
        routes.filter_map(|route| site.pages.get(&route.url)).map(|page| &page.head).collect();
    let Some(first) = heads.first() else { return Around::default() };
    let alike = heads.iter().all(|head| head.viewport == first.viewport);
    let mut common = metadata::common(heads.iter().copied());
    common.splice(0..0, metadata::spelt_viewport(first).filter(|_| alike));
    Around { head: common, viewport: alike.then(|| metadata::viewport(first)) }
}

impl<'a> Press<'a> {
    fn around(&self, group: &Group) -> Around {
        self.around.get(&group.name).cloned().unwrap_or_default()
    }

    fn page(&self, url: &str) -> Result<&'a Page> {
        self.site.pages.get(url).ok_or_else(|| mismatch(url))
    }

    fn group(&self, name: &str) -> Result<&'a Group> {
        self.plan.groups.iter().find(|group| group.name == name).ok_or_else(|| mismatch(name))
    }

    /// Prints nodes with their own needs, which the project's take in.
    fn print(&mut self, nodes: &[Node], depth: usize, soft: &BTreeSet<String>) -> (String, Needs) {
        let mut needs = Needs::default();
        let text = jsx::print(nodes, depth, &Links { soft }, &mut needs);
        self.take_in(&needs);
        (text, needs)
    }

    fn take_in(&mut self, needs: &Needs) {
        self.needs.css |= needs.css;
        self.needs.template |= needs.template;
        self.needs.elements.extend(needs.elements.iter().cloned());
        self.needs.attributes.extend(needs.attributes.iter().cloned());
    }

    /// Each part once, from the first page that has it.
    fn write_parts(&mut self, project: &mut Project) -> Result<()> {
        let plan = self.plan;
        let mut parts = Vec::new();
        let subtrees = self.subtrees();
        for part in &plan.shared {
            let (whole, code) = subtree(part, &subtrees)?;
            let inner: BTreeMap<String, Use> = self
                .parts
                .iter()
                .filter(|(_, other)| other.name != part.name)
                .map(|(hash, other)| (hash.clone(), other.clone()))
                .collect();
            parts.push((part, shared::replace(&[Node::Element(whole)], &inner), code));
        }
        let mut apart = Vec::new();
        if let Some(page) = &self.site.not_found {
            shared::names(&shared::replace(&page.body, &self.parts), &mut apart);
        }
        let nodes: Vec<(&str, &[Node])> =
            parts.iter().map(|(part, nodes, _)| (part.name.as_str(), nodes.as_slice())).collect();
        let near = near::links(plan, &self.soft, &nodes, &apart);
        for (part, nodes, code) in &parts {
            let none = BTreeSet::new();
            let (body, needs) = self.print(nodes, 2, near.get(&part.name).unwrap_or(&none));
            let (note, given) = if code.is_empty() {
                ("", "")
            } else {
                ("; `current` is the page whose entry is marked", "{ current }: { current?: string }")
            };
            let text = format!(
                "// A part that {} pages of the site have alike{note}.\n{}export function {}({given}) {{\n  return (\n{}  );\n}}\n",
                part.pages,
                imports(&needs, &[]),
                part.name,
                variants::spelt(&body, code),
            );
            project.text(&part.file, text);
        }
        Ok(())
    }

    /// The subtrees that parts stand for, by their hash, each as the first page has it.
    fn subtrees(&self) -> BTreeMap<String, &'a Element> {
        let mut wanted: BTreeSet<&str> = self.parts.keys().map(String::as_str).collect();
        let mut found = BTreeMap::new();
        for page in self.site.pages.values() {
            if wanted.is_empty() {
                break;
            }
            let hashes = Hashes::of(&page.body);
            for (element, hash) in hashes.each() {
                if wanted.remove(hash.as_str()) {
                    found.insert(hash, element);
                }
            }
        }
        found
    }
}

/// The subtree that a part stands for, and the code for the marks in it.
fn subtree(
    part: &SharedPart,
    subtrees: &BTreeMap<String, &Element>,
) -> Result<(Element, Vec<(String, String)>)> {
    let found = |hash: &str| subtrees.get(hash).copied().ok_or_else(|| mismatch(&part.name));
    if part.variants.is_empty() {
        return Ok((found(&part.hash)?.clone(), Vec::new()));
    }
    let mut forms = Vec::new();
    for variant in &part.variants {
        forms.push((variant, found(&variant.hash)?));
    }
    Ok(variants::marked(&forms))
}

/// The import lines of a file, and an empty line after them.
fn imports(needs: &Needs, more: &[String]) -> String {
    let mut lines: Vec<String> = more.to_vec();
    if needs.link {
        lines.push("import Link from \"next/link\";".into());
    }
    if needs.template {
        lines.push("import { LegacyTemplate } from \"@/components/LegacyTemplate\";".into());
    }
    if needs.css {
        lines.push("import { css } from \"@/components/css\";".into());
    }
    lines.extend(needs.parts.iter().map(|name| format!("import {{ {name} }} from \"@/components/{name}\";")));
    let constants = jsx::constants(needs);
    if lines.is_empty() { format!("\n{constants}") } else { format!("{}\n\n{constants}", lines.join("\n")) }
}
