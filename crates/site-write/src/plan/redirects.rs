//! Addresses that lead to others: the site's own redirects, other spellings of pages, and slashes. Chains are collapsed, and
//! each is given to what can say it: Next's configuration compares paths without regard to case and to a slash at the end,
//! so whatever differs only in these is for the proxy.

use std::collections::{BTreeMap, BTreeSet};

use site_read::Snapshot;
use url::Url;

use super::{Asset, By, Redirect, Rewrite, Route, matcher, served::merged};
use crate::page::address::{path_and_query, root_relative};

/// So many redirects may stand one behind the other before they are taken for a loop.
const LONGEST_CHAIN: usize = 10;

pub(super) fn redirect(from: &Url, to: String, status: u16) -> Redirect {
    let mut asked = from.clone();
    asked.set_path(&merged(from.path()));
    Redirect { from: path_and_query(from), matcher: matcher(&asked), to, status, by: By::Configuration }
}

/// What the site itself answered with.
pub(super) fn plan(snapshot: &Snapshot, routes: &[Route]) -> Vec<Redirect> {
    let pages: BTreeSet<&str> = routes.iter().map(|route| route.path.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for moved in snapshot.moved() {
        let (Ok(from), Ok(to)) = (Url::parse(&moved.from), Url::parse(&moved.to)) else { continue };
        if !site_read::same_origin(&from, &snapshot.home) {
            continue;
        }
        let target =
            if site_read::same_origin(&to, &snapshot.home) { root_relative(&to) } else { to.to_string() };
        let source = path_and_query(&from);
        if source == target || pages.contains(source.as_str()) || !seen.insert(source) {
            continue;
        }
        out.push(redirect(&from, target, moved.status));
    }
    out
}

/// Lets every redirect lead to where its chain ends; one that leads back to itself is dropped.
pub(super) fn collapse(redirects: &mut Vec<Redirect>) {
    let known: BTreeMap<String, String> =
        redirects.iter().map(|redirect| (redirect.from.clone(), redirect.to.clone())).collect();
    for redirect in redirects.iter_mut() {
        for _ in 0..LONGEST_CHAIN {
            let address = redirect.to.split('#').next().unwrap_or_default();
            let Some(further) = known.get(address) else { break };
            redirect.to.clone_from(further);
        }
    }
    redirects.retain(|redirect| {
        let address = redirect.to.split('#').next().unwrap_or_default();
        address != redirect.from && !known.contains_key(address)
    });
}

/// Says of each redirect and rewrite who answers it.
pub(super) fn assign(
    redirects: &mut [Redirect],
    rewrites: &mut [Rewrite],
    routes: &[Route],
    assets: &[Asset],
) {
    // Which exact paths there are for each that the configuration takes for one.
    let mut alike: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let answered = routes.iter().map(|route| &route.path).chain(assets.iter().map(|asset| &asset.path));
    let answered: Vec<&str> = answered.map(|address| path(address)).collect();
    let moved: Vec<&str> = redirects.iter().map(|redirect| path(&redirect.from)).collect();
    for address in answered.iter().chain(&moved) {
        alike.entry(folded(address)).or_default().insert((*address).to_owned());
    }
    let answered: BTreeSet<String> = answered.iter().map(|address| folded(address)).collect();
    let mut proxied = BTreeSet::new();
    for redirect in redirects {
        let own = path(&redirect.from);
        let several = alike.get(&folded(own)).is_some_and(|paths| paths.len() > 1);
        let to_itself = folded(own) == folded(path(&redirect.to));
        if redirect.by == By::Configuration
            && (redirect.from.contains('?')
                || several
                || to_itself
                || answered.contains(&folded(own))
                || respelled(&redirect.to))
        {
            redirect.by = By::Proxy;
            proxied.insert(own.to_owned());
        }
    }
    for rewrite in rewrites {
        let several = alike.get(&folded(path(&rewrite.from))).is_some_and(|paths| paths.len() > 1);
        let without_value = rewrite.matcher.query.values().any(String::is_empty);
        // The proxy comes first: what it could lead away, it has to tell apart.
        let in_the_way = proxied.contains(path(&rewrite.from));
        if in_the_way || several || without_value || repeats(&rewrite.from) {
            rewrite.by = By::Proxy;
        }
    }
}

/// Would the configuration lead elsewhere? It takes the query of a destination apart and puts it together again without its
/// escapes: `?next=%2Fa%26b` becomes `?next=/a&b`.
fn respelled(address: &str) -> bool {
    let query = address.split('#').next().and_then(|address| address.split_once('?')).map(|(_, query)| query);
    query.is_some_and(|query| {
        query.contains(['%', '+']) || query.split('&').any(|pair| !pair.contains('=')) || repeats(address)
    })
}

/// Does a parameter stand there twice? The configuration sees only one of them.
fn repeats(address: &str) -> bool {
    let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let mut names = BTreeSet::new();
    !query.split('&').all(|pair| names.insert(pair.split('=').next().unwrap_or_default()))
}

fn path(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

fn folded(path: &str) -> String {
    merged(path).trim_end_matches('/').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(from: &str, to: &str) -> Redirect {
        let origin = Url::parse("http://a.example/").expect("a URL");
        redirect(&origin.join(from).expect("a path"), to.to_owned(), 301)
    }

    #[test]
    fn chains_are_collapsed_and_loops_dropped() {
        let mut redirects =
            vec![moved("/a", "/b"), moved("/b", "/c#x"), moved("/x", "/y"), moved("/y", "/x")];
        collapse(&mut redirects);
        let led: Vec<(&str, &str)> =
            redirects.iter().map(|moved| (moved.from.as_str(), moved.to.as_str())).collect();
        assert_eq!(led, [("/a", "/c#x"), ("/b", "/c#x")]);
    }

    #[test]
    fn what_the_configuration_takes_for_one_is_for_the_proxy() {
        let mut redirects = vec![
            moved("/old", "/new"),
            moved("/About", "/about"),
            moved("/a", "/a/"),
            moved("/x?id=1", "/y"),
            moved("/News", "/1"),
            moved("/news/", "/2"),
        ];
        assign(&mut redirects, &mut [], &[], &[]);
        let by: Vec<By> = redirects.iter().map(|moved| moved.by).collect();
        assert_eq!(by, [By::Configuration, By::Proxy, By::Proxy, By::Proxy, By::Proxy, By::Proxy]);
        assert!(repeats("/a?x=1&x=2") && !repeats("/a?x=1&y=1") && !repeats("/a"));
    }

    #[rstest::rstest]
    #[case("/wall?return=%2F", By::Proxy)]
    #[case("https://b.example/?q=a+b", By::Proxy)]
    #[case("/list?all#x", By::Proxy)]
    #[case("/list?id=1&id=2", By::Proxy)]
    #[case("/list?id=1&page=", By::Configuration)]
    #[case("/caf%C3%A9#a+b", By::Configuration)]
    fn queries_that_the_configuration_would_spell_anew_are_for_the_proxy(#[case] to: &str, #[case] by: By) {
        let mut redirects = vec![moved("/old", to)];
        assign(&mut redirects, &mut [], &[], &[]);
        assert_eq!(redirects[0].by, by);
    }
}
