//! Where addresses come from, which of them belong to the site, and which are one.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use site_fetch::{Fetcher, Options, Resolve};
use site_read::journal::Unrecorded;
use site_read::{Alias, Index, Limits, MemoryArchive, Snapshot};

use crate::server::{Reply, Site};

/// A site whose home page is `html`, and on which every other address answers by its ending.
fn around(html: &'static str, others: &'static [(&'static str, &'static str, &'static str)]) -> Site {
    Site::of(move |path| {
        if path == "/" {
            return Reply::html(html);
        }
        if let Some((_, kind, body)) = others.iter().find(|(known, _, _)| *known == path) {
            return Reply::new(kind, *body);
        }
        match path.rsplit('.').next() {
            Some("html") => Reply::html(format!("<p>{path}")),
            Some("png") => Reply::new("image/png", "x"),
            _ => Reply::status(404),
        }
    })
}

const FEED: &str = "<rss><channel><item><link>/found.html</link></item></channel></rss>";
const ATOM: &str = "<feed><entry><link href='/found.html'/></entry></feed>";
const JSON: &str = r#"{"version":"https://jsonfeed.org/version/1","items":[{"url":"/found.html"}]}"#;
const MAP: &str = "<urlset><url><loc>/found.html</loc></url></urlset>";
const MANIFEST: &str =
    r#"{"start_url":"/found.html","icons":[{"src":"i.png"}],"shortcuts":[{"url":"/short.html"}]}"#;

/// The home page, what else there is as path, type and body, and the address that must be found.
type Row = (&'static str, &'static [(&'static str, &'static str, &'static str)], &'static str);

const SOURCES: &[Row] = &[
    ("<a href=found.html>x</a>", &[], "/found.html"),
    ("x<map><area href=found.html></map>", &[], "/found.html"),
    ("<frameset><frame src=found.html></frameset>", &[], "/found.html"),
    ("x<iframe src=found.html></iframe>", &[], "/found.html"),
    ("x<object data=found.html type=text/html></object>", &[], "/found.html"),
    ("x<link rel=canonical href=found.html>", &[], "/found.html"),
    ("x<link rel=alternate hreflang=de href=found.html>", &[], "/found.html"),
    ("x<link rel=next href=found.html>", &[], "/found.html"),
    ("x<link rel=amphtml href=found.html>", &[], "/found.html"),
    ("<meta http-equiv=refresh content='0;url=found.html'>", &[], "/found.html"),
    ("x<script type=application/ld+json>{\"url\":\"/found.html\"}</script>", &[], "/found.html"),
    (
        "x<link rel=alternate type=application/rss+xml href=/f>",
        &[("/f", "application/rss+xml", FEED)],
        "/found.html",
    ),
    ("x<link rel=alternate type=application/atom+xml href=/f>", &[("/f", "text/xml", ATOM)], "/found.html"),
    (
        "x<link rel=alternate type=application/feed+json href=/f>",
        &[("/f", "application/feed+json", JSON)],
        "/found.html",
    ),
    ("x<link rel=sitemap href=/map>", &[("/map", "application/xml", MAP)], "/found.html"),
    ("x", &[("/sitemap.xml", "application/xml", MAP)], "/found.html"),
    (
        "x",
        &[
            ("/robots.txt", "text/plain", "Sitemap: /m.txt"),
            ("/m.txt", "text/plain", "http://other.test/found.html"),
        ],
        "/m.txt asked",
    ),
    (
        "x<link rel=manifest href=/m.webmanifest>",
        &[("/m.webmanifest", "application/manifest+json", MANIFEST)],
        "/found.html",
    ),
    (
        "x<link rel=manifest href=/m.webmanifest>",
        &[("/m.webmanifest", "application/manifest+json", MANIFEST)],
        "/short.html",
    ),
    (
        "x<link rel=manifest href=/m.webmanifest>",
        &[("/m.webmanifest", "application/manifest+json", MANIFEST)],
        "/i.png",
    ),
    ("x<picture><source srcset='a.webp, found.png 2x'><img src=b.png></picture>", &[], "/found.png"),
    ("x<video poster=found.png></video>", &[], "/found.png"),
    ("x<link rel=icon href=found.png>", &[], "/found.png"),
    ("x<p style='background:url(found.png)'>", &[], "/found.png"),
    ("x<style>@import '/s.css';</style>", &[("/s.css", "text/css", "a{b:url(found.png)}")], "/found.png"),
    ("x<svg><image href=found.png /></svg>", &[], "/found.png"),
    (
        "x<img src=d.svg>",
        &[("/d.svg", "image/svg+xml", "<svg><image href='found.png'/></svg>")],
        "/found.png",
    ),
    ("x<embed src=found.png>", &[], "/found.png"),
    ("x<script type=application/ld+json>{\"image\":\"/found.png\"}</script>", &[], "/found.png"),
    ("x<meta property=og:image content=/found.png>", &[], "/found.png"),
    (
        "x",
        &[(
            "/sitemap.xml",
            "text/xml",
            "<urlset><url><loc>/</loc><image:image><image:loc>/found.png</image:loc></image:image></url></urlset>",
        )],
        "/found.png",
    ),
];

#[tokio::test]
async fn every_source_of_addresses_is_followed() {
    for (html, others, expected) in SOURCES {
        let site = around(html, others);
        let read = site.crawl(&Limits::default()).await.expect("a snapshot");
        let found = match expected.strip_suffix(" asked") {
            Some(path) => site.hits(path) == 1,
            None => {
                let key = site.url(expected).to_string();
                read.snapshot.pages.contains_key(&key) || read.snapshot.assets.contains_key(&key)
            }
        };
        assert!(found, "{html} {others:?}");
    }
}

#[tokio::test]
async fn headers_are_a_source_too() {
    let mut home = Reply::html("home");
    home.headers.push_str(
        "Link: </found.html>; rel=next, </s.css>; rel=preload; as=style\r\nRefresh: 9; url=/later.html\r\n",
    );
    let site = Site::of(move |path| match path {
        "/" => home.clone(),
        "/s.css" => Reply::new("text/css", ""),
        path if path.ends_with(".html") => Reply::html(path.to_owned()),
        _ => Reply::status(404),
    });
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/found.html", "/later.html"]);
    assert_eq!(site.paths(read.snapshot.assets.keys()), ["/s.css"]);
}

#[tokio::test]
async fn spellings_become_one_page_only_where_the_bytes_are_the_same() {
    let site = Site::of(|path| match path {
        "/" => Reply::html(
            "<a href=/same>x</a><a href=/same/>x</a><a href=/SAME>x</a><a href=/dir/>x</a><a href=/dir/index.html>x</a>\
             <a href=/differs>x</a><a href=/differs/>x</a><a href='/q?a=1&b=2'>x</a><a href='/q?b=2&a=1'>x</a>\
             <a href='/t?utm_source=x'>x</a><a href='/t?utm_source=y&fbclid=z'>x</a><a href=/s;jsessionid=1>x</a><a href=/s;jsessionid=2>x</a>\
             <a href=/index.html>home</a>",
        ),
        "/index.html" => Reply::html("another home"),
        path if path.starts_with("/differs") => Reply::html(format!("<p>{}", path.len())),
        path => Reply::html(format!("<p>{}", path.to_lowercase().chars().nth(1).unwrap_or_default())),
    });
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    let pages = site.paths(read.snapshot.pages.keys());
    let expected = ["/", "/differs", "/differs/", "/dir/", "/index.html", "/q?a=1&b=2", "/s", "/same", "/t"];
    assert_eq!(pages, expected);
    let own = |path: &str| site.url(path).to_string();
    let expected =
        [("/SAME", "/same"), ("/dir/index.html", "/dir/"), ("/q?b=2&a=1", "/q?a=1&b=2"), ("/same/", "/same")];
    let expected = expected.map(|(from, to)| Alias { from: own(from), to: own(to) });
    assert_eq!(read.snapshot.aliases, expected);
    let index = Index::new(&read.snapshot);
    for (spelling, page) in [("/SAME#x", "/same"), ("/dir/index.html", "/dir/"), ("/t?utm_campaign=z", "/t")]
    {
        assert_eq!(index.page(&site.url(spelling)), Some(own(page).as_str()), "{spelling}");
    }
    assert_eq!((site.hits("/t"), site.hits("/s")), (1, 1), "tracking and sessions are not even asked");
}

#[tokio::test]
async fn the_written_snapshot_is_the_one_in_memory() {
    let site = around(
        "<a href=/a.html>x</a><a href=/a.html?utm_source=x>x</a><a href=/A.html>x</a><img src=i.png><img src=http://other.test/x.png>",
        &[("/A.html", "text/html", "<p>/a.html"), ("/a.html", "text/html", "<p>/a.html")],
    );
    let start = site.url("/");
    let fetcher =
        Fetcher::new(Options { allow: vec![site.address], ..Options::default() }).expect("a fetcher");
    let archive = MemoryArchive::new();
    let limits = Limits::default();
    let gathered = site_read::gather(&fetcher, &archive, &Unrecorded, &start, &limits, &|_| {});
    let mut gathered = gathered.await.expect("gathered");
    let mut written = Vec::new();
    serde_json::to_writer(&mut written, &gathered.document().expect("read")).expect("written");
    assert_eq!((gathered.page_count(), gathered.asset_count()), (2, 1));
    let snapshot = gathered.into_snapshot().expect("a snapshot");
    assert_eq!(snapshot.aliases.len(), 1);
    assert_eq!(String::from_utf8(written).expect("UTF-8"), serde_json::to_string(&snapshot).expect("JSON"));
}

#[tokio::test]
async fn only_what_is_below_the_start_is_read_if_that_is_asked_for() {
    let site = Site::of(|path| match path {
        "/docs/v2/" => Reply::html(
            "<a href=a.html>x</a><a href=/docs/v2/b/c.html>x</a><a href=/docs/v1/old.html>x</a><a href=/>x</a><img src=/img/l.png>",
        ),
        path if path.ends_with(".png") => Reply::new("image/png", "x"),
        "/docs/v2/a.html" => Reply::redirect(302, "/moved.html"),
        path if path.ends_with(".html") || path == "/" => Reply::html(path.to_owned()),
        _ => Reply::status(404),
    });
    let limits = Limits { below_start: true, ..Limits::default() };
    let read = site.crawl_from("/docs/v2/", &limits).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/docs/v2/", "/docs/v2/b/c.html"]);
    assert_eq!(site.paths(read.snapshot.assets.keys()), ["/img/l.png"]);
    assert_eq!(read.snapshot.left_out["outside-scope"].count, 3);
    assert_eq!(site.hits("/docs/v1/old.html") + site.hits("/moved.html") + site.hits("/"), 0);
}

/// Names that all lead to this machine.
struct Here;

#[async_trait::async_trait]
impl Resolve for Here {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
    }
}

async fn named(site: &Site, start: &str) -> Snapshot {
    let options = Options { allow: vec![site.address], retries: 0, ..Options::default() };
    let fetcher = Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher");
    let start = start.parse().expect("a URL");
    let archive = MemoryArchive::new();
    let read = site_read::crawl(&fetcher, &archive, &start, &Limits::default(), &|_| {}).await;
    read.expect("a snapshot")
}

#[tokio::test]
async fn www_is_the_same_site_where_redirects_say_so_and_another_where_not() {
    let hosts = |www_redirects: bool| {
        Site::by_host(move |host, path| {
            let port = host.rsplit(':').next().unwrap_or_default();
            match (host.starts_with("www."), path) {
                (_, "/robots.txt" | "/sitemap.xml" | "/favicon.ico") => Reply::status(404),
                (true, path) if www_redirects => {
                    Reply::redirect(301, &format!("http://shop.test:{port}{path}"))
                }
                (true, path) => Reply::html(format!("another site's {path}")),
                (false, "/") => Reply::html(format!(
                    "<a href=http://www.shop.test:{port}/only-there>x</a><a href=http://www.shop.test:{port}/later>x</a>\
                     <a href=http://blog.shop.test:{port}/>x</a><a href=/here>x</a>"
                )),
                (false, path) => {
                    Reply::html(format!("<p>{path}<a href=http://www.shop.test:{port}/last>x</a>"))
                }
            }
        })
    };
    let site = hosts(true);
    let start = format!("http://shop.test:{}/", site.address.port());
    let origin = start.trim_end_matches('/');
    let snapshot = named(&site, &start).await;
    let pages: Vec<_> = snapshot.pages.keys().map(|url| url.replace(origin, "")).collect();
    assert_eq!(pages, ["/", "/here", "/last", "/later", "/only-there"]);

    let site = hosts(false);
    let start = format!("http://shop.test:{}/", site.address.port());
    let origin = start.trim_end_matches('/');
    let snapshot = named(&site, &start).await;
    let pages: Vec<_> = snapshot.pages.keys().map(|url| url.replace(origin, "")).collect();
    assert_eq!(pages, ["/", "/here"]);
    assert_eq!(snapshot.left_out["other-origin"].count, 3);
    assert_eq!(site.hits("/last"), 0, "once it is known to be another site it is not asked again");
}

#[tokio::test]
async fn the_page_for_what_does_not_exist_is_learnt_and_recognised() {
    for (status, soft) in [(404, 0), (200, 2)] {
        let site = Site::of(move |path| match path {
            "/" => Reply::html("<a href=/real>x</a><a href=/gone-1>x</a><a href=/gone-2>x</a>"),
            "/real" => Reply::html("real"),
            "/robots.txt" | "/sitemap.xml" | "/favicon.ico" => Reply::new("text/plain", ""),
            _ => Reply { status, ..Reply::html("<h1>Sorry, there is nothing here</h1>") },
        });
        let read = site.crawl(&Limits::default()).await.expect("a snapshot");
        let not_found = read.snapshot.not_found.as_ref().expect("learnt");
        assert_eq!(not_found.status, status);
        assert_eq!(read.found("soft-404").len(), soft);
        let again = site.crawl(&Limits::default()).await.expect("a snapshot");
        assert_eq!(read.json(), again.json(), "the same address is asked each time");
    }
}
