//! A built project beside its site in the browser: what is the same passes, and what was spoiled is named. One build, in a
//! cell, serves all of it.

use crate::{server, snapshot::Site};
use async_trait::async_trait;
use bytes::Bytes;
use site_check::{
    Bounds, Build, Comparer, Comparison, Error, Toolchain, Workshop,
    compare::{Compared, ComparedPage, Options},
    repair::{self, Tried},
};
use site_read::{Archive, ContentHash, MemoryArchive};
use site_write::{Contents, Keeps, Plan, Project, plan::Keep};
use std::{
    collections::BTreeSet,
    convert::Infallible,
    fs, io,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tempfile::TempDir;

const CSS: &str = "body{margin:8px;font:16px/1.5 sans-serif}.box{border:3px solid rgb(10,20,30);padding:12px}\
    .row{display:flex;gap:10px}@media (max-width:800px){.row{display:block}}nav a{margin-right:1em}";
const DOT: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

const DRAWN: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='30' height='20'><circle r='9' /></svg>";

const TILES: &str = "<div class=row><div class=tile><h2><b>One</b></h2><i>first</i></div><div class=tile><h2><b>Two</b></h2><i>second</i></div>\
    <div class=tile><h2><b>Three</b></h2><i>third</i></div></div>";

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><head><title>{title}</title><meta name=viewport content='width=device-width, initial-scale=1'>\
         <meta name=description content='About {title}'><link rel=canonical href='http://old.example/'><link rel=stylesheet href=/s.css></head>\
         <body><nav><a href=/>Home</a><a href=/lost.html>Lost</a></nav><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

/// What is filled by a script that adds to whatever there is.
fn app(made: &str) -> String {
    let script = "const made = document.createElement('p'); made.textContent = 'Made'; document.getElementById('app').append(made);";
    format!("<div id=app>{made}</div><script>{script}</script>")
}

/// What React cannot say, or would take for a mistake of its own.
const UNSAYABLE: &str = "<p hidden=until-found>Found</p><svg width=200 height=40><text y=20 xml:space=preserve>a   b</text></svg>\
    <my-card>\n  <template shadowrootmode=OPEN shadowrootdelegatesfocus><style>b{color:teal}</style><b style='top: 0; color: red !important'>Shadow</b><slot></slot></template>\n  <i>Light</i></my-card>\
    <p @click=go [x]=1>Named</p><template id=t><i @click=in>in</i></template><p id=names></p>\
    <script>const { content } = document.getElementById('t'); const named = [document.querySelector('p[id=names]').parentElement, content]\
    .flatMap((it) => [...it.querySelectorAll('*')]).flatMap((it) => it.getAttributeNames()).filter((it) => /[@[]/.test(it));\
    document.getElementById('names').textContent = named.join(' ');</script>\
    <p id=read><!-- People's words --><!-- ko if: on -->Bound<!-- /ko --></p><p id=told></p><x-lit><template shadowrootmode=open><!--lit-part--><b>In it</b></template></x-lit>\
    <svg width=9 height=9><g id=drawn><!--[--><path d='M0 0h9' /></g><symbol id=one><title>One</title></symbol> <symbol id=two><title>Two</title></symbol></svg>\
    <script>const told = document.getElementById('told'); \
    const parents = [document.getElementById('read'), document.querySelector('x-lit').shadowRoot, document.getElementById('drawn')];\
    const said = parents.flatMap((it) => [...it.childNodes]).filter((it) => it.nodeType === 8).map((it) => it.data);\
    told.textContent = said.filter((it) => !/People/.test(it)).join();</script>\
    <template id=kit><title>Kit</title><meta name=kit content=x><script>window.kit = 'ran';</script><b>kit</b></template><title>Second</title>\
    <svg width=9 height=9><script>window.drawn = 'drawn';</script><script xlink:href=/quiet.js></script></svg><x-tab onward=left>Tab</x-tab><p id=kits></p>\
    <script>const kits = document.getElementById('kits'); kits.append(document.importNode(document.getElementById('kit').content, true));\
    kits.append([window.kit, window.drawn, document.title, kits.querySelector('title').textContent].join());</script>\
    <script src=/quiet.js defer onload=\"told.append(' came')\"></script><p>Behind</p>";

/// It takes over what was sent, by the marks in it.
const LATE: &str = "const root = document.getElementById('root'); const marks = [...root.childNodes].filter((it) => it.nodeType === 8);\
    root.append(marks.map((it) => it.data).join());";

/// What it says on the site hangs on how often it was asked for: see [`Moody`].
const MOOD: &str = "document.getElementById('mood').textContent = 'Steady at last';";
const OTHER_MOOD: &str = "document.getElementById('mood').textContent = 'Of another mind';";

impl Site {
    /// A page of pictures that another page would fetch with it.
    fn album(self, number: usize) -> Self {
        let files: Vec<String> = (0..8).map(|at| format!("/album-{number}-{at}.svg")).collect();
        let images: String =
            files.iter().map(|file| format!("<img src={file} width=30 height=20 alt=dot>")).collect();
        let site = self.page(&format!("/album-{number}.html"), &page("Album", &images));
        files.iter().fold(site, |site, file| site.asset(file, "image/svg+xml", DRAWN))
    }
}

fn site() -> Site {
    let home = format!(
        "<div class=row><p class=box>One</p><p class=box>Two</p></div><img src='{DOT}' width=30 height=20 alt=dot>\
         <form action=/find method=get><input name=q aria-label=Words><button>Find</button></form><iframe src=/target.html title=Inner>Frames were unknown once.</iframe>\
         <p id=out>before</p><script>const out = document.getElementById('out'); out.textContent = 'after ' + Math.random(); \
         const made = document.createElement('a'); made.href = URL.createObjectURL(new Blob(['x'])); made.text = 'made'; out.append(' ', made);</script>"
    );
    Site::new()
        .page("/", &page("Home", &home))
        .page("/lost.html", &page("Lost", "<p>Kept words</p><p>Words that go missing</p>"))
        .page("/style.html", &page("Style", TILES))
        .page("/link.html", &page("Link", "<p>See <a href=/target.html>the target</a></p>"))
        .page("/hydration.html", &page("Hydration", "<p>steady</p>"))
        .page(
            "/target.html",
            &page(
                "Target",
                "<p>Here</p><p><a href=/album-1.html>One</a> and <a href=/album-2.html>two</a></p>",
            ),
        )
        .album(1)
        .album(2)
        .page("/unsayable.html", &page("Unsayable", UNSAYABLE))
        .page(
            "/late.html",
            &page(
                "Late",
                "<div id=root><!--[--><b>Sent</b><!--]--></div><script src=/late.js async></script>",
            ),
        )
        .asset("/late.js", "text/javascript", LATE)
        .page("/moods.html", &page("Moods", "<p id=mood></p><script src=/mood.js></script>"))
        .asset("/mood.js", "text/javascript", MOOD)
        .asset("/quiet.js", "text/javascript", "void 0;")
        .asset("/s.css", "text/css", CSS)
        .rendered("/app.html", &page("App", &app("")), &page("App", &app("<p>Made</p>")))
        .redirect("/old.html", "/target.html", 301)
        .redirect("/older.html", "/link.html", 301)
}

/// Looks around while the project is built.
const PROBE: &str = r#"
import fs from "node:fs";
import os from "node:os";
const seen = { root: fs.readdirSync("/"), environment: Object.keys(process.env), interfaces: Object.keys(os.networkInterfaces()) };
let packages = "writable";
try { fs.writeFileSync("node_modules/x", ""); } catch { packages = "read-only"; }
fs.writeFileSync("probe.json", JSON.stringify({ ...seen, packages }));
"#;

const UNSTEADY: &str = "\"use client\";\n\nexport function Unsteady() {\n  return <>{typeof window === \"undefined\" ? \"shaky\" : \"steady\"}</>;\n}\n";

/// Reddens in a window that no one has: pictures of whole pages are taken with the help of one.
const MINDFUL: &str = "\"use client\";\n\nimport { useEffect } from \"react\";\n\nexport function Mindful() {\n  useEffect(() => {\n    \
    const look = () => { if (window.innerWidth < 390) document.body.style.background = \"red\"; };\n    \
    window.addEventListener(\"resize\", look);\n    return () => window.removeEventListener(\"resize\", look);\n  }, []);\n  \
    return null;\n}\n";

/// The project, with its card in another dress.
fn spoiled_card(plan: &Plan, project: &mut Project) {
    for card in &plan.cards {
        let Some(Contents::Text(text)) = project.files.get_mut(&card.file) else {
            panic!("{card:?} is text")
        };
        assert!(text.contains("className=\"tile\""), "{text}");
        *text = text.replace("className=\"tile\"", "className=\"box\"");
    }
}

/// The project, with one thing wrong in each of the pages that are named for it, and one that minds how it is looked at.
fn spoiled(plan: &Plan, project: &mut Project) {
    let file = |path: &str| {
        let url = format!("http://old.example{path}");
        plan.route(&url).expect("a route").file.clone()
    };
    let mut edit = |file: String, from: &str, to: &str| {
        let Some(Contents::Text(text)) = project.files.get_mut(&file) else { panic!("{file} is text") };
        assert!(text.contains(from), "{from} is in {file}:\n{text}");
        *text = text.replace(from, to);
    };
    edit(file("/lost.html"), "Words that go missing", "Words");
    edit(file("/link.html"), "/target.html", "/lost.html");
    edit(file("/hydration.html"), "steady", "<Unsteady />");
    edit(file("/target.html"), "<p>Here</p>", "<p>Here</p><Mindful />");
    for (path, component) in [("/hydration.html", "Unsteady"), ("/target.html", "Mindful")] {
        let import = format!("import {{ {component} }} from \"@/components/{component}\";\n\nexport default");
        edit(file(path), "export default", &import);
    }
    edit("next.config.ts".into(), "destination: \"/link.html\"", "destination: \"/\"");
    edit("next.config.ts".into(), "import type", &format!("{PROBE}import type"));
    for (name, text) in [("Unsteady", UNSTEADY), ("Mindful", MINDFUL)] {
        project.files.insert(format!("components/{name}.tsx"), Contents::Text(text.into()));
    }
}

fn on_disk(site: &Site, project: &Project) -> TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (path, contents) in &project.files {
        server::put(&folder.path().join(path), contents, &site.bodies);
    }
    folder
}

