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

/// Two hundred million zeros in each coding, and one coding over another.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let zeros = || std::io::repeat(0).take(200_000_000);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut zeros(), &mut gzip).expect("compressed");
    let gzip = gzip.finish().expect("compressed");
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    std::io::copy(&mut zeros(), &mut zlib).expect("compressed");
    let zlib = zlib.finish().expect("compressed");
    let mut twice = GzEncoder::new(Vec::new(), Compression::fast());
    twice.write_all(&zlib).expect("compressed");
    let twice = twice.finish().expect("compressed");
    // A million zeros by the reference encoder.
    let brotli = vec![0x5b, 0x3f, 0x42, 0x8f, 0x7f, 0x02, 0x20, 0x1e, 0x0b, 0x04, 0xf2, 0x73, 0x1e, 0x00];
    // One frame of blocks that each say "128 KiB of zeros" (RFC 8878, section 3.1.1.2): 1600 of them.
    let mut zstd = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    for block in 0..1600u32 {
        let header = (128 * 1024) << 3 | 1 << 1 | u32::from(block == 1599);
        zstd.extend(&header.to_le_bytes()[..3]);
        zstd.push(0);
    }
    vec![("gzip", gzip), ("deflate", zlib), ("deflate, gzip", twice), ("br", brotli), ("zstd", zstd)]
}

#[tokio::test]
async fn a_compression_bomb_stops_at_the_limit() {
    for (coding, bomb) in bombs() {
        assert!(bomb.len() < 2_000_000, "{coding}");
        // On the wire it is within the limit; what comes out is not.
        let limit = (bomb.len() as u64 * 2).max(100_000);
        let server = Server::start(move |_, stream| {
            send(stream, 200, &format!("Content-Encoding: {coding}\r\n"), &bomb)
        });
        let options = Options { max_body: limit, ..options(&[server.address]) };
        let error = Fetcher::new(options).expect("a fetcher").get(&server.url("/")).await.expect_err(coding);
        assert!(matches!(error, Error::TooLarge { .. }), "{coding}: {error:?}");
        assert_eq!(server.hits("/"), 1, "{coding}: not worth a second try");
    }
}

#[tokio::test]
async fn bodies_that_are_not_what_they_say_are_named() {
    let server = Server::start(|path, stream| {
        let coding = path.trim_start_matches('/');
        send(stream, 200, &format!("Content-Encoding: {coding}\r\n"), b"certainly not compressed")
    });
    for coding in ["gzip", "br", "zstd", "exotic"] {
        let error = small(&server).get(&server.url(&format!("/{coding}"))).await.expect_err(coding);
        assert!(
            matches!(&error, Error::Encoding { coding: named, .. } if named == coding),
            "{coding}: {error:?}"
        );
        assert!(!error.is_transient());
    }
    let plain = small(&server).get(&server.url("/identity")).await.expect("as it is");
    assert_eq!(&plain.body[..], b"certainly not compressed");
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
    let server = Server::start(|path, stream| {
        let start = if path == "/head" { "HTTP/1.1 200 OK\r\nX: " } else { "HTTP/1.1 200 OK\r\n\r\n" };
        stream.write_all(start.as_bytes())?;
        loop {
            stream.write_all(b"x")?;
            std::thread::park_timeout(Duration::from_millis(50));
        }
    });
    for path in ["/head", "/body"] {
        let error = hasty(&server).get(&server.url(path)).await.expect_err(path);
        assert!(matches!(error, Error::TimedOut { .. }), "{path}: {error}");
    }
}

#[tokio::test]
async fn redirects_over_many_hosts_end_too() {
    // Two servers that send one another's visitors on, to a new address each time.
    let other: std::sync::Arc<std::sync::OnceLock<String>> = Default::default();
    let back = other.clone();
    let first = Server::start(move |path, stream| {
        let to = back.get().cloned().unwrap_or_default();
        send(stream, 302, &format!("Location: {to}{path}a\r\n"), b"")
    });
    let home = first.url("").to_string();
    let second = Server::start(move |path, stream| {
        send(stream, 307, &format!("Location: {home}{}b\r\n", path.trim_start_matches('/')), b"")
    });
    other.set(second.url("").as_str().trim_end_matches('/').to_owned()).expect("set once");
    let options = Options { max_redirects: 5, ..options(&[first.address, second.address]) };
    let error = Fetcher::new(options).expect("a fetcher").get(&first.url("/")).await.expect_err("endless");
    assert!(matches!(error, Error::TooManyRedirects { limit: 5 }), "{error}");
    assert_eq!(first.requests().len() + second.requests().len(), 6);
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
async fn content_codings_are_undone_and_both_sizes_told() {
    let text = "hello ".repeat(1000);
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("compressed");
        encoder.finish().expect("compressed")
    };
    let deflate = {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("compressed");
        encoder.finish().expect("compressed")
    };
    // By the reference encoder.
    let brotli = vec![
        0x1b, 0x6f, 0x17, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55, 0x86, 0x96, 0x6c, 0x20, 0x6f, 0x71, 0x5b,
        0x1c, 0x80, 0xe4, 0x01, 0x20, 0x0e,
    ];
    let zstd =
        ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
    for (coding, wire) in [("gzip", gzip), ("deflate", deflate), ("br", brotli), ("zstd", zstd)] {
        let length = wire.len() as u64;
        let headers = format!("Content-Encoding: {coding}\r\nContent-Type: text/plain\r\n");
        let server = Server::start(move |_, stream| send(stream, 200, &headers, &wire));
        let answer = fetcher(&[server.address]).get(&server.url("/")).await.expect(coding);
        assert_eq!(answer.body, text.as_bytes(), "{coding}");
        assert_eq!((answer.encoded_bytes, answer.remote_address), (length, Some(server.address)));
        assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
        let asked = server.requests().concat().to_ascii_lowercase();
        assert!(asked.contains("accept-encoding: gzip, deflate, br, zstd\r\n"), "{asked}");
    }
}
