//! What single pages keep as the site had it, because they did not measure the same otherwise: a document that measuring makes
//! and a plan takes in. The same document gives the same plan, and so the same project. It never measures anything itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Card, Group, Parts, Plan, Route, SharedPart, cards, groups, services, soft::Soft};
use crate::{Error, Result, dom::Node, page::Page, parallel, snapshot::Site};

/// What a page keeps instead of what was made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Its own copies of parts that other pages have, too, and of cards.
    Copies,
    /// Links that load a new document.
    Links,
    /// Images as plain `<img>`.
    Images,
    /// One chain of all of its scripts, in their order.
    Scripts,
    /// White space, also where none should show; its own copies with it.
    Space,
    /// The page as the site sent it, for its scripts to fill, not as a browser showed it; its own copies with it.
    Sent,
}

impl Keep {
    /// Everything that can be kept.
    pub const ALL: [Self; 6] =
        [Self::Copies, Self::Links, Self::Images, Self::Scripts, Self::Space, Self::Sent];

    /// For people: what the page has of its own.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Copies => "its own copies of parts that repeat",
            Self::Links => "links that load a new document",
            Self::Images => "its images as plain `<img>`",
            Self::Scripts => "all of its scripts in one chain",
            Self::Space => "its white space to the letter",
            Self::Sent => "the markup that the site sent, which its scripts fill",
        }
    }
}

/// What pages keep, by their address in the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keeps {
    /// A page without an entry keeps nothing.
    pub pages: BTreeMap<String, BTreeSet<Keep>>,
}

impl Plan {
    /// What its pages keep.
    pub fn keeps(&self) -> Keeps {
        let kept = self.routes.iter().filter(|route| !route.kept.is_empty());
        Keeps { pages: kept.map(|route| (route.url.clone(), route.kept.clone())).collect() }
    }
}

/// The plan with these pages keeping what they shall; [`settled`] takes out what nobody uses any more.
pub(crate) fn keeping(plan: &Plan, keeps: &Keeps) -> Result<Plan> {
    let mut plan = plan.clone();
    if let Some(unknown) = keeps.pages.keys().find(|url| plan.route(url).is_none()) {
        return Err(Error::PlanMismatch { what: unknown.clone() });
    }
    for route in &mut plan.routes {
        route.kept.extend(keeps.pages.get(&route.url).into_iter().flatten().copied());
    }
    for route in &mut plan.routes {
        if route.kept.contains(&Keep::Space) || route.kept.contains(&Keep::Sent) {
            route.kept.insert(Keep::Copies);
        }
    }
    Ok(plan)
}

/// The plan with every page in its layout and without what no page uses any more; `site` was read with what the plan's pages keep.
pub(crate) fn settled(mut plan: Plan, mut site: Site) -> Plan {
    groups::rehouse(&mut plan, &site);
    for group in &mut plan.groups {
        loosen(group, &mut plan.routes);
    }
    let used: BTreeSet<&String> = plan.routes.iter().flat_map(|route| &route.shared).collect();
    let around: BTreeSet<&String> =
        plan.groups.iter().flat_map(|group| group.before.iter().chain(&group.after)).collect();
    plan.shared.retain(|part| used.contains(&part.name) || around.contains(&part.name));
    let parts = Parts::of(parallel::processors(), &plan.shared, &site);
    for part in &mut plan.shared {
        shown(part, &parts);
    }
    for route in plan.routes.iter_mut().filter(|route| route.kept.contains(&Keep::Sent)) {
        route.scripted = site.pages.get(&route.url).is_some_and(Page::scripted);
    }
    plan.services = services::plan(&plan.routes, &site);
    plan.cards = counted(&plan, &parts, &mut site);
    plan
}

/// Leaves a part those of its forms that some page still has, be it as a copy of its own.
fn shown(part: &mut SharedPart, parts: &Parts) {
    part.variants.retain(|form| parts.subtree(&form.hash).is_some());
    if let Some(first) = part.variants.first() {
        part.hash.clone_from(&first.hash);
    }
    if part.variants.len() == 1 {
        part.variants.clear();
    }
}

/// What stands around every page of a layout stands in the pages if one of them has a copy of its own.
fn loosen(group: &mut Group, routes: &mut [Route]) {
    let mut members: Vec<&mut Route> = routes.iter_mut().filter(|route| route.group == group.name).collect();
    if !members.iter().any(|route| route.kept.contains(&Keep::Copies)) {
        return;
    }
    let (before, after) = (std::mem::take(&mut group.before), std::mem::take(&mut group.after));
    for route in &mut members {
        let own = std::mem::take(&mut route.shared);
        if route.kept.contains(&Keep::Copies) {
            continue;
        }
        for name in before.iter().chain(&own).chain(&after) {
            if !route.shared.contains(name) {
                route.shared.push(name.clone());
            }
        }
    }
}

/// The cards that are still shown, each with how often and where first.
fn counted(plan: &Plan, parts: &Parts, site: &mut Site) -> Vec<Card> {
    let mut contents = parts.contents(parallel::processors(), site, &plan.routes, &plan.groups);
    let by_shape = plan.cards.iter().map(|card| (card.shape.as_str(), card)).collect();
    let soft = Soft::of(&plan.routes);
    let mut shown: BTreeMap<String, (String, u64, u64)> = BTreeMap::new();
    for route in plan.routes.iter().filter(|route| !route.kept.contains(&Keep::Copies)) {
        let Some(own) = contents.remove(&route.url) else { continue };
        let mut uses = BTreeMap::new();
        count(&cards::replace(own, &by_shape, soft.links(route)), &mut uses);
        for (name, count) in uses {
            let known = shown.entry(name).or_insert_with(|| (route.url.clone(), 0, 0));
            known.1 += count;
            known.2 += 1;
        }
    }
    let kept = plan.cards.iter().filter_map(|card| {
        let (page, uses, pages) = shown.remove(&card.name)?;
        Some(Card { page, uses, pages, ..card.clone() })
    });
    kept.collect()
}

fn count(nodes: &[Node], uses: &mut BTreeMap<String, u64>) {
    for node in nodes {
        match node {
            Node::Part(part) => *uses.entry(part.name.clone()).or_default() += 1,
            Node::Element(element) => count(&element.children, uses),
            Node::Text(_) => {}
        }
    }
}
