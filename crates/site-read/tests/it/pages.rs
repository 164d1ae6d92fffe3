//! What is found, where, and how it is kept.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use site_read::{Archive, Index, Limits, Render};

use crate::server::{Reply, Site};

#[tokio::test]
async fn every_reachable_page_and_file_is_kept() {
    let site = Site::with(vec![
        (
            "/",
            Reply::html(
                "<base href=/sub/><a href=a.html#x>a</a><a href=doc.pdf>d</a><iframe src=/frame></iframe><img src=i.png?v=2 srcset='j.png 2x, k,l.png 3x'>",
            ),
        ),
        (
            "/sub/a.html",
            Reply::html(
                "<link rel=stylesheet href=/css/s.css><a href=../>home</a><a href=/sub/%61.html>same</a>",
            ),
        ),
        ("/sub/doc.pdf", Reply::new("application/pdf", "%PDF-1.4")),
        ("/frame", Reply::new("", "<!doctype html><p>no type")),
        (
            "/sub/i.png?v=2",
            Reply::new(
                "image/png",
                b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x05\x08\x02\0\0\0".to_vec(),
            ),
        ),
        ("/sub/j.png", Reply::new("image/png", "x")),
        ("/sub/k,l.png", Reply::new("image/png", "y")),
        ("/css/s.css", Reply::new("text/css", "@import 'deep/t.css';body{background:url(\"bg.gif\")}")),
        ("/css/deep/t.css", Reply::new("text/css", "@font-face{src:url(../f.woff2)}a{b:url(data:x)}")),
        ("/css/bg.gif", Reply::new("image/gif", "GIF89a\x02\0\x03\0")),
        ("/css/f.woff2", Reply::new("font/woff2", "wOF2")),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/frame", "/sub/a.html"]);
    assert_eq!(
        site.paths(read.snapshot.assets.keys()),
        [
            "/css/bg.gif",
            "/css/deep/t.css",
            "/css/f.woff2",
            "/css/s.css",
            "/sub/doc.pdf",
            "/sub/i.png?v=2",
            "/sub/j.png",
            "/sub/k,l.png"
        ]
    );
    assert_eq!(read.snapshot.findings, []);
    assert_eq!(read.snapshot.truncated, None);
    let image = &read.snapshot.assets[site.url("/sub/i.png?v=2").as_str()];
    assert_eq!((image.width, image.height), (Some(7), Some(5)));
    let pdf = &read.snapshot.assets[site.url("/sub/doc.pdf").as_str()];
    assert_eq!(&read.archive.get(&pdf.body).await.expect("the body")[..], b"%PDF-1.4");
    let index = Index::new(&read.snapshot);
    let spelled = index.page(&site.url("/sub/%61.html#top")).expect("known");
    assert_eq!(spelled, site.url("/sub/a.html").as_str());
    for page in ["/", "/sub/a.html", "/frame", "/sub/doc.pdf"] {
        assert_eq!(site.hits(page), 1, "{page}");
    }
}

#[tokio::test]
async fn modules_and_workers_are_read_without_a_browser() {
    let script = |code: &str| Reply::new("text/javascript", code);
    let page = "<script type=importmap>{\"imports\":{\"#lib\":\"/js/lib.mjs\"}}</script><script type=module src=/js/main.mjs></script>\
        <script>new Worker('work/w.js'); navigator.serviceWorker.register('sw.js')</script>";
    let site = Site::with(vec![
        ("/", Reply::html(page)),
        ("/js/main.mjs", script("import { a } from '#lib'; import './deep/b.mjs'; import('./c.mjs')")),
        ("/js/lib.mjs", script("export * from './deep/d.mjs'")),
        ("/js/deep/b.mjs", script("import '../main.mjs'; new URL('./e.mjs', import.meta.url)")),
        ("/js/c.mjs", script("export default 1")),
        ("/js/deep/d.mjs", script("export const a = 1")),
        ("/js/deep/e.mjs", script("0")),
        ("/work/w.js", script("importScripts('v.js')")),
        ("/work/v.js", script("0")),
        ("/sw.js", script("0")),
    ]);
    let limits = Limits { render: Render::Never, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    let expected = [
        "/js/c.mjs",
        "/js/deep/b.mjs",
        "/js/deep/d.mjs",
        "/js/deep/e.mjs",
        "/js/lib.mjs",
        "/js/main.mjs",
        "/sw.js",
        "/work/v.js",
        "/work/w.js",
    ];
    assert_eq!(site.paths(read.snapshot.assets.keys()), expected);
    let codes: Vec<&str> = read.snapshot.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["service-worker"]);
}

#[tokio::test]
async fn redirects_are_kept_and_chains_made_short() {
    let site = Site::with(vec![
        (
            "/",
            Reply::html(
                "<a href=/old>o</a><a href=/older>o</a><a href=/new>n</a><a href=/out>x</a><a href=/l1>l</a><a href='/%7Etilde'>t</a><img src=/img>",
            ),
        ),
        ("/old", Reply::redirect(302, "/new#part")),
        ("/older", Reply::redirect(301, "/old")),
        ("/new", Reply::html("new")),
        ("/out", Reply::redirect(301, "http://other.test/page")),
        ("/l1", Reply::redirect(301, "/l2")),
        ("/l2", Reply::redirect(301, "/l1")),
        ("/%7Etilde", Reply::redirect(301, "/~tilde")),
        ("/~tilde", Reply::html("tilde")),
        ("/img", Reply::redirect(301, "/real.png")),
        ("/real.png", Reply::new("image/png", "x")),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/new", "/~tilde"]);
    let origin = format!("http://{}", site.address);
    let redirects: Vec<(String, String, u16)> = read
        .snapshot
        .redirects
        .iter()
        .map(|r| (r.from.replace(&origin, ""), r.to.replace(&origin, ""), r.status))
        .collect();
    let expected = [
        ("/img", "/real.png", 301),
        ("/old", "/new", 302),
        ("/older", "/new", 301),
        ("/out", "http://other.test/page", 301),
    ];
    assert_eq!(redirects, expected.map(|(from, to, status)| (from.to_owned(), to.to_owned(), status)));
    assert_eq!(site.paths(read.found("redirect-loop").iter()), ["/l1", "/l2"]);
    assert_eq!(site.hits("/new"), 1);
    assert!(read.snapshot.assets.contains_key(site.url("/img").as_str()));
    let index = Index::new(&read.snapshot);
    assert_eq!(index.page(&site.url("/older")), Some(site.url("/new").as_str()));
}

#[tokio::test]
async fn what_lies_behind_a_sign_in_is_said_not_to_be_read() {
    let site = Site::with(vec![
        ("/", Reply::html("<a href=/mine>Mine</a><a href=/orders>Orders</a>")),
        ("/mine", Reply::redirect(302, "/login?next=%2Fmine")),
        ("/orders", Reply::redirect(302, "/login?next=%2Forders")),
        ("/login?next=%2Fmine", Reply::html("Who are you?")),
        ("/login?next=%2Forders", Reply::html("Who are you?")),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.found("gated-pages").iter()), ["/login"]);
    assert!(read.found("gated-site").is_empty(), "the home page is open to all");
}

#[tokio::test]
async fn a_site_behind_a_question_for_consent_is_said_not_to_be_read() {
    let site = Site::with(vec![
        ("/", Reply::redirect(302, "/consent?return=%2F")),
        ("/consent?return=%2F", Reply::html("We use cookies to deliver our services.")),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.found("gated-site").iter()), ["/consent"]);
}

#[tokio::test]
async fn legacy_encodings_become_utf_8() {
    let site = Site::with(vec![
        (
            "/",
            Reply::new(
                "text/html; charset=ISO-8859-1",
                b"<title>caf\xe9</title><a href=/jp>x</a><a href=/plain>x</a>".to_vec(),
            ),
        ),
        (
            "/jp",
            Reply::new(
                "text/html",
                b"<meta charset=shift_jis><title>\x83\x65\x83\x58\x83\x67</title>".to_vec(),
            ),
        ),
        ("/plain", Reply::new("text/html", b"<title>\x93quoted\x94</title>".to_vec())),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    for (path, charset, title) in [
        ("/", "windows-1252", "caf\u{e9}"),
        ("/jp", "Shift_JIS", "\u{30c6}\u{30b9}\u{30c8}"),
        ("/plain", "windows-1252", "\u{201c}quoted\u{201d}"),
    ] {
        let page = &read.snapshot.pages[site.url(path).as_str()];
        assert_eq!((page.charset.as_str(), page.title.as_str()), (charset, title));
        assert!(read.html(&site.url(path)).await.contains(title));
        assert_ne!(page.body, page.html);
    }
}

#[tokio::test]
async fn pages_that_only_a_sitemap_names_are_found() {
    let site = Site::of(|path| match path {
        "/" => Reply::html("home"),
        "/robots.txt" => Reply::new("text/plain", "Sitemap: /maps/index.xml\n"),
        "/maps/index.xml" => Reply::new(
            "text/xml",
            "<sitemapindex><sitemap><loc>/maps/a.xml.gz</loc></sitemap></sitemapindex>",
        ),
        "/maps/a.xml.gz" => {
            let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
            gz.write_all(b"<urlset><url><loc>/hidden?a=1&amp;b=2</loc></url><url><loc>http://other.test/x</loc></url></urlset>").expect("written");
            Reply::new("application/gzip", gz.finish().expect("compressed"))
        }
        "/hidden?a=1&b=2" => Reply::html("<a href=/deeper>x</a>"),
        "/deeper" => Reply::html("deep"),
        _ => Reply::status(404),
    });
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/deeper", "/hidden?a=1&b=2"]);
    let told = ["/maps/a.xml.gz", "/maps/index.xml", "/robots.txt"];
    assert_eq!(site.paths(read.snapshot.assets.keys()), told, "what crawlers are told is kept");
    assert_eq!(told[..2].iter().map(|path| site.hits(path)).sum::<usize>(), 2, "and asked for once");
}

#[tokio::test]
async fn disallow_is_obeyed_for_pages_and_assets() {
    let site = Site::with(vec![
        ("/robots.txt", Reply::new("text/plain", "User-agent: *\nDisallow: /private\nDisallow: /*.png$\n")),
        (
            "/",
            Reply::html("<a href=/private/a>x</a><a href=/to-private>x</a><img src=/a.png><img src=/b.gif>"),
        ),
        ("/private/a", Reply::html("secret")),
        ("/to-private", Reply::redirect(302, "/private/b")),
        ("/private/b", Reply::html("secret")),
        ("/a.png", Reply::new("image/png", "x")),
        ("/b.gif", Reply::new("image/gif", "x")),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/"]);
    assert_eq!(site.paths(read.snapshot.assets.keys()), ["/b.gif", "/robots.txt"]);
    for path in ["/private/a", "/private/b", "/a.png"] {
        assert_eq!(site.hits(path), 0, "{path}");
    }
    assert_eq!(site.paths(read.found("robots-disallowed").iter()), ["/a.png", "/private/a", "/private/b"]);
}

#[tokio::test]
async fn faults_become_findings_and_the_rest_is_kept() {
    let site = Site::with(vec![
        (
            "/",
            Reply::html(
                "<a href=/gone>x</a><a href=/broken>x</a><a href=/ok>x</a><img src=/missing.png><img src=/page.png><img src=/soft.png><embed src=/part.html><embed src=/data.do><img src=//cdn.test/x.png>",
            ),
        ),
        ("/broken", Reply::status(500)),
        ("/ok", Reply::html("ok")),
        ("/page.png", Reply::html("<!doctype html><p>not found</p>")),
        ("/soft.png", Reply::html("<p>not found</p>")),
        ("/data.do", Reply::html("[\"<html>\"]")),
        ("/part.html", Reply::html("<HEADER>a piece of HTML</HEADER>")),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/ok"]);
    assert_eq!(site.paths(read.found("broken-page").iter()), ["/broken", "/gone"]);
    assert_eq!(site.paths(read.found("missing-asset").iter()), ["/missing.png"]);
    assert_eq!(site.paths(read.found("asset-is-page").iter()), ["/page.png", "/soft.png"]);
    assert_eq!(site.paths(read.snapshot.assets.keys()), ["/data.do", "/part.html"]);
    assert_eq!(read.found("third-party"), ["http://cdn.test/x.png"]);
    let note = &read.snapshot.findings.iter().find(|f| f.url.ends_with("/gone")).expect("a finding").note;
    assert_eq!(note, &format!("answers 404; named by {}", site.url("/")));
}
