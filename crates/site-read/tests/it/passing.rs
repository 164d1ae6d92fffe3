//! What failed for a reason that may pass is told so, and asked again when the crawl is taken up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use site_fetch::{Fetcher, Options};
use site_read::journal::MemoryJournal;
use site_read::{Limits, MemoryArchive, Snapshot};

use crate::server::{Reply, Site};

/// Pages and a picture that fail until the site is well.
const FAILING: [&str; 5] = ["/busy", "/faulty", "/reset", "/slow", "/dot.gif"];
/// Answered from the first time on, or never.
const SETTLED: [&str; 3] = ["/good", "/gone", "/moved"];

fn site(well: Arc<AtomicBool>) -> Site {
    Site::of(move |path| match path {
        "/" => {
            let links: String =
                FAILING.iter().chain(&SETTLED).map(|path| format!("<a href={path}>x</a>")).collect();
            Reply::html(format!("<p>home</p><img src=/dot.gif>{links}"))
        }
        "/gone" => Reply::status(410),
        "/moved" => Reply::redirect(301, "/good"),
        path if well.load(Ordering::SeqCst) && path.ends_with(".gif") => {
            Reply::new("image/gif", "GIF89a\x02\0\x03\0")
        }
        path if FAILING.contains(&path) && !well.load(Ordering::SeqCst) => match path {
            "/busy" => Reply::status(429),
            "/reset" => Reply::hang_up(),
            "/slow" => Reply::html("<p>too late").after(60_000),
            _ => Reply::status(503),
        },
        path if FAILING.contains(&path) || path == "/good" => Reply::html(format!("<p>this is {path}")),
        _ => Reply::status(404),
    })
}

async fn read(site: &Site, journal: &MemoryJournal) -> Snapshot {
    let idle_timeout = Duration::from_millis(500);
    let options = Options { allow: vec![site.address], retries: 0, idle_timeout, ..Options::default() };
    let fetcher = Fetcher::new(options).expect("a fetcher");
    let (archive, limits) = (MemoryArchive::new(), Limits::default());
    let reading = site_read::read(&fetcher, &archive, journal, &site.url("/"), &limits, &|_| {}).await;
    reading.expect("a snapshot").snapshot
}

#[tokio::test]
async fn what_failed_in_passing_is_told_so_and_asked_again() {
    let well = Arc::new(AtomicBool::new(false));
    let site = site(well.clone());
    let journal = MemoryJournal::new();
    let first = read(&site, &journal).await;
    for path in FAILING {
        let finding = first.findings.iter().find(|finding| finding.url == site.url(path).as_str());
        assert!(
            finding.is_some_and(|finding| finding.note.contains("which may pass")),
            "{path}: {finding:?}"
        );
    }
    let gone = first.findings.iter().find(|finding| finding.url.ends_with("/gone"));
    assert!(gone.is_some_and(|finding| !finding.note.contains("may pass")), "{gone:?}");

    well.store(true, Ordering::SeqCst);
    let before = site.requests();
    let again = read(&site, &journal).await;
    let asked = site.all_requests().split_off(before);
    for path in FAILING {
        assert_eq!(asked.iter().filter(|asked| *asked == path).count(), 1, "{path}: {asked:?}");
    }
    assert!(!SETTLED.iter().any(|path| asked.contains(&(*path).to_owned())), "{asked:?}");
    let undisturbed = read(&site, &MemoryJournal::new()).await;
    assert_eq!(serde_json::to_value(&again).ok(), serde_json::to_value(&undisturbed).ok());
    assert!(again.pages.contains_key(site.url("/slow").as_str()));
}
