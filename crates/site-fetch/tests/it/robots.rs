//! robots.txt as servers give it.

use site_fetch::robots::Standing;

use crate::server::{Forbidden, Server, fetcher, send};

#[tokio::test]
async fn the_answer_decides_what_is_allowed() {
    for (status, standing, allowed) in [
        (404, Standing::Absent, true),
        (403, Standing::Absent, true),
        (500, Standing::ServerError { status: 500 }, false),
        (503, Standing::ServerError { status: 503 }, false),
        (200, Standing::Read, false),
    ] {
        let server =
            Server::start(move |_, stream| send(stream, status, "", b"User-agent: *\nDisallow: /x\n"));
        let robots = fetcher(&[server.address]).robots(&server.url("/x?y#z")).await.expect("an answer");
        assert_eq!(robots.standing(), standing);
        assert_eq!(robots.allows(&server.url("/x")), allowed, "{status}");
    }
}

#[tokio::test]
async fn it_is_fetched_once() {
    let server = Server::start(|_, stream| send(stream, 200, "", b"User-agent: *\nDisallow: /x\n"));
    let fetcher = fetcher(&[server.address]);
    let urls = ["/a", "/b?c", "/d"].map(|path| server.url(path));
    let all = futures::future::join_all(urls.iter().map(|url| fetcher.robots(url))).await;
    assert!(all.iter().all(|robots| robots.is_ok()));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn five_redirects_are_followed_and_more_mean_absent() {
    let server = Server::start(|path, stream| match path {
        "/robots.txt" => send(stream, 301, "Location: /4\r\n", b""),
        "/0" => send(stream, 200, "", b"User-agent: *\nDisallow: /\n"),
        other => {
            let left: u32 = other[1..].parse().unwrap_or(0);
            send(stream, 302, &format!("Location: /{}\r\n", left - 1), b"")
        }
    });
    let robots = fetcher(&[server.address]).robots(&server.url("/")).await.expect("an answer");
    assert!(!robots.allows(&server.url("/")));

    let endless = Server::start(|path, stream| send(stream, 302, &format!("Location: {path}x\r\n"), b""));
    let robots = fetcher(&[endless.address]).robots(&endless.url("/")).await.expect("an answer");
    assert_eq!(robots.standing(), Standing::Absent);
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_forbids_all() {
    let forbidden = Forbidden::start();
    let target = forbidden.address();
    let server =
        Server::start(move |_, stream| send(stream, 302, &format!("Location: http://{target}/\r\n"), b""));
    let robots = fetcher(&[server.address]).robots(&server.url("/")).await.expect("an answer");
    assert_eq!(robots.standing(), Standing::Unreachable);
    assert!(!robots.allows(&server.url("/")));
    forbidden.assert_untouched();
}

#[tokio::test]
async fn a_huge_file_is_read_up_to_the_bound() {
    let server = Server::start(|_, stream| {
        let mut file = b"User-agent: *\nDisallow: /early\n".to_vec();
        // The standard's 500 KiB are read, rules and all; the bound cuts a rule to something else.
        while file.len() < 500 * 1024 {
            file.extend_from_slice(format!("Disallow: /filler{}\n", file.len()).as_bytes());
        }
        file.extend_from_slice(b"Disallow: /within\n");
        file.resize(512 * 1024 - 15, b'#');
        file.extend_from_slice(b"\nDisallow: /p");
        assert_eq!(file.len(), 512 * 1024 - 2);
        file.extend_from_slice(b"ublic-but-for-this\n");
        file.resize(700_000, b'#');
        file.extend_from_slice(b"\nDisallow: /late\n");
        send(stream, 200, "", &file)
    });
    let robots = fetcher(&[server.address]).robots(&server.url("/")).await.expect("an answer");
    assert!(!robots.allows(&server.url("/early")));
    assert!(!robots.allows(&server.url("/within")));
    assert!(robots.allows(&server.url("/late")));
    assert!(robots.allows(&server.url("/public")), "half a rule is none");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_not_asked_again_at_once() {
    let server = Server::start(|_, _| Ok(()));
    let fetcher = fetcher(&[server.address]);
    let error = fetcher.robots(&server.url("/")).await.expect_err("nobody answered");
    assert!(error.is_transient());
    let asked = server.requests().len();
    let robots = fetcher.robots(&server.url("/other")).await.expect("known to be unreachable");
    assert_eq!(robots.standing(), Standing::Unreachable);
    assert!(!robots.allows(&server.url("/other")));
    assert_eq!(server.requests().len(), asked);
}

#[tokio::test]
async fn a_file_in_a_coding_is_read() {
    let server = Server::start(|_, stream| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, b"User-agent: *\nDisallow: /x\n")?;
        send(stream, 200, "Content-Encoding: gzip\r\n", &encoder.finish()?)
    });
    let robots = fetcher(&[server.address]).robots(&server.url("/")).await.expect("an answer");
    assert!(!robots.allows(&server.url("/x")) && robots.allows(&server.url("/")));
}

proptest::proptest! {
    #[test]
    fn any_file_is_read(file in "(?s)(User-agent: [*a-z]{0,8}\n|(Dis)?allow: [/a-z*$%0-9\u{e9}]{0,12}\n|.{0,8}){0,12}", path in r"/[a-z%0-9\u{e9}/?*$]{0,20}") {
        let robots = site_fetch::robots::Robots::parse(file.as_bytes(), "Resettle/0.1");
        if let Ok(url) = url::Url::parse("http://e.com").and_then(|base| base.join(&path)) {
            let _ = robots.allows(&url);
        }
    }
}