async fn workshop(bounds: Bounds) -> Workshop {
    std::fs::create_dir_all(server::cache()).expect("the cache can be made");
    let toolchain = Toolchain::prepare(&server::cache()).await.expect("Node and npm are here");
    Workshop::open(toolchain, bounds).expect("bubblewrap, socat and Node: `make setup`")
}

/// An archive from which the site's script of moods comes as another until it was asked for twice.
struct Moody {
    kept: MemoryArchive,
    asked: AtomicUsize,
}

#[async_trait]
impl Archive for Moody {
    async fn put(&self, bytes: Bytes) -> io::Result<ContentHash> {
        self.kept.put(bytes).await
    }

    async fn get(&self, hash: &ContentHash) -> io::Result<Bytes> {
        let is_the_mood = *hash == ContentHash::of(MOOD.as_bytes());
        if is_the_mood && self.asked.fetch_add(1, Ordering::Relaxed) < 2 {
            return Ok(Bytes::from_static(OTHER_MOOD.as_bytes()));
        }
        self.kept.get(hash).await
    }
}

async fn compared(
    site: &Site,
    plan: &Plan,
    folder: &Path,
    workshop: &Workshop,
    only: Option<&BTreeSet<String>>,
) -> Comparison {
    let archive = Moody { kept: MemoryArchive::new(), asked: AtomicUsize::new(0) };
    for body in site.bodies.values() {
        archive.put(body.clone()).await.expect("kept in memory");
    }
    let server = workshop.serve(folder).await.expect("next start listens");
    let it = Compared { plan, snapshot: &site.snapshot, archive: &archive, server: &server, only };
    let options = Options { pictures: vec![390], ..Options::default() };
    let comparer = Comparer::open(options).expect("Chromium that can be confined: `make setup`");
    let compared = comparer.compare(&it, &|_, _, _| {}).await.expect("compared");
    for kept in compared.pages.iter().flat_map(|page| &page.pictures) {
        let (original, copy) = (archive.get(&kept.original).await, archive.get(&kept.copy).await);
        for picture in [original, copy] {
            assert!(picture.expect("it is in the archive").starts_with(b"\x89PNG"), "{kept:?}");
        }
    }
    server.end().await;
    compared
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_same_passes_and_what_was_spoiled_is_named() {
    let site = site();
    let (plan, mut project) = server::written(&site);
    spoiled(&plan, &mut project);
    assert_eq!(plan.cards.len(), 1, "the tiles are one card: {:?}", plan.cards);
    spoiled_card(&plan, &mut project);
    let folder = on_disk(&site, &project);
    let workshop = workshop(Bounds::default()).await;
    let Build { succeeded, said } = workshop.build(folder.path()).await.expect("next build runs");
    assert!(succeeded, "next build takes the project in its cell:\n{said}");
    nothing_of_ours_was_inside(folder.path());
    let compared = compared(&site, &plan, folder.path(), &workshop, None).await;
    let codes = |path: &str| -> Vec<&str> {
        let url = format!("http://old.example{path}");
        let page = compared.pages.iter().find(|page| page.url == url).expect("it was shown");
        assert_eq!(page.passed, page.reasons.is_empty());
        page.reasons.iter().map(|reason| reason.code.as_str()).collect()
    };
    for path in ["/", "/target.html", "/album-1.html", "/moods.html", "/unsayable.html"] {
        assert_eq!(codes(path), [""; 0], "{path} is as it was: {compared:#?}");
    }
    for page in compared.pages.iter().filter(|page| page.passed) {
        let widths: Vec<u32> = page.elements.iter().map(|at| at.width).collect();
        assert_eq!(widths, [1280, 1024, 768, 390]);
        for at in &page.elements {
            assert!(at.visible > 5 && at.share == 1.0 && at.differing.is_empty(), "{page:#?}");
            let pictured = [1280, 390].contains(&at.width);
            assert_eq!(at.pixels.is_some(), pictured, "{at:#?}");
            if let Some(pixels) = &at.pixels {
                assert!(pixels.same_size && pixels.ssim > 0.999 && pixels.different < 0.001, "{page:#?}");
            }
        }
        let [kept] = page.pictures.as_slice() else { panic!("one width is kept: {page:#?}") };
        assert_eq!(kept.width, 390);
    }
    // Of another mind, and again when it was shown alone; the site itself then is not, and so it is shown once more.
    let moods = compared.pages.iter().find(|page| page.url.ends_with("/moods.html"));
    assert_eq!(moods.map(|page| page.more_looks), Some(2));
    assert_eq!(codes("/lost.html"), ["text"]);
    let style = codes("/style.html");
    assert!(style.contains(&"elements") && !style.contains(&"text"), "{style:?}");
    assert_eq!(codes("/link.html"), ["links", "links"], "one is missing and one is new");
    assert_eq!(codes("/hydration.html"), ["hydration"], "{compared:#?}");
    assert!(codes("/app.html").contains(&"text"), "its script runs twice: {compared:#?}");
    let wrong: Vec<&str> = compared.wrong_addresses.iter().map(|wrong| wrong.path.as_str()).collect();
    assert_eq!(wrong, ["/older.html"], "{compared:#?}");
    assert_eq!((compared.passed, compared.addresses, compared.left_out), (false, 15, 0));
    what_can_be_mended_is(&site, &workshop, Tried { plan, project, comparison: compared }).await;
}

/// It is the card that spoils one page, and what a browser made of it the other: with copies of its own the first is itself in
/// the browser, and the second as it was sent.
async fn what_can_be_mended_is(site: &Site, workshop: &Workshop, first: Tried) {
    let [home, app, style] =
        ["/", "/app.html", "/style.html"].map(|path| format!("http://old.example{path}"));
    let looked_at = |page: &ComparedPage| [&home, &app, &style].contains(&&page.url);
    let pages = first.comparison.pages.iter().filter(|page| looked_at(page)).cloned().collect();
    let comparison = Comparison { pages, wrong_addresses: Vec::new(), ..first.comparison };
    let bench = Carpenter { site, workshop };
    let mended = repair::repair(&bench, Tried { comparison, ..first }).await.expect("it cannot fail");
    let repairs = mended.comparison.repairs.iter();
    let repairs: Vec<_> = repairs.map(|it| (it.url.as_str(), it.tried.as_slice(), it.passed)).collect();
    let wanted = [(app.as_str(), &[Keep::Sent][..], true), (style.as_str(), &[Keep::Copies][..], true)];
    assert_eq!(repairs, wanted, "{:#?}", mended.comparison);
    assert!(mended.comparison.passed, "{:#?}", mended.comparison);
    assert_eq!((mended.plan.cards.len(), mended.comparison.pages.len()), (0, 3));
}

/// Builds in the cell and shows in the browser; its cards are always spoiled.
struct Carpenter<'a> {
    site: &'a Site,
    workshop: &'a Workshop,
}

