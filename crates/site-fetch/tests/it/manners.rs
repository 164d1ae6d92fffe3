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

#[tokio::test]
async fn retry_after_is_waited_for() {
    let server = failing(1, 429, "Retry-After: 1\r\n");
    let before = Instant::now();
    let answer = fetcher(&[server.address]).get(&server.url("/")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert!(before.elapsed() >= Duration::from_secs(1));
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
    let options = Options { per_host: 3, ..options(&[server.address]) };
    let fetcher = Fetcher::new(options).expect("a fetcher");
    let urls: Vec<_> = (0..20).map(|i| server.url(&format!("/{i}"))).collect();
    let answers = join_all(urls.iter().map(|url| fetcher.get(url))).await;
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert!(most.load(Ordering::SeqCst) <= 3, "{most:?} at once");
}

#[tokio::test]
async fn nobody_listening_is_a_network_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let url = url::Url::parse(&format!("http://{address}/")).expect("a URL");
    let error = fetcher(&[address]).get(&url).await.expect_err("nobody there");
    assert!(matches!(error, Error::Network { .. }), "{error}");
    let error = fetcher(&[address]).robots(&url).await.expect_err("nobody there");
    assert!(error.is_transient());
}
