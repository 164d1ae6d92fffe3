//! What a page says to search engines and to those who share it, before and after: the same fields with the same values, all
//! of them in the head.

use crate::{server::Served, snapshot::Site};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// A field and its value, as a table would have them.
type Field = (String, String);

const FULL: &str = r##"<!doctype html><html lang=en-GB dir=ltr><head><meta charset=utf-8><title>Full  of &amp; "fields"</title>
<meta name=description content="What it's about, &lt;briefly&gt;"><meta name=viewport content="width=device-width, initial-scale=1">
<meta name=keywords content="a, b"><meta name=author content="A. Person"><meta name=robots content="index, follow, max-image-preview:large">
<meta name=googlebot content=noarchive><meta name=google-site-verification content=abc123><meta name=theme-color content="#fff" media="(prefers-color-scheme: light)">
<meta name=theme-color content="#000" media="(prefers-color-scheme: dark)"><meta name=generator content="Some System 4.2"><meta name=color-scheme content="light dark">
<meta property=og:title content="Shared title"><meta property=og:type content=article><meta property=og:url content="http://old.example/seo/full/">
<meta property=og:image content="http://old.example/one.png"><meta property=og:image:width content=9><meta property=og:image content="http://old.example/two.png"><meta property=og:image:width content=8>
<meta property=og:locale content=en_GB><meta property=article:published_time content="2024-05-01T10:00:00Z"><meta property=fb:app_id content=42>
<meta name=twitter:card content=summary_large_image><meta name=twitter:site content="@someone"><meta property=twitter:title content="By property">
<link rel=canonical href="http://old.example/seo/full/"><link rel=alternate hreflang=de href="http://old.example/de/seo/"><link rel=alternate hreflang=x-default href="http://old.example/">
<link rel=alternate type="application/rss+xml" title=Feed href="/feed.xml"><link rel=amphtml href="http://old.example/amp/"><link rel=prev href="/seo/1/"><link rel=next href="/seo/3/">
<link rel="shortcut icon" href=/favicon.ico><link rel=icon type=image/png sizes=32x32 href=/icon-32.png><link rel=apple-touch-icon href=/touch.png><link rel=mask-icon href=/mask.svg color=red>
<link rel=manifest href=/site.webmanifest><link rel=search type="application/opensearchdescription+xml" href=/search.xml title=Search><link rel=license href="http://old.example/licence">
<link rel=preconnect href="http://cdn.example" crossorigin><link rel=dns-prefetch href="//cdn.example"><meta http-equiv=content-language content=en-GB>
<script type="application/ld+json">{"@context":"https://schema.org","@type":"Article","headline":"a < b & c","text":"<\/script><!-- x"}</script>
<script type="application/ld+json">[{"@type":"BreadcrumbList","n":1.50}]</script></head>
<body itemscope itemtype="https://schema.org/WebPage"><h1 itemprop=name>Full</h1></body></html>"##;

const BARE: &str = "<!doctype html><html><head><title>Bare</title></head><body><h1>Bare</h1></body></html>";

const ROOT_CANONICAL: &str = r#"<!doctype html><html lang=en><head><title>Root</title><meta name=viewport content="width=device-width, initial-scale=1, shrink-to-fit=no">
<link rel=canonical href="http://old.example/"><link rel=alternate hreflang=en href="http://old.example"><META NAME=ROBOTS CONTENT=NOINDEX><meta name=description content=""></head><body><h1>Root</h1></body></html>"#;

const ARABIC: &str = r#"<!doctype html><html lang=ar dir=rtl><head><title>مرحبا</title><meta name=description content="صفحة"><meta name=viewport content="width=1024">
<link rel=canonical href="http://old.example/ar/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7/"><meta property=og:title content="مرحبا"></head><body><h1>مرحبا</h1></body></html>"#;

const WITHOUT_TITLE: &str = r#"<!doctype html><html lang=en><head><meta name=viewport content="width=device-width,initial-scale=1,maximum-scale=5,user-scalable=no">
<meta http-equiv=refresh content="300"><base href="/seo/"><link rel=canonical href="relative/"></head><body><h1>No title</h1></body></html>"#;

fn sibling(name: &str) -> String {
    format!(
        "<!doctype html><html lang=fr><head><title>{name}</title><meta name=viewport content='width=device-width'><meta name=author content=Both>\
         <meta property=og:image content='http://old.example/{name}.png'><meta property=og:image:width content=9><link rel=icon href=/both.ico></head><body><h1>{name}</h1></body></html>"
    )
}

fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("/seo/full/", FULL.to_owned()),
        ("/seo/bare/", BARE.to_owned()),
        ("/seo/root/", ROOT_CANONICAL.to_owned()),
        ("/ar/%D9%85%D8%B1%D8%AD%D8%A8%D8%A7/", ARABIC.to_owned()),
        ("/seo/untitled/", WITHOUT_TITLE.to_owned()),
        ("/seo/one/", sibling("one")),
        ("/seo/two/", sibling("two")),
    ]
}

const ROBOTS: &str = "# Ours\nUser-agent: *\nDisallow: /private/\nAllow: /private/open\n\nUser-agent: Slow\nCrawl-delay: 10\n\nSitemap: http://old.example/sitemap.xml\n";

