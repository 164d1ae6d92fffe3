//! The all-in-one from URL to project, by its command line alone: once straight through, once with a kill -9 in the
//! middle, and the demo as a new user sees it.

use crate::scratch::{STARTED, Scratch, resettle};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};
use testkit::{
    process::Child,
    site::{Answer, StaticSite},
};

/// A whole migration, with the packages for its checks fetched at first.
const MOVED: Duration = Duration::from_secs(10 * 60);

/// Leases that a test can wait for.
const QUICK: [(&str, &str); 6] = [
    ("RESETTLE_ALL_IN_ONE__WORKER__COMPARE__WHEN", "never"),
    ("RESETTLE_ALL_IN_ONE__WORKER__LEASE__TTL", "4s"),
    ("RESETTLE_ALL_IN_ONE__WORKER__LEASE__HEARTBEAT", "500ms"),
    ("RESETTLE_ALL_IN_ONE__WORKER__LEASE__MARGIN", "1s"),
    ("RESETTLE_ALL_IN_ONE__WORKER__SWEEP", "500ms"),
    ("RESETTLE_ALL_IN_ONE__WORKER__RETRY__BASE", "100ms"),
];

async fn example() -> StaticSite {
    let site = StaticSite::serve(Path::new(env!("CARGO_MANIFEST_DIR")).join("example-site")).await;
    for name in ["sitemap.xml", "robots.txt"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("example-site").join(name);
        let text = std::fs::read_to_string(path).expect("the example has it");
        let text = text.replace("{origin}", site.url().trim_end_matches('/'));
        site.answer(&format!("/{name}"), Answer::file(name, text));
    }
    site
}

/// Packages that were fetched once serve every test run.
fn with_cache(command: &mut Command) {
    if let Some(cache) = std::env::var_os("RESETTLE_TEST_CACHE") {
        command.env("XDG_CACHE_HOME", cache);
    }
}

fn migrate(scratch: &Scratch, site: &StaticSite) -> Child {
    let allowed = site.addr().to_string();
    let mut command = resettle(&["migrate", &site.url(), "--json", "--allow-address", &allowed]);
    command.arg("--data").arg(scratch.data()).arg("--out").arg(scratch.path().join("out"));
    command.envs(QUICK);
    with_cache(&mut command);
    Child::spawn("resettle migrate", command)
}

/// The JSON objects among what a command said.
fn objects(child: &Child) -> Vec<Value> {
    child.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn sequence(told: &[Value]) -> Vec<i64> {
    told.iter().filter_map(|event| event["seq"].as_i64()).collect()
}

#[tokio::test]
async fn a_website_becomes_a_project_on_disk() {
    let (scratch, site) = (Scratch::new(), example().await);
    let mut child = migrate(&scratch, &site);
    assert!(child.exited(MOVED).await.success(), "{}", child.log());
    let told = objects(&child);
    let result = told.last().expect("a last line");
    assert_eq!(result["success"], true, "{result}");
    assert!(result["pages"].as_u64() >= Some(10), "{result}");
    let seen = sequence(&told);
    assert_eq!(seen, (1..=seen.len() as i64).collect::<Vec<_>>(), "in order, without gaps");
    let out = scratch.path().join("out");
    assert!(out.join("package.json").is_file() && out.join("app").is_dir());
    assert_eq!(site.hits("/members/"), 0, "robots.txt says no");
}

#[tokio::test]
async fn a_kill_in_the_middle_loses_nothing_and_repeats_nothing_that_was_done() {
    let (scratch, site) = (Scratch::new(), example().await);
    let mut first = migrate(&scratch, &site);
    first.line(r#""phase":"PLAN""#, MOVED).await;
    first.kill();
    let before = objects(&first);
    let read = site.hits("/studio.html");
    assert_eq!(read, 1);

    let mut second = migrate(&scratch, &site);
    assert!(second.exited(MOVED).await.success(), "{}", second.log());
    assert!(second.log().contains("being moved already"), "it joins the first one: {}", second.log());
    let after = objects(&second);
    let ids: BTreeSet<&str> =
        before.iter().chain(&after).filter_map(|event| event["migrationId"].as_str()).collect();
    assert_eq!(ids.len(), 1, "one migration");
    let seen = sequence(&after);
    assert_eq!(seen, (1..=seen.len() as i64).collect::<Vec<_>>(), "one history, from its begin");
    assert!(seen.len() > before.len());
    assert_eq!(site.hits("/studio.html"), read, "what was read is not read again");
    assert!(scratch.path().join("out/package.json").is_file());
}

#[tokio::test]
async fn the_demo_leaves_a_built_project_and_says_how_to_run_it() {
    let scratch = Scratch::new();
    let out = scratch.path().join("out");
    let mut command = resettle(&["demo", "--out"]);
    command.arg(&out);
    with_cache(&mut command);
    let mut child = Child::spawn("resettle demo", command);
    child.line("starting PostgreSQL", STARTED).await;
    assert!(child.exited(MOVED).await.success(), "{}", child.log());
    let said = child.log();
    assert!(said.contains(&format!("cd {} && npm start", out.display())), "{said}");
    assert!(out.join(".next/BUILD_ID").is_file(), "next build has run");
}
