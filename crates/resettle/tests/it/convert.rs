//! `resettle convert`: a folder of files and a served site become projects, by the command line alone. That a project is
//! built and compared is shown on pages of others (`foreign.rs`).

use crate::scratch::{STARTED, Scratch, resettle};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use testkit::{
    process::Child,
    site::{Answer, StaticSite},
};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("example-site")
}

async fn convert(source: &str, out: &Path, more: &[&str]) -> Child {
    let mut command = resettle(&["convert", source, "--compare", "never", "--out"]);
    command.arg(out).args(more);
    let mut child = Child::spawn("resettle convert", command);
    child.exited(STARTED).await;
    child
}

/// The object in which `--json` ends.
pub(crate) fn last(child: &Child) -> Value {
    let log = child.log();
    let line = log.lines().last().unwrap_or_else(|| panic!("it says something"));
    serde_json::from_str(line).unwrap_or_else(|_| panic!("a last line of JSON: {log}"))
}

/// Every file below a folder, by its path.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                files.insert(name, fs::read(path).expect("readable"));
            }
        }
    }
    files
}

#[tokio::test]
async fn a_folder_of_files_becomes_a_project_and_the_same_one_each_time() {
    let scratch = Scratch::new();
    let source = example();
    let (out, again) = (scratch.path().join("out"), scratch.path().join("again"));
    let both = tokio::join!(
        convert(source.to_str().expect("text"), &out, &["--json"]),
        convert(source.to_str().expect("text"), &again, &[]),
    );
    let (mut child, mut other) = both;
    assert_eq!(child.exited(STARTED).await.code(), Some(0), "{}", child.log());
    assert_eq!(other.exited(STARTED).await.code(), Some(0), "{}", other.log());
    assert!(other.log().contains("npm ci && npm run build && npm start"), "{}", other.log());
    let told = last(&child);
    assert!(told["pages"].as_u64() >= Some(8) && told["routes"] == told["pages"], "{told}");
    assert!(told["assets"].as_u64() > Some(3) && told["redirects"].is_u64(), "{told}");
    assert_eq!(
        (&told["success"], &told["lint"]["passed"]),
        (&Value::Bool(true), &Value::Bool(true)),
        "{told}"
    );
    let checks = told["checks"].as_object().expect("checks by name");
    assert!(checks.contains_key("text") && checks.values().all(|problems| problems == 0), "{told}");

    let files = tree(&out);
    assert_eq!(files.keys().collect::<Vec<_>>(), tree(&again).keys().collect::<Vec<_>>());
    assert_eq!(files, tree(&again), "the same folder gives the same bytes");
    assert!(files.contains_key(Path::new("package.json")) && out.join("app").is_dir());
    let report: Value =
        serde_json::from_slice(&files[Path::new(".resettle-report.json")]).expect("a report beside it");
    assert!(report["checks"].is_array() && report["lint"]["score"].is_u64(), "{report}");
    let text = |path: &Path| String::from_utf8_lossy(&files[path]).into_owned();
    assert!(!files.keys().any(|path| path.starts_with("app") && text(path).contains("127.0.0.")));
}

#[tokio::test]
async fn a_folder_that_stands_for_an_address_has_its_links_for_its_own() {
    let scratch = Scratch::new();
    let (folder, out) = (scratch.path().join("mirror"), scratch.path().join("out"));
    fs::create_dir_all(folder.join("docs")).expect("made");
    let page = |title: &str, links: &str| {
        format!(
            "<!doctype html><title>{title}</title><link rel=canonical href=https://mirror.example/docs/><p>{links}"
        )
    };
    let absolute =
        "<a href=https://mirror.example/about.html>ours</a> <a href=https://elsewhere.example/x>theirs</a>";
    fs::write(folder.join("docs/index.html"), page("Start", absolute)).expect("written");
    let asks = "<a href=/docs/>back</a><script>fetch('/docs/da' + 'ta.json')</script>";
    fs::write(folder.join("about.html"), page("About", asks)).expect("written");
    fs::write(folder.join("docs/data.json"), "[1]").expect("written");
    let source = folder.to_str().expect("text");
    let mut child = convert(source, &out, &["--json", "--as", "https://mirror.example/docs/"]).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(0), "{}", child.log());
    let told = last(&child);
    assert_eq!(told["pages"], 2, "the page that only an absolute link leads to was read: {told}");
    let files = tree(&out);
    let text = |path: &str| String::from_utf8_lossy(&files[Path::new(path)]).into_owned();
    assert_eq!(text("public/docs/data.json"), "[1]", "a browser reaches the folder, which speaks no TLS");
    let (start, sitemap) = (text("app/docs/page.tsx"), text("app/about.html/page.tsx"));
    assert!(
        start.contains("href=\"/about.html\"") && start.contains("https://elsewhere.example/x"),
        "{start}"
    );
    assert!(
        sitemap.contains("https://mirror.example/docs/"),
        "the canonical address is the site's: {sitemap}"
    );
    let mut child = convert("https://mirror.example/", &out, &["--as", "https://mirror.example/"]).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(64), "{}", child.log());
}

#[tokio::test]
async fn a_served_site_is_converted_with_its_redirects() {
    let scratch = Scratch::new();
    let out = scratch.path().join("out");
    let site = StaticSite::serve([
        (
            "/",
            Answer::html(
                "<title>Home</title><h1>Hello</h1><a href=/about.html>About</a><a href=/old>Old</a>",
            ),
        ),
        ("/about.html", Answer::html("<title>About</title><p>About <em>us</em></p>")),
        ("/old", Answer::redirect(301, "/about.html")),
    ])
    .await;
    let allowed = site.addr().to_string();
    let mut child = convert(&site.url(), &out, &["--json", "--allow-address", &allowed]).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(0), "{}", child.log());
    let told = last(&child);
    assert_eq!((told["pages"].as_u64(), told["redirects"].as_u64()), (Some(2), Some(1)), "{told}");
    // A second run takes the place of the first one's project.
    let mut child = convert(&site.url(), &out, &["--allow-address", &allowed]).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(0), "{}", child.log());
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let scratch = Scratch::new();
    let (out, empty) = (scratch.path().join("out"), scratch.path().join("empty"));
    fs::create_dir(&empty).expect("made");
    let strangers = scratch.path().join("thesis");
    fs::create_dir(&strangers).expect("made");
    fs::write(strangers.join("thesis.txt"), "irreplaceable").expect("written");
    let folder = example();
    let folder = folder.to_str().expect("text");
    for (source, out, said) in [
        (folder, &strangers, "name another folder with --out"),
        (empty.to_str().expect("text"), &out, "has no index.html"),
        ("example.com", &out, "is neither an address"),
        ("http://127.0.0.1:9/", &out, "may not be fetched"),
    ] {
        let mut child = convert(source, out, &[]).await;
        assert_eq!(child.exited(STARTED).await.code(), Some(64), "{source}: {}", child.log());
        assert!(child.log().contains(said), "{source}: {}", child.log());
    }
    let site = StaticSite::serve([("/", Answer::status(404))]).await;
    let mut child =
        convert(&site.url(), &out, &["--json", "--allow-address", &site.addr().to_string()]).await;
    assert_eq!(child.exited(STARTED).await.code(), Some(1));
    assert_eq!(last(&child)["error"]["code"], "SITE_STATUS");
    assert!(!out.exists(), "nothing is left of it");
}
