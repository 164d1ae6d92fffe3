//! The crawl of a site whose pages show themselves only in a browser.

use site_read::journal::{Journal, MemoryJournal, Purpose, VisitKey};
use site_read::{Archive, Limits, MemoryArchive, Render, Snapshot};

use crate::render::fetcher;
use crate::server::{Reply, Site};

const SHELL: &str = "<!doctype html><title>Shell</title><div id=app></div><script src=/app.js></script>";

/// Draws a page by its path: links, text, a picture that no markup names, a cookie wall.
const APP: &str = r"
    document.title = 'Page ' + location.pathname;
    document.getElementById('app').innerHTML = '<nav><a href=/about>About</a> <a href=/team>Team</a></nav>'
        + `<p>You are at ${location.pathname}</p>`;
    new Image().src = '/made-by-script.png';
";

fn app() -> Site {
    Site::of(|path| match path {
        "/" | "/about" | "/team" => Reply::html(SHELL),
        "/app.js" => Reply::new("text/javascript", APP),
        "/made-by-script.png" => Reply::new("image/png", &b"\x89PNG\r\n\x1a\n"[..]),
        _ => Reply::status(404),
    })
}

async fn read(site: &Site, journal: &dyn Journal, archive: &MemoryArchive, limits: &Limits) -> Snapshot {
    let fetcher = fetcher(&[site.address]);
    let reading = site_read::read(&fetcher, archive, journal, &site.url("/"), limits, &|_| {}).await;
    reading.expect("a snapshot").snapshot
}

fn not_rendered(snapshot: &Snapshot) -> Vec<&str> {
    let findings = snapshot.findings.iter().filter(|finding| finding.code == "not-rendered");
    findings.map(|finding| finding.note.as_str()).collect()
}

#[tokio::test]
async fn rendered_pages_are_what_is_read_and_followed_and_are_replayed() {
    let site = app();
    let (journal, archive) = (MemoryJournal::default(), MemoryArchive::new());
    let first = read(&site, &journal, &archive, &Limits::default()).await;
    let paths = site.paths(first.pages.keys());
    assert_eq!(paths, ["/", "/about", "/team"], "links that only scripts make are followed");
    let about = &first.pages[site.url("/about").as_str()];
    assert_eq!(about.title, "Page /about");
    let text = |bytes: bytes::Bytes| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let shown = text(archive.get(&about.html).await.expect("stored"));
    assert!(shown.contains("You are at /about"), "{shown}");
    let rendered = about.rendered.as_ref().expect("it was rendered");
    assert_eq!(text(archive.get(&rendered.sent).await.expect("stored")), SHELL);
    let pictures: Vec<u32> = rendered.pictures.iter().map(|picture| picture.width).collect();
    assert_eq!(pictures, [1280, 390]);
    for picture in &rendered.pictures {
        let png = archive.get(&picture.png).await.expect("stored");
        assert!(imagesize::blob_size(&png).is_ok_and(|size| size.width == picture.width as usize));
    }
    let report = text(archive.get(&rendered.report).await.expect("stored"));
    assert!(report.contains("/app.js"), "{report}");
    assert!(
        first.assets.contains_key(site.url("/made-by-script.png").as_str()),
        "what scripts ask for is kept"
    );

    let asked = site.hits("/app.js");
    let again = read(&site, &journal, &archive, &Limits::default()).await;
    assert_eq!(serde_json::to_value(&again).ok(), serde_json::to_value(&first).ok());
    assert_eq!(site.hits("/app.js"), asked, "no page is rendered twice in one run");
}

#[tokio::test]
async fn the_bound_takes_the_first_pages_in_canonical_order() {
    let site = app();
    let limits = Limits { max_rendered: 1, ..Limits::default() };
    let snapshot = read(&site, &MemoryJournal::default(), &MemoryArchive::new(), &limits).await;
    let rendered: Vec<String> =
        site.paths(snapshot.pages.iter().filter(|(_, page)| page.rendered.is_some()).map(|(url, _)| url));
    // The home page leads to the others, so it is always rendered; /about is the first of its level.
    assert_eq!(rendered, ["/", "/about"]);
    let notes = not_rendered(&snapshot);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("only the first 1 pages"), "{notes:?}");
}

#[tokio::test]
async fn rendering_can_be_turned_off() {
    let site =
        Site::with(vec![("/", Reply::html("<h1>Hi</h1><div id=app></div><script src=/app.js></script>"))]);
    let never = Limits { render: Render::Never, ..Limits::default() };
    let snapshot = read(&site, &MemoryJournal::default(), &MemoryArchive::new(), &never).await;
    let home = &snapshot.pages[site.url("/").as_str()];
    assert!(home.rendered.is_none() && not_rendered(&snapshot).is_empty());
}

