//! Files under `public/`, at the path that they had, so that what refers to them keeps working unchanged. A file goes
//! elsewhere, with a rewrite, only where its own place cannot serve it: two versions of one path, a type that its name does
//! not tell, a path that is also a folder or a page. What is told to crawlers becomes code where code can say it.

use std::collections::{BTreeMap, BTreeSet};

use site_read::{Asset as Stored, Snapshot};
use url::Url;

use super::{Asset, By, Rewrite, Route, matcher, served::merged};
use crate::{page::address::path_and_query, snapshot::Site};

pub(super) fn plan(snapshot: &Snapshot, site: &Site, routes: &[Route]) -> (Vec<Asset>, Vec<Rewrite>) {
    let own: Vec<(&String, Url, &Stored)> = snapshot
        .assets
        .iter()
        .filter_map(|(url, asset)| Some((url, Url::parse(url).ok()?, asset)))
        .filter(|(_, url, _)| site_read::same_origin(url, &snapshot.home))
        .collect();
    let folders: BTreeSet<String> =
        own.iter().flat_map(|(_, url, _)| parents(&merged(&decoded(url)))).collect();
    let pages: BTreeSet<&str> = routes.iter().map(|route| route.served.as_str()).collect();
    let mut at_path: BTreeMap<String, &Stored> = BTreeMap::new();
    let (mut assets, mut rewrites) = (Vec::new(), Vec::new());
    for (key, url, stored) in own {
        if let Some(code) = site.told.get(key) {
            let (path, body) = (path_and_query(&url), stored.body.clone());
            assets.push(Asset { url: key.clone(), path, file: code.file.to_owned(), body });
            continue;
        }
        // The server leads from two slashes to one before it looks for a file, or for a rewrite.
        let mut asked = url.clone();
        asked.set_path(&merged(url.path()));
        let path = decoded(&asked);
        let same = at_path.get(&path).is_none_or(|first| first.body == stored.body);
        let plain = same
            && servable(&path, &stored.content_type)
            && !folders.contains(&path)
            && !pages.contains(asked.path());
        let file = if plain { format!("public{path}") } else { moved(&path, stored) };
        if plain {
            at_path.insert(path, stored);
        } else {
            let to = file.trim_start_matches("public").to_owned();
            rewrites.push(Rewrite {
                from: path_and_query(&asked),
                matcher: matcher(&asked),
                to,
                by: By::Configuration,
            });
        }
        assets.push(Asset { url: key.clone(), path: path_and_query(&url), file, body: stored.body.clone() });
    }
    rewrites.sort_by_key(|rewrite| std::cmp::Reverse(rewrite.matcher.query.len()));
    (assets, rewrites)
}

fn decoded(url: &Url) -> String {
    percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy().into_owned()
}

fn parents(path: &str) -> Vec<String> {
    path.match_indices('/').skip(1).map(|(at, _)| path[..at].to_owned()).collect()
}

/// Can a static file at this path serve that type?
fn servable(path: &str, content_type: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let tame = path.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..");
    // Of other characters, the server finds some alone and not together.
    let odd = !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
    if !tame || odd || path.starts_with("/_next/") || name.len() > 200 {
        return false;
    }
    // Browsers look at the type of these; everything else they sniff.
    let told = essence(content_type);
    let guessed = mime_guess::from_path(name).first_raw().unwrap_or_default();
    let strict = ["css", "javascript", "svg"];
    strict.iter().all(|kind| !told.contains(kind) || guessed.contains(kind))
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn moved(path: &str, stored: &Stored) -> String {
    let kind = essence(&stored.content_type);
    let from_name = path.rsplit_once('.').map(|(_, extension)| extension).filter(|e| e.len() <= 5);
    let extension = match kind.as_str() {
        "text/css" => "css",
        "image/svg+xml" => "svg",
        kind if kind.contains("javascript") => "js",
        _ => from_name.filter(|e| e.bytes().all(|b| b.is_ascii_alphanumeric())).unwrap_or("bin"),
    };
    format!("public/_assets/{}.{extension}", &stored.body.to_string()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stays_where_its_name_tells_its_type() {
        assert!(servable("/css/a.css", "text/css; charset=utf-8"));
        assert!(servable("/img/a-b.png", "image/png"));
        assert!(!servable("/img/b c(1)@2x.png", "image/png"));
        assert!(!servable("/pic.php", "image/svg+xml"));
        assert!(!servable("/style.php", "text/css"));
        assert!(!servable("/a/../b.png", "image/png"));
        assert!(!servable("/dir/", "image/png"));
    }
}
