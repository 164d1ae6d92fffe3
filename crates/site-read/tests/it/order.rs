//! The same site gives the same bytes, whatever the order in which answers come.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use site_read::{Limits, Snapshot};

use crate::server::{Reply, Site};

/// A tree of pages, each three links wide, with an image, a redirect, a dead link and a style sheet;
/// answers are delayed differently at every start.
fn tree() -> Site {
    let random = RandomState::new();
    Site::of(move |path| {
        let delay = random.hash_one(path) % 25;
        let reply = match path {
            "/robots.txt" | "/sitemap.xml" | "/favicon.ico" => Reply::status(404),
            path if path.starts_with("/dead") => Reply::status(404),
            path if path.starts_with("/old") => Reply::redirect(301, &path.replace("/old", "/p")),
            path if path.ends_with(".css") => Reply::new("text/css", "a{b:url(bg.gif)}"),
            path if path.ends_with(".gif") => Reply::new("image/gif", "GIF89a\x02\0\x03\0"),
            path => {
                let name = path.trim_start_matches('/').trim_start_matches("p");
                let links: String = (0..3).map(|i| format!("<a href=/p{name}{i}>x</a>")).collect();
                Reply::html(format!(
                    "<title>{name}</title><link rel=stylesheet href=/s{}.css>{links}<img src=/i{name}.gif>\
                     <a href=/old{name}1>o</a><a href=/dead{name}>d</a><img src=http://other.test/x.png>",
                    name.len()
                ))
            }
        };
        reply.after(delay)
    })
}

fn limits() -> Limits {
    Limits { max_pages: 25, max_depth: 3, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delays_change_nothing() {
    let mut seen = Vec::new();
    for concurrency in [1, 3, 8] {
        let site = tree();
        let limits = Limits { concurrency, ..limits() };
        let read = site.crawl(&limits).await.expect("a snapshot");
        assert_eq!(read.snapshot.pages.len(), 25);
        assert_eq!(read.snapshot.truncated.as_deref(), Some("pages"));
        let port = format!(":{}/", site.address.port());
        seen.push(read.json().replace(&port, ":PORT/"));
    }
    // Bodies do not name the port, so the hashes are the same too.
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
}

#[tokio::test]
async fn the_page_cap_keeps_the_first_in_canonical_order() {
    let site = tree();
    let read = site.crawl(&Limits { max_pages: 6, ..limits() }).await.expect("a snapshot");
    let pages = site.paths(read.snapshot.pages.keys());
    assert_eq!(pages, ["/", "/p0", "/p00", "/p01", "/p1", "/p2"]);
    assert_eq!(site.hits("/p10"), 0, "nothing beyond the cap is asked for");
}

#[tokio::test]
async fn other_caps_cut_in_canonical_order() {
    let site = tree();
    let read = site.crawl(&Limits { max_assets: 2, max_pages: 4, ..limits() }).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.assets.keys()), ["/i.gif", "/i0.gif"]);

    let read = site.crawl(&Limits { max_depth: 1, ..limits() }).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/p0", "/p1", "/p2"]);
    assert_eq!(read.snapshot.truncated.as_deref(), Some("depth"));

    let first = site.crawl(&limits()).await.expect("a snapshot");
    let home = first.html(&site.url("/")).await.len() as u64;
    let read = site.crawl(&Limits { max_bytes: home + 10, ..limits() }).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/"]);
    assert_eq!(read.snapshot.truncated.as_deref(), Some("bytes"));
}

#[tokio::test]
async fn a_cap_on_time_says_so() {
    let site = Site::of(|path| match path {
        "/" => Reply::html("<a href=/slow>x</a>text"),
        "/slow" => Reply::html("x").after(20_000),
        _ => Reply::status(404),
    });
    let limits = Limits { max_time: std::time::Duration::from_millis(500), ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    assert_eq!(read.snapshot.truncated.as_deref(), Some("time"));
    assert_eq!(read.snapshot.pages.len(), 1);
}

#[tokio::test]
async fn nothing_is_asked_when_time_is_up_however_quick_the_answers() {
    let site = tree();
    let limits = Limits { max_time: std::time::Duration::ZERO, ..limits() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    assert_eq!(read.snapshot.truncated.as_deref(), Some("time"));
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/"]);
    assert_eq!(site.all_requests(), ["/robots.txt", "/"]);
}

#[tokio::test]
async fn a_snapshot_survives_json() {
    let site = tree();
    let read = site.crawl(&Limits { max_pages: 3, ..limits() }).await.expect("a snapshot");
    let again: Snapshot = serde_json::from_str(&read.json()).expect("a snapshot");
    assert_eq!(again, read.snapshot);
}
