//! A crawl that died goes on where it was, and nobody can tell from the result.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures::TryStreamExt;
use site_fetch::{Fetcher, Options};
use site_read::journal::{self, FileJournal, Journal, MemoryJournal, Visit};
use site_read::{Archive, ContentHash, FolderArchive, Limits, MemoryArchive, Reading};

use crate::server::{Reply, Site};

const PAGES: usize = 500;
const CONCURRENCY: usize = 4;
/// Set for the process that is to be killed: where it reads, and where it keeps what it read.
const TARGET: &str = "RESETTLE_TEST_RESUME";
/// The server answers no further page of the first crawl than this.
const STOP_AFTER: usize = 250;

fn limits() -> Limits {
    Limits { concurrency: CONCURRENCY, max_pages: 2 * PAGES, ..Limits::default() }
}

async fn read(start: &str, folder: &Path) -> Reading {
    let start = start.parse().expect("a URL");
    let archive = FolderArchive::open(&folder.join("bodies")).expect("an archive");
    let journal = FileJournal::open(&folder.join("journal")).expect("a journal");
    let fetcher = fetcher(&start);
    let read = site_read::read(&fetcher, &archive, &journal, &start, &limits(), &|_| {}).await;
    let reading = read.expect("a snapshot");
    // Whatever the snapshot names is in the archive, also what the first process stored.
    for hash in bodies(&reading) {
        archive.get(&hash).await.expect("the body");
    }
    reading
}

fn fetcher(start: &url::Url) -> Fetcher {
    let address = start.socket_addrs(|| None).expect("an address");
    Fetcher::new(Options { allow: address, retries: 0, ..Options::default() }).expect("a fetcher")
}

fn bodies(reading: &Reading) -> Vec<ContentHash> {
    let snapshot = &reading.snapshot;
    let pages = snapshot.pages.values().flat_map(|page| [page.body.clone(), page.html.clone()]);
    pages.chain(snapshot.assets.values().map(|asset| asset.body.clone())).collect()
}

fn json(reading: &Reading) -> String {
    serde_json::to_string_pretty(&reading.snapshot).expect("JSON")
}

/// A wide tree of pages with assets, redirects and dead links. Once `STOP_AFTER` pages were asked for,
/// it tells so and answers nothing until `open` is set.
fn site(open: Arc<AtomicBool>, reached: mpsc::Sender<()>) -> Site {
    let asked = AtomicUsize::new(0);
    Site::of(move |path| {
        let number = path.strip_prefix("/p").and_then(|n| n.parse::<usize>().ok());
        if let Some(number) = number.filter(|number| *number < PAGES) {
            if asked.fetch_add(1, Ordering::SeqCst) >= STOP_AFTER && !open.load(Ordering::SeqCst) {
                let _ = reached.send(());
                return Reply::html("too late").after(30_000);
            }
            return page(number);
        }
        match path {
            "/" => page(0),
            "/sitemap.xml" => Reply::new("text/xml", "<urlset><url><loc>/p499</loc></url></urlset>"),
            path if path.starts_with("/old") => Reply::redirect(301, &path.replace("/old", "/p")),
            path if path.ends_with(".css") => Reply::new("text/css", "a{b:url(/bg.gif)}"),
            path if path.ends_with(".gif") => Reply::new("image/gif", "GIF89a\x02\0\x03\0"),
            _ => Reply::status(404),
        }
    })
}

