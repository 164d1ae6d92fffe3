//! The files of the project. Each opens with a line that says what it is; none holds HTML as text.

mod ahead;
mod card_file;
mod configuration;
mod hosting;
mod images;
mod islands;
mod layout;
mod metadata;
mod migration;
mod near;
mod not_found;
mod page_file;
mod proxy;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use ahead::Ahead;
use images::{Images, Shown};
use serde::{Deserialize, Serialize};
use site_read::{ContentHash, Snapshot};

use crate::{
    Bodies, Error, Next, Plan, Result,
    dom::{self, Element, Node},
    jsx::{self, Links, Needs},
    page::{Head, Page, doctype, hoisted, styles},
    parallel,
    plan::{Card, Group, Parts, SharedPart, shared, soft::Soft, variants},
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
    parts: &'a Parts,
    /// Cards by the hash of their structure.
    cards: BTreeMap<&'a str, &'a Card>,
    soft: Soft,
    ahead: Ahead,
    images: &'a Images,
    /// By the name of the group.
    around: BTreeMap<&'a str, Around>,
}

/// A file that was printed, and what the project needs for it.
struct Printed {
    file: String,
    text: String,
    needs: Needs,
    /// How its images are shown.
    images: Shown,
}

pub(crate) fn write(
    threads: NonZeroUsize,
    plan: &Plan,
    mut site: Site,
    snapshot: &Snapshot,
    bodies: &dyn Bodies,
) -> Result<Project> {
    plan.check()?;
    if let Some(route) = plan.routes.iter().find(|route| !site.pages.contains_key(&route.url)) {
        return Err(mismatch(&route.url));
    }
    let parts = Parts::of(threads, &plan.shared, &site);
    let images = Images::of(threads, plan, snapshot, bodies, &site)?;
    let contents = parts.contents(threads, &mut site, &plan.routes, &plan.groups);
    let ahead = Ahead::of(plan, snapshot, &contents);
    let press = Press::new(plan, &site, &parts, ahead, &images);
    let mut printed = press.layouts()?;
    printed.extend(press.parts()?);
    for card in &plan.cards {
        printed.push(card_file::write(&press, card, &contents)?);
    }
    printed.extend(press.pages(threads, contents)?);
    if let Some(page) = &site.not_found {
        printed.push(not_found::write(&press, page));
    }
    let (mut project, mut needs, mut shown) = (Project::default(), Needs::default(), Shown::default());
    for Printed { file, text, needs: its, images } in printed {
        project.text(&file, text);
        needs.take_in(its);
        shown.take_in(&images);
    }
    if site.not_found.is_some() && plan.next == Next::Fourteen {
        project.text("app/layout.tsx", AROUND_ALL);
    }
    put_assets(plan, &site, &mut project);
    put_what_is_needed(&site, &needs, &mut project);
    let old_doctypes = site.every_page().any(|page| doctype::is_old(&page.html));
    configuration::write(plan, snapshot, old_doctypes, &shown, &mut project);
    put_tools(plan, old_doctypes, &mut project);
    Ok(project)
}

/// The site's own files, and those that became code.
fn put_assets(plan: &Plan, site: &Site, project: &mut Project) {
    for asset in &plan.assets {
        match site.told.get(&asset.url).filter(|code| code.file == asset.file) {
            Some(code) => project.text(code.file, code.text.clone()),
            None => drop(project.files.insert(asset.file.clone(), Contents::Stored(asset.body.clone()))),
        }
    }
}

/// Files that pages and parts refer to.
fn put_what_is_needed(site: &Site, needs: &Needs, project: &mut Project) {
    islands::write(site, needs, project);
    for (path, text) in site.every_page().flat_map(styles::files) {
        project.text(&path, text);
    }
    if let Some((path, text)) = hoisted::file(site.every_page().map(|page| &page.hoisted)) {
        project.text(&path, text);
    }
    if needs.css {
        project.text("components/css.ts", CSS);
    }
    if needs.image {
        project.text(IMAGE_FILE, IMAGE);
    }
    if let Some(text) = jsx::declarations(needs) {
        project.text("legacy-html.d.ts", text);
    }
}

/// What its tools are set up by.
fn put_tools(plan: &Plan, old_doctypes: bool, project: &mut Project) {
    let (package, lock) = plan.next.packages();
    let mut package = package.to_owned();
    if old_doctypes {
        project.text(doctype::FILE, doctype::SCRIPT);
        package = package.replace("\"next build\"", &format!("\"next build && node {}\"", doctype::FILE));
    }
    project.text("package.json", package);
    project.text("package-lock.json", lock);
    match plan.next {
        Next::Sixteen => project.text("eslint.config.mjs", include_str!("../template/eslint.config.mjs")),
        Next::Fourteen => project.text(".eslintrc.json", include_str!("../template/next-14/.eslintrc.json")),
    }
    project.text(".prettierrc.json", "{\n  \"printWidth\": 120\n}\n");
    project.text(".prettierignore", prettier_ignore(plan));
}

const CSS: &str = include_str!("../template/css.ts");
const IMAGE: &str = include_str!("../template/Image.tsx");
pub(crate) const IMAGE_FILE: &str = "components/Image.tsx";

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
    let alike = heads.iter().all(|head| head.viewports == first.viewports);
    let mut common = metadata::common(heads.iter().copied());
    common.splice(0..0, metadata::spelt_viewport(first).filter(|_| alike));
    Around { head: common, viewport: alike.then(|| metadata::viewport(first)) }
}

