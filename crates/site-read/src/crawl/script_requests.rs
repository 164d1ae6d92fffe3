//! What only scripts ask for, and where only they lead. Of the pages that run the same scripts one is opened in a browser; the
//! files that it asked for meanwhile, and the pages that it links to then, are read as others are. Where the same scripts ask for
//! other files on other pages, or make other links, those of that one page are found. Judges markup and lists of requests, and
//! asks nothing itself.

use url::Url;

use crate::javascript::{self, File};
use crate::journal::{Remark, Scripts};
use crate::render::{MAX_ADDRESS, Rendered, Request, runs};
use crate::tree::Document;
use crate::web_address::without_cache_buster;

/// What a script says that asks for something.
const ASKS: [&str; 11] = [
    "fetch(",
    "XMLHttpRequest",
    ".ajax(",
    ".getJSON(",
    "$.get(",
    "jQuery.get(",
    "axios",
    ".load(",
    "import(",
    "new Image",
    "require(",
];
/// And what one says that makes links.
const LINKS: &str = "href";
/// What the browser names requests for files. Documents are pages, and the rest leaves nothing to keep.
const FILES: [&str; 10] =
    ["Image", "Stylesheet", "Script", "Font", "Media", "XHR", "Fetch", "TextTrack", "Manifest", "Other"];

/// Those that a script makes, with the moment in their address if it wants.
const BY_SCRIPTS: [&str; 3] = ["XHR", "Fetch", "Script"];
/// Scripts of one page that are looked at; it has no more unless it wants to be a burden.
const MOST: usize = 200;

/// Code and note of what is said where a service worker is registered.
const SERVICE_WORKER: (&str, &str) = (
    "service-worker",
    "registers a service worker, which is taken over as it is: where it runs already, it may go on answering with what it stored of \
     the old site",
);

/// What a person should know of a script, or a page with one, that registers a service worker.
pub(super) fn service_worker() -> Remark {
    let (code, note) = SERVICE_WORKER;
    Remark { code: code.into(), note: note.into() }
}

/// The scripts of a page by which files may be asked for, or links made. None without any.
pub(super) fn scripts(document: &Document<'_>, address: &Url) -> Option<Scripts> {
    let mut hasher = blake3::Hasher::new();
    let mut scripts = Scripts::default();
    for script in document.named("script").filter(|script| runs(*script)) {
        let name = match script.attr("src").map(str::trim) {
            Some("") => continue,
            Some(src) => {
                let Ok(file) = address.join(src) else { continue };
                if scripts.files.len() < MOST {
                    scripts.files.push(file.clone());
                }
                file.to_string()
            }
            None => {
                let code: String = script.texts().map(|text| text.text().to_owned()).collect();
                let by_names = javascript::files(&code).iter().any(|file| matches!(file, File::Bare(_)));
                scripts.ask |= by_names || asks(code.as_bytes());
                if !by_names && !requests(code.as_bytes()) {
                    // Links are made by much that differs from page to page: it makes no set of its own.
                    continue;
                }
                code
            }
        };
        hasher.update(name.as_bytes());
        hasher.update(b"\n");
    }
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    scripts.name = u64::from_le_bytes(short);
    (scripts.ask || !scripts.files.is_empty()).then_some(scripts)
}

/// Does this code ask for something, or make links?
pub(super) fn asks(code: &[u8]) -> bool {
    requests(code) || memchr::memmem::find(code, LINKS.as_bytes()).is_some()
}

fn requests(code: &[u8]) -> bool {
    ASKS.iter().any(|word| memchr::memmem::find(code, word.as_bytes()).is_some())
}

/// The files that came when a page asked for them, each once, in that order; those that other addresses led to as well.
pub(super) fn files(rendered: &Rendered) -> Vec<Url> {
    let mut files = Vec::new();
    for request in &rendered.requests {
        let came = request.status.is_some_and(|status| (200..400).contains(&status));
        if !came || !is_whole(request) || !FILES.contains(&request.kind.as_str()) {
            continue;
        }
        let Ok(url) = Url::parse(&request.url) else { continue };
        let url = if BY_SCRIPTS.contains(&request.kind.as_str()) {
            without_cache_buster(&url).into_owned()
        } else {
            url
        };
        if matches!(url.scheme(), "http" | "https") && !files.contains(&url) {
            files.push(url);
        }
    }
    files
}

/// A request for something that can be asked for again: its address was not cut, as the log does with long ones.
pub(super) fn is_whole(request: &Request) -> bool {
    request.method == "GET" && request.url.len() < MAX_ADDRESS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse("https://a.example/x/").and_then(|base| base.join(text)).expect("an address")
    }

    fn named(html: &str) -> Option<u64> {
        scripts(&crate::markup::parse(html).expect("a tree"), &url("page")).map(|scripts| scripts.name)
    }

    #[test]
    fn pages_with_the_same_scripts_are_one() {
        assert_eq!(named("<p>none</p><script type=application/ld+json src=a.js></script>"), None);
        assert_eq!(named("<script src=''></script><script>let x = document.title</script>"), None);
        let one = named("<script src=a.js></script>");
        assert!(one.is_some());
        assert_eq!(one, named("<h1>Other</h1><script src=/x/a.js></script><script>start()</script>"));
        assert_ne!(one, named("<script src=b.js></script>"));
        assert_ne!(
            named("<script>$.getJSON('a.json')</script>"),
            named("<script>$.getJSON('b.json')</script>")
        );
    }

    #[test]
    fn files_that_came_are_kept_without_the_moment() {
        let request = |address: &str, kind: &str, method: &str, status| Request {
            url: url(address).to_string(),
            kind: kind.into(),
            method: method.into(),
            status,
        };
        let rendered = Rendered {
            url: url(""),
            status: Some(200),
            html: String::new(),
            screenshots: vec![],
            console: vec![],
            requests: vec![
                request("page", "Document", "GET", Some(200)),
                request("data.json?_=1795339130451", "XHR", "GET", Some(200)),
                request("data.json", "Fetch", "GET", Some(200)),
                request("list?page=2&r=0.8437218473", "XHR", "GET", Some(200)),
                request("a.js?v=1795339130", "Script", "GET", Some(200)),
                request("isbn.json?id=1234567890", "XHR", "GET", Some(200)),
                request("img.php?t=1234567890", "Image", "GET", Some(302)),
                request(&format!("long?{}", "x".repeat(MAX_ADDRESS)), "XHR", "GET", Some(200)),
                request("gone.json", "XHR", "GET", Some(404)),
                request("refused.json", "XHR", "GET", None),
                request("save", "XHR", "POST", Some(200)),
                request("live", "EventSource", "GET", Some(200)),
            ],
            refused: vec![],
            walls: vec![],
        };
        let wanted = [
            "data.json",
            "list?page=2",
            "a.js?v=1795339130",
            "isbn.json?id=1234567890",
            "img.php?t=1234567890",
        ];
        assert_eq!(files(&rendered), wanted.map(url));
    }
}
