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
async fn families_of_alike_pages_and_growing_paths_are_cut_with_a_note() {
    let site = Site::of(|path| match path {
        "/" => Reply::html("<a href='/list?id=0'>x</a><a href=grow/>x</a><a href='/calendar?month=1'>x</a>"),
        path if path.starts_with("/list?") => {
            let links: String = (0..30).map(|n| format!("<a href='/list?id={n}'>x</a>")).collect();
            Reply::html(links)
        }
        path if path.starts_with("/calendar?month=") => {
            let month: u64 = path["/calendar?month=".len()..].parse().unwrap_or_default();
            Reply::html(format!(
                "<h1>Month {month}</h1>No events. <a href=/calendar?month={}>next</a>",
                month + 1
            ))
        }
        path if path.starts_with("/grow/") => Reply::html("<a href=grow/>deeper</a>"),
        _ => Reply::status(404),
    });
    let limits = Limits { max_query_variants: 5, max_depth: 1000, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    let pages = site.paths(read.snapshot.pages.keys());
    let count = |start: &str| pages.iter().filter(|path| path.starts_with(start)).count();
    assert_eq!((count("/list"), count("/grow"), count("/calendar")), (6, 3, 6), "{pages:?}");
    for (code, count) in [("query-variants", 24), ("growing-path", 1), ("calendar", 1)] {
        assert_eq!(read.found(code).len(), 1, "{code}");
        assert_eq!(read.snapshot.left_out[code].count, count, "{code}");
    }
    assert_eq!(read.snapshot.left_out["query-variants"].examples.len(), 10);
    assert_eq!(read.snapshot.truncated, None, "cut, but no limit was reached");
}

#[tokio::test]
async fn a_site_whose_pages_are_told_by_a_parameter_is_read_whole() {
    let site =
        Site::of(|path| match path.strip_prefix("/index.php?page=").and_then(|n| n.parse::<u32>().ok()) {
            Some(n) => Reply::html(format!("page {}", char::from_u32(0x4e00 + n).unwrap_or('?'))),
            None if path == "/" => Reply::html(
                (0..300).map(|n| format!("<a href='/index.php?page={n}'>x</a>")).collect::<String>(),
            ),
            None => Reply::status(404),
        });
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(read.snapshot.pages.len(), 301);
    assert_eq!(read.snapshot.truncated, None);
}

#[tokio::test]
async fn the_same_site_is_cut_the_same_whatever_the_order_of_answers() {
    let random = std::collections::hash_map::RandomState::new();
    let site = Site::of(move |path| {
        let delay = std::hash::BuildHasher::hash_one(&random, path) % 15;
        let reply = match path {
            "/" => Reply::html(
                (0..80).map(|n| format!("<a href='/a?x={n}'>x</a><a href=/b/{n}>x</a>")).collect::<String>(),
            ),
            path if path.starts_with("/a?") => {
                Reply::html(format!("a {}", if path.len() % 2 == 0 { "even" } else { "odd" }))
            }
            path if path.starts_with("/b/") => Reply::html(path.replace('/', " ").replace('1', "one")),
            _ => Reply::status(404),
        };
        reply.after(delay)
    });
    let mut seen = Vec::new();
    for concurrency in [1, 7] {
        let limits = Limits { concurrency, max_query_variants: 10, ..Limits::default() };
        seen.push(site.crawl(&limits).await.expect("a snapshot").json());
    }
    assert_eq!(seen[0], seen[1]);
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
async fn what_is_too_much_is_left_out_by_name() {
    let site = Site::of(|path| match path {
        "/" => {
            Reply::html("<a href=/attribute>x</a><a href=/links>x</a><a href=/deep>x</a><a href=/fine>x</a>")
        }
        "/attribute" => Reply::html(format!("<a href='{}'>x</a>", "x".repeat(100 * 1024 * 1024))),
        "/links" => {
            Reply::html((0..60_000).map(|n| format!("<a href=http://e.test/{n}></a>")).collect::<String>())
        }
        "/deep" => Reply::html("<i>".repeat(100_000)),
        "/fine" => Reply::html("fine"),
        _ => Reply::status(404),
    });
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(site.paths(read.snapshot.pages.keys()), ["/", "/fine", "/links"]);
    for (code, path) in
        [("too-large", "/attribute"), ("too-many-references", "/links"), ("unreadable-page", "/deep")]
    {
        assert_eq!(site.paths(read.found(code).iter()), [path], "{code}");
    }
}

#[tokio::test]
async fn sitemaps_that_name_sitemaps_without_end_are_cut() {
    let site =
        Site::of(|path| match path.strip_prefix("/sitemap").and_then(|rest| rest.strip_suffix(".xml")) {
            Some(n) => {
                let next: u32 = n.parse().unwrap_or(0) + 1;
                let index =
                    format!("<sitemapindex><sitemap><loc>/sitemap{next}.xml</loc></sitemap></sitemapindex>");
                Reply::new("text/xml", index)
            }
            None if path == "/" => Reply::html("home"),
            None => Reply::status(404),
        });
    let read = site.crawl(&Limits::default()).await.expect("a snapshot");
    assert_eq!(read.found("sitemap-limit").len(), 1);
    assert!(site.requests() < 60, "{}", site.requests());
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

#[tokio::test]
async fn what_a_limit_leaves_out_is_counted() {
    let site = Site::of(|path| match path {
        "/" => Reply::html(
            (0..40).map(|n| format!("<a href=/p{n}x>x</a><img src=/i{n}x.gif>")).collect::<String>(),
        ),
        path if path.ends_with(".gif") => Reply::new("image/gif", "GIF89a"),
        path if path.starts_with("/p") => Reply::html(path.to_owned()),
        _ => Reply::status(404),
    });
    let limits = Limits { max_pages: 11, max_assets: 5, ..Limits::default() };
    let read = site.crawl(&limits).await.expect("a snapshot");
    assert_eq!(read.snapshot.truncated.as_deref(), Some("pages"));
    let left_out = &read.snapshot.left_out;
    assert_eq!((left_out["page-limit"].count, left_out["asset-limit"].count), (30, 35));
    assert_eq!(left_out["page-limit"].examples[0], site.url("/p19x").to_string());
}
