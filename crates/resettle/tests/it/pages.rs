//! The web pages in a real headless Chromium, on the real all-in-one, moving a small site. What is done in the browser
//! stands in `tests/browser`; pictures of every page are kept in the target folder's `tmp/pages`.

use crate::scratch::{STARTED, Scratch, resettle};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};
use testkit::{
    process::Child,
    site::{Answer, StaticSite},
};

/// A whole move, with the packages for its checks fetched at first.
const PLAYED: Duration = Duration::from_secs(10 * 60);
/// Long enough for a person, or a script, to do something while the site is being read.
const PER_PAGE: Duration = Duration::from_millis(800);
const PAGES: usize = 24;

/// Leases that a test can wait for, and an instance with a name.
const QUICK: [(&str, &str); 7] = [
    ("RESETTLE_ALL_IN_ONE__WORKER__COMPARE__WHEN", "never"),
    ("RESETTLE_ALL_IN_ONE__GATEWAY__INSTANCE__NAME", "Browser test"),
    ("RESETTLE_ALL_IN_ONE__GATEWAY__INSTANCE__COLOUR", "violet"),
    ("RESETTLE_ALL_IN_ONE__WORKER__LEASE__TTL", "4s"),
    ("RESETTLE_ALL_IN_ONE__WORKER__LEASE__HEARTBEAT", "500ms"),
    ("RESETTLE_ALL_IN_ONE__WORKER__LEASE__MARGIN", "1s"),
    ("RESETTLE_ALL_IN_ONE__WORKER__SWEEP", "500ms"),
];

/// No packages can be there: what is written is not type-checked where that is not what a scenario is about.
const UNCHECKED: (&str, &str) = ("RESETTLE_ALL_IN_ONE__WORKER__TOOLCHAIN__DIR", "/dev/null");

/// A site that answers at its leisure. Every path begins the same site, so that each scenario has a move of its own.
async fn harbour() -> StaticSite {
    let site = StaticSite::serve(std::collections::BTreeMap::new()).await;
    let links: String =
        (1..=PAGES).map(|n| format!("<li><a href=\"/shelf-{n}\">Shelf {n}</a></li>")).collect();
    let page = |title: &str, body: &str| {
        Answer::html(format!(
            "<!doctype html><html lang=\"en\"><head><title>{title}</title><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"></head><body><h1>{title}</h1>{body}</body></html>"
        ))
        .delayed(PER_PAGE)
    };
    let front = format!("<p>Books by the water.</p><ul>{links}</ul>");
    for path in ["/", "/whole", "/restart", "/seven", "/keyboard", "/operations"] {
        site.answer(path, page("Harbour Books", &front));
    }
    for n in 1..=PAGES {
        site.answer(&format!("/shelf-{n}"), page(&format!("Shelf {n}"), "<p>Second hand, first rate.</p>"));
    }
    site
}

fn up(scratch: &Scratch, site: &StaticSite, listen: &str) -> Child {
    let mut command = up_command(scratch, site, listen);
    command.envs([UNCHECKED]);
    Child::spawn("resettle up", command)
}

fn up_command(scratch: &Scratch, site: &StaticSite, listen: &str) -> Command {
    let mut command =
        resettle(&["up", "--listen", listen, "--allow-address", &site.addr().to_string(), "--data"]);
    command.arg(scratch.data()).envs(QUICK);
    if let Some(cache) = std::env::var_os("RESETTLE_TEST_CACHE") {
        command.env("XDG_CACHE_HOME", cache);
    }
    command
}

/// The address that it prints when it is up.
async fn address(up: &mut Child) -> String {
    let line = up.line("resettle is up at http://", STARTED).await;
    line.rsplit_once("http://").expect("just found").1.trim_end_matches('/').to_owned()
}

/// What drives the browser, with its packages installed.
fn driver() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
        testkit::packages::install(&folder);
        folder
    })
}

