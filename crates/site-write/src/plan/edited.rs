//! A plan as its owner wants it: other names for components and parts, other places for pages whose own address no folder can
//! say. Everything else follows from the site, and an edit that asks for it is refused with the reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use site_read::ContentHash;

use super::{Plan, groups, served};

/// The longest name of a component.
const LONGEST_NAME: usize = 60;
/// Names that the project's files use for something else.
const RESERVED: &[&str] =
    &["Link", "Image", "Script", "Metadata", "MetadataRoute", "Viewport", "ReactNode", "NotFound"];

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// [`Plan::hash`] of the plan that it was made for.
    pub plan: String,
    /// Names of pages' components, by the page's address in the snapshot.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, String>,
    /// Names of shared parts and cards, by the name that the plan has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, String>,
    /// Paths that the router serves pages under, by the page's address in the snapshot; only of pages that a rewrite leads to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub served: BTreeMap<String, String>,
}

/// Why a plan was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was made for another plan.
    #[error(
        "the edit was made for the plan {given}, and this one is {own}: read the plan again and repeat the edit"
    )]
    OtherPlan {
        /// In the edit.
        given: String,
        /// The plan's own.
        own: String,
    },
    /// There is no such page.
    #[error("the plan has no page {0}: pages are named by their address on the site")]
    UnknownPage(String),
    /// There is no such part.
    #[error("the plan has no shared part or card {0}")]
    UnknownPart(String),
    /// No component can be called so.
    #[error("{0} is no name for a component: use up to 60 letters and digits, with a capital letter first")]
    NoName(String),
    /// Something is called so already.
    #[error("{0} is the name of something else in the project: choose another one")]
    NameTaken(String),
    /// The page's folder follows from its address.
    #[error("the page {0} is served under its own address: its folder cannot be chosen")]
    FixedFolder(String),
    /// No folder can be called so.
    #[error("{0} is no path for a page: begin with a slash, and use letters that addresses need not encode")]
    NoPath(String),
    /// Something stands there already.
    #[error("{0} is the path of something else: choose another one")]
    PathTaken(String),
}

impl Plan {
    /// The hash of the document: it names this plan, and no other.
    pub fn hash(&self) -> ContentHash {
        let text = serde_json::to_vec(self).expect("a plan is made of strings, numbers and lists of them");
        ContentHash::of(&text)
    }

    /// This plan with these changes; the plan itself stays as it is. Either all of them are made or none.
    ///
    /// # Errors
    /// [`Refused`] if the edit was made for another plan, names what the plan does not have, or asks for what would not build.
    pub fn edited(&self, patch: &Patch) -> Result<Self, Refused> {
        let own = self.hash().to_string();
        if patch.plan != own {
            return Err(Refused::OtherPlan { given: patch.plan.clone(), own });
        }
        let mut plan = self.clone();
        for (url, path) in &patch.served {
            plan.serve(url, path)?;
        }
        for (url, name) in &patch.components {
            let route = plan.routes.iter_mut().find(|route| route.url == *url);
            route.ok_or_else(|| Refused::UnknownPage(url.clone()))?.component = checked(name)?;
        }
        plan.rename_parts(&patch.parts)?;
        plan.names_are_distinct()?;
        Ok(plan)
    }

    /// This plan with the names that the text of an older one has for the same pages and parts; with its own if they cannot all
    /// be had together.
    #[must_use]
    pub fn named_as(self, older: &[u8]) -> Self {
        let older: Value = serde_json::from_slice(older).unwrap_or_default();
        let listed = |member: &str| older[member].as_array().cloned().unwrap_or_default();
        let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
        let mut patch = Patch { plan: self.hash().to_string(), ..Patch::default() };
        let own: BTreeMap<&str, &str> =
            self.routes.iter().map(|route| (route.url.as_str(), route.component.as_str())).collect();
        for route in listed("routes") {
            let (url, name) = (text(&route, "url"), text(&route, "component"));
            if own.get(url.as_str()).is_some_and(|own| *own != name) {
                patch.components.insert(url, name);
            }
        }
        for part in listed("shared") {
            let (hash, name) = (text(&part, "hash"), text(&part, "name"));
            if let Some(own) = self.shared.iter().find(|own| own.hash == hash && own.name != name) {
                patch.parts.insert(own.name.clone(), name);
            }
        }
        self.edited(&patch).unwrap_or(self)
    }

