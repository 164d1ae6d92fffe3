//! Retries, pauses and the number of requests at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use site_fetch::{Error, Fetcher, Options};

use crate::server::{Server, fetcher, options, send};

/// Fails the first `times` requests in some way.
fn failing(times: usize, status: u16, headers: &'static str) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |_, stream| {
        if count.fetch_add(1, Ordering::SeqCst) >= times {
            return send(stream, 200, "", b"ok");
        }
        // Status 0 stands for a connection that breaks.
        if status == 0 { Ok(()) } else { send(stream, status, headers, b"no") }
    })
}

#[tokio::test]
async fn failures_that_pass_are_tried_again() {
    for (times, status, headers, hits, last) in [
        (2, 503, "", 3, 200),
        (1, 429, "Retry-After: 0\r\n", 2, 200),
        (2, 0, "", 3, 200),
        (9, 500, "", 3, 500),
        (9, 404, "", 1, 404),
        (9, 503, "Retry-After: 3600\r\n", 1, 503),
    ] {
        let server = failing(times, status, headers);
        let answer = fetcher(&[server.address]).get(&server.url("/")).await.expect("an answer");
        assert_eq!((answer.status, server.hits("/")), (last, hits), "{status} {headers}");
    }
    let server = failing(9, 0, "");
    let error = fetcher(&[server.address]).get(&server.url("/")).await.expect_err("broken");
    assert!(matches!(error, Error::Network { .. }) && error.is_transient(), "{error}");
}

/// A date in HTTP's spelling, this many seconds from now.
fn date_in(seconds: u64) -> String {
    httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(seconds))
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let server = failing(1, 429, "Retry-After: 1\r\n");
    let before = Instant::now();
    let answer = fetcher(&[server.address]).get(&server.url("/")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_long_pause_holds_for_the_whole_host() {
    for asked in ["3600".to_owned(), date_in(3600)] {
        for status in [429, 503] {
            let asked = asked.clone();
            let server = Server::start(move |path, stream| match path {
                "/busy" => send(stream, status, &format!("Retry-After: {asked}\r\n"), b"no"),
                _ => send(stream, 200, "", b"ok"),
            });
            let fetcher = fetcher(&[server.address]);
            assert_eq!(fetcher.get(&server.url("/busy")).await.expect("the host's word").status, status);
            let error = fetcher.get(&server.url("/other")).await.expect_err("nothing is sent");
            let Error::Quiet { left, .. } = &error else { panic!("{error:?}") };
            assert!((3500..=3600).contains(&left.as_secs()) && error.is_transient(), "{left:?}");
            assert_eq!((server.hits("/busy"), server.hits("/other")), (1, 0));
        }
    }
    // A date that has passed asks for nothing.
    let server = Server::start(|path, stream| match path {
        "/busy" => send(stream, 503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", b"no"),
        _ => send(stream, 200, "", b"ok"),
    });
    let fetcher = fetcher(&[server.address]);
    assert_eq!(fetcher.get(&server.url("/busy")).await.expect("an answer").status, 503);
    assert_eq!(fetcher.get(&server.url("/other")).await.expect("an answer").status, 200);
}

/// Seen from the server: a host that says 503 has fewer requests under way afterwards.
#[tokio::test]
async fn a_busy_host_gets_fewer_requests_at_once() {
    let busy = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (is_busy, counted, peak) = (busy.clone(), now.clone(), most.clone());
    let server = Server::start(move |_, stream| {
        let under_way = counted.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(under_way, Ordering::SeqCst);
        std::thread::park_timeout(Duration::from_millis(20));
        counted.fetch_sub(1, Ordering::SeqCst);
        let status = if is_busy.load(Ordering::SeqCst) { 503 } else { 200 };
        send(stream, status, "", b"x")
    });
    let options = Options { per_host: 4, retries: 0, ..options(&[server.address]) };
    let fetcher = Fetcher::new(options).expect("a fetcher");
    let many = |count: usize| {
        let urls: Vec<_> = (0..count).map(|page| server.url(&format!("/{page}"))).collect();
        let fetcher = fetcher.clone();
        async move { join_all(urls.iter().map(|url| fetcher.get(url))).await }
    };
    many(40).await;
    assert_eq!(most.swap(0, Ordering::SeqCst), 4, "it earned all places");
    busy.store(true, Ordering::SeqCst);
    many(12).await;
    busy.store(false, Ordering::SeqCst);
    most.store(0, Ordering::SeqCst);
    many(2).await;
    assert_eq!(most.load(Ordering::SeqCst), 1, "one at a time after its complaints");
}

#[tokio::test]
async fn a_crawl_delay_is_kept_within_its_bound_and_both_are_told() {
    let server = Server::start(|path, stream| match path {
        "/robots.txt" => send(stream, 200, "", b"User-agent: *\nCrawl-delay: 120\n"),
        _ => send(stream, 200, "", b"ok"),
    });
    let kept = Duration::from_millis(300);
    let options = Options { max_crawl_delay: kept, ..options(&[server.address]) };
    let fetcher = Fetcher::new(options).expect("a fetcher");
    let robots = fetcher.robots(&server.url("/")).await.expect("rules");
    let delay = fetcher.crawl_delay(&robots).expect("a delay");
    assert_eq!((delay.asked, delay.kept), (Duration::from_secs(120), kept));
    let before = Instant::now();
    let urls = [server.url("/a"), server.url("/b"), server.url("/c")];
    assert!(join_all(urls.iter().map(|url| fetcher.get(url))).await.iter().all(Result::is_ok));
    // A floor, not a race: three starts have two pauses between them, however slow the machine.
    assert!(before.elapsed() >= 2 * kept);
}

#[tokio::test]
async fn few_requests_at_once_at_one_host() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (counted, peak) = (now.clone(), most.clone());
    let server = Server::start(move |_, stream| {
        let busy = counted.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(busy, Ordering::SeqCst);
        std::thread::park_timeout(Duration::from_millis(30));
        counted.fetch_sub(1, Ordering::SeqCst);
        send(stream, 200, "", b"ok")
    });
    let options = Options { per_host: 3, adapt: false, ..options(&[server.address]) };
    let fetcher = Fetcher::new(options).expect("a fetcher");
    let urls: Vec<_> = (0..20).map(|i| server.url(&format!("/{i}"))).collect();
    let answers = join_all(urls.iter().map(|url| fetcher.get(url))).await;
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert!(most.load(Ordering::SeqCst) <= 3, "{most:?} at once");
}

#[tokio::test]
async fn nobody_listening_is_a_network_error() {
    // Held and not listened to: nobody else is given the port, and nobody answers there.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = held.local_addr().expect("an address");
    let url = url::Url::parse(&format!("http://{address}/")).expect("a URL");
    let error = fetcher(&[address]).get(&url).await.expect_err("nobody there");
    assert!(matches!(error, Error::Network { .. }), "{error}");
    let error = fetcher(&[address]).robots(&url).await.expect_err("nobody there");
    assert!(error.is_transient());
}
