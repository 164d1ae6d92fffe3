//! Sites without end come to one.

use site_read::Limits;

use crate::server::{Reply, Site};

#[tokio::test]
async fn an_endless_calendar_ends() {
    let site = Site::of(|path| match path {
        "/" => Reply::html("<a href=/cal/0>x</a><a href=/about>x</a>"),
        "/about" => Reply::html("about"),
        path => match path.strip_prefix("/cal/").and_then(|n| n.parse::<u32>().ok()) {
            Some(n) => Reply::html(format!("<a href=/cal/{}>next</a>", n + 1)),
            None => Reply::status(404),
        },
    });
    let limits = Limits { max_depth: 10, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    assert_eq!(read.snapshot.pages.len(), 12);
    assert_eq!(read.snapshot.truncated.as_deref(), Some("depth"));
    assert_eq!(site.paths(read.found("depth-limit").iter()), ["/cal/10"]);
}

#[tokio::test]
async fn query_strings_and_growing_paths_are_cut_with_a_finding() {
    let site = Site::of(|path| match path {
        "/" => Reply::html("<a href='/list?p=0'>x</a><a href=grow/>x</a>"),
        path if path.starts_with("/list?") => {
            let links: String =
                (0..30).map(|n| format!("<a href='/list?p={n}&s={}'>x</a>", path.len())).collect();
            Reply::html(links)
        }
        path if path.starts_with("/grow/") => Reply::html("<a href=grow/>deeper</a>"),
        _ => Reply::status(404),
    });
    let limits = Limits { max_query_variants: 5, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    let pages = site.paths(read.snapshot.pages.keys());
    assert_eq!(pages.iter().filter(|path| path.starts_with("/list")).count(), 5, "{pages:?}");
    assert_eq!(pages.iter().filter(|path| path.starts_with("/grow")).count(), 3, "{pages:?}");
    assert_eq!(read.found("query-variants").len(), 1);
    assert_eq!(read.found("growing-path").len(), 1);
}

#[tokio::test]
async fn a_site_of_nothing_but_dead_links_ends() {
    let site = Site::of(|path| match path {
        "/" => Reply::html((0..500).map(|n| format!("<a href=/x{n}>x</a>")).collect::<String>()),
        "/robots.txt" => Reply::status(404),
        _ => Reply::status(410),
    });
    let limits = Limits { max_pages: 10, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    assert_eq!(read.snapshot.truncated.as_deref(), Some("pages"));
    assert!(site.requests() < 60, "{}", site.requests());
}

#[tokio::test]
async fn a_tower_of_elements_is_left_out() {
    let site = Site::with(vec![
        ("/", Reply::html("<a href=/tower>x</a>")),
        ("/tower", Reply::html("<div>".repeat(100_000))),
    ]);
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/"]);
    assert_eq!(site.paths(read.found("unreadable-page").iter()), ["/tower"]);
    let error = site.crawl_from("/tower", &Limits::default()).await.err().expect("an error");
    assert_eq!(error.code(), "SITE_TOO_DEEP");
}

#[tokio::test]
async fn a_soft_404_with_relative_links_ends() {
    let site = Site::of(|path| match path {
        "/robots.txt" => Reply::status(404),
        _ => Reply::html("<a href=more/page>x</a><a href=other/>y</a>"),
    });
    let limits = Limits { max_pages: 40, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    assert!(read.snapshot.pages.len() <= 40);
    assert!(read.snapshot.truncated.is_some() || !read.found("growing-path").is_empty());
}
