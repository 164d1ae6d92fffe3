//! A site answers as it was told, and remembers who asked.

use std::{collections::BTreeMap, time::Duration};
use testkit::{
    site::{Answer, StaticSite},
    wait,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const BOUND: Duration = Duration::from_secs(10);

/// The whole answer to a GET, head and body.
async fn get(site: &StaticSite, target: &str) -> String {
    let mut stream = TcpStream::connect(site.addr()).await.expect("connected");
    let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\nX-Asked: yes\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    wait::within("the answer", BOUND, stream.read_to_end(&mut answer)).await.expect("read");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_map_is_served_with_what_each_path_says() {
    let site = StaticSite::serve([
        ("/", Answer::html("<p>home")),
        ("/about/index.html", Answer::html("<p>about")),
        ("/style.css", Answer::file("/style.css", "p{}")),
        ("/old", Answer::redirect(302, "/about/")),
        ("/teapot", Answer::status(418).header("x-kind", "teapot")),
    ])
    .await;
    assert!(get(&site, "/").await.ends_with("<p>home"));
    assert!(get(&site, "/about/?q=1").await.ends_with("<p>about"));
    assert!(
        get(&site, "/about").await.contains("301")
            && get(&site, "/about").await.contains("location: /about/")
    );
    assert!(get(&site, "/style.css").await.contains("content-type: text/css; charset=utf-8"));
    assert!(get(&site, "/old").await.contains("location: /about/"));
    let teapot = get(&site, "/teapot").await;
    assert!(teapot.starts_with("HTTP/1.1 418") && teapot.contains("x-kind: teapot"), "{teapot}");
    assert!(get(&site, "/missing").await.starts_with("HTTP/1.1 404"));
    assert_eq!((site.hits("/about/"), site.hits("/about"), site.hits("/never")), (1, 2, 0));
    assert_eq!(site.requests()[0].header("x-asked"), Some("yes"));
}

#[tokio::test]
async fn a_folder_is_served_and_nothing_above_it() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("site/a b")).expect("made");
    std::fs::write(folder.path().join("site/index.html"), "home").expect("written");
    std::fs::write(folder.path().join("site/a b/index.html"), "inner").expect("written");
    std::fs::write(folder.path().join("secret"), "secret").expect("written");
    let site = StaticSite::serve(folder.path().join("site")).await;
    assert!(get(&site, "/").await.ends_with("home"));
    assert!(get(&site, "/a%20b").await.contains("location: /a%20b/"));
    assert!(get(&site, "/a%20b/").await.ends_with("inner"));
    assert!(get(&site, "/../secret").await.starts_with("HTTP/1.1 404"));
    assert!(get(&site, "/%2e%2e/secret").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn answers_change_wait_and_need_not_end() {
    let site = StaticSite::serve(BTreeMap::new()).await;
    assert_eq!((site.connections(), site.bytes_received()), (0, 0));
    site.answer("/x", Answer::html("first"));
    assert!(get(&site, "/x").await.ends_with("first"));
    site.answer("/x", Answer::html("second").delayed(Duration::from_millis(50)));
    let asked = std::time::Instant::now();
    assert!(get(&site, "/x").await.ends_with("second"));
    assert!(asked.elapsed() >= Duration::from_millis(50));
    assert_eq!(site.connections(), 2);
    assert!(site.bytes_received() > 0);

    site.answer("/endless", Answer::endless("text/html", "again and ".repeat(1000), Duration::ZERO));
    let mut stream = TcpStream::connect(site.addr()).await.expect("connected");
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: test\r\n\r\n").await.expect("sent");
    let mut much = vec![0; 100_000];
    wait::within("a lot of body", BOUND, stream.read_exact(&mut much)).await.expect("read");
    assert!(String::from_utf8_lossy(&much).contains("again and "));
}
