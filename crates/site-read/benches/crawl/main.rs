//! How fast the crawl is beside wget2 and HTTrack, and how much memory it takes as sites grow.
//!
//!     crawl peers SITE START      the three in turn on the files under SITE, several rounds, medians
//!     crawl memory                generated sites of 500, 5,000 and 50,000 pages
//!     crawl read URL OUT LIMIT    one crawl, as the others run it in a process of its own
//!
//! Everything runs on loopback. The figures are printed, never judged: `make bench-crawl` is for people.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod figures;
mod memory;
mod peers;
mod read;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["peers", site, start] => peers::run(site.as_ref(), start),
        ["memory"] => memory::run(),
        ["read", url, out, pages] => read::run(url, out.as_ref(), pages),
        _ => Err("usage: crawl peers SITE START | crawl memory | crawl read URL OUT PAGES".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crawl: {error}");
            ExitCode::FAILURE
        }
    }
}
