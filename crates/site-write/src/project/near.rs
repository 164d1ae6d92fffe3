//! Links of shared parts that may be followed without loading a new document, because they may from wherever the part is used.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Plan,
    dom::Node,
    plan::{shared, soft::Soft},
};

/// The addresses that are near enough, by the name of the part. `nodes` is what each part holds, other parts in their places;
/// `apart` are parts of a page outside every layout.
pub(super) fn links(
    plan: &Plan,
    soft: &Soft,
    nodes: &[(&str, &[Node])],
    apart: &[String],
) -> BTreeMap<String, BTreeSet<String>> {
    let used = users(plan, nodes, apart);
    let near = |groups: &BTreeSet<Option<&str>>| -> Option<BTreeSet<String>> {
        let mut groups = groups.iter().map(|group| group.map(|group| soft.of_group(group)));
        let first = groups.next()??.clone();
        groups.try_fold(first, |near, group| Some(near.intersection(group?).cloned().collect()))
    };
    used.iter().filter_map(|(part, groups)| Some(((*part).to_owned(), near(groups)?))).collect()
}

/// From which groups each part is used; none for a use from where every link loads a new document.
fn users<'a>(
    plan: &'a Plan,
    nodes: &[(&'a str, &[Node])],
    apart: &'a [String],
) -> BTreeMap<&'a str, BTreeSet<Option<&'a str>>> {
    let mut used: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    let mut scripted = BTreeSet::new();
    for route in &plan.routes {
        let group = (!route.hard()).then_some(route.group.as_str());
        if route.hard() {
            scripted.insert(route.group.as_str());
        }
        for part in &route.shared {
            used.entry(part).or_default().insert(group);
        }
    }
    for group in &plan.groups {
        // A layout's parts do not know which of its pages they stand around.
        let near = (!scripted.contains(group.name.as_str())).then_some(group.name.as_str());
        for part in group.before.iter().chain(&group.after) {
            used.entry(part).or_default().insert(near);
        }
    }
    for part in apart {
        used.entry(part).or_default().insert(None);
    }
    let inside: Vec<(&str, Vec<String>)> = nodes
        .iter()
        .map(|(part, nodes)| {
            let mut inner = Vec::new();
            shared::names(nodes, &mut inner);
            (*part, inner)
        })
        .collect();
    // A part within a part is used from wherever the outer one is; so deep, at most, as there are parts.
    for _ in 0..inside.len() {
        let mut grew = false;
        for (outer, inner) in &inside {
            let users = used.get(outer).cloned().unwrap_or_default();
            for (part, _) in inside.iter().filter(|(part, _)| inner.iter().any(|name| name == part)) {
                let own = used.entry(*part).or_default();
                let before = own.len();
                own.extend(users.iter().copied());
                grew |= own.len() > before;
            }
        }
        if !grew {
            break;
        }
    }
    used
}