impl<'a> Press<'a> {
    fn new(plan: &'a Plan, site: &'a Site, parts: &'a Parts, ahead: Ahead, images: &'a Images) -> Self {
        Self {
            plan,
            site,
            parts,
            cards: plan.cards.iter().map(|card| (card.shape.as_str(), card)).collect(),
            soft: Soft::of(&plan.routes),
            ahead,
            images,
            around: plan
                .groups
                .iter()
                .map(|group| (group.name.as_str(), around(plan, site, group)))
                .collect(),
        }
    }

    fn around(&self, group: &Group) -> Result<&Around> {
        self.around.get(group.name.as_str()).ok_or_else(|| mismatch(&group.name))
    }

    fn page(&self, url: &str) -> Result<&'a Page> {
        self.site.pages.get(url).ok_or_else(|| mismatch(url))
    }

    fn group(&self, name: &str) -> Result<&'a Group> {
        self.plan.groups.iter().find(|group| group.name == name).ok_or_else(|| mismatch(name))
    }

    /// How the links in these nodes lead to the addresses in `soft`; `here` is the path of the page that they stand on, if it is
    /// one alone.
    fn links<'l>(&self, nodes: &[Node], soft: &'l BTreeSet<String>, here: Option<&str>) -> Links<'l> {
        Links { soft: Some(soft), late: self.ahead.late(nodes, soft, here) }
    }

    /// The file of each page; `contents` is what it has of its own, by its address.
    fn pages(
        &self,
        threads: NonZeroUsize,
        mut contents: BTreeMap<String, Vec<Node>>,
    ) -> Result<Vec<Printed>> {
        let mut pages = Vec::new();
        for route in &self.plan.routes {
            let own = contents.remove(&route.url).ok_or_else(|| mismatch(&route.url))?;
            pages.push((route, self.page(&route.url)?, self.group(&route.group)?, own));
        }
        // The longest first, so that no thread is left alone with it.
        pages.sort_by_cached_key(|(.., own)| Reverse(dom::weight(own)));
        let print = |(route, page, group, own)| page_file::write(self, route, page, group, own);
        parallel::map(threads, pages, print).into_iter().collect()
    }

    fn layouts(&self) -> Result<Vec<Printed>> {
        let layout = |group: &Group| {
            let first = self.plan.routes.iter().find(|route| route.group == group.name);
            let first = first.ok_or_else(|| mismatch(&format!("the layout {}", group.name)))?;
            layout::write(self, group, self.page(&first.url)?)
        };
        self.plan.groups.iter().map(layout).collect()
    }

    /// Each part once, from the first page that has it.
    fn parts(&self) -> Result<Vec<Printed>> {
        let plan = self.plan;
        let mut parts = Vec::new();
        for part in &plan.shared {
            let (whole, code) = self.subtree(part)?;
            let mut nodes = self.parts.replace(vec![Node::Element(whole)], Some(&part.name));
            let images = self.images.anywhere().mark(&mut nodes);
            parts.push((part, nodes, code, images));
        }
        let mut apart = Vec::new();
        if let Some(page) = &self.site.not_found {
            shared::names(&self.parts.replace(page.body.clone(), None), &mut apart);
        }
        let nodes: Vec<(&str, &[Node])> =
            parts.iter().map(|(part, nodes, ..)| (part.name.as_str(), nodes.as_slice())).collect();
        let near = near::links(plan, &self.soft, &nodes, &apart);
        let printed = parts.iter().map(|(part, nodes, code, images)| {
            let mut needs = Needs::default();
            let links = near.get(&part.name).map(|soft| self.links(nodes, soft, None)).unwrap_or_default();
            let body = jsx::print(nodes, 2, &links, &mut needs);
            let (note, given) = if code.is_empty() {
                ("", "")
            } else {
                ("; `current` is the page whose entry is marked", "{ current = \"\" }: { current?: string }")
            };
            let text = format!(
                "// A part that {} pages of the site have alike{note}.\n{}export function {}({given}) {{\n  return (\n{}  );\n}}\n",
                part.pages,
                imports(&needs, &[]),
                part.name,
                variants::spelt(&body, code),
            );
            Printed { file: part.file.clone(), text, needs, images: images.clone() }
        });
        Ok(printed.collect())
    }

    /// The subtree that a part stands for, and the code for the marks in it.
    fn subtree(&self, part: &SharedPart) -> Result<(Element, Vec<(String, String)>)> {
        let found = |hash: &str| self.parts.subtree(hash).ok_or_else(|| mismatch(&part.name));
        if part.variants.is_empty() {
            return Ok((found(&part.hash)?.clone(), Vec::new()));
        }
        let mut forms = Vec::new();
        for variant in &part.variants {
            forms.push((variant, found(&variant.hash)?));
        }
        Ok(variants::marked(&forms))
    }
}

/// The import lines of a file, and an empty line after them.
fn imports(needs: &Needs, more: &[String]) -> String {
    let mut lines: Vec<String> = more.to_vec();
    if needs.link {
        lines.push("import Link from \"next/link\";".into());
    }
    let own = [(needs.image, "Image"), (needs.template, "LegacyTemplate"), (needs.shadow, "LegacyShadow")];
    for (_, name) in own.into_iter().filter(|(needed, _)| *needed) {
        lines.push(format!("import {{ {name} }} from \"@/components/{name}\";"));
    }
    if needs.css {
        lines.push("import { css } from \"@/components/css\";".into());
    }
    lines.extend(needs.parts.iter().map(|name| format!("import {{ {name} }} from \"@/components/{name}\";")));
    let constants = jsx::constants(needs);
    if lines.is_empty() { format!("\n{constants}") } else { format!("{}\n\n{constants}", lines.join("\n")) }
}
