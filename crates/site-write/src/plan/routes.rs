//! The route of every page: the exact address that it has, as a folder of the App Router.

use site_read::Snapshot;
use std::collections::BTreeSet;
use url::Url;

use super::{Finding, Redirect, Rewrite, Route, matcher};
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

const SAME_ROUTE: &str = "another page has this address but for a slash at its end, and takes its place";

pub(super) fn plan(snapshot: &Snapshot, site: &Site) -> Routes {
    let mut out = Routes::default();
    let mut served = BTreeSet::new();
    let mut components = BTreeSet::new();
    for url in site.pages.keys() {
        let Ok(address) = Url::parse(url) else { continue };
        if let Some(folder) = index_of(snapshot, &address) {
            out.redirects.push(Redirect {
                from: path_and_query(&address),
                matcher: matcher(&address),
                to: root_relative(&folder),
                status: 301,
            });
            continue;
        }
        let path = served_path(&address);
        // `/a` and `/a/` are one route; the first of them, in the order of addresses, has it.
        if !served.insert(path.clone()) {
            out.findings.push(Finding {
                code: "same_route".into(),
                url: url.clone(),
                note: SAME_ROUTE.into(),
            });
            continue;
        }
        if path.trim_end_matches('/') != address.path().trim_end_matches('/') {
            out.rewrites.push(Rewrite {
                from: path_and_query(&address),
                matcher: matcher(&address),
                to: path.clone(),
            });
        }
        let component = component(address.path(), &mut components);
        out.routes.push(Route {
            url: url.clone(),
            path: path_and_query(&address),
            file: file(&path),
            served: path,
            component,
            group: String::new(),
            shared: Vec::new(),
            scripted: site.pages[url].scripted(),
        });
    }
    // The address with more parameters is the more particular one.
    out.rewrites.sort_by_key(|rewrite| std::cmp::Reverse(rewrite.matcher.query.len()));
    out
}

/// The folder's own page, if this is an index page that the folder answers with, too.
fn index_of(snapshot: &Snapshot, address: &Url) -> Option<Url> {
    let last = address.path_segments()?.next_back()?;
    let is_index = matches!(last, "index.html" | "index.htm" | "index.php") && address.query().is_none();
    let folder = address.join("./").ok().filter(|_| is_index)?;
    let (own, of_folder) = (snapshot.pages.get(address.as_str())?, snapshot.pages.get(folder.as_str())?);
    (own.html == of_folder.html).then_some(folder)
}

/// The path that the router serves it under: its own where a folder can say it; otherwise, and for a page with a query, one
/// made of a hash, which a rewrite leads to.
fn served_path(address: &Url) -> String {
    let path = address.path().trim_end_matches('/');
    let sayable = path.split('/').all(|segment| folder(segment).replacen("%5F", "_", 1) == segment);
    let mut served = if sayable { path.to_owned() } else { format!("/p-{}", hash(path)) };
    if let Some(query) = address.query() {
        served.push_str(&format!("/q-{}", hash(query)));
    }
    if served.is_empty() { "/".into() } else { served }
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..8].to_owned()
}

fn file(path: &str) -> String {
    let folders: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(folder).collect();
    let folders = folders.into_iter().map(|name| format!("{name}/")).collect::<String>();
    format!("app/{folders}page.tsx")
}

/// A segment as a folder's name. The router answers raw non-ASCII folders with an error and ignores those that begin with
/// an underscore: both are percent-encoded. It compares names with addresses letter by letter, so a segment that is not
/// its own folder's name (`(x)`, `[y]`, `%c3`) cannot be reached by its folder.
fn folder(segment: &str) -> String {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(segment).collect();
    let mut out = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-.~".contains(byte) || (*byte == b'_' && at > 0);
        if plain {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
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
    let chosen = unique.into_iter().find(|candidate| !taken.contains(candidate)).unwrap_or(name);
    taken.insert(chosen.clone());
    chosen
}

pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_folders_that_the_router_takes() {
        assert_eq!(file("/"), "app/page.tsx");
        assert_eq!(file("/about.html"), "app/about.html/page.tsx");
        assert_eq!(file("/caf%C3%A9/_y"), "app/caf%C3%A9/%5Fy/page.tsx");
    }

    #[test]
    fn what_no_folder_can_say_is_served_under_a_hash() {
        let served =
            |path: &str| served_path(&Url::parse(&format!("http://a.example{path}")).expect("a URL"));
        for own in ["/a/b.html", "/caf%C3%A9", "/_x/y_z", "/a%20b"] {
            assert_eq!(served(own), own);
        }
        assert_eq!(served("/"), "/");
        for odd in ["/(x)", "/[y]", "/@z", "/caf%c3%a9", "/a+b"] {
            assert!(served(odd).starts_with("/p-"), "{odd}: {}", served(odd));
        }
    }

    #[test]
    fn components_have_names_of_their_own() {
        let mut taken = BTreeSet::new();
        assert_eq!(component("/", &mut taken), "HomePage");
        assert_eq!(component("/about-us.html", &mut taken), "AboutUsPage");
        assert_eq!(component("/about/us", &mut taken), "AboutUsPage2");
        assert_eq!(component("/2024/", &mut taken), "Page2024");
    }
}
