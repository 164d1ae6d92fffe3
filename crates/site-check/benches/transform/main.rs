//! How fast TRANSFORM with its lint is, beside npm packages that convert HTML to JSX, on the same pages in the same run.
//!
//!     transform SITE PEERS     the HTML files under SITE; PEERS is the folder of `convert.mjs` with its packages
//!     transform SITE           ours alone, round after round: for a profiler
//!
//! Bodies are in memory on both sides and nothing is written to disk. The figures are printed, never judged:
//! `make bench-transform` is for people.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod site;

use serde::Deserialize;
use site_check::project;
use std::{
    error::Error,
    path::Path,
    process::{Command, ExitCode},
    thread::available_parallelism,
    time::Instant,
};

const ROUNDS: usize = 9;
const PEERS: [&str; 2] = ["html-to-jsx-transform", "htmltojsx"];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [site, peers] => run(site.as_ref(), Some(peers.as_ref())),
        [site] => run(site.as_ref(), None),
        _ => Err("usage: transform SITE [PEERS]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("transform: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds of one round, by what was done.
#[derive(Default)]
struct Rounds {
    transform: Vec<f64>,
    lint: Vec<f64>,
    peers: [Vec<f64>; PEERS.len()],
}

/// What `convert.mjs` says.
#[derive(Deserialize)]
struct Converted {
    pages: usize,
    failed: usize,
    seconds: f64,
}

fn run(folder: &Path, peers: Option<&Path>) -> Result<()> {
    let (snapshot, bodies) = site::read(folder)?;
    let pages = snapshot.pages.len();
    let began = Instant::now();
    let plan = site_write::plan(&snapshot, &bodies)?;
    println!("{pages} pages; the plan took {:.3} s", began.elapsed().as_secs_f64());
    let mut rounds = Rounds::default();
    for round in 1..=ROUNDS {
        let began = Instant::now();
        let project = project::write(&plan, &snapshot, &bodies)?;
        let written = began.elapsed().as_secs_f64();
        let lint = project::look_through(&project);
        let linted = began.elapsed().as_secs_f64() - written;
        println!(
            "round {round}: {} files in {written:.3} s, lint {linted:.3} s, {} violations",
            project.files.len(),
            lint.violations.len()
        );
        rounds.transform.push(written);
        rounds.lint.push(linted);
        for (peer, times) in PEERS.iter().zip(&mut rounds.peers) {
            let Some(at) = peers else { continue };
            let theirs = convert(at, peer, folder)?;
            println!("  {peer}: {:.3} s, {} of {} pages failed", theirs.seconds, theirs.failed, theirs.pages);
            times.push(theirs.seconds);
        }
    }
    tell(pages, rounds);
    Ok(())
}

fn tell(pages: usize, rounds: Rounds) {
    let both = rounds.transform.iter().zip(&rounds.lint).map(|(a, b)| a + b).collect();
    let (both, transform, lint) = (median(both), median(rounds.transform), median(rounds.lint));
    let speed = |seconds: f64| pages as f64 / seconds;
    println!("ours: {both:.3} s, {:.0} pages/s (transform {transform:.3} s, lint {lint:.3} s)", speed(both));
    for (peer, times) in PEERS.iter().zip(rounds.peers) {
        if !times.is_empty() {
            let theirs = median(times);
            println!(
                "{peer}: {theirs:.3} s, {:.0} pages/s: ours is {:.2} times as fast",
                speed(theirs),
                theirs / both
            );
        }
    }
}

/// One run of a package, on as many threads as ours has.
fn convert(peers: &Path, package: &str, folder: &Path) -> Result<Converted> {
    let threads = available_parallelism()?.to_string();
    let mut command = Command::new("node");
    command.arg(peers.join("convert.mjs")).arg(package).arg(folder.canonicalize()?).arg(threads);
    let output =
        command.output().map_err(|error| format!("node cannot be run ({error}): install it first"))?;
    if !output.status.success() {
        return Err(format!("{package}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
