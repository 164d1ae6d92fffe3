//! `resettle crawl`: a real site into a folder, by the command line alone; interrupted, taken up, and done again.

use crate::scratch::{STARTED, Scratch, resettle};
use serde_json::Value;
use site_read::{ContentHash, FolderArchive};
use std::{collections::BTreeMap, path::Path, process::Command};
use testkit::{
    process::Child,
    site::{Answer, StaticSite},
    wait,
};

const PAGES: usize = 20;
const SLOW: &str = "/page07.html";

fn path(n: usize) -> String {
    format!("/page{n:02}.html")
}

/// A front page that links to twenty others and to a picture, each with a validator.
async fn site() -> StaticSite {
    let links: String = (0..PAGES).map(|n| format!("<a href=\"{}\">{n}</a> ", path(n))).collect();
    let front = format!("<title>Home</title><h1>Hello</h1><img src=/dot.png>{links}<a href=/moved>moved</a>");
    let mut pages = BTreeMap::from([("/".to_owned(), Answer::html(front))]);
    for n in 0..PAGES {
        let html = format!("<title>Page {n}</title><p>This is what page {n} says.</p>");
        pages.insert(path(n), Answer::html(html).header("etag", &format!("\"{n}\"")));
    }
    pages.insert("/moved".to_owned(), Answer::redirect(301, &path(0)));
    pages.insert("/dot.png".to_owned(), Answer::bytes("image/png", vec![0x89, 0x50, 0x4e, 0x47]));
    StaticSite::serve(pages).await
}

fn command(site: &StaticSite, out: &Path, more: &[&str]) -> Command {
    let allowed = site.addr().to_string();
    let mut command = resettle(&["crawl", &site.url(), "--allow-address", &allowed]);
    command.args(more).arg("--out").arg(out);
    command
}

async fn crawl(site: &StaticSite, out: &Path, more: &[&str]) -> Child {
    let mut child = Child::spawn("resettle crawl", command(site, out, more));
    child.exited(STARTED).await;
    child
}

fn lines(child: &Child) -> Vec<Value> {
    child.log().lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("it was written")).expect("JSON")
}

#[tokio::test]
async fn a_site_is_read_into_a_folder_and_the_last_line_sums_it_up() {
    let (scratch, site) = (Scratch::new(), site().await);
    let out = scratch.path().join("crawl");
    let mut child = crawl(&site, &out, &["--json"]).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(0), "{}", child.log());
    let told = lines(&child);
    let last = told.last().expect("a last line");
    assert_eq!((last["pages"].as_u64(), last["assets"].as_u64()), (Some(PAGES as u64 + 1), Some(1)));
    assert_eq!((last["redirects"].as_u64(), &last["truncated"]), (Some(1), &Value::Null));
    assert!(last["bytes"].as_u64() > Some(1000) && last["findings"].is_u64(), "{last}");
    assert!(told.iter().any(|line| line["type"] == "progress" && line["pagesDone"].is_u64()));

    let snapshot = read(&out.join("snapshot.json"));
    let pages = snapshot["pages"].as_object().expect("pages");
    let bodies = FolderArchive::open(&out.join("bodies")).expect("bodies");
    for page in pages.values() {
        let hash = ContentHash(page["body"].as_str().expect("a hash").to_owned());
        assert!(bodies.length(&hash).expect("kept") > 20, "{hash}");
    }
    assert_eq!(read(&out.join("analysis.json"))["pages"]["total"], PAGES + 1);
    let list = std::fs::read_to_string(out.join("pages.jsonl")).expect("written");
    let urls: Vec<String> = list
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["url"].as_str().expect("text").to_owned()
        })
        .collect();
    assert_eq!(urls, pages.keys().cloned().collect::<Vec<_>>(), "every page, in canonical order");
}

#[tokio::test]
async fn what_was_read_before_a_kill_is_not_read_again() {
    let (scratch, site) = (Scratch::new(), site().await);
    let (out, other) = (scratch.path().join("crawl"), scratch.path().join("undisturbed"));
    crawl(&site, &other, &[]).await;
    let undisturbed = |n: usize| site.hits(&path(n));
    let before: Vec<usize> = (0..PAGES).map(undisturbed).collect();
    site.answer(SLOW, Answer::stalled("text/html"));
    let mut first = Child::spawn("resettle crawl", command(&site, &out, &[]));
    let journal = out.join("journal");
    let recorded = |n: usize| {
        let journal = std::fs::read(&journal).unwrap_or_default();
        String::from_utf8_lossy(&journal).contains(&format!(
            "\"purpose\":\"page\",\"url\":\"{}{}\"",
            site.url(),
            &path(n)[1..]
        ))
    };
    wait::until_true("all pages but one to be recorded", STARTED, || async {
        (0..PAGES).filter(|n| recorded(*n)).count() == PAGES - 1
    })
    .await;
    first.kill();

    let html = "<title>Page 7</title><p>This is what page 7 says.</p>";
    site.answer(SLOW, Answer::html(html).header("etag", "\"7\""));
    let mut second = crawl(&site, &out, &[]).await;
    assert_eq!(second.exited(STARTED).await.code(), Some(0), "{}", second.log());
    assert!(second.log().contains("where an earlier crawl was interrupted"), "{}", second.log());
    for (n, before) in before.into_iter().enumerate() {
        let in_flight = usize::from(path(n) == SLOW);
        assert_eq!(site.hits(&path(n)), before + 1 + in_flight, "{}", path(n));
    }
    for name in ["snapshot.json", "analysis.json", "pages.jsonl"] {
        let same = std::fs::read(out.join(name)).expect("written")
            == std::fs::read(other.join(name)).expect("written");
        assert!(same, "{name} is that of an undisturbed crawl");
    }
    assert!(!journal.exists(), "a whole crawl leaves nothing to go on with");
}

