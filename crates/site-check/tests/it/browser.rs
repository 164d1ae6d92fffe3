//! A page as headless Chromium has it after React took over and the site's scripts ran.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// What the browser ended up with, and what its console said.
pub(crate) struct Seen {
    pub(crate) dom: String,
    pub(crate) console: String,
}

/// Opens an address and waits until nothing happens any more.
pub(crate) fn open(url: &str) -> Seen {
    let profile = tempfile::tempdir().expect("a scratch profile");
    let program = program().expect("Chromium is installed: `make setup`");
    // Bounded by a program of its own: a browser that hangs must not hang the tests.
    let output = Command::new("timeout")
        .args(["--kill-after=5", "120"])
        .arg(program)
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

/// Debian's without windows: the same to look at for half the processor's time. By its own path, since what is on the
/// `PATH` is a script that does not become it.
const SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";

/// Where deploy/setup looks, in the same order.
pub(crate) fn program() -> Option<PathBuf> {
    let named = std::env::var("CHROMIUM").ok();
    let known = [
        SHELL,
        "/snap/bin/chromium",
        "chromium",
        "google-chrome",
        "google-chrome-stable",
        "chromium-browser",
    ];
    named.as_deref().into_iter().chain(known).find_map(on_path)
}

/// A program by its path or its name. Ubuntu's stand-in, a script that asks for the snap, is none.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())?;
    let stand_in = std::fs::read(&found).is_ok_and(|bytes| {
        bytes.len() < 10_000 && String::from_utf8_lossy(&bytes).contains("snap install chromium")
    });
    (!stand_in).then_some(found)
}