fn play(scenario: &str, scratch: &Scratch, site: &StaticSite, address: &str) -> Child {
    let key = std::fs::read_to_string(scratch.data().join("api-key")).expect("the key is there");
    let mut command = Command::new("node");
    command
        .args(["scenario.mjs", scenario])
        .current_dir(driver())
        .env("BASE", format!("http://{address}/"))
        .env("KEY", key.trim())
        .env("SITE", site.url())
        .env("DATA", scratch.data())
        .env("SHOTS", Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages").join(scenario))
        .env("CHROMIUM", chromium());
    Child::spawn(scenario, command)
}

/// The browser, by the names that deploy/setup looks for.
fn chromium() -> PathBuf {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = ["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];
    // Debian's without windows is the cheapest; what is on the `PATH` of it is a script that does not become it.
    let first = ["/usr/lib/chromium/chromium-headless-shell", "/snap/bin/chromium"].map(PathBuf::from);
    let on_path =
        known.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    let found = named.into_iter().chain(first).chain(on_path).find(|file| file.is_file());
    found.expect("Chromium is installed: `make setup`")
}

async fn played(mut child: Child) {
    assert!(child.exited(PLAYED).await.success(), "{}", child.log());
    assert!(child.log().contains(">> whole"), "{}", child.log());
}

async fn plays(scenario: &str) {
    plays_with(scenario, &[UNCHECKED]).await;
}

/// The same, with more settings.
async fn plays_with(scenario: &str, settings: &[(&str, &str)]) {
    let (scratch, site) = (Scratch::new(), harbour().await);
    let mut command = up_command(&scratch, &site, "127.0.0.1:0");
    command.envs(settings.iter().copied());
    let mut up = Child::spawn("resettle up", command);
    let address = address(&mut up).await;
    played(play(scenario, &scratch, &site, &address)).await;
    up.terminate();
    assert!(up.exited(STARTED).await.success());
}

#[tokio::test]
async fn a_site_owner_goes_from_the_sign_in_to_the_project() {
    // The project is built and compared with the site, whose pictures the result shows.
    let compared = [
        ("RESETTLE_ALL_IN_ONE__WORKER__COMPARE__WHEN", "always"),
        ("RESETTLE_ALL_IN_ONE__WORKER__COMPARE__PAGES", "1"),
    ];
    plays_with("whole", &compared).await;
}

#[tokio::test]
async fn seven_tabs_share_one_stream_and_all_stay_live() {
    plays("seven").await;
}

#[tokio::test]
async fn in_arabic_and_with_the_keyboard_alone_a_move_is_started_and_stopped() {
    // Between the word about the plan and the stop there has to be work that takes longer than three keys.
    plays_with("keyboard", &[]).await;
}

#[tokio::test]
async fn a_page_that_is_open_survives_the_servers_restart_without_losing_or_repeating_a_line() {
    let (scratch, site) = (Scratch::new(), harbour().await);
    let mut first = up(&scratch, &site, "127.0.0.1:0");
    let address = address(&mut first).await;
    let mut child = play("restart", &scratch, &site, &address);
    child.line(">> restart now", PLAYED).await;
    first.terminate();
    assert!(first.exited(STARTED).await.success());
    let mut second = up(&scratch, &site, &address);
    second.line("resettle is up at http://", STARTED).await;
    played(child).await;
}

#[tokio::test]
async fn operators_see_what_runs_and_what_died_in_the_browser_and_in_the_terminal() {
    let (scratch, site) = (Scratch::new(), harbour().await);
    let mut up = up(&scratch, &site, "127.0.0.1:0");
    let address = address(&mut up).await;
    played(play("operations", &scratch, &site, &address)).await;
    let ask = |arguments: &str| {
        let mut command = resettle(&arguments.split(' ').collect::<Vec<_>>());
        command.args(["--server", &format!("http://{address}/"), "--data"]).arg(scratch.data());
        let output = command.output().expect("the program is there");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, told, said) = ask("workers");
    assert!(code == Some(0) && told.contains(" MiB ") && told.contains("http://127.0.0.1:"), "{told}{said}");
    assert!(!told.contains('\u{1b}') && !told.contains('█'), "no terminal, no colours: {told}");
    let (code, told, said) = ask("jobs overview");
    assert!(code == Some(0) && told.contains("migrations") && told.contains("CANCELLED"), "{told}{said}");
    assert!(said.contains("instance: Browser test"), "{said}");
    let (_, json, _) = ask("jobs list --json");
    let jobs: serde_json::Value = serde_json::from_str(&json).expect("one JSON document");
    let job = jobs["jobs"][0]["id"].as_str().expect("a job").to_owned();
    let (code, told, said) = ask(&format!("jobs show {job}"));
    assert!(code == Some(0) && told.contains("enqueued") && told.contains("claimed"), "{told}{said}");
    let (code, told, _) = ask("jobs list --state failed");
    assert!(code == Some(0) && told.starts_with("JOB"), "{told}");
    let (code, _, said) = ask(&format!("jobs show {}", uuid::Uuid::nil()));
    assert!(code == Some(1) && said.contains("There is no such job (404)"), "{said}");
    let (code, _, said) = ask("jobs list --limit 0");
    assert!(code == Some(64) && said.contains("between 1 and 100"), "{said}");

    let (code, told, said) = ask("dlq list --settled");
    assert!(code == Some(0) && told.contains("replayed") && told.contains("invalid_input"), "{told}{said}");
    let (_, json, _) = ask("dlq list --all --settled --json");
    let letters: serde_json::Value = serde_json::from_str(&json).expect("one JSON document");
    let last = letters["deadLetters"].as_array().and_then(|all| all.last()).expect("a letter");
    let (letter, migration) = (
        last["id"].as_str().expect("an id").to_owned(),
        last["migrationId"].as_str().expect("a move").to_owned(),
    );
    let (code, told, _) = ask(&format!("dlq show {letter}"));
    assert!(code == Some(0) && told.contains("\"payload\"") && told.contains("FAILED"), "{told}");
    let (code, _, said) = ask(&format!("dlq replay {letter} --all"));
    assert!(code == Some(1) && said.contains("The dead letter is settled (409)"), "{said}");
    let (code, told, _) = ask("dlq replay-many --reason invalid_input --preview");
    assert!(code == Some(0) && told.contains("letters would be put back"), "{told}");
    let (code, told, _) = ask("dlq replay-many --code nothing_like_it --json");
    let replay: serde_json::Value = serde_json::from_str(&told).expect("one JSON document");
    assert_eq!((code, &replay["found"]), (Some(0), &serde_json::json!(0)));
    let (code, told, _) = ask(&format!("dlq progress {}", replay["id"].as_str().expect("an id")));
    assert!(code == Some(0) && told.contains("0 of 0 put back"), "{told}");
    let (code, _, said) = ask("dlq replay-many");
    assert!(code == Some(1) && said.contains("The filter is empty (422)"), "{said}");
    let (code, _, said) = ask(&format!("watch {migration}"));
    assert!(code == Some(1) && said.contains("not completed (site_status)"), "{said}");
    let (code, json, _) = ask(&format!("watch {migration} --json"));
    let last = json.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    assert!(code == Some(1) && last.is_some_and(|event| event["type"] == "done"), "{json}");
    up.terminate();
    assert!(up.exited(STARTED).await.success());
}
