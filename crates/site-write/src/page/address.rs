//! Addresses in a page: every one is resolved against the page's base, and those of the site itself become
//! root-relative, because each route and file keeps its path. What leads elsewhere stays absolute.

use site_read::lazy;
use url::Url;

use crate::{
    css,
    dom::{Document, Element, Node},
};

/// Attributes that hold one address.
const SINGLE: &[(&str, &str)] = &[
    ("a", "href"),
    ("area", "href"),
    ("link", "href"),
    ("img", "src"),
    ("img", "longdesc"),
    ("iframe", "longdesc"),
    ("frame", "longdesc"),
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
    ("html", "manifest"),
    ("body", "background"),
    ("table", "background"),
    ("tr", "background"),
    ("td", "background"),
    ("th", "background"),
];

/// Attributes that hold several, with what speaks for each.
const SETS: &[&str] = &["srcset", "imagesrcset"];

/// Does a script of the site's give this image its file?
pub(crate) fn is_lazy(image: &Element) -> bool {
    let names = [lazy::ADDRESSES, lazy::BACKGROUNDS, lazy::SETS, &["data-echo"]];
    names.into_iter().flatten().any(|name| image.has(name))
}

/// Rewrites every address of a page, and says at each what its base says of all.
pub(crate) fn of_all(document: &mut Document, page: &Url) {
    let (base, target) = (base(&document.head, page), base_target(&document.head));
    for (name, attributes) in [("html", &mut document.html), ("body", &mut document.body_attributes)] {
        resolve_attributes(name, attributes, &base, page);
    }
    for nodes in [&mut document.head, &mut document.body] {
        resolve(nodes, &base, page);
    }
    if let Some(target) = target {
        aim(&mut document.body, &target);
    }
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

/// Where links and forms of the page open that do not say it themselves.
fn base_target(head: &[Node]) -> Option<String> {
    let mut target = None;
    super::each(head, &mut |element| {
        if target.is_none() && element.is_html("base") {
            target = element.get("target").map(str::to_owned);
        }
    });
    target
}

/// Says at each link and form where it opens: no page has a base any more.
fn aim(nodes: &mut [Node], target: &str) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        let leads = matches!(element.name.as_str(), "a" | "area") && element.has("href");
        if (leads || element.is_html("form")) && !element.has("target") {
            element.set("target", target.to_owned());
        }
        aim(&mut element.children, target);
    }
}

/// Rewrites every address in these nodes.
pub(crate) fn resolve(nodes: &mut [Node], base: &Url, page: &Url) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if !names_the_page(element) {
            resolve_attributes(&element.name, &mut element.attributes, base, page);
        }
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

/// Rewrites every address in the attributes of an element of this name.
fn resolve_attributes(name: &str, attributes: &mut [(String, String)], base: &Url, page: &Url) {
    for (attribute, value) in attributes {
        if let Some(new) = resolved(name, attribute, value, base, page) {
            *value = new;
        }
    }
}

fn resolved(name: &str, attribute: &str, value: &str, base: &Url, page: &Url) -> Option<String> {
    let in_css = || Some(css::map_urls(value, &|url| changed(url, base, page)));
    let late = lazy::ADDRESSES.contains(&attribute) || lazy::BACKGROUNDS.contains(&attribute);
    match (name, attribute) {
        // It leads to the base itself.
        ("a" | "area", "href") if value.trim().is_empty() && base != page => {
            changed(base.as_str(), base, page)
        }
        ("image" | "use" | "feImage" | "script", "href" | "xlink:href") => changed(value, base, page),
        (_, "style") => in_css(),
        _ if SINGLE.contains(&(name, attribute)) => changed(value, base, page),
        _ if SETS.contains(&attribute) || lazy::SETS.contains(&attribute) => Some(set(value, base, page)),
        _ if late && value.contains("url(") => in_css(),
        _ if late && lazy::names_a_file(value) => changed(value, base, page),
        _ => None,
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

    /// The page's HTML, as the project writes it, at `/docs/x.html`.
    fn written(head: &str, body: &str) -> String {
        let page = Url::parse("http://a.example/docs/x.html").expect("a URL");
        let html = format!("<!doctype html><head>{head}</head><body>{body}");
        let page = crate::page::read(&html, &page, &crate::page::Hints::default(), &Default::default());
        format!("{:?}{:?}", page.body_attributes, page.body)
    }

    #[test]
    fn what_scripts_load_late_is_resolved_if_it_is_an_address() {
        let body = "<img data-lazy=i/a.png data-lazy-srcset='b.png 2x'><p data-bg='url(c.png)' data-background=dark data-original='#d.e'>\
            <p data-lazy=true data-background-image=e.png data-poster='f.jpg?g'>";
        let written = written("", body);
        for kept in
            ["/docs/i/a.png", "/docs/b.png 2x", "url(\\\"/docs/c.png\\\")", "/docs/e.png", "/docs/f.jpg?g"]
        {
            assert!(written.contains(&format!("\"{kept}\"")), "{kept}: {written}");
        }
        for kept in ["dark", "#d.e", "true"] {
            assert!(written.contains(&format!("\"{kept}\"")), "{kept}: {written}");
        }
    }

    #[test]
    fn what_a_base_says_is_said_at_each_address() {
        let written = written(
            "<base href=../other/ target=main>",
            "<body background=b.gif style='background: url(s.gif)'><a href=''>1</a><a name=n>2</a><a href=#f target=_top>3</a><form action=''></form>\
             <svg><script xlink:href=s.js></script></svg><table><tr background=r.gif>",
        );
        for kept in [
            r#"("background", "/other/b.gif")"#,
            r#"("style", "background: url(\"/other/s.gif\")")"#,
            r#"[("href", "/other/"), ("target", "main")]"#,
            r#"[("name", "n")]"#,
            r#"[("href", "/other/#f"), ("target", "_top")]"#,
            r#"[("action", ""), ("target", "main")]"#,
            r#"("background", "/other/r.gif")"#,
        ] {
            assert!(written.contains(kept), "{kept}: {written}");
        }
    }

    #[test]
    fn a_srcset_keeps_its_descriptors() {
        let page = Url::parse("http://a.example/docs/x.html").expect("a URL");
        assert_eq!(set("a.png 1x, /b.png 2x", &page, &page), "/docs/a.png 1x, /b.png 2x");
    }
}
