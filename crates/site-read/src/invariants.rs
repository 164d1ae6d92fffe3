//! What must hold for any input whatever, said once and asked twice: by property tests beside the code,
//! and by the fuzz targets in `tests/fuzz`. Not part of the crate otherwise.
//!
//! Each function panics where its promise is broken.

use std::collections::HashSet;

use site_fetch::robots::Robots;
use url::Url;

use crate::web_address::loose_form;
use crate::{css, markup, normal_form, page, same_origin, sitemap, srcset_candidates, without_fragment};

const AT: &str = "https://example.com/shop/page.html?x=1";

fn at() -> Url {
    Url::parse(AT).expect("a URL")
}

/// One spelling stays that spelling, wherever it is written.
pub fn url(text: &str) {
    let Ok(url) = at().join(text) else { return };
    if !matches!(url.scheme(), "http" | "https") {
        return;
    }
    let bare = without_fragment(&url);
    assert!(same_origin(&url, &bare) && bare.fragment().is_none());
    let normal = normal_form(&url);
    assert_eq!(normal, normal_form(&bare), "a fragment changes nothing");
    let again = Url::parse(&normal).expect("a normal form is a URL");
    assert_eq!(normal, normal_form(&again), "a normal form is its own");
    assert_eq!(loose_form(&url), loose_form(&again), "and no looser than the address");
}

/// Any file is read, by its lines and not by their endings, and says the same each time.
pub fn robots(file: &[u8]) {
    let robots = Robots::parse(file, "Resettle/0.1");
    assert!(robots.sitemaps.len() <= 200);
    assert!(robots.crawl_delay.is_none_or(|delay| delay.as_secs() <= 3600));
    assert_eq!(robots, Robots::parse(file, "resettle"), "a name is one in any case");
    let text = String::from_utf8_lossy(file).replace('\n', "\r\n");
    assert_eq!(robots, Robots::parse(text.as_bytes(), "Resettle"), "line ends are one");
    for path in ["/", "/a/b.html", "/a?b=c&d=https://e/f", "/%2a/*$", "/\u{e9}"] {
        let url = at().join(path).expect("a URL");
        let mut marked = url.clone();
        marked.set_fragment(Some("top"));
        assert_eq!(robots.allows(&url), robots.allows(&marked));
    }
    assert!(robots.allows(&at().join("/robots.txt").expect("a URL")));
}

/// Whatever a list is, it names a bounded number of bounded addresses.
pub fn sitemap(body: &[u8]) {
    let named = sitemap::read(body);
    assert!(named.pages.len() + named.assets.len() + named.sitemaps.len() <= 50_000);
    for address in named.pages.iter().chain(&named.assets).chain(&named.sitemaps) {
        assert!(!address.is_empty() && address.len() <= 8192 && address.trim() == address);
    }
}

/// References lie in the text, in order and apart, so that each can be replaced in its place.
pub fn css(text: &str) {
    let mut end = 0;
    for reference in css::references(text) {
        let range = reference.range;
        assert!(end <= range.start && range.start <= range.end, "{range:?} after {end}");
        assert!(text.get(range.clone()).is_some(), "{range:?} cuts a character");
        end = range.end;
    }
    let mut end = 0;
    for range in srcset_candidates(text) {
        assert!(
            end <= range.start && text.get(range.clone()).is_some_and(|url| !url.is_empty()),
            "{range:?}"
        );
        end = range.end;
    }
}

/// A document refers to absolute web addresses, each once and without fragment.
pub fn html(text: &str) {
    let Some(document) = markup::parse(text) else { return };
    let facts = page::read(&document, &at());
    for list in [&facts.links, &facts.assets] {
        let different: HashSet<&Url> = list.iter().collect();
        assert_eq!(different.len(), list.len(), "each once");
        for url in list {
            assert!(url.fragment().is_none() && matches!(url.scheme(), "http" | "https"), "{url}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// What fuzzing found once.
    #[test]
    fn what_broke_a_promise_keeps_it_now() {
        for document in
            ["<a href=b.html>x</a><a href=./b.html#c>y</a>", "<img src=a.png><img src=/shop/a.png>"]
        {
            super::html(document);
        }
        for address in ["/%%34%31", "/%4%31", "/a?%75tm_source=x&b=c", "/a?%2&%", "/%+f"] {
            super::url(address);
        }
    }

    proptest! {
        #[test]
        fn urls_have_one_spelling(text in r"(https?:)?(//)?[a-z\u{e9}0-9.:@\[\]]{0,10}(/|%|%2[fFeE]|%25|%4[01]|[a-z;=+*\u{e9}\\. ]){0,12}(\?([a-z%&=;]|%3[dD]|utm_a=|sid=){0,8})?(#[a-z]{0,3})?") {
            super::url(&text);
        }

        #[test]
        fn any_robots_file_is_read(file in "(?s)((User-agent|Allow|disallow|Crawl-delay|Sitemap|x) ?:? ?[*a-z/$%0-9\u{e9}.-]{0,12}(#x)?[\r\n]{0,2}|.{0,6}){0,14}") {
            super::robots(file.as_bytes());
        }

        #[test]
        fn any_list_is_read(body in "(?s)(<\\??!?/?(url|loc|urlset|sitemap|image:loc|link|rss|item|feed|entry|xhtml:link)( (href|rel)=\"[a-z:/]{0,9}\")?/?>|&[a-z#0-9]{0,5};|<!\\[CDATA\\[|\\]\\]>|https?://[a-z/]{0,9}|\\{\"items\":\\[|.{0,3}){0,14}") {
            super::sitemap(body.as_bytes());
        }

        #[test]
        fn any_style_sheet_is_read(text in "(?s)(url\\(|@import|image-set\\(|[\"'()\\\\;,{}]|/\\*|\\*/|\\\\[0-9a-f]{1,3}|[a-z:/.#\u{e9}\u{1f600}]{0,6}|[ \n]){0,24}") {
            super::css(&text);
        }

        #[test]
        fn any_document_is_read(text in "(?s)(</?(a|img|base|link|meta|script|style|iframe|svg|table|template|noscript|form|p)( (href|src|srcset|style|content|http-equiv|rel|srcdoc|type)=['\"]?[a-z:/.#?&;, 0-9%()-]{0,16}['\"]?){0,3}>|<!--|-->|[a-z&;#x0-9 \u{e9}]{0,8}){0,20}") {
            super::html(&text);
        }
    }
}
