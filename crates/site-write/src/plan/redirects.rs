//! Redirects that the site itself answered with, chains collapsed.

use std::collections::BTreeSet;

use site_read::Snapshot;
use url::Url;

use super::{Redirect, Route, matcher};
use crate::page::address::{path_and_query, root_relative};

pub(super) fn plan(snapshot: &Snapshot, routes: &[Route]) -> Vec<Redirect> {
    let pages: BTreeSet<String> = routes.iter().map(|route| folded(&route.path)).collect();
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for redirect in snapshot.moved() {
        let (Ok(from), Ok(to)) = (Url::parse(&redirect.from), Url::parse(&redirect.to)) else { continue };
        if !site_read::same_origin(&from, &snapshot.home) {
            continue;
        }
        let target =
            if site_read::same_origin(&to, &snapshot.home) { root_relative(&to) } else { to.to_string() };
        // Sources are matched without regard to case and a trailing slash: such a redirect would lead to itself.
        let source = folded(&path_and_query(&from));
        if source == folded(&target) || pages.contains(&source) || !seen.insert(source) {
            continue;
        }
        out.push(Redirect {
            from: path_and_query(&from),
            matcher: matcher(&from),
            to: target,
            status: redirect.status,
        });
    }
    out
}

fn folded(path: &str) -> String {
    path.trim_end_matches('/').to_lowercase()
}
