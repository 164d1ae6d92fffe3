//! What a site's scripts do, played by clicks in Chromium on the site and on its project: the same outcome after every step,
//! also after going to other pages and back. Beside it, in the same build, a page for each way in which elements can
//! stand where HTML does not want them (`nesting.rs`). The plays stand in `tests/clicks`.

use crate::{
    browser, nesting,
    server::{Served, serve, written},
    snapshot::{ORIGIN, Site},
};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Map, Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use testkit::packages;

const PAGES: &[(&str, &str)] = &[
    ("/bootstrap5.html", include_str!("../../fixtures/scripts/bootstrap5.html")),
    ("/bootstrap3.html", include_str!("../../fixtures/scripts/bootstrap3.html")),
    ("/jquery.html", include_str!("../../fixtures/scripts/jquery.html")),
    ("/plain-a.html", include_str!("../../fixtures/scripts/plain-a.html")),
    ("/plain-b.html", include_str!("../../fixtures/scripts/plain-b.html")),
    ("/history.html", include_str!("../../fixtures/scripts/history.html")),
    ("/names.html", include_str!("../../fixtures/scripts/names.html")),
    ("/listeners.html", include_str!("../../fixtures/scripts/listeners.html")),
    ("/wild.html", include_str!("../../fixtures/scripts/wild.html")),
];
/// Libraries as their packages hold them.
const LIBRARIES: &[(&str, &str)] = &[
    ("/lib/jquery.js", "jquery/dist/jquery.js"),
    ("/lib/bootstrap5.js", "bootstrap/dist/js/bootstrap.bundle.min.js"),
    ("/lib/bootstrap5.css", "bootstrap/dist/css/bootstrap.min.css"),
    ("/lib/bootstrap3.js", "bootstrap-3/dist/js/bootstrap.min.js"),
    ("/lib/bootstrap3.css", "bootstrap-3/dist/css/bootstrap.min.css"),
    ("/lib/slick.js", "slick-carousel/slick/slick.min.js"),
    ("/lib/slick.css", "slick-carousel/slick/slick.css"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clicks")
}

fn site() -> Site {
    let site = PAGES.iter().fold(Site::new(), |site, (path, html)| site.page(path, html));
    let site = LIBRARIES.iter().fold(site, |site, (path, file)| {
        let text = std::fs::read_to_string(folder().join("node_modules").join(file));
        site.asset(path, kind(path), &text.unwrap_or_else(|error| panic!("{file}: {error}")))
    });
    let site = site.asset("/lib/plugin.js", kind(".js"), include_str!("../../fixtures/scripts/plugin.js"));
    nesting::cases().into_iter().fold(site, |site, case| site.page(&case.path, &case.document()))
}

fn kind(path: &str) -> &'static str {
    if path.ends_with(".css") { "text/css" } else { "text/javascript" }
}

/// The site's answers, by path.
fn files(site: &Site) -> Map<String, Value> {
    let path = |url: &str| url.trim_start_matches(ORIGIN).to_owned();
    let file = |kind: &str, body| json!({ "type": kind, "body": BASE64.encode(&site.bodies[body]) });
    let pages = site.snapshot.pages.iter();
    let pages = pages.map(|(url, page)| (path(url), file("text/html; charset=utf-8", &page.body)));
    let assets = site.snapshot.assets.iter();
    pages.chain(assets.map(|(url, asset)| (path(url), file(&asset.content_type, &asset.body)))).collect()
}

fn play(site: &Site, served: &Served) {
    let cases: Vec<Value> = nesting::cases()
        .iter()
        .map(|case| json!({ "path": case.path, "html": case.html, "same": case.same }))
        .collect();
    let copy = format!("http://{}", served.address);
    let input = json!({ "files": files(site), "copy": copy, "cases": cases }).to_string();
    let mut player = Command::new("node")
        .arg("clicks.mjs")
        .current_dir(folder())
        .env("CHROMIUM", browser::program().expect("Chromium is installed: `make setup`"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("node can be started");
    player.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it listens");
    let output = player.wait_with_output().expect("it ends");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains(">> played 7"), "{said}\n{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_do_what_they_did_and_misplaced_elements_hydrate() {
    // What drives the browser, and the libraries.
    tokio::task::spawn_blocking(|| packages::install(&folder())).await.expect("no panic");
    let site = site();
    let (plan, project) = written(&site);
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:#?}");
    let served = serve(&site, &project).await;
    let page = served.get("/jquery.html").await.body;
    let ahead = "<link rel=\"preload\" as=\"script\" href=\"/lib/jquery.js\"/>";
    assert!(page.contains(ahead), "its files are fetched ahead: {page}");
    tokio::task::spawn_blocking(move || play(&site, &served)).await.expect("every play is the same");
}
