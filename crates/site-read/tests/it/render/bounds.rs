//! Pages without end, and what is left of a browser whose parent died.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use site_fetch::proxy::Turned;
use site_fetch::{Fetcher, Options as FetchOptions};
use site_read::render::{Error, Options, Rendered};

use super::https::Here;
use super::{fetcher, renderer};
use crate::server::{Reply, Site};

async fn bounded(page: &str, options: Options) -> Result<Rendered, Error> {
    let site = Site::with(vec![("/", Reply::html(page))]);
    renderer(options).render(&fetcher(&[site.address]), &site.url("/")).await
}

#[tokio::test]
async fn a_page_that_never_ends_runs_into_the_bound_on_time() {
    let brief = Options { max_time: Duration::from_secs(5), ..Options::default() };
    let outcome = bounded("<p>x<script>for(;;);</script>", brief).await;
    assert!(matches!(outcome, Err(Error::TimedOut { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_page_that_always_asks_is_read_as_it_is() {
    let page = "<p>here</p><script>setInterval(() => fetch('/?' + Math.random()), 100)</script>";
    let soon = Options { max_settle: Duration::from_secs(2), ..Options::default() };
    let rendered = bounded(page, soon).await.expect("a rendered page");
    assert!(rendered.html.contains("<p>here</p>"));
    assert!(rendered.requests.len() <= Options::default().max_told);
}

#[tokio::test]
async fn a_page_that_takes_memory_without_end_is_ended() {
    let page = "<p>x<script>const kept = []; setInterval(() => { \
        for (let i = 0; i < 8; i++) kept.push(new Uint8Array(16 << 20).fill(7)); }, 1)</script>";
    let small = Options { max_memory: 512 * 1024 * 1024, ..Options::default() };
    let outcome = bounded(page, small).await;
    let ended = matches!(outcome, Err(Error::Memory { .. } | Error::Ended(_)));
    // V8 may also refuse the page an array; then the page stops there and is read.
    let stopped =
        outcome.as_ref().is_ok_and(|page| page.console.iter().any(|line| line.contains("allocation failed")));
    assert!(ended || stopped, "{outcome:?}");
}

#[tokio::test]
async fn a_page_with_frames_of_hundreds_of_sites_stays_within_its_bounds() {
    let page = "<p>here</p><script>for (let i = 0; i < 200; i++) {
        const frame = document.createElement('iframe');
        frame.src = `http://site${i}.test:${location.port}/frame`;
        document.body.append(frame);
        } </script>";
    let site = Site::of(move |path| if path == "/" { Reply::html(page) } else { Reply::html("<p>framed") });
    let options = FetchOptions { allow: vec![site.address], retries: 0, ..FetchOptions::default() };
    let fetcher = Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher");
    let soon = Options { max_settle: Duration::from_secs(5), ..Options::default() };
    match renderer(soon).render(&fetcher, &site.url("/")).await {
        Ok(rendered) => {
            assert!(rendered.html.contains("<p>here</p>"));
            let bound = |turned: &Turned| turned.rule.contains("at most");
            assert!(rendered.refused.iter().any(bound), "{:?}", rendered.refused.len());
        }
        // Each of these frames takes a process.
        Err(error) => assert!(matches!(error, Error::Memory { .. } | Error::TimedOut { .. }), "{error}"),
    }
}

#[tokio::test]
async fn a_page_that_floods_its_reader_is_read() {
    let page = "<p>here</p><script>
        const many = Array(8000).fill({ a: 1 });
        for (let i = 0; i < 3; i++) console.error(...many);
        console.error('x'.repeat(700000));
        const sheet = document.createElement('style');
        sheet.textContent = '@keyframes k {' + Array(700).fill(0).map((_, i) => `${i / 7}% { left: ${i}px }`).join('') + '} p { animation: k 1s }';
        document.head.append(sheet);
        for (let i = 0; i < 150; i++) fetch('/' + i).catch(() => 0);
        console.error('the end');
        </script>";
    // How long it may take is another bound's matter.
    let patient = Options {
        max_time: Duration::from_secs(600),
        max_told: 100,
        max_html: 2 * 1024 * 1024,
        ..Options::default()
    };
    let rendered = bounded(page, patient).await.expect("a rendered page");
    assert!(rendered.html.contains("<p>here</p>"));
    assert!(rendered.console.iter().any(|line| line == "the end"), "{:?}", rendered.console.len());
    assert!(rendered.console.iter().all(|line| line.len() < 4000));
    assert_eq!(rendered.requests.len(), 100);
}

#[tokio::test]
async fn a_page_larger_than_the_bound_is_told() {
    let page = "<p>x<script>document.body.append('x'.repeat(3000000))</script>";
    let outcome = bounded(page, Options { max_html: 2_000_000, ..Options::default() }).await;
    assert!(matches!(outcome, Err(Error::TooLarge { .. })), "{outcome:?}");
}

#[tokio::test]
async fn dialogs_windows_and_downloads_do_not_hold_a_page_up() {
    let page = "<p id=out>start</p><a id=down href=/ download=x>x</a><script>
        alert('a'); confirm('b'); prompt('c'); print();
        for (let i = 0; i < 20; i++) window.open('/');
        down.click(); onbeforeunload = () => 'stay';
        navigator.geolocation?.getCurrentPosition(() => {}); Notification?.requestPermission();
        out.textContent = 'went on';</script>";
    let rendered = bounded(page, Options::default()).await.expect("a rendered page");
    assert!(rendered.html.contains("went on"), "{}", rendered.html);
}

#[tokio::test]
async fn a_tall_page_is_photographed_up_to_the_bound() {
    let page = "<body style='margin:0'><div style='height:90000px;background:red'></div>";
    let rendered = bounded(page, Options::default()).await.expect("a rendered page");
    assert!(rendered.screenshots.iter().all(|shot| shot.height == Options::default().max_height));
}

/// Says to a child of a test which page it is to render.
const TARGET: &str = "RESETTLE_TEST_RENDER";

/// A process of its own, in the middle of rendering a page that never ends.
fn rendering(test: &str, site: &Site) -> Child {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", &format!("render::bounds::{test}")])
        .env(TARGET, site.url("/").as_str())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    wait_until("the browser asks for the page", || site.hits("/") > 0);
    child
}

/// What the child does, if this is one: renders until it is told to give up, then stays.
async fn child() {
    let Ok(url) = std::env::var(TARGET) else { return };
    let url = url::Url::parse(&url).expect("an address");
    let fetcher = fetcher(&[([127, 0, 0, 1], url.port().expect("a port")).into()]);
    let long = Options { max_time: Duration::from_secs(600), ..Options::default() };
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let renderer = renderer(long);
    tokio::select! {
        outcome = renderer.render(&fetcher, &url) => panic!("{outcome:?}"),
        _ = told => std::future::pending().await,
    }
}

fn endless() -> Site {
    Site::with(vec![("/", Reply::html("<script>for(;;);</script>"))])
}

fn wait_until(what: &str, mut happens: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !happens() {
        assert!(Instant::now() < end, "{what}: not within a minute");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Processes that descend from this one, by their numbers and starts.
fn descendants(of: u32) -> Vec<(u32, String)> {
    let stat = |pid: u32| -> Option<(u32, String)> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        // One that is dead and only not yet reaped is gone.
        (fields[0] != "Z").then(|| fields[1].parse().ok().map(|parent| (parent, fields[19].to_owned())))?
    };
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let all: Vec<(u32, u32, String)> =
        pids.filter_map(|pid| stat(pid).map(|(parent, start)| (pid, parent, start))).collect();
    let mut found = Vec::new();
    let mut waiting = vec![of];
    while let Some(next) = waiting.pop() {
        for (pid, _, start) in all.iter().filter(|(_, parent, _)| *parent == next) {
            waiting.push(*pid);
            found.push((*pid, start.clone()));
        }
    }
    found
}

fn lives((pid, start): &(u32, String)) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    fields.first().is_some_and(|state| *state != "Z") && fields.get(19) == Some(&start.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_leaves_no_browser() {
    child().await;
    let site = endless();
    let mut child = rendering("a_process_that_is_killed_leaves_no_browser", &site);
    let family = descendants(child.id());
    assert!(family.len() > 3, "bubblewrap, its inside, the relay and the browser: {family:?}");
    child.kill().expect("killed");
    child.wait().expect("reaped");
    wait_until("all of the browser is gone", || !family.iter().any(lives));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_render_that_is_given_up_leaves_no_browser() {
    child().await;
    let site = endless();
    let mut child = rendering("a_render_that_is_given_up_leaves_no_browser", &site);
    let family = descendants(child.id());
    assert!(family.len() > 3, "bubblewrap, its inside, the relay and the browser: {family:?}");
    child.stdin.take().expect("its input").write_all(b"give up\n").expect("told");
    wait_until("all of the browser is gone", || descendants(child.id()).is_empty());
    child.kill().expect("killed");
    child.wait().expect("reaped");
}
