//! Whatever a server does, a fetch ends, within its limits and with a name for what happened.

use std::io::{Read, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use site_fetch::{Error, Fetcher, Options};

use crate::server::{Server, fetcher, options, send};

/// Small in size, with all the time that a busy machine may need.
fn small(server: &Server) -> Fetcher {
    Fetcher::new(Options { max_body: 100_000, max_redirects: 4, ..options(&[server.address]) })
        .expect("a fetcher")
}

/// Small in time.
fn hasty(server: &Server) -> Fetcher {
    Fetcher::new(Options {
        idle_timeout: Duration::from_millis(200),
        total_timeout: Duration::from_millis(600),
        ..options(&[server.address])
    })
    .expect("a fetcher")
}

#[tokio::test]
async fn a_compression_bomb_stops_at_the_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut std::io::repeat(0).take(200_000_000), &mut encoder).expect("compressed");
    let bomb = encoder.finish().expect("compressed");
    assert!(bomb.len() < 2_000_000);
    let server = Server::start(move |_, stream| send(stream, 200, "Content-Encoding: gzip\r\n", &bomb));
    let error = small(&server).get(&server.url("/")).await.expect_err("too large");
    assert!(matches!(error, Error::TooLarge { limit: 100_000 }), "{error}");
    assert_eq!(server.hits("/"), 1, "not worth a second try");
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    let server = Server::start(|_, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        loop {
            stream.write_all(&[b'x'; 8192])?;
        }
    });
    let error = small(&server).get(&server.url("/")).await.expect_err("too large");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes() {
    let server = Server::start(|path, stream| {
        let length = if path == "/over" { 100_001 } else { 100_000 };
        send(stream, 200, "", &vec![b'x'; length])
    });
    let fetcher = small(&server);
    assert_eq!(fetcher.get(&server.url("/")).await.expect("fits").body.len(), 100_000);
    let error = fetcher.get(&server.url("/over")).await.expect_err("too large");
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

/// Sends the parts and then keeps the connection open until the client hangs up.
fn stall(stream: &mut std::net::TcpStream, start: &[u8]) -> std::io::Result<()> {
    stream.write_all(start)?;
    let mut rest = [0; 16];
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}

#[tokio::test]
async fn silence_ends_by_the_idle_limit() {
    let server = Server::start(|path, stream| match path {
        "/head" => stall(stream, b"HTTP/1.1 200 OK\r\nX: "),
        "/body" => stall(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        _ => stall(stream, b""),
    });
    for path in ["/nothing", "/head", "/body"] {
        let error = hasty(&server).get(&server.url(path)).await.expect_err(path);
        assert!(matches!(error, Error::TimedOut { .. }), "{path}: {error}");
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn a_trickle_ends_by_the_total_limit() {
    let server = Server::start(|_, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
        loop {
            stream.write_all(b"x")?;
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    let error = hasty(&server).get(&server.url("/")).await.expect_err("too slow");
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn header_floods_are_refused() {
    let server = Server::start(|path, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
        if path == "/many" {
            for i in 0..5000 {
                write!(stream, "X-{i}: y\r\n")?;
            }
        } else {
            loop {
                stream.write_all(&[b'x'; 8192])?;
            }
        }
        write!(stream, "\r\n")
    });
    for path in ["/many", "/long"] {
        let error = small(&server).get(&server.url(path)).await.expect_err(path);
        assert!(matches!(error, Error::Network { .. }), "{path}: {error}");
    }
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|path, stream| {
        let to = match path {
            "/a" => "/b".to_owned(),
            "/b" => "/a#x".to_owned(),
            "/self" => "/self".to_owned(),
            "/bad" => "http://[".to_owned(),
            "/nowhere" => return send(stream, 302, "", b"where?"),
            other => format!("{other}x"),
        };
        send(stream, 302, &format!("Location: {to}\r\n"), b"")
    });
    let fetcher = small(&server);
    for path in ["/a", "/self"] {
        let error = fetcher.get(&server.url(path)).await.expect_err(path);
        assert!(matches!(error, Error::RedirectLoop { .. }), "{error}");
    }
    let error = fetcher.get(&server.url("/grow")).await.expect_err("endless");
    assert!(matches!(error, Error::TooManyRedirects { limit: 4 }), "{error}");
    let error = fetcher.get(&server.url("/bad")).await.expect_err("no URL");
    assert!(matches!(error, Error::BadRedirect { .. }), "{error}");
    assert_eq!(fetcher.get(&server.url("/nowhere")).await.expect("an answer").status, 302);
}

#[tokio::test]
async fn content_codings_are_undone() {
    let server = Server::start(|_, stream| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"hello")?;
        send(stream, 200, "Content-Encoding: gzip\r\nContent-Type: text/plain\r\n", &encoder.finish()?)
    });
    let answer = fetcher(&[server.address]).get(&server.url("/")).await.expect("an answer");
    assert_eq!(&answer.body[..], b"hello");
    assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
}
