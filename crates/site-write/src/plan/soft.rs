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
        let pages: BTreeSet<&str> = routes.iter().map(|route| route.path.as_str()).collect();
        // What fetches a link's target ahead asks for the path without its query, too.
        let answers = |route: &Route| route.path.split_once('?').is_none_or(|(path, _)| pages.contains(path));
        for route in routes.iter().filter(|route| !route.scripted && answers(route)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Route {
        Route {
            url: format!("https://a.example{path}"),
            path: path.to_owned(),
            served: path.to_owned(),
            file: String::new(),
            component: String::new(),
            group: "pages".to_owned(),
            shared: Vec::new(),
            scripted: false,
            rendered: false,
            kept: BTreeSet::new(),
        }
    }

    #[test]
    fn what_only_a_query_names_is_left_to_the_browser() {
        let routes = ["/list?page=2", "/list", "/calendar?month=1", "/calendar?month=2"].map(route);
        let soft = Soft::of(&routes);
        let near: Vec<&str> = soft.of_group("pages").iter().map(String::as_str).collect();
        assert_eq!(near, ["/list", "/list?page=2"]);
    }
}
