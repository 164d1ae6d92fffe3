//! The start page is the one whose failure ends the crawl, with a name for it.

use site_read::{Error, Limits};
use url::Url;

use crate::server::{Reply, Site, crawl};

#[tokio::test]
async fn failures_of_the_start_page_have_names() {
    for (reply, code, message) in [
        (Reply::status(500), "SITE_STATUS", "the site answers 500 for"),
        (Reply::status(404), "SITE_STATUS", "the site answers 404 for"),
        (Reply::new("application/pdf", "%PDF-1.4"), "SITE_NOT_HTML", "the start page is application/pdf"),
        (Reply::html(" \n "), "SITE_EMPTY", "no visible content"),
        (Reply::html("<!doctype html><title>t</title><body><script>x</script>"), "SITE_EMPTY", "no visible"),
        (Reply::redirect(302, "/loop"), "SITE_UNREACHABLE", "cannot be reached"),
        (Reply::redirect(302, "http://169.254.169.254/"), "SITE_REFUSED", "may not be fetched"),
    ] {
        let site = Site::with(vec![("/", reply), ("/loop", Reply::redirect(302, "/"))]);
        let error = site.crawl(&Limits::default()).await.err().expect(code);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[tokio::test]
async fn a_site_that_answers_500_to_everything_says_500() {
    let site = Site::of(|_| Reply::status(500));
    let error = site.crawl(&Limits::default()).await.err().expect("an error");
    assert!(matches!(error, Error::Status { status: 500, .. }), "{error}");
    assert!(error.is_transient());
    assert_eq!(site.hits("/"), 0, "robots.txt could not be had, so nothing else is asked for");
}

#[tokio::test]
async fn robots_can_forbid_the_start_page() {
    let site = Site::with(vec![
        ("/robots.txt", Reply::new("text/plain", "User-agent: *\nDisallow: /\n")),
        ("/", Reply::html("home")),
    ]);
    let error = site.crawl(&Limits::default()).await.err().expect("an error");
    assert!(matches!(error, Error::RobotsForbid), "{error}");
    assert_eq!(site.hits("/"), 0);
}

#[tokio::test]
async fn nobody_there_or_forbidden() {
    // Held and not listened to: nobody else is given the port, and nobody answers there.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = held.local_addr().expect("an address");
    let url = Url::parse(&format!("http://{address}/")).expect("a URL");
    let error = crawl(&[address], &url, &Limits::default()).await.err().expect("an error");
    assert!(matches!(error, Error::Unreachable { .. }) && error.is_transient(), "{error}");
    let error = crawl(&[], &url, &Limits::default()).await.err().expect("an error");
    assert!(matches!(error, Error::Refused(_)) && !error.is_transient(), "{error}");
}

#[tokio::test]
async fn the_start_may_lead_to_another_origin() {
    let home = Site::of(|path| match path {
        "/home/" => Reply::html("<a href=page>x</a>"),
        "/home/page" => Reply::html("page"),
        _ => Reply::status(404),
    });
    let target = home.url("/home/");
    let page = home.url("/home/page");
    let old = Site::of(move |path| match path {
        "/" => Reply::redirect(301, "/step"),
        "/step" => Reply::redirect(302, target.as_str()),
        "/legacy" => Reply::redirect(301, page.as_str()),
        _ => Reply::status(404),
    });
    let open = [home.address, old.address];
    let read = crawl(&open, &old.url("/"), &Limits::default()).await.expect("a snapshot");
    assert_eq!(read.snapshot.home, home.url("/home/"));
    assert_eq!(read.snapshot.start, old.url("/"));
    assert_eq!(home.paths(read.snapshot.pages.keys()), ["/home/", "/home/page"]);
    let from: Vec<&str> = read.snapshot.redirects.iter().map(|r| r.from.as_str()).collect();
    let mut expected = [old.url("/").to_string(), old.url("/step").to_string()];
    expected.sort();
    assert_eq!(from, expected);
    assert!(read.snapshot.redirects.iter().all(|r| r.to == home.url("/home/").as_str()));
}
