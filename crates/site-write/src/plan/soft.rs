//! Links that may be followed without loading a new document: between pages of one layout, if neither has scripts of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::Route;

static NONE: BTreeSet<String> = BTreeSet::new();

/// Which addresses are near enough, by the group of the page that the link stands on.
#[derive(Debug, Default)]
pub(crate) struct Soft(BTreeMap<String, BTreeSet<String>>);

impl Soft {
    pub(crate) fn of(routes: &[Route]) -> Self {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for route in routes.iter().filter(|route| !route.scripted) {
            groups.entry(route.group.clone()).or_default().insert(route.path.clone());
        }
        Self(groups)
    }

    /// Those of a group's pages that have no scripts of their own.
    pub(crate) fn of_group(&self, group: &str) -> &BTreeSet<String> {
        self.0.get(group).unwrap_or(&NONE)
    }

    /// Those of a page.
    pub(crate) fn links(&self, route: &Route) -> &BTreeSet<String> {
        let group = self.0.get(&route.group).filter(|_| !route.hard());
        group.unwrap_or(&NONE)
    }
}
