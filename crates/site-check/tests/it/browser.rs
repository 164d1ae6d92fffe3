//! A page as headless Chromium has it after React took over and the site's scripts ran.

use std::process::{Command, Stdio};

/// What the browser ended up with, and what its console said.
pub(crate) struct Seen {
    pub(crate) dom: String,
    pub(crate) console: String,
}

/// Opens an address and waits until nothing happens any more.
pub(crate) fn open(url: &str) -> Seen {
    let profile = tempfile::tempdir().expect("a scratch profile");
    let program = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| on_path(name));
    let output = Command::new(program.expect("Chromium is installed: `make setup`"))
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=8000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .expect("Chromium can be started");
    let console = String::from_utf8_lossy(&output.stderr).into_owned();
    let console: Vec<&str> = console.lines().filter(|line| line.contains("CONSOLE")).collect();
    Seen { dom: String::from_utf8_lossy(&output.stdout).into_owned(), console: console.join("\n") }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
