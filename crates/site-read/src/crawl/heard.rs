//! What only scripts ask for. Of the pages that run the same scripts one is opened in a browser, and the files that it was
//! asked for meanwhile are read as others are. Judges markup and lists of requests, and asks nothing itself.

use url::Url;

use crate::render::{Rendered, runs};
use crate::tree::{Document, Element};

/// What a script says that asks for something, or has others ask.
const ASKS: [&str; 10] = [
    "fetch(",
    "XMLHttpRequest",
    ".ajax(",
    ".getJSON(",
    ".get(",
    ".load(",
    "import(",
    "createElement",
    "new Image",
    "require(",
];
/// What the browser names requests for files. Documents are pages, and the rest leaves nothing to keep.
const FILES: [&str; 10] =
    ["Image", "Stylesheet", "Script", "Font", "Media", "XHR", "Fetch", "TextTrack", "Manifest", "Other"];

/// Names the scripts of a page by which files may be asked for: the same for pages with the same ones. None without any.
pub(super) fn scripts(document: &Document<'_>, address: &Url) -> Option<u64> {
    let mut hasher = blake3::Hasher::new();
    let mut any = false;
    for script in document.named("script").filter(|script| runs(*script)) {
        let Some(name) = name(script, address) else { continue };
        any = true;
        hasher.update(name.as_bytes());
        hasher.update(b"\n");
    }
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    any.then(|| u64::from_le_bytes(short))
}

/// The address of a script of the site's own, or the code of one in the page that may ask. Others' scripts ask others.
fn name(script: Element<'_>, address: &Url) -> Option<String> {
    if let Some(src) = script.attr("src") {
        let src = address.join(src.trim()).ok()?;
        return (src.host_str() == address.host_str()).then(|| src.to_string());
    }
    let code: String = script.texts().map(|text| text.text().to_owned()).collect();
    ASKS.iter().any(|word| code.contains(word)).then_some(code)
}

/// The files that came when a page asked for them, each once, in that order.
pub(super) fn files(rendered: &Rendered) -> Vec<Url> {
    let mut files = Vec::new();
    for request in &rendered.requests {
        let came = request.status.is_some_and(|status| (200..300).contains(&status));
        if !came || request.method != "GET" || !FILES.contains(&request.kind.as_str()) {
            continue;
        }
        let Some(url) = Url::parse(&request.url).ok().map(timeless) else { continue };
        if matches!(url.scheme(), "http" | "https") && !files.contains(&url) {
            files.push(url);
        }
    }
    files
}

/// The address without what is put there so that no cache answers: the time, or a number drawn by lot.
fn timeless(url: Url) -> Url {
    let Some(query) = url.query() else { return url };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_of_the_moment(pair)).collect();
    if kept.len() == query.split('&').count() {
        return url;
    }
    let kept = kept.join("&");
    let mut url = url;
    url.set_query((!kept.is_empty()).then_some(kept.as_str()));
    url
}

fn is_of_the_moment(pair: &str) -> bool {
    let value = pair.split_once('=').map_or(pair, |(_, value)| value);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Seconds or milliseconds from 2001 to 2033.
    let time = digits(value) && value.starts_with('1') && matches!(value.len(), 10 | 13);
    time || value.strip_prefix("0.").is_some_and(|rest| rest.len() >= 8 && digits(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Request;

    fn url(text: &str) -> Url {
        Url::parse("https://a.example/x/").and_then(|base| base.join(text)).expect("an address")
    }

    fn named(html: &str) -> Option<u64> {
        scripts(&crate::markup::parse(html).expect("a tree"), &url("page"))
    }

    #[test]
    fn pages_with_the_same_scripts_are_one() {
        assert_eq!(named("<p>none</p><script type=application/ld+json src=a.js></script>"), None);
        assert_eq!(
            named("<script src=https://b.example/a.js></script><script>let x = document.title</script>"),
            None
        );
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
                request("a.js?v=12", "Script", "GET", Some(200)),
                request("gone.json", "XHR", "GET", Some(404)),
                request("refused.json", "XHR", "GET", None),
                request("save", "XHR", "POST", Some(200)),
                request("live", "EventSource", "GET", Some(200)),
            ],
            refused: vec![],
            walls: vec![],
        };
        assert_eq!(files(&rendered), [url("data.json"), url("list?page=2"), url("a.js?v=12")]);
    }
}
