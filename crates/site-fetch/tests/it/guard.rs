//! Nothing reaches an address that was not checked.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use site_fetch::{Error, Fetcher, Refused, Resolve};
use url::Url;

use crate::server::{Forbidden, Server, fetcher, options, send};

/// Answers differently from one look-up to the next; the last answer stays.
struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| {
            let addresses = answer.iter().map(|text| text.parse().expect("an address"));
            addresses.collect()
        });
        Arc::new(Self(Mutex::new(answers.collect())))
    }
}

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Ok(next.unwrap_or_default())
    }
}

fn is_address_refusal(error: &Error) -> bool {
    matches!(error, Error::Refused(Refused::Address { .. }))
}

#[tokio::test]
async fn a_forbidden_listener_gets_no_connection() {
    let forbidden = Forbidden::start();
    let port = forbidden.address().port();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "localhost", "127.0.0.1."] {
        let url = Url::parse(&format!("http://{host}:{port}/")).expect("a URL");
        let error = fetcher(&[]).get(&url).await.expect_err(host);
        assert!(!error.is_transient(), "{host}: {error}");
    }
    forbidden.assert_untouched();
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_listener_is_refused() {
    let forbidden = Forbidden::start();
    let target = forbidden.address();
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |_, stream| {
            send(stream, status, &format!("Location: http://{target}/\r\n"), b"")
        });
        let open = fetcher(&[server.address]);
        let error = open.get(&server.url("/")).await.expect_err("refused");
        assert!(is_address_refusal(&error), "{error}");
        let once = open.get_once(&server.url("/")).await.expect("an answer");
        assert!(once.location().is_ok_and(|to| to.is_some()));
    }
    forbidden.assert_untouched();
}

#[tokio::test]
async fn redirects_to_other_schemes_and_metadata_are_refused() {
    for location in
        ["file:///etc/passwd", "http://169.254.169.254/", "http://u:p@example.com/", "gopher://x/"]
    {
        let server =
            Server::start(move |_, stream| send(stream, 302, &format!("Location: {location}\r\n"), b""));
        let error = fetcher(&[server.address]).get(&server.url("/")).await;
        assert!(matches!(error, Err(Error::Refused(_))), "{location}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_turns_to_a_forbidden_address_is_refused() {
    // The listener is on 127.0.0.1; what is open is the same port on 127.0.0.2, so that the name
    // passes at first and means the listener later.
    let forbidden = Forbidden::start();
    let port = forbidden.address().port();
    let open: SocketAddr = SocketAddr::new("127.0.0.2".parse().expect("an address"), port);
    let url = Url::parse(&format!("http://rebind.test:{port}/")).expect("a URL");

    let resolver = Rebinding::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let fetcher = Fetcher::with_resolver(options(&[open]), resolver).expect("a fetcher");
    fetcher.vet(&url).await.expect("the first look-up passes");
    let error = fetcher.get(&url).await.expect_err("the second does not");
    assert!(is_address_refusal(&error), "{error}");

    let mixed = Rebinding::new(&[&["127.0.0.2", "127.0.0.1"]]);
    let fetcher = Fetcher::with_resolver(options(&[open]), mixed).expect("a fetcher");
    let error = fetcher.get(&url).await.expect_err("one bad address");
    assert!(is_address_refusal(&error), "{error}");
    forbidden.assert_untouched();
}

#[tokio::test]
async fn the_checked_address_is_the_one_dialled() {
    // A second look-up between check and connection would give the forbidden address.
    let server = Server::start(|_, stream| send(stream, 200, "", b"here"));
    let port = server.address.port();
    let resolver = Rebinding::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let fetcher = Fetcher::with_resolver(options(&[server.address]), resolver).expect("a fetcher");
    let url = Url::parse(&format!("http://name.test:{port}/")).expect("a URL");
    let answer = fetcher.get(&url).await.expect("an answer");
    assert_eq!(&answer.body[..], b"here");
    let host = format!("host: name.test:{port}");
    let head = server.requests().concat().to_ascii_lowercase();
    assert!(head.contains(&host), "{head}");
}

#[tokio::test]
async fn a_refused_name_reaches_nobody_by_a_hop() {
    // Hop by name: the second name of the chain resolves to a forbidden address.
    let forbidden = Forbidden::start();
    let port = forbidden.address().port();
    let server = Server::start(move |_, stream| {
        send(stream, 302, &format!("Location: http://other.test:{port}/\r\n"), b"")
    });
    let resolver = Rebinding::new(&[&["127.0.0.1"]]);
    // The same port of another address is open, so that it is the address that is refused.
    let neighbour = SocketAddr::new("127.0.0.2".parse().expect("an address"), port);
    let options = options(&[server.address, neighbour]);
    let fetcher = Fetcher::with_resolver(options, resolver).expect("a fetcher");
    let url = Url::parse(&format!("http://first.test:{}/", server.address.port())).expect("a URL");
    let error = fetcher.get(&url).await.expect_err("refused");
    assert!(is_address_refusal(&error), "{error}");
    forbidden.assert_untouched();
}

#[tokio::test]
async fn no_cookie_no_referrer_no_proxy() {
    let server = Server::start(|path, stream| match path {
        "/" => send(stream, 302, "Set-Cookie: a=b\r\nLocation: /next\r\n", b""),
        _ => send(stream, 200, "", b"ok"),
    });
    let answer = fetcher(&[server.address]).get(&server.url("/")).await.expect("an answer");
    assert_eq!(answer.hops.len(), 1);
    assert_eq!(answer.url, server.url("/next"));
    let heads = server.requests().concat().to_ascii_lowercase();
    assert!(!heads.contains("cookie:") && !heads.contains("referer:") && !heads.contains("authorization:"));
    assert_eq!(heads.matches("user-agent: resettle/0.1 (+").count(), 2);
}
