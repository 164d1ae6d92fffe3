//! Twelve pages that nobody of this project wrote, moved and held against themselves in the browser: one build for all. All
//! pages of whole sites are for `make corpus`.

use crate::{
    convert,
    scratch::{Scratch, resettle},
};
use serde_json::Value;
use std::{fs, path::Path, time::Duration};
use testkit::{corpus, process::Child};

/// A build and a browser, on a machine that other tests keep busy; the packages may have to be fetched first.
const COMPARED: Duration = Duration::from_secs(15 * 60);
const ADDRESS: &str = "https://twelve.example/";
/// Of the two sites, the folders that hold no pages.
const FILES: &[&str] = &["assets", "css", "js", "docs/dist", "docs/img"];
const PAGES: [(&str, &[&str]); 2] = [
    ("business-casual", &["index.html", "about.html", "products.html", "store.html"]),
    (
        "spectre",
        &[
            "docs/index.html",
            "docs/getting-started/installation.html",
            "docs/elements/tables.html",
            "docs/elements/typography.html",
            "docs/layout/grid.html",
            "docs/components/cards.html",
            "docs/utilities/colors.html",
            "docs/rtl.html",
        ],
    ),
];
/// Least structural likeness of a page that stands still, and the widths that it is promised at.
const LIKENESS: f64 = 0.999;
const PROMISED: [u64; 2] = [1280, 390];

/// The pages and their files as one site, whose map names them all.
fn gathered(folder: &Path) {
    let mut map = String::new();
    for (site, pages) in PAGES {
        let from = corpus::site(site);
        for files in FILES {
            copy(&from.join(files), &folder.join(files));
        }
        for page in pages {
            let target = folder.join(page);
            fs::create_dir_all(target.parent().expect("below the folder")).expect("made");
            fs::copy(from.join(page), target).expect("the corpus has the page");
            map.push_str(&format!("<url><loc>{ADDRESS}{page}</loc></url>"));
        }
    }
    let head = "<?xml version=\"1.0\"?><urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">";
    fs::write(folder.join("sitemap.xml"), format!("{head}{map}</urlset>")).expect("written");
    // Whoever has the files may read them, whatever crawlers are told.
    fs::write(
        folder.join("robots.txt"),
        format!("User-agent: *\nDisallow: /\nSitemap: {ADDRESS}sitemap.xml\n"),
    )
    .expect("written");
}

fn copy(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).expect("made");
    for entry in entries {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

#[tokio::test]
async fn twelve_foreign_pages_are_themselves_in_the_browser() {
    let scratch = Scratch::new();
    let (folder, out) = (scratch.path().join("twelve"), scratch.path().join("out"));
    gathered(&folder);
    let mut command = resettle(&["convert", "--json", "--compare", "always", "--as", ADDRESS, "--out"]);
    command.arg(&out).arg(&folder);
    if let Some(cache) = std::env::var_os("RESETTLE_TEST_CACHE") {
        command.env("XDG_CACHE_HOME", cache);
    }
    let mut child = Child::spawn("resettle convert", command);
    let code = child.exited(COMPARED).await.code();
    let report = fs::read(out.join(".resettle-report.json")).expect("a report beside the project");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(code, Some(0), "{}\n{:#}", child.log(), report["comparison"]);
    let told = convert::last(&child);
    let none = Value::from(0);
    assert_eq!((&told["success"], &told["checks"]["build"]), (&Value::Bool(true), &none), "{told}");
    let compared = &told["compared"];
    assert_eq!((&compared["passed"], &compared["pages"]), (&Value::Bool(true), &Value::from(12)), "{told}");
    assert_eq!((&compared["refused"], &compared["wrongAddresses"]), (&none, &none), "{told}");
    assert_eq!(told["notMeasured"], Value::Array(Vec::new()), "{told}");
    assert!(!out.join(".next").exists() && !out.join("node_modules").exists(), "it was built elsewhere");
    let pages = report["comparison"]["pages"].as_array().expect("the pages that were shown");
    let named = PAGES.iter().flat_map(|(_, pages)| *pages).map(|page| format!("{ADDRESS}{page}"));
    for named in named.map(|page| page.replace("example/index.html", "example/")) {
        let page = pages.iter().find(|page| page["url"] == named.as_str());
        let page = page.unwrap_or_else(|| panic!("{named} was shown: {pages:#?}"));
        for at in page["elements"].as_array().expect("its widths") {
            assert!(at["share"].as_f64() >= Some(0.99), "{named}: {at}");
            let promised = PROMISED.iter().any(|width| at["width"] == *width);
            assert!(!promised || at["pixels"]["ssim"].as_f64() >= Some(LIKENESS), "{named}: {at}");
        }
    }
    assert_eq!(pages.len(), 12);
}