    fn rename_parts(&mut self, names: &BTreeMap<String, String>) -> Result<(), Refused> {
        let known: BTreeSet<&String> = self
            .shared
            .iter()
            .map(|part| &part.name)
            .chain(self.cards.iter().map(|card| &card.name))
            .collect();
        if let Some(unknown) = names.keys().find(|name| !known.contains(name)) {
            return Err(Refused::UnknownPart(unknown.clone()));
        }
        let parts = self.shared.iter_mut().map(|part| (&mut part.name, &mut part.file));
        for (name, file) in parts.chain(self.cards.iter_mut().map(|card| (&mut card.name, &mut card.file))) {
            if let Some(new) = names.get(name) {
                *name = checked(new)?;
                *file = format!("components/{new}.tsx");
            }
        }
        let uses = self.routes.iter_mut().map(|route| &mut route.shared);
        let around = self.groups.iter_mut().flat_map(|group| [&mut group.before, &mut group.after]);
        for used in uses.chain(around).flatten() {
            if let Some(new) = names.get(used.as_str()) {
                used.clone_from(new);
            }
        }
        self.shared.sort_by(|a, b| a.name.cmp(&b.name));
        self.cards.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    fn names_are_distinct(&self) -> Result<(), Refused> {
        let mut seen = BTreeSet::new();
        let components = self.routes.iter().map(|route| &route.component);
        let parts = self.shared.iter().map(|part| &part.name).chain(self.cards.iter().map(|card| &card.name));
        for name in components.chain(parts) {
            // Two files whose names differ in case alone are one file to some file systems.
            if !seen.insert(name.to_lowercase()) {
                return Err(Refused::NameTaken(name.clone()));
            }
        }
        Ok(())
    }

    fn serve(&mut self, url: &str, path: &str) -> Result<(), Refused> {
        let taken = |plan: &Self| {
            let routes =
                plan.routes.iter().filter(|route| route.url != url).flat_map(|it| [&it.served, &it.path]);
            let others = routes.chain(plan.assets.iter().map(|asset| &asset.path));
            others.chain(plan.redirects.iter().map(|redirect| &redirect.from)).any(|other| {
                other.split('?').next().unwrap_or_default().trim_end_matches('/').eq_ignore_ascii_case(path)
            })
        };
        if !served::is_free_path(path) {
            return Err(Refused::NoPath(path.to_owned()));
        }
        if taken(self) {
            return Err(Refused::PathTaken(path.to_owned()));
        }
        let route = self.routes.iter_mut().find(|route| route.url == url);
        let route = route.ok_or_else(|| Refused::UnknownPage(url.to_owned()))?;
        let rewrite = self.rewrites.iter_mut().find(|it| it.from == route.path && it.to == route.served);
        let rewrite = rewrite.ok_or_else(|| Refused::FixedFolder(url.to_owned()))?;
        let folder = route.file.strip_suffix(groups::within_app(&served::file(&route.served)));
        let folder = folder.unwrap_or("app/").to_owned();
        route.file = format!("{folder}{}", groups::within_app(&served::file(path)));
        route.served = path.to_owned();
        rewrite.to = path.to_owned();
        Ok(())
    }
}

/// Do the project's files use it for something else?
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("Legacy") || name.ends_with("Layout")
}

