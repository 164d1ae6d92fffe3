//! The guard as a browser's proxy: what is not open is not reached, whatever the request looks like.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use site_fetch::proxy::{Options, Policy, Proxy};
use site_fetch::{Fetcher, Resolve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use url::Url;

use crate::server::{Forbidden, Server, fetcher, options, send};

struct Door {
    proxy: Proxy,
    folder: tempfile::TempDir,
}

impl Door {
    fn open(fetcher: Fetcher, options: Options, policy: Arc<dyn Policy>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let proxy = Proxy::listen(fetcher, &folder.path().join("proxy"), options, policy);
        Self { proxy: proxy.expect("a socket"), folder }
    }

    fn to(open: &[SocketAddr]) -> Self {
        Self::open(fetcher(open), Options::default(), Arc::new(()))
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("proxy")).await.expect("a connection")
    }

    /// What comes back for these bytes until the proxy or the target hangs up.
    async fn say(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        // The proxy may hang up before it has read all.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let mut answer = Vec::new();
        // A reset is an end too.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, target: &str) -> String {
        self.say(&format!("GET {target} HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n")).await
    }
}

/// Reads one head.
async fn head(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8_lossy(&head).into_owned()
}

#[tokio::test]
async fn an_open_pair_is_reached_plainly_and_by_a_tunnel() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"here"));
    let door = Door::to(&[server.address]);
    let plain = door.get(server.url("/a?b").as_str()).await;
    assert!(plain.starts_with("HTTP/1.1 200") && plain.ends_with("here"), "{plain}");
    assert_eq!(server.hits("/a?b"), 1);

    let mut stream = door.connect().await;
    let connect = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", server.address);
    stream.write_all(connect.as_bytes()).await.expect("written");
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET /inside HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.ends_with("here"), "{answer}");
    assert_eq!(server.hits("/inside"), 1);
    assert!(door.proxy.refused().is_empty());
    assert!(door.proxy.bytes() > 100);
}

#[tokio::test]
async fn a_forbidden_listener_gets_no_connection_whatever_its_address_looks_like() {
    let forbidden = Forbidden::start();
    let port = forbidden.address().port();
    // The same port of another address is open, so that it is the address that is refused.
    let neighbour: SocketAddr = SocketAddr::new("127.0.0.2".parse().expect("an address"), port);
    let door = Door::to(&[neighbour]);
    let hosts = [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "100.64.0.1",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "user@127.0.0.1",
    ];
    for host in hosts {
        for request in [
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"),
            format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"),
        ] {
            let answer = door.say(&request).await;
            let code = answer.split(' ').nth(1).unwrap_or_default();
            // A name that means nothing here, or that no parser takes, is turned away too.
            assert!(["403", "400", "502"].contains(&code), "{request}{answer}");
            // A page may read the answer: it says nothing of where the name leads.
            assert!(code == "400" || answer.ends_with("\r\n\r\n"), "{request}{answer}");
        }
    }
    forbidden.assert_untouched();
    let refused = door.proxy.refused();
    let rule = |target: String| refused.iter().find(|turned| turned.target == target).map(|t| t.rule.clone());
    assert!(rule(format!("127.0.0.1:{port}")).is_some_and(|rule| rule.contains("loopback")), "{refused:?}");
    assert!(rule(format!("http://169.254.169.254:{port}/")).is_some(), "{refused:?}");
}

/// Answers with the good address first and a forbidden one from then on.
struct Rebinding(AtomicUsize);

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _host: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(vec![if first { "127.0.0.1" } else { "127.0.0.3" }.parse().expect("an address")])
    }
}

#[tokio::test]
async fn each_request_of_one_connection_is_checked_and_dialled_by_itself() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"here"));
    let port = server.address.port();
    let turning = Arc::new(Rebinding(AtomicUsize::new(0)));
    let fetcher = Fetcher::with_resolver(options(&[server.address]), turning).expect("a fetcher");
    let door = Door::open(fetcher, Options::default(), Arc::new(()));
    let mut stream = door.connect().await;
    let ask = format!("GET http://name.test:{port}/ HTTP/1.1\r\nHost: name.test:{port}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.expect("written");
    let first = head(&mut stream).await;
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    let mut body = [0; 4];
    stream.read_exact(&mut body).await.expect("a body");
    assert_eq!(&body, b"here");
    stream.write_all(ask.as_bytes()).await.expect("written");
    let second = head(&mut stream).await;
    assert!(second.starts_with("HTTP/1.1 403"), "the name means another address now: {second}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_concerns_one_connection_is_not_passed_on() {
    let server = Server::start(|_, stream| {
        send(stream, 200, "Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nX-Kept: yes\r\n", b"")
    });
    let door = Door::to(&[server.address]);
    let request = format!(
        "POST http://{}/ HTTP/1.1\r\nHost: other.test\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\n\
         Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nhi",
        server.address
    );
    let answer = door.say(&request).await.to_ascii_lowercase();
    assert!(answer.contains("x-kept: yes"), "{answer}");
    assert!(!answer.contains("proxy-authenticate") && !answer.contains("timeout=5"), "{answer}");
    let received = server.requests().concat().to_ascii_lowercase();
    assert!(received.starts_with("post / http/1.1"), "{received}");
    assert!(received.contains(&format!("host: {}", server.address)), "{received}");
    assert!(received.contains("x-kept: yes") && received.contains("content-length: 2"), "{received}");
    for gone in ["x-mine", "te: ", "proxy-", "other.test"] {
        assert!(!received.contains(gone), "{gone} in {received}");
    }
}

#[tokio::test]
async fn no_request_hides_in_another() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"ok"));
    let door = Door::to(&[server.address]);
    let target = server.address;
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let both = format!(
        "POST http://{target}/both HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n0\r\n\r\n{hidden}"
    );
    let twice = format!(
        "POST http://{target}/twice HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n{hidden}"
    );
    let long = format!(
        "GET http://{target}/long HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{hidden}",
        hidden.len()
    );
    for request in [both, twice] {
        door.say(&request).await;
    }
    let mut stream = door.connect().await;
    stream.write_all(long.as_bytes()).await.expect("written");
    head(&mut stream).await;
    assert_eq!(server.hits("/hidden"), 0, "{:?}", server.requests());
}

