//! The slash at an address's end: whether the site's server put it there, took it away, or did not mind, judged by what it
//! answered and never by how the site links. What it did for the addresses that were asked, the project does for all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use site_read::Snapshot;
use url::Url;

use super::{Redirect, Route, redirects::redirect};

/// What a server does with an address whose slash is missing, or is there without need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrailingSlash {
    /// It leads `/a` to `/a/`.
    Added,
    /// It leads `/a/` to `/a`.
    Removed,
    /// Both are answered, or some are led this way and some that.
    Open,
}

/// What the server was seen to do, and the status that it did it with.
pub(super) fn policy(snapshot: &Snapshot) -> (TrailingSlash, u16) {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for moved in &snapshot.redirects {
        let (Ok(from), Ok(to)) = (Url::parse(&moved.from), Url::parse(&moved.to)) else { continue };
        if from.origin() != to.origin() || from.query().is_some() {
            continue;
        }
        if to.path().strip_suffix('/') == Some(from.path()) {
            added.push(moved.status);
        } else if from.path().strip_suffix('/') == Some(to.path()) {
            removed.push(moved.status);
        }
    }
    let pages: Vec<Url> = snapshot.pages.keys().filter_map(|url| Url::parse(url).ok()).collect();
    match (added.first(), removed.first()) {
        (Some(status), None) if !pages.iter().any(bare) => (TrailingSlash::Added, *status),
        (None, Some(status)) if !pages.iter().any(slashed) => (TrailingSlash::Removed, *status),
        _ => (TrailingSlash::Open, 0),
    }
}

/// Is it a folder's address without the slash? Names with an ending are files to every server.
fn bare(url: &Url) -> bool {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    !last.is_empty() && !last.contains('.')
}

fn slashed(url: &Url) -> bool {
    url.path().len() > 1 && url.path().ends_with('/')
}

/// The redirects by which the project does the same for every page; not for addresses that have an answer of their own.
pub(super) fn plan(
    policy: (TrailingSlash, u16),
    routes: &[Route],
    answered: &BTreeSet<String>,
    origin: &Url,
) -> Vec<Redirect> {
    let other = |url: &Url| -> Option<Url> {
        let path = match policy.0 {
            TrailingSlash::Added if slashed(url) => url.path().trim_end_matches('/').to_owned(),
            TrailingSlash::Removed if bare(url) => format!("{}/", url.path()),
            TrailingSlash::Added | TrailingSlash::Removed | TrailingSlash::Open => return None,
        };
        let mut other = url.clone();
        other.set_path(&path);
        Some(other)
    };
    let urls = routes.iter().filter_map(|route| origin.join(&route.path).ok());
    urls.filter(|url| url.query().is_none())
        .filter_map(|url| Some(redirect(&other(&url)?, url.path().to_owned(), policy.1)))
        .filter(|redirect| !answered.contains(&redirect.from))
        .collect()
}