/// Pages that show themselves without scripts, of which two have the same: these ask for a file by code that no parser reads.
fn asking() -> Site {
    let page = |script: &str| {
        Reply::html(format!("<!doctype html><title>t</title><p>{}</p>{script}", "words ".repeat(60)))
    };
    Site::of(move |path| match path.split('?').next().unwrap_or(path) {
        "/" => page("<a href=/a>a</a><a href=/b>b</a><a href=/c>c</a>"),
        "/a" | "/b" => page("<script src=/ask.js></script>"),
        "/c" => page("<script>fetch('/ca' + 'lled.json')</script>"),
        "/ask.js" => Reply::new(
            "text/javascript",
            "var x = new XMLHttpRequest(); x.open('GET', 'da' + 'ta.json?_=' + Date.now()); x.send();\
            fetch('part.html'); fetch('/gone.json'); fetch('/taken', { method: 'POST' })",
        ),
        "/data.json" | "/called.json" | "/taken" => Reply::new("application/json", "{}"),
        "/part.html" => Reply::html("<p>a part</p>"),
        _ => Reply::status(404),
    })
}

#[tokio::test]
async fn what_only_scripts_ask_for_is_read_once_for_pages_with_the_same() {
    let site = asking();
    let (journal, archive) = (MemoryJournal::default(), MemoryArchive::new());
    let first = read(&site, &journal, &archive, &Limits::default()).await;
    let assets = site.paths(first.assets.keys());
    assert_eq!(assets, ["/ask.js", "/called.json", "/data.json", "/part.html"]);
    assert!(first.pages.values().all(|page| page.rendered.is_none()), "pages stay as they were sent");
    let key = |path: &str| VisitKey { purpose: Purpose::Scripts, url: site.url(path).to_string() };
    let heard = journal.recall(&["/a", "/b", "/c"].map(key)).await.expect("recalled");
    assert_eq!(heard.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    let asked = site.requests();
    assert_eq!(read(&site, &journal, &archive, &Limits::default()).await, first);
    let again = site.all_requests().split_off(asked);
    assert!(again.iter().all(|path| path == "/robots.txt"), "asked twice: {again:?}");
    let never = Limits { render: Render::Never, ..Limits::default() };
    for limits in [never, Limits { run_scripts: false, ..Limits::default() }] {
        let sent = read(&site, &MemoryJournal::default(), &archive, &limits).await;
        assert_eq!(site.paths(sent.assets.keys()), ["/ask.js"]);
    }
}

/// A menu that a script makes, on pages that show themselves without it: behind it are pages that nothing else leads to.
fn with_a_menu() -> Site {
    let page = |rest: &str| {
        Reply::html(format!(
            "<!doctype html><title>t</title><div id=menu></div><p>{}</p>{rest}<script src=/menu.js></script>",
            "words ".repeat(60)
        ))
    };
    Site::of(move |path| match path {
        "/" => page("<a href=/known.html>known</a>"),
        "/known.html" => page(""),
        "/menu.js" => Reply::new(
            "text/javascript",
            "var items = ['known', 'list']; document.getElementById('menu').innerHTML =\
             items.map(function (item) { return '<a href=\"' + item + '.html\">' + item + '</a>' }).join(' ')",
        ),
        "/list.html" => page("<a href=/further.html>further</a>"),
        "/further.html" => page(""),
        _ => Reply::status(404),
    })
}

#[tokio::test]
async fn pages_that_only_a_script_links_to_are_read_and_what_they_link_to() {
    let site = with_a_menu();
    let (journal, archive) = (MemoryJournal::default(), MemoryArchive::new());
    let first = read(&site, &journal, &archive, &Limits::default()).await;
    assert_eq!(site.paths(first.pages.keys()), ["/", "/further.html", "/known.html", "/list.html"]);
    assert!(first.pages.values().all(|page| page.rendered.is_none()), "pages stay as they were sent");
    let depth = |path: &str| first.pages[site.url(path).as_str()].depth;
    assert_eq!(["/", "/list.html", "/further.html"].map(depth), [0, 1, 2]);
    assert_eq!(read(&site, &journal, &archive, &Limits::default()).await, first, "the same from the journal");
    let two = Limits { max_pages: 2, ..Limits::default() };
    let cut = read(&site, &MemoryJournal::default(), &archive, &two).await;
    assert_eq!(site.paths(cut.pages.keys()), ["/", "/known.html"]);
    assert_eq!(cut.left_out["page-limit"].examples, [site.url("/list.html").to_string()]);
    let no_files = Limits { max_assets: 0, ..Limits::default() };
    let cut = read(&site, &MemoryJournal::default(), &archive, &no_files).await;
    assert!(cut.left_out.contains_key("asset-limit") && site.paths(cut.pages.keys()).len() == 2);
    let unrun = Limits { run_scripts: false, ..Limits::default() };
    let sent = read(&site, &MemoryJournal::default(), &archive, &unrun).await;
    assert_eq!(site.paths(sent.pages.keys()), ["/", "/known.html"]);
}