/// Everything of the site that can be asked "has it changed since?".
async fn dated_site() -> StaticSite {
    let site = site().await;
    let front: String = (0..PAGES).map(|n| format!("<a href=\"{}\">{n}</a> ", path(n))).collect();
    let front = format!("<title>Home</title><h1>Hello</h1><img src=/dot.png>{front}");
    site.answer("/", Answer::html(front).header("etag", "\"front\""));
    let dot = Answer::bytes("image/png", vec![0x89, 0x50, 0x4e, 0x47]).header("etag", "\"dot\"");
    site.answer("/dot.png", dot);
    site
}

/// What a crawl with these arguments says in its last line.
async fn summary(site: &StaticSite, out: &Path, more: &[&str]) -> Value {
    let mut child = crawl(site, out, &[&["--json"], more].concat()).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(0), "{}", child.log());
    lines(&child).pop().expect("a last line")
}

#[tokio::test]
async fn a_second_crawl_transfers_only_what_changed() {
    let (scratch, site) = (Scratch::new(), dated_site().await);
    let (out, cache) = (scratch.path().join("crawl"), scratch.path().join("cache"));
    let kept = ["--cache", cache.to_str().expect("text")];
    let first = summary(&site, &out, &kept).await;
    assert_eq!(first["unchanged"], 0);
    let (asked, sent) = (site.requests().len(), site.bytes_sent());

    // Into another folder: what is transferred again depends on the cache alone.
    let second = summary(&site, &scratch.path().join("again"), &kept).await;
    let known = PAGES as u64 + 2;
    assert_eq!(second["unchanged"], known, "front page, pages and picture: {second}");
    let validated = site.requests().split_off(asked);
    let validated = validated.iter().filter(|seen| seen.header("if-none-match").is_some()).count();
    assert_eq!(validated as u64, known);
    // What is missing says so again; nothing else has a body.
    let missing = second["transferred"].as_u64().expect("a number");
    assert!(missing < 500, "{second}");
    assert!(site.bytes_sent() - sent < sent, "heads only: {} after {sent}", site.bytes_sent() - sent);
    for name in ["snapshot.json", "analysis.json", "pages.jsonl"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).expect("written");
        assert!(read(&out) == read(&scratch.path().join("again")), "{name}: nothing is lost by the cache");
    }

    let html = "<title>Page 3</title><p>This page has changed since.</p>";
    site.answer(&path(3), Answer::html(html).header("etag", "\"new\""));
    let third = summary(&site, &out, &kept).await;
    assert_eq!(third["unchanged"], known - 1, "{third}");
    assert_eq!(third["transferred"], missing + html.len() as u64, "the changed page and nothing else");
}

#[tokio::test]
async fn limits_cut_and_say_so() {
    let (scratch, site) = (Scratch::new(), site().await);
    for (arguments, pages, limit) in [
        (&["--max-pages", "5"][..], 5, "pages"),
        (&["--max-depth", "0"], 1, "depth"),
        (&["--max-time", "0s"], 1, "time"),
        (&["--max-assets", "0"], PAGES + 1, "assets"),
        (&["--max-bytes", "1500B", "--render", "never", "--connections", "1"], 16, "bytes"),
    ] {
        let out = scratch.path().join(limit);
        let last = summary(&site, &out, arguments).await;
        assert_eq!((&last["truncated"], &last["pages"]), (&limit.into(), &pages.into()), "{last}");
        assert!(limit != "bytes" || last["bytes"].as_u64() <= Some(1500), "{last}");
    }
}

#[tokio::test]
async fn a_cache_takes_one_crawl_at_a_time() {
    let (scratch, site) = (Scratch::new(), site().await);
    let cache = scratch.path().join("cache");
    let kept = ["--cache", cache.to_str().expect("text")];
    site.answer(SLOW, Answer::stalled("text/html"));
    let mut first = Child::spawn("resettle crawl", command(&site, &scratch.path().join("one"), &kept));
    wait::until_true("the first crawl to be under way", STARTED, || async { site.hits(SLOW) > 0 }).await;
    let mut second = crawl(&site, &scratch.path().join("two"), &kept).await;
    assert_eq!(second.exited(STARTED).await.code(), Some(75), "{}", second.log());
    assert!(second.log().contains("name another folder with --cache"), "{}", second.log());
    first.kill();
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let (scratch, site) = (Scratch::new(), site().await);
    let strangers = scratch.path().join("thesis");
    std::fs::create_dir(&strangers).expect("made");
    std::fs::write(strangers.join("thesis.txt"), "irreplaceable").expect("written");
    let mut refused = crawl(&site, &strangers, &[]).await;
    assert_eq!(refused.exited(STARTED).await.code(), Some(64));
    assert!(refused.log().contains("name another folder with --out"), "{}", refused.log());

    let out = scratch.path().join("crawl");
    crawl(&site, &out, &[]).await;
    let mut other = resettle(&["crawl", "https://other.example/", "--out"]);
    let other = other.arg(&out).output().expect("the program is there");
    assert_eq!(other.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&other.stderr).contains("holds a crawl of"), "{other:?}");

    let closed = scratch.path().join("closed");
    let mut forbidden = resettle(&["crawl", &site.url(), "--out"]);
    let forbidden = forbidden.arg(&closed).output().expect("the program is there");
    assert_eq!(forbidden.status.code(), Some(64), "{forbidden:?}");

    site.answer("/", Answer::status(404));
    let mut missing = crawl(&site, &scratch.path().join("missing"), &["--json"]).await;
    assert_eq!(missing.exited(STARTED).await.code(), Some(1));
    assert_eq!(lines(&missing).last().expect("a last line")["error"]["code"], "SITE_STATUS");
}
