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

#[tokio::test]
async fn one_body_is_kept_once_and_a_damaged_one_is_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = FolderCache::open(folder.path(), 1 << 20).expect("opened");
    for path in ["/a", "/b"] {
        cache.put(&url(path), stored(&[], "the same")).await.expect("kept");
    }
    let bodies = super::folder::files(&folder.path().join("bodies")).expect("listed");
    assert_eq!(bodies.len(), 1);
    fs::write(&bodies[0].path, "another").expect("written");
    assert_eq!(cache.get(&url("/a")).await.expect("read"), None);
    cache.put(&url("/a"), stored(&[], "the same")).await.expect("kept");
    assert!(cache.get(&url("/b")).await.expect("read").is_some(), "whole again");
    let entries = super::folder::files(&folder.path().join("entries")).expect("listed");
    for entry in entries {
        fs::write(&entry.path, "{").expect("written");
    }
    assert_eq!(cache.get(&url("/a")).await.expect("read"), None);
}

#[tokio::test]
async fn a_full_cache_forgets_the_oldest() {
    let memory = MemoryCache::new(30_000);
    let folder = tempfile::tempdir().expect("a folder");
    let disk = FolderCache::open(folder.path(), 30_000).expect("opened");
    for (at, letter) in ('a'..='z').enumerate() {
        let answer = stored(&[("etag", "\"1\"")], &letter.to_string().repeat(5000));
        memory.put(&url(&format!("/{letter}")), answer.clone()).await.expect("kept");
        disk.put(&url(&format!("/{letter}")), answer).await.expect("kept");
        // File times decide on disk: they are set apart without waiting.
        let entries = super::folder::files(&folder.path().join("entries")).expect("listed");
        if let Some(newest) = entries.iter().max_by_key(|entry| entry.written) {
            let file = fs::File::options().write(true).open(&newest.path).expect("opened");
            file.set_modified(self::at(at as u64)).expect("set");
        }
    }
    for cache in [&memory as &dyn Cache, &disk] {
        assert!(cache.get(&url("/a")).await.expect("read").is_none());
        assert!(cache.get(&url("/z")).await.expect("read").is_some());
    }
    let size: u64 = ["entries", "bodies"]
        .iter()
        .flat_map(|part| super::folder::files(&folder.path().join(part)).expect("listed"))
        .map(|file| file.bytes)
        .sum();
    assert!(size <= 30_000, "{size} bytes on disk");
    let too_large = stored(&[], &"x".repeat(40_000));
    memory.put(&url("/huge"), too_large).await.expect("not kept, and no error");
    assert!(memory.get(&url("/huge")).await.expect("read").is_none());
}
