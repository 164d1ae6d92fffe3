//! The crawl beside wget2 and HTTrack: in turn, several rounds, each from nothing.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::figures::{self, Figures, median};
use crate::read::CONNECTIONS;
use crate::server;

const ROUNDS: usize = 9;

pub(crate) fn run(site: &Path, start: &str) -> Result<(), Box<dyn Error>> {
    let address = server::start(server::files(site)?)?;
    let url = format!("http://{address}/{start}");
    let (mut ours, mut wget2, mut httrack): (Vec<Figures>, Vec<f64>, Vec<f64>) = Default::default();
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("ours");
        std::fs::create_dir(&out)?;
        ours.push(figures::of_child(&url, &out, 10_000)?);
        let threads = format!("--max-threads={CONNECTIONS}");
        let words = ["--mirror", "--quiet", "--no-robots", &threads, &url];
        let (seconds, got) = mirror("wget2", &words, &folder.path().join("wget2"))?;
        wget2.push(seconds);
        let connections = format!("-c{CONNECTIONS}");
        let words = [&url, &connections, "-%c0", "-A0", "--disable-security-limits", "-s0", "-q"];
        let (slow, all) = mirror("httrack", &words, &folder.path().join("httrack"))?;
        httrack.push(slow);
        let mine = ours[round];
        println!(
            "round {}: ours {:.3} s, {} pages; wget2 {seconds:.3} s, {got} pages; HTTrack {slow:.3} s, {all} pages",
            round + 1,
            mine.seconds,
            mine.pages
        );
    }
    let mine = median(ours.iter().map(|figures| figures.seconds));
    let pages = ours[0].pages as f64;
    let cpu = median(ours.iter().map(|figures| figures.cpu_seconds));
    println!("ours     {mine:.3} s, {:.0} pages/s, {:.3} CPU ms/page", pages / mine, cpu * 1000.0 / pages);
    for (name, times) in [("wget2", wget2), ("HTTrack", httrack)] {
        let theirs = median(times.into_iter());
        println!(
            "{name:<8} {theirs:.3} s, {:.0} pages/s: ours is {:.2} times as fast",
            pages / theirs,
            theirs / mine
        );
    }
    Ok(())
}

/// Runs a mirror program in a folder of its own: its time, and the HTML files it wrote.
fn mirror(program: &str, words: &[&str], folder: &Path) -> Result<(f64, usize), Box<dyn Error>> {
    std::fs::create_dir(folder)?;
    let began = Instant::now();
    let status = Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{program} cannot be run ({error}): install it first"))?;
    let seconds = began.elapsed().as_secs_f64();
    // 8 is wget2's way to say that a page had a dead link.
    if !status.success() && status.code() != Some(8) {
        return Err(format!("{program} ended with {status}").into());
    }
    Ok((seconds, pages(folder)?))
}

fn pages(folder: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                count += usize::from(path.extension().is_some_and(|extension| extension == "html"));
            }
        }
    }
    Ok(count)
}
