//! The path that the router serves a page under: its own where a folder can say it, otherwise one made of a hash, which a
//! rewrite leads to. No two pages get the same, also where a file system does not tell `A` from `a`.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use url::Url;

/// What the build writes beside a page, under the page's own name: no folder may be called so.
const BESIDE: &[&str] = &[".html", ".rsc", ".meta", ".body", ".segments"];
/// Paths that the router keeps for itself, or answers with another status than 200.
const RESERVED: &[&str] =
    &["/404", "/404.html", "/500", "/500.html", "/_error", "/_not-found", "/_global-error"];
/// File systems end at 255 bytes; the build adds endings of its own.
const LONGEST_NAME: usize = 200;

/// Gives out paths, each once.
pub(super) struct Paths {
    /// Paths of pages, without a slash at their end.
    pages: BTreeSet<String>,
    /// In lower case.
    taken: BTreeSet<String>,
}

impl Paths {
    /// For a site with these pages.
    pub(super) fn new<'a>(pages: impl Iterator<Item = &'a Url>) -> Self {
        let pages = pages.filter(|url| url.query().is_none()).map(|url| trimmed(url.path()).to_owned());
        Self { pages: pages.collect(), taken: BTreeSet::new() }
    }

    /// The path for a page at this address.
    pub(super) fn give(&mut self, address: &Url) -> String {
        let own = trimmed(address.path());
        let plain = if self.sayable(own) { own.to_owned() } else { format!("/p-{}", hash(own)) };
        let readable = address.query().and_then(words);
        let mut wanted = vec![match (address.query(), readable) {
            (None, _) => plain.clone(),
            (Some(_), Some(words)) => format!("{plain}/q-{words}"),
            (Some(query), None) => format!("{plain}/q-{}", hash(query)),
        }];
        wanted.push(format!("/p-{}", hash(&address[url::Position::BeforePath..url::Position::AfterQuery])));
        let mut wanted = wanted.into_iter().map(|path| if path.is_empty() { "/".into() } else { path });
        // Two addresses with one hash would be one page: the second way out is a hash of the whole address.
        wanted.find(|path: &String| self.taken.insert(path.to_lowercase())).unwrap_or(plain)
    }

    /// Can folders say it, and does the router look for it there?
    fn sayable(&self, path: &str) -> bool {
        // Letters of another encoding are no text to the router.
        let text = percent_decode_str(path).decode_utf8().is_ok();
        let kept = RESERVED.contains(&path) || path.split('/').nth(1) == Some("_next");
        let by_folders = path.split('/').all(|segment| {
            let name = folder(segment);
            name.len() <= LONGEST_NAME && name.replacen("%5F", "_", 1) == segment
        });
        text && !kept && by_folders && !self.beside_another(path)
    }

    /// Would one of its folders be called as a file that the build writes for another page?
    fn beside_another(&self, path: &str) -> bool {
        let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
        ends.map(|end| &path[..end]).any(|folder| {
            BESIDE
                .iter()
                .filter_map(|ending| folder.strip_suffix(ending))
                .any(|stem| self.pages.contains(stem) || (stem == "/index" && self.pages.contains("")))
        })
    }
}

/// Can a page that a rewrite leads to stand here? Plain names, none of which the router or the build takes for something else.
pub(super) fn is_free_path(path: &str) -> bool {
    let plain = |segment: &str| {
        let letters = segment.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        !segment.is_empty() && letters && segment.len() <= LONGEST_NAME
    };
    !RESERVED.contains(&path) && path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain))
}

/// Without the slash at its end, and with single slashes: the server merges those that stand together.
pub(super) fn merged(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// `page=2` → `page-2`, where a query is short and plain enough to be read.
fn words(query: &str) -> Option<String> {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let one_value = !query.is_empty() && query.len() <= 40;
    (one_value && query.bytes().all(|c| plain(c) || c == b'=' || c == b'&'))
        .then(|| query.replace(['=', '&'], "-"))
        .filter(|words| !words.contains("--") && !words.starts_with('-') && !words.ends_with('-'))
}

fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..12].to_owned()
}

/// The file of the page that is served under this path.
pub(super) fn file(path: &str) -> String {
    let folders: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(folder).collect();
    let folders = folders.into_iter().map(|name| format!("{name}/")).collect::<String>();
    format!("app/{folders}page.tsx")
}

/// A segment as a folder's name. The router answers raw non-ASCII folders with an error and ignores those that begin with
/// an underscore: both are percent-encoded. It compares names with addresses letter by letter, so a segment that is not
/// its own folder's name (`(x)`, `[y]`, `%c3`) cannot be reached by its folder.
fn folder(segment: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(segment).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse(&format!("http://a.example{path}")).expect("a URL")
    }

    fn given(paths: &[&str]) -> Vec<String> {
        let urls: Vec<Url> = paths.iter().map(|path| url(path)).collect();
        let mut names = Paths::new(urls.iter());
        urls.iter().map(|url| names.give(url)).collect()
    }

    #[test]
    fn addresses_become_folders_that_the_router_takes() {
        assert_eq!(file("/"), "app/page.tsx");
        assert_eq!(file("/about.html"), "app/about.html/page.tsx");
        assert_eq!(file("/caf%C3%A9/_y"), "app/caf%C3%A9/%5Fy/page.tsx");
    }

    #[test]
    fn what_folders_can_say_keeps_its_path() {
        let own = ["/a/b.html", "/caf%C3%A9", "/_x/y_z", "/a%20b", "/api/x", "/.well-known/a", "/a%2Fb"];
        assert_eq!(given(&own), own);
        assert_eq!(given(&["/", "/de/"]), ["/", "/de"]);
    }

    #[test]
    fn what_no_folder_can_say_is_served_under_a_hash() {
        let long = format!("/{}", "%E3%81%82".repeat(40));
        for odd in
            ["/(x)", "/[y]", "/@z", "/caf%c3%a9", "/a+b", "/404", "/500.html", "/_next/x", "/caf%E9", &long]
        {
            let served = given(&[odd]);
            assert!(served[0].starts_with("/p-"), "{odd}: {served:?}");
        }
    }

    #[test]
    fn no_two_pages_are_one_folder_or_one_file_of_the_build() {
        for (paths, second) in [
            (["/About", "/about"], "/p-"),
            (["/a", "/a/"], "/p-"),
            (["/", "/index.html"], "/p-"),
            (["/about/", "/about.html"], "/p-"),
            (["/x", "/x.html/y"], "/p-"),
            (["/list", "/list?page=2"], "/list/q-page-2"),
            (["/list", "/list?q=a%20b"], "/list/q-"),
            (["/list?a=1&b", "/list?a=1-b"], "/list/q-"),
        ] {
            let served = given(&paths);
            assert!(served[1].starts_with(second) && served[0] != served[1], "{paths:?}: {served:?}");
        }
    }

    #[test]
    fn slashes_that_stand_together_are_one() {
        assert_eq!(merged("//a///b/"), "/a/b/");
    }
}