fn checked(name: &str) -> Result<String, Refused> {
    let letters = name.bytes().all(|c| c.is_ascii_alphanumeric());
    let capital = name.starts_with(|c: char| c.is_ascii_uppercase());
    if !letters || !capital || name.len() > LONGEST_NAME {
        return Err(Refused::NoName(name.to_owned()));
    }
    if is_reserved(name) {
        return Err(Refused::NameTaken(name.to_owned()));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{By, Group, Matcher, Rewrite, Route, SharedPart, TrailingSlash, VERSION};
    use crate::{Error, Next};
    use rstest::rstest;

    fn route(path: &str, served: &str, component: &str) -> Route {
        Route {
            url: format!("http://a.example{path}"),
            path: path.into(),
            served: served.into(),
            file: format!("app/(group-1)/{}", groups::within_app(&served::file(served))),
            component: component.into(),
            group: "group-1".into(),
            shared: vec!["SiteFooter".into()],
            scripted: false,
            rendered: false,
            kept: BTreeSet::new(),
        }
    }

    fn plan() -> Plan {
        let part = |name: &str| SharedPart {
            name: name.into(),
            file: format!("components/{name}.tsx"),
            hash: name.into(),
            pages: 2,
            variants: Vec::new(),
        };
        Plan {
            version: VERSION,
            next: Next::default(),
            origin: "http://a.example".into(),
            trailing_slash: TrailingSlash::Open,
            routes: vec![route("/", "/", "HomePage"), route("/(x)", "/p-0123", "XPage")],
            groups: vec![Group {
                name: "group-1".into(),
                layout: "app/(group-1)/layout.tsx".into(),
                key: String::new(),
                pages: 2,
                styles: Vec::new(),
                before: vec!["SiteHeader".into()],
                after: Vec::new(),
            }],
            shared: vec![part("SiteFooter"), part("SiteHeader")],
            cards: Vec::new(),
            assets: Vec::new(),
            redirects: Vec::new(),
            rewrites: vec![Rewrite {
                from: "/(x)".into(),
                matcher: Matcher { source: "/\\(x\\)".into(), query: BTreeMap::new() },
                to: "/p-0123".into(),
                by: By::Configuration,
            }],
            forms: Vec::new(),
            services: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn patch(components: &[(&str, &str)], parts: &[(&str, &str)], served: &[(&str, &str)]) -> Patch {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let plan = plan().hash().to_string();
        Patch { plan, components: map(components), parts: map(parts), served: map(served) }
    }

    #[test]
    fn names_and_free_folders_are_changed_wherever_they_are_used() {
        let (home, odd) = ("http://a.example/", "http://a.example/(x)");
        let patch = patch(
            &[(home, "StartPage")],
            &[("SiteHeader", "Masthead"), ("SiteFooter", "Colophon")],
            &[(odd, "/x")],
        );
        let edited = plan().edited(&patch).expect("it is legal");
        assert_eq!(edited.routes[0].component, "StartPage");
        assert_eq!(edited.routes[0].shared, ["Colophon"]);
        assert_eq!(edited.groups[0].before, ["Masthead"]);
        let files: Vec<&str> = edited.shared.iter().map(|part| part.file.as_str()).collect();
        assert_eq!(files, ["components/Colophon.tsx", "components/Masthead.tsx"]);
        assert_eq!(edited.routes[1].file, "app/(group-1)/x/page.tsx");
        assert_eq!((edited.routes[1].served.as_str(), edited.rewrites[0].to.as_str()), ("/x", "/x"));
        assert_eq!(edited.routes[1].path, "/(x)", "the address stays");
        assert_ne!(edited.hash(), plan().hash());
        assert_eq!(plan().edited(&Patch { plan: plan().hash().to_string(), ..Patch::default() }), Ok(plan()));
    }

    #[test]
    fn a_plan_that_is_made_anew_keeps_the_names_that_its_owner_gave() {
        let older = r#"{"version": 1, "routes": [{"url": "http://a.example/", "component": "StartPage"}],
            "shared": [{"hash": "SiteHeader", "name": "Masthead"}]}"#;
        let named = plan().named_as(older.as_bytes());
        assert_eq!(named.routes[0].component, "StartPage");
        assert_eq!(
            (named.groups[0].before[0].as_str(), named.shared[1].name.as_str()),
            ("Masthead", "SiteFooter")
        );
        let clash = r#"{"routes": [{"url": "http://a.example/", "component": "SiteFooter"}]}"#;
        assert_eq!(plan().named_as(clash.as_bytes()), plan());
        assert_eq!(plan().named_as(b"no plan"), plan());
    }

    #[test]
    fn plans_of_earlier_versions_are_read_if_they_say_enough() {
        let text = |version: u32| serde_json::to_vec(&Plan { version, ..plan() }).expect("a plan");
        assert_eq!(Plan::read(&text(VERSION)).ok(), Some(plan()));
        assert_eq!(Plan::read(&text(2)).ok().map(|plan| plan.version), Some(2));
        for other in [1, VERSION + 1] {
            assert!(
                matches!(Plan::read(&text(other)), Err(Error::PlanVersion { found, .. }) if found == other)
            );
        }
        assert!(matches!(Plan::read(b"[]"), Err(Error::PlanText(_))));
    }

    #[rstest]
    #[case::unknown_page(patch(&[("http://a.example/no", "NoPage")], &[], &[]), Refused::UnknownPage("http://a.example/no".into()))]
    #[case::unknown_part(patch(&[], &[("No", "Part")], &[]), Refused::UnknownPart("No".into()))]
    #[case::small_letter(patch(&[], &[("SiteHeader", "header")], &[]), Refused::NoName("header".into()))]
    #[case::a_path(patch(&[], &[("SiteHeader", "../Header")], &[]), Refused::NoName("../Header".into()))]
    #[case::taken(patch(&[], &[("SiteHeader", "HomePage")], &[]), Refused::NameTaken("HomePage".into()))]
    #[case::one_file(patch(&[], &[("SiteHeader", "SITEFOOTER")], &[]), Refused::NameTaken("SiteFooter".into()))]
    #[case::reserved(patch(&[("http://a.example/", "Link")], &[], &[]), Refused::NameTaken("Link".into()))]
    #[case::own_address(patch(&[], &[], &[("http://a.example/", "/home")]), Refused::FixedFolder("http://a.example/".into()))]
    #[case::brackets(patch(&[], &[], &[("http://a.example/(x)", "/[x]")]), Refused::NoPath("/[x]".into()))]
    #[case::not_there(patch(&[], &[], &[("http://a.example/(x)", "x")]), Refused::NoPath("x".into()))]
    fn what_would_not_build_is_refused(#[case] patch: Patch, #[case] reason: Refused) {
        assert_eq!(plan().edited(&patch), Err(reason));
    }

    #[test]
    fn an_edit_of_another_plan_is_refused() {
        let stale = Patch { plan: "stale".into(), ..Patch::default() };
        let own = plan().hash().to_string();
        assert_eq!(plan().edited(&stale), Err(Refused::OtherPlan { given: "stale".into(), own }));
    }

    #[test]
    fn what_an_edit_cannot_name_is_no_edit() {
        assert!(serde_json::from_str::<Patch>(r#"{"plan": "x", "origin": "http://b.example"}"#).is_err());
    }
}
