//! Addresses in a page: every one is resolved against the page's base, and those of the site itself become
//! root-relative, because each route and file keeps its path. What leads elsewhere stays absolute.

use url::Url;

use crate::{
    css,
    dom::{Element, Node},
};

/// Attributes that hold one address.
const SINGLE: &[(&str, &str)] = &[
    ("a", "href"),
    ("area", "href"),
    ("link", "href"),
    ("img", "src"),
    ("img", "longdesc"),
    ("script", "src"),
    ("iframe", "src"),
    ("frame", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("source", "src"),
    ("track", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("input", "src"),
    ("form", "action"),
    ("button", "formaction"),
    ("input", "formaction"),
    ("blockquote", "cite"),
    ("q", "cite"),
    ("del", "cite"),
    ("ins", "cite"),
    ("body", "background"),
    ("table", "background"),
    ("td", "background"),
    ("th", "background"),
];

/// Attributes of any element that hold one address, as lazy loaders use them.
const LAZY: &[&str] = &["data-src", "data-background", "data-bg", "data-original", "data-lazy-src"];
const SETS: &[&str] = &["srcset", "imagesrcset", "data-srcset"];

/// Does a script of the site's give this image its file?
pub(crate) fn is_lazy(image: &Element) -> bool {
    LAZY.iter().chain(["data-srcset", "data-lazy", "data-echo"].iter()).any(|name| image.has(name))
}

/// What the page's addresses are relative to.
pub(crate) fn base(head: &[Node], page: &Url) -> Url {
    let mut base = None;
    super::each(head, &mut |element| {
        if base.is_none() && element.is_html("base") {
            base = element.get("href").and_then(|href| page.join(href.trim()).ok());
        }
    });
    base.unwrap_or_else(|| page.clone())
}

/// Rewrites every address in these nodes.
pub(crate) fn resolve(nodes: &mut [Node], base: &Url, page: &Url) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        rewrite(element, base, page);
        if element.is_html("style") {
            for child in &mut element.children {
                if let Node::Text(text) = child {
                    *text = css::map_urls(text, &|url| changed(url, base, page));
                }
            }
        }
        resolve(&mut element.children, base, page);
    }
}

/// What browsers load, or get ready to load.
const LOADED: &[&str] = &[
    "stylesheet",
    "icon",
    "apple-touch-icon",
    "apple-touch-icon-precomposed",
    "apple-touch-startup-image",
    "mask-icon",
    "manifest",
    "preload",
    "modulepreload",
    "prefetch",
    "prerender",
    "preconnect",
    "dns-prefetch",
    "search",
];

/// Does it say, with the whole address, which page this is or which ones belong to it? Search engines want just that.
fn names_the_page(element: &Element) -> bool {
    let rel = element.get("rel").unwrap_or_default().to_ascii_lowercase();
    let names = !rel.split_ascii_whitespace().any(|word| LOADED.contains(&word));
    let whole = element.get("href").is_some_and(|href| Url::parse(href.trim()).is_ok());
    element.is_html("link") && names && whole
}

fn rewrite(element: &mut Element, base: &Url, page: &Url) {
    if names_the_page(element) {
        return;
    }
    let name = element.name.clone();
    for (attribute, value) in &mut element.attributes {
        let key = attribute.as_str();
        let new = if SINGLE.contains(&(name.as_str(), key)) || LAZY.contains(&key) {
            changed(value, base, page)
        } else if SETS.contains(&key) {
            Some(set(value, base, page))
        } else if matches!((name.as_str(), key), ("image" | "use" | "feImage", "href" | "xlink:href")) {
            changed(value, base, page)
        } else if key == "style" {
            Some(css::map_urls(value, &|url| changed(url, base, page)))
        } else {
            None
        };
        if let Some(new) = new {
            *value = new;
        }
    }
}

/// Changes the addresses of a `srcset`; descriptors and what stands between stay.
fn set(value: &str, base: &Url, page: &Url) -> String {
    let mut out = String::with_capacity(value.len());
    let mut at = 0;
    for range in site_read::srcset_candidates(value) {
        let Some(new) = changed(&value[range.clone()], base, page) else { continue };
        out.push_str(&value[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&value[at..]);
    out
}

/// The address as the project has to say it; none if it stays as it is.
pub(crate) fn changed(text: &str, base: &Url, page: &Url) -> Option<String> {
    let text = text.trim();
    // A bare fragment means this page, unless a base says otherwise; that is what React's router expects, too.
    if text.is_empty() || (text.starts_with('#') && base == page) {
        return None;
    }
    let url = base.join(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    Some(if site_read::same_origin(&url, page) { root_relative(&url) } else { url.into() })
}

/// Path, query and fragment, as it stands in a page. Two slashes in front would name another host: WHATWG URL, 4.5, has a
/// dot before them then.
pub(crate) fn root_relative(url: &Url) -> String {
    let path = &url[url::Position::BeforePath..];
    if path.starts_with("//") { format!("/.{path}") } else { path.to_owned() }
}

/// Path and query.
pub(crate) fn path_and_query(url: &Url) -> String {
    url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> Option<String> {
        let page = Url::parse("http://a.example/docs/x.html").expect("a URL");
        changed(text, &page, &page)
    }

    #[test]
    fn the_sites_own_become_root_relative_and_others_absolute() {
        assert_eq!(change("../i.png?v=2").as_deref(), Some("/i.png?v=2"));
        assert_eq!(change("http://a.example/b#c").as_deref(), Some("/b#c"));
        assert_eq!(change("//cdn.example/x.js").as_deref(), Some("http://cdn.example/x.js"));
        assert_eq!(change("..//x.html").as_deref(), Some("/.//x.html"));
        assert_eq!(change("#top"), None);
        assert_eq!(change("mailto:a@b.example"), None);
        assert_eq!(change("data:image/png;base64,AA=="), None);
    }

    #[test]
    fn a_srcset_keeps_its_descriptors() {
        let page = Url::parse("http://a.example/docs/x.html").expect("a URL");
        assert_eq!(set("a.png 1x, /b.png 2x", &page, &page), "/docs/a.png 1x, /b.png 2x");
    }
}
