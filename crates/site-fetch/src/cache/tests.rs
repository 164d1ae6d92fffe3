//! What may be kept and for how long, and that caches give back what they got.

use std::fs;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use url::Url;

use super::{Cache, FolderCache, MemoryCache, Stored};

fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 + seconds) // 1994-11-06 08:49:37
}

fn stored(list: &[(&str, &str)], body: &str) -> Stored {
    Stored {
        status: 200,
        headers: headers(list),
        user_agent: "Resettle/1".to_owned(),
        stored_at: at(0),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

#[test]
fn what_may_be_kept() {
    let tag = ("etag", "\"1\"");
    for (status, list, kept) in [
        (200, vec![tag], true),
        (200, vec![("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], true),
        (200, vec![("cache-control", "max-age=5")], true),
        (200, vec![("cache-control", "max-age=0")], false),
        (200, vec![], false),
        (200, vec![tag, ("cache-control", "No-Store")], false),
        (200, vec![tag, ("cache-control", "public"), ("cache-control", "x, no-store")], false),
        (200, vec![tag, ("cache-control", "private, no-cache")], true),
        (200, vec![tag, ("vary", "*")], false),
        (200, vec![tag, ("vary", "Accept-Encoding, Cookie")], true),
        (404, vec![tag], true),
        (301, vec![("cache-control", "max-age=60")], true),
        (302, vec![tag], false),
        (206, vec![tag], false),
        (500, vec![tag], false),
        (304, vec![tag], false),
    ] {
        assert_eq!(Stored::may_keep(status, &headers(&list)), kept, "{status} {list:?}");
    }
}

#[test]
fn how_long_it_is_fresh() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (list, fresh_for) in [
        (vec![("cache-control", "max-age=100")], Some(100)),
        (vec![("cache-control", "public, MAX-AGE=\"100\"")], Some(100)),
        (vec![("cache-control", "max-age=100"), ("age", "30")], Some(70)),
        (vec![("cache-control", "max-age=100"), ("age", "200")], None),
        (vec![("cache-control", "max-age=100, no-cache")], None),
        (vec![("cache-control", "max-age=never")], None),
        (vec![("cache-control", "max-age=-1")], None),
        (vec![("cache-control", "s-maxage=100")], None),
        (vec![date, ("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60)),
        (vec![date, ("expires", "Sun, 06 Nov 1994 08:00:00 GMT")], None),
        (vec![date, ("expires", "0")], None),
        (vec![("expires", "Sun, 06 Nov 2094 08:50:37 GMT")], None),
        (vec![date, ("expires", "Sun, 06 Nov 2094 08:50:37 GMT"), ("cache-control", "max-age=7")], Some(7)),
        (vec![("etag", "\"1\"")], None),
    ] {
        let answer = stored(&list, "");
        let last = fresh_for.map_or(0, |seconds| seconds - 1);
        assert_eq!(answer.is_fresh(at(last)), fresh_for.is_some(), "{list:?} after {last} s");
        assert!(!answer.is_fresh(at(fresh_for.unwrap_or(0))), "{list:?} at its end");
    }
    let endless = stored(&[("cache-control", "max-age=99999999999999999999")], "");
    assert!(endless.is_fresh(at(300 * 24 * 3600)) && !endless.is_fresh(at(366 * 24 * 3600)));
    assert!(!endless.is_fresh(at(0) - Duration::from_secs(1)), "a clock that was set back");
}

#[test]
fn vary_on_the_name_we_send_is_minded() {
    let plain = stored(&[("vary", "Accept")], "");
    assert!(plain.is_for("Resettle/1") && plain.is_for("Resettle/2"));
    let named = stored(&[("vary", "accept, User-Agent")], "");
    assert!(named.is_for("Resettle/1") && !named.is_for("Resettle/2"));
}

#[test]
fn a_word_that_it_still_stands_brings_new_headers() {
    let old = stored(
        &[("etag", "\"1\""), ("content-length", "5"), ("content-type", "text/html"), ("age", "9")],
        "hello",
    );
    let new =
        headers(&[("etag", "\"1\""), ("content-length", "0"), ("cache-control", "max-age=5"), ("age", "0")]);
    let renewed = old.clone().revalidated(&new, at(50));
    assert!(renewed.is_fresh(at(54)) && !renewed.is_fresh(at(55)));
    let mut names: Vec<_> = renewed.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    names.sort();
    assert_eq!(
        names,
        ["age=0", "cache-control=max-age=5", "content-length=5", "content-type=text/html", "etag=\"1\""]
    );
    assert_eq!(renewed.body, old.body);
    let conditions = renewed.conditions();
    assert_eq!(conditions.len(), 1);
    assert_eq!(conditions["if-none-match"], "\"1\"");
}

fn url(path: &str) -> Url {
    Url::parse("https://example.com").and_then(|base| base.join(path)).expect("a URL")
}

async fn gives_back(cache: &dyn Cache) {
    assert_eq!(cache.get(&url("/")).await.expect("read"), None);
    let first = stored(&[("etag", "\"1\"")], "one");
    let second = stored(&[("etag", "\"2\"")], "two");
    cache.put(&url("/"), first.clone()).await.expect("kept");
    cache.put(&url("/b?c=d"), first.clone()).await.expect("kept");
    cache.put(&url("/"), second.clone()).await.expect("kept");
    assert_eq!(cache.get(&url("/")).await.expect("read"), Some(second));
    assert_eq!(cache.get(&url("/b?c=d")).await.expect("read"), Some(first));
    assert_eq!(cache.get(&url("/b")).await.expect("read"), None);
}

#[tokio::test]
async fn caches_give_back_what_they_got() {
    gives_back(&MemoryCache::new(1 << 20)).await;
    let folder = tempfile::tempdir().expect("a folder");
    gives_back(&FolderCache::open(folder.path(), 1 << 20).expect("opened")).await;
    // The same folder, opened again as by the next process.
    let again = FolderCache::open(folder.path(), 1 << 20).expect("opened");
    assert!(again.get(&url("/")).await.expect("read").is_some_and(|answer| answer.body == "two"));
}

/// The file of a cache, and its length.
fn file(folder: &tempfile::TempDir) -> (std::path::PathBuf, u64) {
    let path = folder.path().join("answers");
    let length = fs::metadata(&path).expect("a file").len();
    (path, length)
}

/// Writes other bytes over these, wherever they stand.
fn damage(folder: &tempfile::TempDir, bytes: &[u8], by: &[u8]) {
    let (path, _) = file(folder);
    let mut whole = fs::read(&path).expect("read");
    while let Some(at) = whole.windows(bytes.len()).position(|window| window == bytes) {
        whole[at..at + by.len()].copy_from_slice(by);
    }
    fs::write(path, whole).expect("written");
}

#[tokio::test]
async fn one_body_is_kept_once_and_a_damaged_one_is_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = FolderCache::open(folder.path(), 1 << 20).expect("opened");
    let body = "the same".repeat(1000);
    for path in ["/a", "/b"] {
        cache.put(&url(path), stored(&[], &body)).await.expect("kept");
    }
    assert!(file(&folder).1 < 2 * body.len() as u64, "the body is there once");
    damage(&folder, b"the samethe", b"another");
    assert_eq!(cache.get(&url("/a")).await.expect("read"), None);
    cache.put(&url("/a"), stored(&[], &body)).await.expect("kept");
    assert!(cache.get(&url("/b")).await.expect("read").is_some(), "whole again");
    damage(&folder, b"{\"url\"", b"[");
    assert_eq!(cache.get(&url("/a")).await.expect("read"), None);
}

#[tokio::test]
async fn a_full_cache_forgets_the_oldest() {
    let memory = MemoryCache::new(30_000);
    let folder = tempfile::tempdir().expect("a folder");
    let disk = FolderCache::open(folder.path(), 30_000).expect("opened");
    for letter in 'a'..='z' {
        let answer = stored(&[("etag", "\"1\"")], &letter.to_string().repeat(5000));
        memory.put(&url(&format!("/{letter}")), answer.clone()).await.expect("kept");
        disk.put(&url(&format!("/{letter}")), answer).await.expect("kept");
        assert!(file(&folder).1 <= 30_000, "{} bytes on disk", file(&folder).1);
    }
    for cache in [&memory as &dyn Cache, &disk] {
        assert!(cache.get(&url("/a")).await.expect("read").is_none());
        assert!(cache.get(&url("/z")).await.expect("read").is_some_and(|answer| answer.body[0] == b'z'));
    }
    let too_large = stored(&[], &"x".repeat(40_000));
    for cache in [&memory as &dyn Cache, &disk] {
        cache.put(&url("/huge"), too_large.clone()).await.expect("not kept, and no error");
        assert!(cache.get(&url("/huge")).await.expect("read").is_none());
    }
    drop(disk);
    let disk = FolderCache::open(folder.path(), 30_000).expect("opened");
    assert!(disk.get(&url("/z")).await.expect("read").is_some(), "what was written anew is read again");
}

/// A thousand crawls of one site that never changes: each says so again, and no body is written twice.
#[tokio::test]
async fn what_only_stands_still_takes_no_more_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = FolderCache::open(folder.path(), 60_000).expect("opened");
    for crawl in 0..1000 {
        for path in ["/a", "/b", "/c"] {
            let answer = Stored { stored_at: at(crawl), ..stored(&[("etag", "\"1\"")], &path.repeat(2000)) };
            cache.put(&url(path), answer).await.expect("kept");
        }
    }
    assert!(file(&folder).1 <= 60_000, "{} bytes on disk", file(&folder).1);
    for path in ["/a", "/b", "/c"] {
        let answer = cache.get(&url(path)).await.expect("read").expect("kept");
        assert_eq!((answer.stored_at, answer.body.len()), (at(999), 4000));
    }
}

#[tokio::test]
async fn two_processes_do_not_write_into_one_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let _cache = FolderCache::open(folder.path(), 30_000).expect("opened");
    let busy = FolderCache::open(folder.path(), 30_000).err().expect("in use");
    assert_eq!(busy.kind(), std::io::ErrorKind::WouldBlock);
}
