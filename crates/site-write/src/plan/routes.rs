//! The route of every page: the exact address that it has, as a folder of the App Router.

use site_read::Snapshot;
use std::collections::BTreeSet;
use url::Url;

use super::{
    By, Finding, Redirect, Rewrite, Route, matcher,
    redirects::redirect,
    served::{Paths, file, merged},
};
use crate::{
    page::address::{path_and_query, root_relative},
    snapshot::Site,
};

/// Where a page goes, before its group is known.
#[derive(Default)]
pub(super) struct Routes {
    pub(super) routes: Vec<Route>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) rewrites: Vec<Rewrite>,
    pub(super) findings: Vec<Finding>,
}

const SAME_ROUTE: &str =
    "the server of Next.js merges slashes that stand together, and the page at that address takes its place";

pub(super) fn plan(snapshot: &Snapshot, site: &Site) -> Routes {
    let mut out = Routes::default();
    let mut components = BTreeSet::new();
    let addresses: Vec<(&String, Url)> =
        site.pages.keys().filter_map(|url| Some((url, Url::parse(url).ok()?))).collect();
    let mut paths = Paths::new(addresses.iter().map(|(_, address)| address));
    for (url, address) in addresses {
        if let Some(folder) = index_of(snapshot, &address) {
            out.redirects.push(redirect(&address, root_relative(&folder), 301));
            continue;
        }
        let mut own = address.clone();
        own.set_path(&merged(address.path()));
        if own != address {
            if site.pages.contains_key(own.as_str()) {
                out.findings.push(Finding {
                    code: "same_route".into(),
                    url: url.clone(),
                    note: SAME_ROUTE.into(),
                });
                continue;
            }
            out.redirects.push(Redirect { by: By::Server, ..redirect(&address, path_and_query(&own), 308) });
        }
        let served = paths.give(&own);
        if served.trim_end_matches('/') != own.path().trim_end_matches('/') {
            out.rewrites.push(Rewrite {
                from: path_and_query(&own),
                matcher: matcher(&own),
                to: served.clone(),
                by: By::Configuration,
            });
        }
        out.routes.push(Route {
            url: url.clone(),
            path: path_and_query(&own),
            file: file(&served),
            served,
            component: component(address.path(), &mut components),
            group: String::new(),
            shared: Vec::new(),
            scripted: site.pages[url].scripted(),
            rendered: snapshot.pages[url].rendered.is_some(),
            kept: BTreeSet::new(),
        });
    }
    // The address with more parameters is the more particular one.
    out.rewrites.sort_by_key(|rewrite| std::cmp::Reverse(rewrite.matcher.query.len()));
    out
}

/// Names of a folder's own page.
const INDEX: &[&str] = &[
    "index.html",
    "index.htm",
    "index.shtml",
    "index.xhtml",
    "index.php",
    "index.asp",
    "index.aspx",
    "index.jsp",
    "default.htm",
    "default.html",
    "default.asp",
    "default.aspx",
];

/// The folder's own page, if this is an index page that the folder answers with, too.
fn index_of(snapshot: &Snapshot, address: &Url) -> Option<Url> {
    let last = address.path_segments()?.next_back()?.to_ascii_lowercase();
    let is_index = INDEX.contains(&last.as_str()) && address.query().is_none();
    let folder = address.join("./").ok().filter(|_| is_index)?;
    let (own, of_folder) = (snapshot.pages.get(address.as_str())?, snapshot.pages.get(folder.as_str())?);
    (own.html == of_folder.html).then_some(folder)
}

/// `/about-us.html` → `AboutUsPage`
fn component(path: &str, taken: &mut BTreeSet<String>) -> String {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    let stem = decoded.trim_end_matches(".html").trim_end_matches(".htm").trim_end_matches(".php");
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(capital).collect();
    let name = match name.chars().next() {
        None => "HomePage".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Page{name}"),
        Some(_) => format!("{name}Page"),
    };
    let unique = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}{n}") });
    // In lower case: to people two names that differ in case alone are one.
    let free = |candidate: &String| !taken.contains(&candidate.to_lowercase());
    let chosen = unique.into_iter().find(free).unwrap_or(name);
    taken.insert(chosen.to_lowercase());
    chosen
}

pub(crate) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_have_names_of_their_own() {
        let mut taken = BTreeSet::new();
        assert_eq!(component("/", &mut taken), "HomePage");
        assert_eq!(component("/about-us.html", &mut taken), "AboutUsPage");
        assert_eq!(component("/about/us", &mut taken), "AboutUsPage2");
        assert_eq!(
            component("/ABOUTus", &mut taken),
            "ABOUTusPage3",
            "to people a name in another case is the same"
        );
        assert_eq!(component("/aboutUs", &mut taken), "AboutUsPage4");
        assert_eq!(component("/2024/", &mut taken), "Page2024");
    }
}
