//! A second crawl asks again and transfers only what changed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use site_fetch::cache::{Cache, FolderCache, MemoryCache, Stored};
use site_fetch::{Fetched, Fetcher, Traffic};
use url::Url;

use crate::server::options;
use crate::web::{self, Seen};

const PAGES: usize = 10;

/// Ten pages of a thousand bytes each: by tag, by date, or fresh for an hour. Page 3 can change.
fn site() -> (Vec<Url>, Arc<Seen>, Arc<AtomicBool>) {
    let changed = Arc::new(AtomicBool::new(false));
    let now = changed.clone();
    let (address, seen) = web::start(None, move |request| {
        let page: usize = request.uri().path()[1..].parse().unwrap_or(0);
        let version = usize::from(page == 3 && now.load(Ordering::SeqCst));
        let tag = format!("\"{page}-{version}\"");
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let sent = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let same = sent("if-none-match") == Some(&tag)
            || (page.is_multiple_of(2) && sent("if-modified-since") == Some(date));
        let validator = if page.is_multiple_of(2) { ("last-modified", date) } else { ("etag", tag.as_str()) };
        let headers = [
            validator,
            ("content-type", "text/html"),
            ("x-version", if version == 0 { "old" } else { "new" }),
        ];
        match () {
            () if page == 9 => web::answer(200, &[("cache-control", "max-age=3600")], vec![b'9'; 1000]),
            () if same => web::answer(304, &headers, ""),
            () => web::answer(200, &headers, vec![b'a' + version as u8; 1000]),
        }
    });
    let urls = (0..PAGES).map(|page| Url::parse(&format!("http://{address}/{page}#top")).expect("a URL"));
    (urls.collect(), seen, changed)
}

fn fetcher(url: &Url, cache: Arc<dyn Cache>) -> Fetcher {
    let address = url.socket_addrs(|| None).expect("an address");
    Fetcher::builder(options(&address)).cache(cache).build().expect("a fetcher")
}

async fn crawl(fetcher: &Fetcher, urls: &[Url]) -> Vec<Fetched> {
    let mut answers = Vec::new();
    for url in urls {
        answers.push(fetcher.get(url).await.expect("an answer"));
    }
    answers
}

async fn second_crawl(cache: Arc<dyn Cache>, reopened: impl Fn() -> Arc<dyn Cache>) {
    let (urls, seen, changed) = site();
    let first = crawl(&fetcher(&urls[0], cache), &urls).await;
    assert_eq!(seen.body_bytes(), PAGES * 1000);
    assert!(first.iter().all(|answer| !answer.from_cache() && answer.encoded_bytes == 1000));

    let again = fetcher(&urls[0], reopened());
    let second = crawl(&again, &urls).await;
    let asked = PAGES as u64 - 1;
    assert_eq!(again.traffic(), Traffic { requests: asked, unchanged: asked, unasked: 1, bytes: 0 });
    assert_eq!(seen.body_bytes(), PAGES * 1000, "not one byte of a body again");
    assert_eq!(seen.requests().len(), 2 * PAGES - 1, "the fresh one was not asked about");
    for (page, (before, after)) in first.iter().zip(&second).enumerate() {
        assert_eq!((after.status, &after.body, &after.url), (200, &before.body, &before.url));
        assert_eq!(after.content_type, before.content_type);
        assert_eq!((after.revalidated, after.remote_address.is_some()), (page != 9, page != 9), "{page}");
        assert_eq!(after.encoded_bytes, 0);
        assert!(after.from_cache());
    }

    drop(again);
    changed.store(true, Ordering::SeqCst);
    let third = crawl(&fetcher(&urls[0], reopened()), &urls).await;
    assert_eq!(seen.body_bytes(), PAGES * 1000 + 1000, "the changed page and nothing else");
    assert_eq!(
        (third[3].body[0], third[3].from_cache(), third[3].header("x-version")),
        (b'b', false, Some("new"))
    );
    let fourth = crawl(&fetcher(&urls[0], reopened()), &urls).await;
    assert_eq!(seen.body_bytes(), PAGES * 1000 + 1000);
    assert_eq!((fourth[3].body[0], fourth[3].revalidated), (b'b', true));
}

#[tokio::test]
async fn a_second_crawl_transfers_what_changed_from_memory() {
    let cache = Arc::new(MemoryCache::new(1 << 20));
    second_crawl(cache.clone(), || cache.clone()).await;
}

#[tokio::test]
async fn a_second_crawl_transfers_what_changed_from_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || -> Arc<dyn Cache> { Arc::new(FolderCache::open(folder.path(), 1 << 20).expect("opened")) };
    second_crawl(open(), open).await;
}

#[tokio::test]
async fn what_may_not_be_kept_is_asked_for_again() {
    let (address, seen) = web::start(None, |request| match request.uri().path() {
        "/no-store" => web::answer(200, &[("etag", "\"1\""), ("cache-control", "no-store")], "x"),
        "/any" => web::answer(200, &[("etag", "\"1\""), ("vary", "*")], "x"),
        _ => web::answer(200, &[("set-cookie", "a=b")], "x"),
    });
    let cache = Arc::new(MemoryCache::new(1 << 20));
    for path in ["no-store", "any", "plain"] {
        let url = Url::parse(&format!("http://{address}/{path}")).expect("a URL");
        let fetcher = fetcher(&url, cache.clone());
        for _ in 0..2 {
            assert!(!fetcher.get(&url).await.expect("an answer").from_cache());
        }
        assert!(cache.get(&url).await.expect("read").is_none());
    }
    assert!(seen.requests().iter().all(|request| !request.contains("if-none-match")));
}

/// A cache on a broken disk.
struct Broken;

#[async_trait]
impl Cache for Broken {
    async fn get(&self, _url: &Url) -> io::Result<Option<Stored>> {
        Err(io::Error::other("gone"))
    }

    async fn put(&self, _url: &Url, _stored: Stored) -> io::Result<()> {
        Err(io::Error::other("full"))
    }
}

#[tokio::test]
async fn a_broken_cache_costs_a_transfer_and_no_fetch() {
    let (urls, seen, _) = site();
    let fetcher = fetcher(&urls[0], Arc::new(Broken));
    for _ in 0..2 {
        crawl(&fetcher, &urls).await;
    }
    assert_eq!(seen.body_bytes(), 2 * PAGES * 1000);
}

/// The cache stands behind the guard, not before it: a kept answer of a host that is no longer open is not
/// a way around a rule that needs no look-up.
#[tokio::test]
async fn a_kept_answer_opens_nothing() {
    let (urls, _, _) = site();
    let cache = Arc::new(MemoryCache::new(1 << 20));
    fetcher(&urls[9], cache.clone()).get(&urls[9]).await.expect("an answer");
    let closed = Fetcher::builder(options(&[])).cache(cache).build().expect("a fetcher");
    let error = closed.get(&urls[9]).await.expect_err("refused");
    assert!(matches!(error, site_fetch::Error::Refused(_)), "{error}");
}