fn page(number: usize) -> Reply {
    let mut html = format!("<title>{number}</title><link rel=stylesheet href=/s{}.css>", number % 7);
    for child in 1..=8 {
        let _ = write!(html, "<a href=/p{}>x</a>", number * 8 + child);
    }
    let _ =
        write!(html, "<a href=/old{}>x</a><a href=/dead{number}>x</a><img src=/i{number}.gif>", number / 3);
    Reply::html(html)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_killed_in_the_middle_goes_on_as_if_nothing_had_happened() {
    if let Ok(target) = std::env::var(TARGET) {
        let (start, folder) = target.split_once(' ').expect("an address and a folder");
        read(start, Path::new(folder)).await;
        return;
    }
    let open = Arc::new(AtomicBool::new(false));
    let (tell, reached) = mpsc::channel();
    let site = site(open.clone(), tell);
    let start = site.url("/").to_string();
    let folder = tempfile::tempdir().expect("a folder");

    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "resume::a_crawl_killed_in_the_middle_goes_on_as_if_nothing_had_happened"])
        .env(TARGET, format!("{start} {}", folder.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let halted = reached.recv_timeout(Duration::from_secs(60));
    child.kill().expect("killed");
    child.wait().expect("reaped");
    halted.expect("the child reached the middle");
    let under_way = site.all_requests();
    open.store(true, Ordering::SeqCst);

    let resumed = read(&start, folder.path()).await;
    assert_eq!(resumed.snapshot.pages.len(), PAGES + 1, "all pages and the start");
    let all = site.all_requests();
    let mut twice: Vec<&String> = all[under_way.len()..]
        .iter()
        .filter(|path| !matches!(path.as_str(), "/robots.txt"))
        .filter(|path| under_way.contains(path))
        .collect();
    twice.dedup();
    assert!(twice.len() <= CONCURRENCY, "asked twice although answered once: {twice:?}");
    assert!(under_way.len() > STOP_AFTER, "the first crawl was in the middle");

    let fresh = tempfile::tempdir().expect("a folder");
    let undisturbed = read(&start, fresh.path()).await;
    assert_eq!(json(&resumed), json(&undisturbed));

    // A third time nothing is left to ask but robots.txt, which may have changed.
    let before = site.requests();
    assert_eq!(json(&read(&start, folder.path()).await), json(&undisturbed));
    assert_eq!(site.all_requests()[before..], ["/robots.txt"]);
}

#[tokio::test]
async fn the_journal_gives_the_pages_in_the_snapshots_order() {
    let (tell, _) = mpsc::channel();
    let site = site(Arc::new(AtomicBool::new(true)), tell);
    let (archive, journal) = (MemoryArchive::new(), MemoryJournal::new());
    let start = site.url("/");
    let limits = Limits { max_pages: 150, ..limits() };
    let read = site_read::gather(&fetcher(&start), &archive, &journal, &start, &limits, &|_| {}).await;
    let mut gathered = read.expect("it was read");
    let pages = journal::pages(&journal, &mut gathered).expect("read");
    let found: Vec<_> = pages.try_collect().await.expect("all recalled");
    let snapshot = gathered.into_snapshot().expect("a snapshot");
    assert!(found.iter().map(|(url, ..)| url).eq(snapshot.pages.keys()));
    for (url, read, visit) in &found {
        assert_eq!(read, &snapshot.pages[url]);
        let page = match &**visit {
            Visit::Page(visit) => &visit.page,
            Visit::Door(door) => &door.page.page,
            other => panic!("{url} was no page: {other:?}"),
        };
        assert_eq!(page.body, snapshot.pages[url].body);
    }
}

#[tokio::test]
async fn what_is_recorded_is_kept_when_time_is_up() {
    let (tell, _) = mpsc::channel();
    let site = site(Arc::new(AtomicBool::new(true)), tell);
    let (archive, journal) = (MemoryArchive::new(), MemoryJournal::new());
    let start = site.url("/");
    let (fetcher, limits) = (fetcher(&start), limits());
    let read = async |limits: &Limits| {
        let read = site_read::read(&fetcher, &archive, &journal, &start, limits, &|_| {}).await;
        read.expect("a snapshot").snapshot
    };
    let whole = read(&limits).await;
    let asked = site.requests();
    let late = read(&Limits { max_time: Duration::ZERO, ..limits }).await;
    assert_eq!(late, whole);
    assert_eq!(site.requests(), asked);
}

/// Refuses to record from some point on.
struct Full {
    inner: MemoryJournal,
    room: AtomicUsize,
}

#[async_trait::async_trait]
impl Journal for Full {
    async fn recall(&self, keys: &[journal::VisitKey]) -> std::io::Result<Vec<Option<Arc<Visit>>>> {
        self.inner.recall(keys).await
    }

    async fn record(&self, visits: &[(journal::VisitKey, Arc<Visit>)]) -> std::io::Result<()> {
        let room = self.room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |room| room.checked_sub(1));
        room.map_err(|_| std::io::Error::other("the disk is full"))?;
        self.inner.record(visits).await
    }
}

#[tokio::test]
async fn a_journal_that_fails_ends_the_crawl_by_name_and_can_be_gone_on_from() {
    let (tell, _) = mpsc::channel();
    let site = site(Arc::new(AtomicBool::new(true)), tell);
    let start = site.url("/");
    let archive = MemoryArchive::new();
    let journal = Full { inner: MemoryJournal::new(), room: AtomicUsize::new(20) };
    let (fetcher, limits) = (fetcher(&start), limits());
    let failed = site_read::read(&fetcher, &archive, &journal, &start, &limits, &|_| {}).await;
    let failed = failed.expect_err("no room");
    assert_eq!(failed.code(), "JOURNAL_UNAVAILABLE");
    assert!(failed.is_transient());
    let asked = site.requests();
    journal.room.store(usize::MAX, Ordering::SeqCst);
    let read = site_read::read(&fetcher, &archive, &journal, &start, &limits, &|_| {}).await;
    assert_eq!(read.expect("a snapshot").snapshot.pages.len(), PAGES + 1);
    assert!(!site.all_requests()[asked..].contains(&"/".to_owned()), "the home page was recorded");
}
