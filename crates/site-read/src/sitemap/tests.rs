//! Each kind of list, and lists that are too much.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{MAX_BYTES, MAX_URLS, Named, read};

fn named(pages: &[&str], assets: &[&str], sitemaps: &[&str]) -> Named {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Named { pages: own(pages), assets: own(assets), sitemaps: own(sitemaps), cut: false }
}

#[test]
fn every_kind_of_list() {
    for (body, expected) in [
        (
            r#"<?xml version="1.0"?><urlset xmlns:xhtml="x"><url><loc> http://e.com/a?x=1&amp;y=2 </loc>
               <xhtml:link rel="alternate" hreflang="de" href="http://e.com/de?a=1&amp;b=2"/></url>
               <url><loc><![CDATA[http://e.com/b]]></loc><lastmod>2026-01-01</lastmod></url></urlset>"#,
            named(&["http://e.com/a?x=1&y=2", "http://e.com/de?a=1&b=2", "http://e.com/b"], &[], &[]),
        ),
        (
            "<sitemapindex><sitemap><loc>/s.xml</loc></sitemap></sitemapindex>",
            named(&[], &[], &["/s.xml"]),
        ),
        (
            "<ns:sitemapindex><ns:sitemap><ns:loc>/s.xml</ns:loc></ns:sitemap></ns:sitemapindex>",
            named(&[], &[], &["/s.xml"]),
        ),
        ("<ns:urlset><ns:url><ns:loc>/a</ns:loc></ns:url></ns:urlset>", named(&["/a"], &[], &[])),
        (
            "<urlset><url><loc>/a</loc><image:image><image:loc>/a.png</image:loc><image:title>/no</image:title></image:image>
             <video:video><video:thumbnail_loc>/t.jpg</video:thumbnail_loc><video:content_loc>/v.mp4</video:content_loc>
             <video:player_loc>/player</video:player_loc></video:video>
             <news:news><news:publication><news:name>/no</news:name></news:publication></news:news></url></urlset>",
            named(&["/a", "/player"], &["/a.png", "/t.jpg", "/v.mp4"], &[]),
        ),
        (
            r#"<rss><channel><link>/</link><atom:link rel="self" href="/feed"/><image><url>/logo.png</url></image>
               <item><title>/no</title><link>/one</link><guid isPermaLink="false">/no</guid><enclosure url="/one.mp3"/></item>
               <item><guid>/two</guid><comments>/two#c</comments><media:content url="/two.jpg"/></item></channel></rss>"#,
            named(&["/", "/one", "/two", "/two#c"], &["/logo.png", "/one.mp3", "/two.jpg"], &[]),
        ),
        (
            r#"<feed><link href="/"/><link rel="self" href="/no"/><link rel="next" href="/feed?page=2"/><logo>/l.png</logo>
               <entry><link rel="alternate" href="/one"/><link rel="enclosure" href="/one.mp3"/><content src="/full"/></entry></feed>"#,
            named(&["/", "/feed?page=2", "/one", "/full"], &["/l.png", "/one.mp3"], &[]),
        ),
        (
            r#"{"version":"https://jsonfeed.org/version/1.1","home_page_url":"/","items":[{"id":"1","url":"/one","image":"/i.png",
               "attachments":[{"url":"/a.mp3"}]},{"id":"2","external_url":"/no"}]}"#,
            named(&["/", "/one"], &["/i.png", "/a.mp3"], &[]),
        ),
        (
            "\u{feff}http://e.com/a\r\n\nhttps://e.com/b\nnonsense",
            named(&["http://e.com/a", "https://e.com/b"], &[], &[]),
        ),
        (r#"{"version":"1","items":[{"url":"/no"}]}"#, Named::default()),
        ("<html><body><a href=/x>404</a></body></html>", Named::default()),
        ("", Named::default()),
    ] {
        assert_eq!(read(body.as_bytes()), expected, "{body}");
    }
}

fn gzip(write: impl FnOnce(&mut GzEncoder<Vec<u8>>)) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    write(&mut gz);
    gz.finish().expect("compressed")
}

#[test]
fn compressed_and_broken() {
    let broken = b"<urlset><url><loc>http://e.com/a</loc></url><url><loc>http://e.com/b</broken";
    let body = gzip(|gz| gz.write_all(broken).expect("written"));
    assert_eq!(read(&body).pages[..1], ["http://e.com/a"]);
    let cut_off = &gzip(|gz| gz.write_all(b"<urlset><url><loc>/a</loc></url>").expect("written"));
    assert!(read(&cut_off[..cut_off.len() - 8]).pages.len() <= 1);
}

#[test]
fn bombs_are_bounded_and_said() {
    let bomb = gzip(|gz| {
        let zeros = vec![b' '; 1024 * 1024];
        for _ in 0..60 {
            gz.write_all(&zeros).expect("written");
        }
    });
    assert!((bomb.len() as u64) < MAX_BYTES / 10);
    assert_eq!(read(&bomb), Named { cut: true, ..Named::default() });

    let many = format!("<urlset>{}</urlset>", "<url><loc>/a</loc></url>".repeat(MAX_URLS + 1));
    let found = read(many.as_bytes());
    assert_eq!((found.pages.len(), found.cut), (MAX_URLS, true));
    let lines = "http://e.com/a\n".repeat(MAX_URLS + 1);
    assert!(read(lines.as_bytes()).cut);

    let tower = "<a>".repeat(100_000) + "<loc>/x</loc>";
    assert_eq!(read(tower.as_bytes()), Named::default());
    let long =
        format!("<urlset><url><loc>{}</loc></url><url><loc>/b</loc></url></urlset>", "a".repeat(1_000_000));
    assert_eq!(read(long.as_bytes()), named(&["/b"], &[], &[]));
    let entities = format!(
        "<!DOCTYPE x [<!ENTITY a '{}'>]><urlset><url><loc>/&a;&a;</loc></url></urlset>",
        "x".repeat(1000)
    );
    assert_eq!(read(entities.as_bytes()), named(&["/"], &[], &[]));
}