const SITEMAP: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\
<url><loc>http://old.example/</loc><lastmod>2024-05-01</lastmod><priority>1.0</priority></url>\
<url><loc>http://old.example/list/?page=2&amp;sort=up</loc><changefreq>weekly</changefreq></url></urlset>";

const INDEX: &str =
    "<sitemapindex><sitemap><loc>http://old.example/sitemap.xml</loc></sitemap></sitemapindex>";

pub(crate) fn with_pages(site: Site) -> Site {
    pages()
        .iter()
        .fold(site, |site, (path, html)| site.page(path, html))
        .asset("/robots.txt", "text/plain", ROBOTS)
        .asset("/sitemap.xml", "application/xml", SITEMAP)
        .asset("/sitemap_index.xml", "application/xml", INDEX)
}

/// What is missing, too much or elsewhere on any page; and what crawlers are told otherwise.
pub(crate) async fn complaints(served: &Served) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, html) in pages() {
        let after = served.get(path).await.body;
        let (before, after) = (fields(&html, path), fields(&after, path));
        wrong.extend(before.iter().filter(|it| !after.contains(it)).map(|it| format!("{path} lost {it:?}")));
        wrong
            .extend(after.iter().filter(|it| !before.contains(it)).map(|it| format!("{path} gained {it:?}")));
        if before.len() != after.len() {
            wrong.push(format!("{path} had {} fields and has {}", before.len(), after.len()));
        }
    }
    for (path, wanted) in [
        (
            "/robots.txt",
            &[
                "User-Agent: *\nAllow: /private/open\nDisallow: /private/\n",
                "User-Agent: Slow\nCrawl-delay: 10\n",
                "Sitemap: http://old.example/sitemap.xml\n",
            ][..],
        ),
        (
            "/sitemap.xml",
            &[
                "<loc>http://old.example/</loc>\n<lastmod>2024-05-01</lastmod>\n<priority>1</priority>",
                "<loc>http://old.example/list/?page=2&amp;sort=up</loc>\n<changefreq>weekly</changefreq>",
            ],
        ),
        ("/sitemap_index.xml", &[INDEX]),
    ] {
        let answer = served.get(path).await;
        let missing = wanted.iter().filter(|words| answer.status != 200 || !answer.body.contains(**words));
        wrong.extend(missing.map(|words| format!("{path} does not say {words:?}: {}", answer.body)));
    }
    wrong
}

/// Every field of a document, in canonical order.
fn fields(html: &str, path: &str) -> Vec<Field> {
    let html = Html::parse_document(html);
    let page = Url::parse("http://old.example").and_then(|origin| origin.join(path)).expect("a path");
    let base = select(&html, "base[href]").first().and_then(|base| base.value().attr("href"));
    let base = base.map_or(page.clone(), |base| page.join(base).expect("an address"));
    let mut fields = Vec::new();
    let root = html.root_element().value();
    for name in ["lang", "dir"] {
        fields.extend(root.attr(name).map(|value| (format!("html {name}"), value.to_owned())));
    }
    for element in select(&html, "head > title") {
        let title = element.text().collect::<String>();
        fields.push(("title".into(), title.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    for element in select(&html, "head > meta:not([charset]), head > link") {
        fields.extend(field(element, &base));
    }
    for element in select(&html, "script[type='application/ld+json']") {
        let data: serde_json::Value =
            serde_json::from_str(&element.text().collect::<String>()).expect("the data is JSON");
        fields.push(("data".into(), data.to_string()));
    }
    for element in select(&html, "[itemprop]") {
        fields.push(("itemprop".into(), element.value().attr("itemprop").unwrap_or_default().to_owned()));
    }
    fields.sort();
    fields
}

fn select<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    html.select(&Selector::parse(selector).expect("a selector")).collect()
}

/// Its attributes but for order and case of names, with whole addresses. What loads the project's own code is none. A canonical
/// address, and what else names a page by a whole one, must stay so to the letter.
fn field(element: ElementRef<'_>, base: &Url) -> Option<Field> {
    let value = element.value();
    let own = value.attr("href").is_some_and(|href| href.starts_with("/_next/"));
    let preloads =
        value.attr("rel").is_some_and(|rel| matches!(rel, "preload" | "stylesheet" | "modulepreload"));
    let mut attributes: Vec<String> = value
        .attrs()
        .map(|(name, text)| {
            let names = matches!(value.attr("rel"), Some("canonical" | "alternate" | "amphtml"));
            let text = match name {
                "content" if value.attr("name") == Some("viewport") => viewport(text),
                "href" if !(names && text.contains("://")) => base.join(text).expect("an address").into(),
                _ => text.to_owned(),
            };
            format!("{}={text}", name.to_lowercase())
        })
        .collect();
    attributes.sort();
    (!own && !preloads).then(|| (value.name().to_owned(), attributes.join(" ")))
}

/// Its pairs in canonical order.
fn viewport(content: &str) -> String {
    let mut pairs: Vec<&str> = content.split(',').map(str::trim).collect();
    pairs.sort_unstable();
    pairs.join(", ")
}