impl repair::Bench for Carpenter<'_> {
    type Error = Infallible;

    async fn write(&self, plan: &Plan, keeps: &Keeps) -> Result<Option<(Plan, Project)>, Infallible> {
        let (plan, mut project) = server::keeping(self.site, plan, keeps);
        spoiled_card(&plan, &mut project);
        Ok(Some((plan, project)))
    }

    async fn measure(
        &self,
        plan: &Plan,
        project: &Project,
        pages: &BTreeSet<String>,
    ) -> Result<Option<Comparison>, Infallible> {
        let folder = on_disk(self.site, project);
        let built = self.workshop.build(folder.path()).await.expect("next build runs");
        assert!(built.succeeded, "{}", built.said);
        Ok(Some(compared(self.site, plan, folder.path(), self.workshop, Some(pages)).await))
    }
}

/// What the project's own configuration saw while it was built.
fn nothing_of_ours_was_inside(folder: &Path) {
    let probe = std::fs::read(folder.join("probe.json")).expect("the configuration was read");
    let probe: serde_json::Value = serde_json::from_slice(&probe).expect("JSON");
    let has = |list: &str, word: &str| {
        probe[list]
            .as_array()
            .expect("a list")
            .iter()
            .any(|it| it.as_str().is_some_and(|it| it.starts_with(word)))
    };
    for gone in ["root", "home", "work", "var"] {
        assert!(!has("root", gone), "{probe}");
    }
    assert!(std::env::var_os("RESETTLE_TEST_CACHE").is_some(), "there is something to hide");
    assert!(!has("environment", "RESETTLE") && !has("environment", "CARGO"), "{probe}");
    assert_eq!(probe["interfaces"], serde_json::json!(["lo"]), "{probe}");
    assert_eq!(probe["packages"], "read-only", "the shared packages stay as they are");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_bounded_in_time_in_memory_and_in_what_it_writes() {
    let site = Site::new().page("/", &page("Home", "<p>small</p>"));
    let (_, project) = server::written(&site);
    let build = async |bounds: Bounds| {
        let folder = on_disk(&site, &project);
        workshop(bounds).await.build(folder.path()).await
    };
    let short = Bounds { build: Duration::ZERO, page: Duration::from_millis(50), ..Bounds::default() };
    let endless = build(short).await;
    assert!(matches!(endless, Err(Error::Endless { .. })), "{endless:?}");
    let large = build(Bounds { memory: 64 << 20, ..Bounds::default() }).await.expect("it ran");
    assert!(!large.succeeded && large.said.contains("bytes of memory"), "{large:?}");
    let wordy = build(Bounds { written: 4096, ..Bounds::default() }).await.expect("it ran");
    assert!(!wordy.succeeded, "{wordy:?}");
}

/// When its build began and failed, in milliseconds, as its own configuration says it.
const TIMED: &str = "import { writeFileSync } from 'node:fs';\n\
    writeFileSync('times', `${Math.ceil(performance.timeOrigin)} ${Date.now()}`);\nthrow new Error('that is all');\n";

#[tokio::test]
async fn a_workshop_builds_one_project_at_a_time() {
    let workshop = workshop(Bounds::default()).await;
    let site = Site::new().page("/", &page("Home", "<p>small</p>"));
    let (_, mut project) = server::written(&site);
    project.files.remove("next.config.ts");
    project.files.insert("next.config.mjs".to_owned(), Contents::Text(TIMED.to_owned()));
    let [first, second] = [(), ()].map(|()| on_disk(&site, &project));
    let built = tokio::join!(workshop.build(first.path()), workshop.build(second.path()));
    for built in [built.0, built.1] {
        let built = built.expect("it ran");
        assert!(!built.succeeded && built.said.contains("that is all"), "{built:?}");
    }
    let mut times = [first, second].map(|folder| {
        let times = fs::read_to_string(folder.path().join("times")).expect("it says when");
        let (began, ended) = times.split_once(' ').expect("two times");
        [began, ended].map(|time| time.parse::<u64>().expect("milliseconds"))
    });
    times.sort_unstable();
    let [[_, ended], [began, _]] = times;
    assert!(ended <= began, "the second began {began}, before the first ended {ended}");
}