#[tokio::test]
async fn what_is_no_request_for_a_proxy_is_turned_away() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"ok"));
    let door = Door::to(&[server.address]);
    let target = server.address;
    for (request, code) in [
        ("GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        ("GET ftp://example.com/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        ("GET https://example.com/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        ("CONNECT example.com HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        (
            format!(
                "GET http://{target}/ HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n"
            ),
            "403",
        ),
        (format!("GET http://{target}/ HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(150_000)), "431"),
        (format!("GET http://{target}/ HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(1000)), "431"),
    ] {
        let answer = door.say(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{}\n{answer}", &request[..60]);
    }
    assert!(server.requests().is_empty());
}

struct NoSecrets;

impl Policy for NoSecrets {
    fn forbids(&self, url: &Url) -> Option<String> {
        url.path().starts_with("/secret").then(|| "robots.txt".to_owned())
    }

    fn ignores(&self, host: &str) -> bool {
        host == "127.0.0.2"
    }
}

#[tokio::test]
async fn what_is_the_browsers_own_affair_reaches_nobody_and_is_not_told() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"ok"));
    let own = SocketAddr::new("127.0.0.2".parse().expect("an address"), server.address.port());
    let inner = std::net::TcpListener::bind(own).expect("the same port of another address");
    inner.set_nonblocking(true).expect("nonblocking");
    let door = Door::open(fetcher(&[server.address, own]), Options::default(), Arc::new(NoSecrets));
    assert!(door.get(&format!("http://{own}/update")).await.starts_with("HTTP/1.1 403"));
    let tunnel = format!("CONNECT {own} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(door.say(&tunnel).await.starts_with("HTTP/1.1 403"));
    assert!(inner.accept().is_err(), "a connection was made");
    assert!(door.proxy.refused().is_empty(), "{:?}", door.proxy.refused());
    assert!(door.get(server.url("/open").as_str()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn refusals_are_told_once_and_short() {
    let bounds = Options { max_refused: 3, ..Options::default() };
    let door = Door::open(fetcher(&[]), bounds, Arc::new(()));
    for path in 0..10 {
        let long = format!("http://127.0.0.1/{}/{}", path / 2, "x".repeat(50_000));
        assert!(door.get(&long).await.starts_with("HTTP/1.1 403"));
    }
    let refused = door.proxy.refused();
    assert_eq!(refused.len(), 3);
    assert!(refused.iter().all(|turned| turned.target.len() == 2000));
}

#[tokio::test]
async fn a_policy_is_asked_for_plain_requests() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"ok"));
    let door = Door::open(fetcher(&[server.address]), Options::default(), Arc::new(NoSecrets));
    assert!(door.get(server.url("/secret/x").as_str()).await.starts_with("HTTP/1.1 403"));
    assert!(door.get(server.url("/open").as_str()).await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.hits("/secret/x"), 0);
    let refused = door.proxy.refused();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].rule, "robots.txt");
}

#[tokio::test]
async fn bytes_are_bounded_for_all_connections_together() {
    let server = Server::start(|_, stream| send(stream, 200, "", &[b'x'; 300_000]));
    let bounds = Options { max_bytes: 100_000, ..Options::default() };
    let door = Door::open(fetcher(&[server.address]), bounds, Arc::new(()));
    let cut = door.get(server.url("/").as_str()).await;
    assert!(cut.len() < 200_000, "{} bytes came through", cut.len());
    assert!(door.proxy.is_exhausted());
    let after = door.get(server.url("/again").as_str()).await;
    assert!(after.starts_with("HTTP/1.1 403"), "{after}");
    assert_eq!(server.hits("/again"), 0);
}

#[tokio::test]
async fn a_silent_target_and_the_end_of_time_close_tunnels() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("an address");
    let short = std::time::Duration::from_millis(50);
    for bounds in [
        Options { idle_timeout: short, ..Options::default() },
        Options { max_time: short, ..Options::default() },
    ] {
        let door = Door::open(fetcher(&[address]), bounds, Arc::new(()));
        // Ends by itself, or the test never does.
        door.say(&format!("CONNECT {address} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    }
}

#[tokio::test]
async fn connections_over_the_bound_wait_their_turn() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"ok"));
    let bounds = Options { max_connections: 1, ..Options::default() };
    let door = Door::open(fetcher(&[server.address]), bounds, Arc::new(()));
    let holding = door.connect().await;
    let mut waiting = door.connect().await;
    let ask = format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", server.url("/"));
    waiting.write_all(ask.as_bytes()).await.expect("written");
    assert!(server.requests().is_empty());
    drop(holding);
    assert!(head(&mut waiting).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn only_this_user_may_enter_and_nothing_is_served_after_the_end() {
    let door = Door::to(&[]);
    let socket = door.folder.path().join("proxy");
    let mode = std::fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut held = door.connect().await;
    held.write_all(b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    assert!(head(&mut held).await.starts_with("HTTP/1.1 403"));
    let Door { proxy, folder: _folder } = door;
    drop(proxy);
    let mut rest = Vec::new();
    let _ = held.read_to_end(&mut rest).await;
    assert!(UnixStream::connect(&socket).await.is_err(), "nobody listens any more");
}
